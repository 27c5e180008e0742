//! Sprinters runs GitHub Actions jobs on ephemeral EC2 instances in your own AWS account.
//!
//! Arguments and inputs come in, one mode runs, one report goes out, one exit code is returned.

mod boot;
mod cli;
mod clients;
mod credentials;
mod ec2;
mod error;
mod github;
mod http;
mod inputs;
mod launch;
mod modes;
mod platform;
mod pricing;
mod report;
mod retry;
mod runner;
mod teardown;
#[cfg(test)]
mod tests;
mod values;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clients::Clients;
use clients::target::{Narrowing, Target};
use error::Failure;
use github::Purpose;
use inputs::{InputError, Inputs, Mode, Problems};
use launch::instance_proxy::InstanceProxy;
use launch::spec::StartSpec;
use modes::policy::{self, PolicySpec};
use modes::rerun::spec::RerunSpec;
use modes::{check, migrate, rerun, start, stop, sweep};
use report::Report;
use retry::Deadline;

fn main() -> ExitCode {
    #[cfg(target_family = "wasm")]
    platform::reactor::set_up();
    let report = Arc::new(Report::new(environment));
    let mut mode = None;
    match run(&mut mode, &report) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report.failure(mode, &failure);
            #[cfg(target_family = "wasm")]
            platform::reactor::exit(failure.exit.code());
            ExitCode::from(failure.exit.code())
        }
    }
}

/// A variable of the environment; an empty one is absent, as in GitHub's own toolkit.
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Parses everything, then runs the mode. `mode` is told as soon as it is known, for the failure's title.
fn run(mode: &mut Option<Mode>, report: &Arc<Report>) -> Result<(), Failure> {
    let wrong = |error: InputError| Failure::inputs(&[error]);
    let arguments = cli::parse(std::env::args().collect()).map_err(wrong)?;
    if let Some(question) = &arguments.question {
        *mode = Some(Mode::Policy);
        return policy::answer(question, report);
    }
    if let Some(migration) = &arguments.migration {
        return migrate::migrate(migration, report);
    }
    let json = environment("SPRINTERS_INPUTS");
    if arguments.mode.is_none() && json.is_none() {
        report.line(cli::help());
        return Err(wrong(InputError::missing(
            "mode",
            &format!("it is empty; accepted: {}", Mode::ACCEPTED),
        )));
    }
    let (named, inputs) =
        Inputs::gather(arguments.flags, json.as_deref(), environment).map_err(wrong)?;
    for secret in inputs.secrets() {
        report.mask(secret);
    }
    let chosen = match (arguments.mode, named) {
        (Some(mode), _) => mode,
        (None, Some(word)) => Mode::parse(word.trim()).map_err(wrong)?,
        (None, None) => {
            return Err(wrong(InputError::missing(
                "mode",
                &format!("it is empty; accepted: {}", Mode::ACCEPTED),
            )));
        }
    };
    *mode = Some(chosen);
    let runtime = runtime()?;
    let inputs = runtime.block_on(runner::resolve(inputs, environment, report))?;
    match parse(chosen, &inputs).map_err(|problems| Failure::inputs(&problems.located(&inputs)))? {
        Work::Policy(spec) => policy::check(&spec, report),
        Work::Cloud(target, mode) => runtime.block_on(perform(*target, mode, report)),
    }
}

#[cfg(not(target_family = "wasm"))]
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(could_not_start)
}

#[cfg(target_family = "wasm")]
fn runtime() -> Result<platform::reactor::Runtime, Failure> {
    platform::reactor::Runtime::new().map_err(could_not_start)
}

#[expect(clippy::needless_pass_by_value, reason = "fits `map_err`")]
fn could_not_start(error: std::io::Error) -> Failure {
    Failure::new(format!("could not start: {error}"), "report this as a bug")
}

/// What is to be done, with everything that it needs, valid.
enum Work {
    /// For this someone must be asked.
    Cloud(Box<Target>, CloudMode),
    /// Nobody is asked.
    Policy(PolicySpec),
}

enum CloudMode {
    Start(Box<StartSpec>),
    Stop(Narrowing),
    Check(Box<StartSpec>),
    Sweep,
    Rerun(RerunSpec),
}

/// Parses all inputs of the mode, and tells every wrong one.
fn parse(mode: Mode, inputs: &Inputs) -> Result<Work, Problems> {
    let mut problems = Problems::default();
    if mode == Mode::Policy {
        return PolicySpec::parse(inputs, &mut problems)
            .map(Work::Policy)
            .ok_or(problems);
    }
    let target = Target::parse(mode, inputs, environment, &mut problems);
    let region = target.as_ref().map(|target| &target.region);
    let mut start = || {
        let mut spec = StartSpec::parse(inputs, region, &mut problems)?;
        let read = |path: &str| std::fs::read_to_string(path);
        spec.proxy = InstanceProxy::of(environment, read, &mut spec.notes);
        problems.take(launch::user_data::fits(&spec).map_err(|error| {
            let setup = spec.setup.as_deref().unwrap_or_default();
            InputError::wrong("setup", setup, &error.to_string())
        }))?;
        Some(Box::new(spec))
    };
    let mode = match mode {
        Mode::Start => start().map(CloudMode::Start),
        Mode::Check => start().map(CloudMode::Check),
        Mode::Stop => Some(CloudMode::Stop(Narrowing::parse(inputs, &mut problems))),
        Mode::Sweep | Mode::Policy => Some(CloudMode::Sweep),
        Mode::Rerun => {
            RerunSpec::parse(inputs, event().as_deref(), &mut problems).map(CloudMode::Rerun)
        }
    };
    match (target, mode, problems.is_empty()) {
        (Some(target), Some(mode), true) => Ok(Work::Cloud(Box::new(target), mode)),
        _ => Err(problems),
    }
}

/// What began this workflow, as GitHub describes it in a file; `None` at a terminal.
fn event() -> Option<String> {
    std::fs::read_to_string(environment("GITHUB_EVENT_PATH")?).ok()
}

async fn perform(target: Target, mode: CloudMode, report: &Arc<Report>) -> Result<(), Failure> {
    let purpose = match mode {
        CloudMode::Rerun(_) => Purpose::Runs,
        _ => Purpose::Runners,
    };
    let clients = Clients::new(target, purpose, environment, report).await;
    let github = clients.github.clone();
    // A start hears of a cancel by itself, and undoes what it has done.
    let hears_cancel = matches!(mode, CloudMode::Start(_));
    let work = async {
        match mode {
            CloudMode::Start(mut spec) => {
                spec.spot = spec.spot.on_attempt_of(&clients.run);
                start::start(clients, *spec, report.clone()).await
            }
            CloudMode::Stop(narrowing) => {
                own_account(&clients).await?;
                stop::stop(&clients, &narrowing, report).await
            }
            CloudMode::Check(spec) => check::check(&clients, &spec, report).await,
            CloudMode::Sweep => {
                own_account(&clients).await?;
                sweep::sweep(&clients, report).await
            }
            CloudMode::Rerun(spec) => {
                own_account(&clients).await?;
                rerun::rerun(&clients, &spec, report).await
            }
        }
    };
    clients::session::signed_in(&github, hears_cancel, report, work).await
}

/// `stop` and `sweep` in another account would find nothing, and call that a success. `start` and `check` ask beside all else.
async fn own_account(clients: &Clients) -> Result<(), Failure> {
    let soon = Deadline::after(Duration::from_secs(20));
    clients::expected_account::check(clients, clients.account.as_ref(), soon).await
}
