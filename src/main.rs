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
mod reruns;
mod retry;
mod runner;
mod teardown;
#[cfg(test)]
mod tests;
mod values;
mod yaml;

use std::process::ExitCode;
use std::sync::Arc;

use cli::ByHand;
use error::Failure;
use inputs::{InputError, Inputs, ListenFlags, Mode};
use modes::{Work, migrate, policy, setup};
use platform::environment;
use report::Reporter;

fn main() -> ExitCode {
    #[cfg(target_family = "wasm")]
    platform::wasi::set_up();
    // As a step of a workflow, which will ask somebody.
    #[cfg(not(target_family = "wasm"))]
    if environment("SPRINTERS_INPUTS").is_some() {
        http::prepare(environment);
    }
    let report = Arc::new(Reporter::new(environment));
    let arguments: Vec<String> = std::env::args().collect();
    if cli::asks_for_json(&arguments) {
        report.write_json();
    }
    install_panic_hook(&report);
    report::debug::enable(&report, environment);
    let mut mode = None;
    let code = match run(arguments, &mut mode, &report) {
        Ok(()) => 0,
        Err(failure) => {
            report.failure(mode, &failure);
            failure.exit.code()
        }
    };
    report::flush();
    #[cfg(target_family = "wasm")]
    if code != 0 {
        platform::wasi::exit(code);
    }
    ExitCode::from(code)
}

/// Parses everything, then runs the mode. `mode` is set as soon as it is known, for the failure's title.
fn run(
    arguments: Vec<String>,
    mode: &mut Option<Mode>,
    report: &Arc<Reporter>,
) -> Result<(), Failure> {
    let wrong = |error: InputError| Failure::inputs(&[error]);
    let arguments = cli::parse(arguments, report)?;
    if let Some(command) = &arguments.command {
        return by_hand(command, mode, report);
    }
    let json = environment("SPRINTERS_INPUTS");
    if arguments.mode.is_none() && json.is_none() {
        report.line(cli::help());
        return Err(wrong(no_mode()));
    }
    let (named, inputs) =
        Inputs::gather(arguments.flags, json.as_deref(), environment).map_err(wrong)?;
    for secret in inputs.secrets() {
        report.mask(secret);
    }
    let chosen = match (arguments.mode, named) {
        (Some(mode), _) => mode,
        (None, Some(word)) => Mode::parse(word.trim()).map_err(wrong)?,
        (None, None) => return Err(wrong(no_mode())),
    };
    *mode = Some(chosen);
    platform::executor::block_on(perform(chosen, inputs, &arguments.listening, report))
        .map_err(|error| Failure::bug(&error))?
}

async fn perform(
    mode: Mode,
    inputs: Inputs,
    listening: &ListenFlags,
    report: &Arc<Reporter>,
) -> Result<(), Failure> {
    if mode == Mode::Listen {
        return modes::listen(inputs, listening, report).await;
    }
    let unknown = inputs.unknown().to_vec();
    let inputs = runner::resolve(inputs, environment, report)
        .await
        .map_err(|failure| failure.after(&unknown))?;
    let inputs = inputs.with_region_of_profile(ec2::profile_region(environment).await);
    let work = Work::parse(mode, &inputs)
        .map_err(|problems| Failure::inputs(&problems.located(&inputs)))?;
    work.perform(report).await
}

/// What a person asks for at a terminal, and a workflow does not.
fn by_hand(command: &ByHand, mode: &mut Option<Mode>, report: &Reporter) -> Result<(), Failure> {
    match command {
        ByHand::Policy(question) => {
            *mode = Some(Mode::Policy);
            policy::answer(question, report)
        }
        ByHand::Migrate(migration) => migrate::migrate(migration, report),
        ByHand::Setup(wanted) => {
            report.verbatim(&setup::text(wanted));
            Ok(())
        }
        #[cfg(not(target_family = "wasm"))]
        ByHand::Print(text) => {
            report.verbatim(text);
            Ok(())
        }
    }
}

/// A panic is reported as everything else is, also where the log is for programs.
fn install_panic_hook(report: &Arc<Reporter>) {
    let (report, print_panic) = (report.clone(), std::panic::take_hook());
    platform::rescue::install(move |panic| {
        if report.is_json() {
            let failure = Failure::new(panic.to_string(), "report this as a bug");
            report.failure(None, &failure);
            report::flush();
        } else if report.is_in_workflow() {
            // It may quote text of others, and the runner reads stderr, too.
            report.aside(panic);
            report::flush();
        } else {
            print_panic(panic);
        }
    });
}

fn no_mode() -> InputError {
    InputError::new(
        "mode",
        &format!("it is empty; accepted: {}", Mode::ACCEPTED),
    )
}
