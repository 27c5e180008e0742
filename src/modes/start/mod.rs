//! `start`: launch, wait until the runners are online, or undo everything.

pub(crate) mod fallback;
mod outputs;
mod pace;
mod rollback;
mod summary;
pub(crate) mod wait_online;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::clients::Clients;
use crate::clients::expected_account;
use crate::error::Failure;
#[cfg(not(target_family = "wasm"))]
use crate::inputs::Mode;
use crate::launch::ahead;
use crate::launch::boot_volume;
use crate::launch::context::Launcher;
use crate::launch::deadlines::Deadlines;
use crate::launch::prepare::Prepared;
use crate::launch::registrar::Registrar;
use crate::launch::runner::{LaunchedRunner, described};
use crate::launch::runner_group;
use crate::launch::spec::StartSpec;
#[cfg(not(target_family = "wasm"))]
use crate::launch::undo;
use crate::modes::start::wait_online::Watch;
use crate::platform::executor::spawn;
use crate::platform::rescue;
use crate::platform::signals::Cancel;
use crate::report::Reporter;
use crate::values::region::Region;
use crate::values::run::LaunchName;
use crate::values::runner_id::RunnerId;
use crate::values::spot::Market;
use fallback::{Cause, Fallback};
use rollback::{Rollback, end_strays};
use summary::Started;

/// Launches under way at a time: enough to hide the round trips, and well below GitHub's 100 requests at a time.
const AT_ONCE: usize = 32;
/// Up to so many runners, the log has a line for each.
const TOLD_EACH: usize = 20;

/// Launches `count` runners and waits for them. A failure leaves no outputs, and hands out `fallback` where that is for it.
pub(crate) async fn start(
    clients: Clients,
    spec: StartSpec,
    fallback: Option<Fallback>,
    report: Arc<Reporter>,
) -> Result<(), Failure> {
    let attempt = clients.run.attempt.clone();
    let NotStarted { failure, cause } = match launch_and_wait(clients, spec, report.clone()).await {
        Ok(()) => return Ok(()),
        Err(not_started) => not_started,
    };
    outputs::clear(&report)?;
    match fallback.filter(|fallback| cause.is_some_and(|cause| fallback.is_for(cause))) {
        Some(fallback) => fallback.hand_out(&attempt, &failure.what, &failure.help, &report),
        None => Err(failure),
    }
}

/// A failure, and what it can be fallen back for: nothing after a cancel, or where something is left behind.
struct NotStarted {
    failure: Failure,
    cause: Option<Cause>,
}

impl From<Failure> for NotStarted {
    fn from(failure: Failure) -> Self {
        let cause = Cause::of(&failure);
        Self { failure, cause }
    }
}

impl NotStarted {
    fn for_good(failure: Failure) -> Self {
        Self {
            failure,
            cause: None,
        }
    }
}

async fn launch_and_wait(
    clients: Clients,
    spec: StartSpec,
    report: Arc<Reporter>,
) -> Result<(), NotStarted> {
    let began = Instant::now();
    let mut cancel = Cancel::install().map_err(|error| Failure::bug(&error))?;
    let deadlines = Deadlines::new(spec.start_timeout.as_duration(), spec.count);

    // Who cannot be told what was launched must not have it launched.
    report
        .try_outputs()
        .map_err(|error| Failure::output("label", &error))?;
    let launcher = Arc::new(Launcher::new(clients, Arc::new(spec), report, deadlines));
    #[cfg(not(target_family = "wasm"))]
    undo::on_panic(
        Mode::Start,
        &launcher.clients,
        &launcher.journal,
        &launcher.cancellation,
        &launcher.report,
    );
    // First what the launches themselves wait for.
    let mut tasks = begin_launches(&launcher);
    let _asked = ahead::ask(
        &launcher.clients,
        &launcher.spec,
        &launcher.lookups,
        launcher.deadlines.launch_by(),
    );
    let (outcome, is_cancelled) = tokio::select! {
        outcome = finish(&launcher, &mut tasks, began) => (outcome, false),
        signal = cancel.requested() => (Err(Failure::cancelled(signal)), true),
    };
    match outcome {
        Ok(online) => {
            rescue::disarm();
            log_success(&launcher, &online, began.elapsed());
            Ok(())
        }
        Err(failure) if is_cancelled => {
            let (failure, _) = Rollback::after_cancel()
                .run(&launcher, tasks, failure)
                .await;
            let failure = failure.with_ladder(launcher.ladder());
            Err(NotStarted::for_good(failure))
        }
        Err(failure) => Err(roll_back(&launcher, tasks, failure, &mut cancel).await),
    }
}

/// Undoes a start that failed. A cancel that comes meanwhile leaves no more time than at any other moment: the undo begins
/// again then, as one that is in a hurry.
async fn roll_back(
    launcher: &Launcher,
    tasks: Tasks,
    failure: Failure,
    cancel: &mut Cancel,
) -> NotStarted {
    let patient = Rollback::patient(launcher, launcher.deadlines.undone_by());
    let (failure, is_clean) = tokio::select! {
        undone = patient.run(launcher, tasks, failure.clone()) => undone,
        signal = cancel.requested() => {
            let failure = failure.and(Failure::cancelled(signal).what);
            let hurried = Rollback::after_cancel();
            let (failure, _) = hurried.run(launcher, Tasks::new(), failure).await;
            (failure, false)
        }
    };
    let failure = failure.with_ladder(launcher.ladder());
    if is_clean {
        failure.into()
    } else {
        NotStarted::for_good(failure)
    }
}

/// The runners of a start that succeeded.
struct Online {
    runners: Vec<LaunchedRunner>,
    prepared_in: Duration,
    launched_in: Duration,
    /// From then on, until each was seen online.
    after: BTreeMap<RunnerId, Duration>,
}

fn log_success(launcher: &Launcher, online: &Online, total: Duration) {
    let (refused, is_without_spot) = launcher.refusals_so_far();
    let is_on_demand = |runner: &LaunchedRunner| runner.candidate.market == Market::OnDemand;
    let is_fallback = is_without_spot && online.runners.iter().any(is_on_demand);
    if is_fallback {
        launcher
            .report
            .line("· EC2 refused spot: on-demand instead (`spot: auto`)");
    }
    let started = Started {
        run: &launcher.clients.run,
        images: launcher
            .prepared
            .get()
            .map(|prepared| prepared.images(&launcher.spec))
            .unwrap_or_default(),
        refused: &refused,
        is_fallback,
        runners: &online.runners,
        online_after: &online.after,
        prepared_in: online.prepared_in,
        launched_in: online.launched_in,
        total,
        spec: &launcher.spec,
    };
    launcher.report.summary(&started.markdown());
    launcher.report.done(
        format_args!("{} online", counted(online.runners.len())),
        total,
    );
}

/// What the launches wait for, looked up together. They mint their records meanwhile; no instance is asked for before all of it is known.
async fn prepare(launcher: &Launcher) -> Result<(), Failure> {
    let Launcher {
        clients,
        spec,
        report,
        ..
    } = launcher;
    let deadline = launcher.deadlines.launch_by();
    let registrar = async {
        let group = runner_group::resolve(clients, &spec.runner_group, deadline).await?;
        let _ = launcher.registrar.set(Registrar::Run { group });
        Ok::<_, Failure>(())
    };
    let (account, signed_in, prepared, registrar) = tokio::join!(
        expected_account::check(clients, clients.account.as_ref(), deadline),
        clients.sign_in(deadline),
        Prepared::fetch(clients, spec, report, deadline),
        registrar,
    );
    account.and(signed_in)?;
    let prepared = prepared?;
    prepared.warn_of_skipped(report);
    registrar?;
    report.group("Plan", prepared.described(spec));
    for label in spec
        .labels
        .iter()
        .filter(|label| label.as_str().contains(' '))
    {
        report.warning(format_args!(
            "`labels`: `{label}` is one label with a blank in it; several are separated by commas"
        ));
    }
    let _ = launcher.prepared.set(Arc::new(prepared));
    Ok(())
}

type Tasks = JoinSet<Result<LaunchedRunner, Failure>>;

/// Launches are tasks of their own, so that a cancel does not drop a call whose answer names an instance.
fn begin_launches(launcher: &Arc<Launcher>) -> Tasks {
    let now = SystemTime::now();
    let run = &launcher.clients.run;
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut tasks = JoinSet::new();
    for _ in 0..launcher.spec.count {
        let (launcher, turns, label) =
            (launcher.clone(), turns.clone(), LaunchName::fresh(run, now));
        spawn(&mut tasks, async move {
            // The semaphore is never closed, so that there is always a turn.
            let _turn = turns.acquire().await;
            // In a box of its own, which is made at its turn: it takes tens of kilobytes, and a thousand may wait.
            Box::pin(launcher.launch(label)).await
        });
    }
    tasks
}

/// Prepares the launches and waits for them, writes the outputs, waits for the runners.
async fn finish(launcher: &Launcher, tasks: &mut Tasks, began: Instant) -> Result<Online, Failure> {
    let report = &launcher.report;
    prepare(launcher).await?;
    let prepared_in = began.elapsed();
    let began = Instant::now();
    let mut runners = Vec::new();
    while let Some(launch) = tasks.join_next().await {
        let runner = launch.unwrap_or_else(|error| {
            Err(Failure::new(
                format!("a launch ended unexpectedly: {error}"),
                "report this as a bug",
            ))
        })?;
        log_launch(launcher, &runner);
        runners.push(runner);
        // At once, so that a later failure still leaves something to stop; of many not each time, for the file keeps them all.
        let count = runners.len();
        if count.is_power_of_two() || tasks.is_empty() {
            outputs::write_launched(&launcher.clients, &runners, report)?;
        }
        log_progress("launched", count, launcher, began);
    }
    #[cfg(debug_assertions)]
    rescue::panic_for_a_test();
    let launched_in = began.elapsed();
    let online_by = launcher.deadlines.online_by();
    let watch = Watch::new(&launcher.clients, report, &runners);
    let (after, ()) = tokio::try_join!(
        watch.until_online(online_by, launcher.spec.start_timeout),
        end_strays(launcher, &runners)
    )?;
    for runner in runners.iter().take(TOLD_EACH) {
        let took = after.get(&runner.runner_id).copied().unwrap_or_default();
        report.done(format_args!("runner `{}` is online", runner.name), took);
    }
    boot_volume::bring_down(&launcher.clients, &runners, report).await;
    if launcher.clients.run.is_local() {
        report.line(format_args!(
            "· to end it: `{}`",
            stop_command(&launcher.clients, &runners)
        ));
    }
    Ok(Online {
        runners,
        prepared_in,
        launched_in,
        after,
    })
}

/// At a terminal only a name tells whose an instance is.
fn stop_command(clients: &Clients, runners: &[LaunchedRunner]) -> String {
    let ids: Vec<&str> = runners
        .iter()
        .map(|runner| runner.instance_id.as_str())
        .collect();
    let mut command = format!("sprinters stop --instance-id {}", ids.join(","));
    if clients.ec2.is_several() {
        let regions: Vec<&str> = clients.ec2.regions().map(Region::as_str).collect();
        let _ = write!(command, " --aws-region {}", regions.join(","));
    }
    command
}

fn log_launch(launcher: &Launcher, runner: &LaunchedRunner) {
    if usize::from(launcher.spec.count) > TOLD_EACH {
        return;
    }
    let report = &launcher.report;
    report.done(described(runner), runner.launched_in);
    if let Some(volume) = boot_volume::described(runner.volumes.root, &runner.candidate.region) {
        report.line(format_args!("  {volume}"));
    }
}

/// Of many, each tenth part.
fn log_progress(what: &str, done: usize, launcher: &Launcher, began: Instant) {
    let all = usize::from(launcher.spec.count);
    if all > TOLD_EACH && (done == all || done.is_multiple_of(all.div_ceil(10))) {
        launcher
            .report
            .done(format_args!("{what} {done} of {all}"), began.elapsed());
    }
}

fn counted(runners: usize) -> String {
    match runners {
        1 => "1 runner".to_owned(),
        more => format!("{more} runners"),
    }
}
