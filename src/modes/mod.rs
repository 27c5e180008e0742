//! What the program can be told to do: one verb each.

pub(crate) mod bake;
pub(crate) mod check;
#[cfg(not(target_family = "wasm"))]
mod listen;
pub(crate) mod migrate;
pub(crate) mod policy;
pub(crate) mod rerun;
pub(crate) mod setup;
pub(crate) mod start;
pub(crate) mod stop;
pub(crate) mod sweep;

use std::sync::Arc;
use std::time::Duration;

use crate::clients::target::Target;
use crate::clients::{Clients, expected_account, session};
use crate::credentials::withheld::{Withheld, withheld};
use crate::error::Failure;
use crate::github::Purpose;
use crate::inputs::ListenFlags;
use crate::inputs::{InputError, Inputs, Mode, Problems};
use crate::launch::instance_proxy::InstanceProxy;
use crate::launch::spec::StartSpec;
use crate::launch::user_data;
use crate::platform::environment;
use crate::report::{CheckStatus, Reporter};
use crate::retry::Deadline;
use bake::spec::BakeSpec;
use policy::PolicySpec;
use rerun::spec::RerunSpec;
use start::fallback::{Cause, Fallback};
use stop::filter::StopFilter;

/// What is to be done, with everything that it needs, valid.
pub(crate) enum Work {
    /// For this someone must be asked.
    Cloud(Box<Target>, CloudMode),
    /// Nobody is asked.
    Policy(PolicySpec),
    /// A run without secrets: nobody can be asked, and no runner is launched.
    Fallback(Fallback, Withheld),
    /// So there is nothing to stop, either.
    NothingToStop(Withheld),
}

/// A mode that asks AWS and GitHub.
pub(crate) enum CloudMode {
    Start(Box<StartSpec>, Option<Fallback>),
    Stop(StopFilter),
    /// With the name of the runner that a listener is to serve.
    Check(Box<StartSpec>, Option<String>),
    /// With the most attempts that a run may have.
    Sweep(u32),
    Rerun(RerunSpec),
    Bake(Box<BakeSpec>),
}

impl Work {
    /// Parses all inputs of the mode, and tells every wrong one.
    pub(crate) fn parse(mode: Mode, inputs: &Inputs) -> Result<Self, Problems> {
        let mut problems = Problems::of(inputs);
        if mode == Mode::Policy {
            return PolicySpec::parse(inputs, &mut problems)
                .map(Self::Policy)
                .ok_or(problems);
        }
        let fallback = matches!(mode, Mode::Start | Mode::Check)
            .then(|| Fallback::parse(inputs, &mut problems))
            .flatten();
        if let Some(without) = without_secrets(mode, inputs, fallback.as_ref()) {
            return if problems.is_empty() {
                Ok(without)
            } else {
                Err(problems)
            };
        }
        let target = Target::parse(mode, inputs, environment, &mut problems);
        let regions = target.as_ref().map(|target| &target.regions);
        if mode == Mode::Bake {
            let spec = BakeSpec::parse(inputs, regions, &mut problems);
            return match (target, spec, problems.is_empty()) {
                (Some(target), Some(spec), true) => Ok(Self::Cloud(
                    Box::new(target),
                    CloudMode::Bake(Box::new(spec)),
                )),
                _ => Err(problems),
            };
        }
        let mut start = || {
            let mut spec = StartSpec::parse(inputs, regions, &mut problems)?;
            let read = |path: &str| std::fs::read_to_string(path);
            spec.proxy = InstanceProxy::of(environment, read, &mut spec.notes);
            problems.collect(user_data::fits(&spec).map_err(|error| {
                let setup = spec.setup.as_deref().unwrap_or_default();
                InputError::wrong("setup", setup, &error.to_string())
            }))?;
            Some(Box::new(spec))
        };
        let mode = match mode {
            Mode::Start => start().map(|spec| CloudMode::Start(spec, fallback)),
            Mode::Check => {
                let served = inputs.get("max-runners").and(inputs.get("runner"));
                let served = served.map(str::to_owned);
                start().map(|spec| CloudMode::Check(spec, served))
            }
            Mode::Stop => Some(CloudMode::Stop(StopFilter::parse(inputs, &mut problems))),
            Mode::Sweep | Mode::Policy | Mode::Listen | Mode::Bake => Some(CloudMode::Sweep(
                rerun::spec::max_attempts(inputs, &mut problems),
            )),
            Mode::Rerun => {
                RerunSpec::parse(inputs, event().as_deref(), &mut problems).map(CloudMode::Rerun)
            }
        };
        match (target, mode, problems.is_empty()) {
            (Some(target), Some(mode), true) => Ok(Self::Cloud(Box::new(target), mode)),
            _ => Err(problems),
        }
    }

    /// Does it.
    pub(crate) async fn perform(self, report: &Arc<Reporter>) -> Result<(), Failure> {
        match self {
            Self::Policy(spec) => policy::check(&spec, report),
            Self::Fallback(fallback, withheld) => {
                let attempt = environment("GITHUB_RUN_ATTEMPT").unwrap_or_else(|| "1".to_owned());
                fallback.hand_out(&attempt, &withheld, &[], report)
            }
            Self::NothingToStop(withheld) => {
                report.mark(
                    CheckStatus::Done,
                    format_args!("nothing to stop: {withheld}"),
                );
                Ok(())
            }
            Self::Cloud(target, mode) => perform(*target, mode, report).await,
        }
    }
}

/// What `start` and `stop` do in a run from which GitHub withholds secrets. Elsewhere an empty secret is a wrong input.
fn without_secrets(mode: Mode, inputs: &Inputs, fallback: Option<&Fallback>) -> Option<Work> {
    if !matches!(mode, Mode::Start | Mode::Stop) {
        return None;
    }
    let withheld = withheld(inputs, environment, event().as_deref())?;
    match mode {
        Mode::Stop => Some(Work::NothingToStop(withheld)),
        _ => fallback
            .filter(|fallback| fallback.is_for(Cause::Secrets))
            .map(|fallback| Work::Fallback(fallback.clone(), withheld)),
    }
}

/// Serves scale sets, of which `runner` may name several.
#[cfg(not(target_family = "wasm"))]
pub(crate) async fn listen(
    inputs: Inputs,
    flags: &ListenFlags,
    report: &Arc<Reporter>,
) -> Result<(), Failure> {
    Box::pin(listen::listen(inputs, flags, report)).await
}

/// The portable build has no sockets to wait at and no signals to end by.
#[cfg(target_family = "wasm")]
#[expect(clippy::unused_async, reason = "as the native build has it")]
pub(crate) async fn listen(_: Inputs, _: &ListenFlags, _: &Arc<Reporter>) -> Result<(), Failure> {
    let why = "any other mode here: `listen` needs a native build (Linux on x64 or arm64)";
    Err(Failure::inputs(&[InputError::wrong("mode", "listen", why)]))
}

/// What began this workflow, as GitHub describes it in a file; `None` at a terminal.
fn event() -> Option<String> {
    std::fs::read_to_string(environment("GITHUB_EVENT_PATH")?).ok()
}

async fn perform(target: Target, mode: CloudMode, report: &Arc<Reporter>) -> Result<(), Failure> {
    let purpose = match mode {
        CloudMode::Rerun(_) => Purpose::Runs,
        _ => Purpose::Runners,
    };
    let patience = crate::http::READ_TIMEOUT;
    let clients = Clients::new(target, purpose, environment, report, patience).await;
    let github = clients.github.clone();
    // These hear of a cancel by themselves, and undo what they have done.
    let hears_cancel = matches!(
        mode,
        CloudMode::Start(..) | CloudMode::Bake(_) | CloudMode::Check(..)
    );
    let work = async {
        match mode {
            CloudMode::Start(mut spec, fallback) => {
                spec.spot = spec.spot.on_attempt_of(&clients.run);
                start::start(clients, *spec, fallback, report.clone()).await
            }
            CloudMode::Stop(narrowing) => {
                own_account(&clients).await?;
                stop::stop(&clients, &narrowing, report).await
            }
            CloudMode::Check(spec, served) => {
                check::check(&clients, &spec, served.as_deref(), report).await
            }
            CloudMode::Bake(spec) => bake::bake(&clients, &spec, report).await,
            CloudMode::Sweep(max_attempts) => {
                own_account(&clients).await?;
                sweep::sweep(&clients, max_attempts, report).await
            }
            CloudMode::Rerun(spec) => {
                own_account(&clients).await?;
                rerun::rerun(&clients, &spec, report).await
            }
        }
    };
    session::signed_in(&github, hears_cancel, report, work).await
}

/// `stop` and `sweep` in another account would find nothing, and call that a success. `start` and `check` ask beside all else.
async fn own_account(clients: &Clients) -> Result<(), Failure> {
    let soon = Deadline::after(Duration::from_secs(20));
    expected_account::check(clients, clients.account.as_ref(), soon).await
}
