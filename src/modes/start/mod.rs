//! `start`: launch, wait until the runners are online, or undo everything.

mod summary;
pub(crate) mod wait_online;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::clients::Clients;
use crate::clients::expected_account;
use crate::error::Failure;
use crate::launch::boot_volume;
use crate::launch::context::Launcher;
use crate::launch::deadlines::{self, Deadlines};
use crate::launch::journal::AttemptId;
use crate::launch::prepare::Prepared;
use crate::launch::runner::{LaunchedRunner, described};
use crate::launch::runner_group;
use crate::launch::spec::StartSpec;
use crate::modes::start::wait_online::Watch;
use crate::platform::signals::{Cancel, UNDO_WITHIN};
use crate::report::{Reporter, first_of, seconds};
use crate::retry::Deadline;
use crate::teardown::{Undone, undo};
use crate::values::run::LaunchName;
use crate::values::runner_id::RunnerId;
use summary::Started;

/// How long calls that are under way may take to answer before an undo; after a cancel there is less time.
const SETTLE: Duration = Duration::from_secs(15);
const SETTLE_AFTER_CANCEL: Duration = Duration::from_millis(2_500);
/// Launches under way at a time: enough to hide the round trips, and well below GitHub's 100 requests at a time.
const AT_ONCE: usize = 32;
/// Up to so many runners, the log has a line for each.
const TOLD_EACH: usize = 20;

/// Launches `count` runners and waits for them.
pub(crate) async fn start(
    clients: Clients,
    spec: StartSpec,
    report: Arc<Reporter>,
) -> Result<(), Failure> {
    let began = Instant::now();
    let mut cancel = Cancel::install().map_err(|error| {
        Failure::new(
            format!("could not listen for a cancel: {error}"),
            "report this as a bug",
        )
    })?;
    let times = Deadlines::new(spec.start_timeout.as_duration(), spec.count);

    let (prepared, runner_group) = tokio::select! {
        prepared = prepare(&clients, &spec, &report, times.launch_by) => prepared?,
        signal = cancel.requested() => return Err(Failure::cancelled(signal)),
    };
    report.group("Plan", prepared.described(&spec));
    let prepared_in = began.elapsed();
    let launcher = Arc::new(Launcher::new(
        clients,
        spec,
        (prepared, runner_group),
        report,
        &times,
    ));

    let mut tasks = begin_launches(&launcher);
    let (outcome, is_cancelled) = tokio::select! {
        outcome = finish(&launcher, &mut tasks, times.online_by) => (outcome, false),
        signal = cancel.requested() => (Err(Failure::cancelled(signal)), true),
    };
    match outcome {
        Ok(online) => {
            log_success(&launcher, &online, prepared_in, began.elapsed());
            Ok(())
        }
        Err(failure) => {
            let (settle, undone_by) = if is_cancelled {
                (SETTLE_AFTER_CANCEL, Deadline::after(UNDO_WITHIN))
            } else {
                (SETTLE, times.undone_by.within(deadlines::UNDO_PATIENTLY))
            };
            Err(undo_everything(&launcher, tasks, settle, undone_by, failure).await)
        }
    }
}

/// The runners of a start that succeeded.
struct Online {
    runners: Vec<LaunchedRunner>,
    launched_in: Duration,
    /// From then on, until each was seen online.
    after: BTreeMap<RunnerId, Duration>,
}

fn log_success(launcher: &Launcher, online: &Online, prepared_in: Duration, total: Duration) {
    let started = Started {
        runners: &online.runners,
        online_after: &online.after,
        prepared_in,
        launched_in: online.launched_in,
        total,
        region: &launcher.clients.region,
        spec: &launcher.spec,
    };
    launcher.report.summary(&started.markdown());
    launcher.report.done(
        format_args!("{} online", counted(online.runners.len())),
        total,
    );
}

/// Whose account it is, and what must be known before the first launch: asked together.
async fn prepare(
    clients: &Clients,
    spec: &StartSpec,
    report: &Reporter,
    deadline: Deadline,
) -> Result<(Prepared, u64), Failure> {
    let (account, signed_in, prepared, group) = tokio::join!(
        expected_account::check(clients, clients.account.as_ref(), deadline),
        clients.sign_in(deadline),
        Prepared::fetch(clients, spec, report, deadline),
        runner_group::resolve(clients, &spec.runner_group, deadline)
    );
    account.and(signed_in)?;
    Ok((prepared?, group?))
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
        tasks.spawn(async move {
            // The semaphore is never closed, so that there is always a turn.
            let _turn = turns.acquire().await;
            launcher.launch(label).await
        });
    }
    tasks
}

/// Waits for the launches, writes the outputs, waits for the runners.
async fn finish(
    launcher: &Launcher,
    tasks: &mut Tasks,
    online_by: Deadline,
) -> Result<Online, Failure> {
    let report = &launcher.report;
    let began = Instant::now();
    let mut runners = Vec::new();
    while let Some(launch) = tasks.join_next().await {
        let runner = launch.unwrap_or_else(|error| {
            Err(Failure::new(
                format!("a launch broke off: {error}"),
                "report this as a bug",
            ))
        })?;
        log_launch(launcher, &runner);
        runners.push(runner);
        // At once, so that a later failure still leaves something to stop; of many not each time, for the file keeps them all.
        let count = runners.len();
        if count.is_power_of_two() || tasks.is_empty() {
            write_outputs(launcher, &runners)?;
        }
        log_progress("launched", count, launcher, began);
    }
    let launched_in = began.elapsed();
    let watch = Watch::new(&launcher.clients, report, &runners);
    let (after, ()) = tokio::try_join!(
        watch.until_online(online_by, launcher.spec.start_timeout),
        end_strays(launcher, &runners, online_by)
    )?;
    for runner in runners.iter().take(TOLD_EACH) {
        let took = after.get(&runner.runner_id).copied().unwrap_or_default();
        report.done(format_args!("runner `{}` is online", runner.name), took);
    }
    boot_volume::bring_down(&launcher.clients, &runners, report).await;
    Ok(Online {
        runners,
        launched_in,
        after,
    })
}

fn log_launch(launcher: &Launcher, runner: &LaunchedRunner) {
    if usize::from(launcher.spec.count) > TOLD_EACH {
        return;
    }
    let report = &launcher.report;
    report.done(described(runner), runner.launched_in);
    if let Some(volume) = boot_volume::described(runner.volumes.root, &launcher.clients.region) {
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

/// Attempts whose answer was lost may have left something behind although a later one succeeded.
async fn end_strays(
    launcher: &Launcher,
    runners: &[LaunchedRunner],
    deadline: Deadline,
) -> Result<(), Failure> {
    let kept: Vec<AttemptId> = runners.iter().map(|runner| runner.entry).collect();
    let strays = launcher.journal.leftovers_except(&kept);
    if strays.is_empty() {
        return Ok(());
    }
    let undone = undo(
        &launcher.clients.ec2,
        &launcher.clients.github,
        strays,
        deadline.within(SETTLE),
    )
    .await;
    if undone.left.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        format!(
            "attempts whose answer was lost left something behind: {}",
            undone.left.join("; ")
        ),
        "everything else is undone; end what is named here by hand, or run `mode: sweep`",
    ))
}

/// What is known is ended at once. Launches that are under way get the time to say what they made; what stays silent is
/// looked for by name and token then.
async fn undo_everything(
    launcher: &Launcher,
    tasks: Tasks,
    settle: Duration,
    deadline: Deadline,
    failure: Failure,
) -> Failure {
    let began = Instant::now();
    launcher.cancellation.cancel();
    launcher.report.line("· undoing what was launched");
    let Clients { ec2, github, .. } = &launcher.clients;
    let settle = settle.min(deadline.left() / 2);
    let known = launcher.journal.known();
    let ((), first) = tokio::join!(
        settled(tasks, settle),
        undo(ec2, github, known.clone(), deadline)
    );
    // What could not be ended once is not tried twice: only what came up since.
    let rest = launcher.journal.leftovers().without(&known);
    let undone = first.and(undo(ec2, github, rest, deadline).await);
    told(failure, &undone, began.elapsed())
}

/// Waits for the launches that are under way, and gives up the rest.
async fn settled(mut tasks: Tasks, within: Duration) {
    let all = async { while tasks.join_next().await.is_some() {} };
    if timeout(within, all).await.is_err() {
        tasks.shutdown().await;
    }
}

/// The failure, with what came of the undo.
fn told(failure: Failure, undone: &Undone, took: Duration) -> Failure {
    let ended: Vec<String> = undone
        .terminated
        .iter()
        .map(|id| format!("`{id}`"))
        .collect();
    let records = match undone.deleted.len() {
        0 | 1 => "runner record deleted".to_owned(),
        several => format!("{several} runner records deleted"),
    };
    let mut failure = match (ended.is_empty(), undone.deleted.is_empty()) {
        (true, true) => failure,
        (true, false) => failure.and(format!("undone in {}: {records}", seconds(took))),
        (false, _) => failure.and(format!(
            "undone in {}: {} terminated, {records}",
            seconds(took),
            first_of(&ended, ", ")
        )),
    };
    if undone.left.is_empty() {
        return failure.and("nothing is left running");
    }
    for left in &undone.left {
        failure = failure.and(format!("STILL THERE: {left}"));
    }
    failure.and("end it by hand, or let `mode: sweep` do it; the instance's own timers end it at the latest")
}

/// The outputs of the contract. With several runners, the single values are those of the first.
fn write_outputs(launcher: &Launcher, runners: &[LaunchedRunner]) -> Result<(), Failure> {
    let Some(first) = runners.first() else {
        return Ok(());
    };
    let ids: Vec<&str> = runners
        .iter()
        .map(|runner| runner.instance_id.as_str())
        .collect();
    let labels: Vec<&str> = runners.iter().map(|runner| runner.label.as_str()).collect();
    let mut outputs = single_outputs(launcher, first);
    outputs.push((
        "instance-ids",
        serde_json::to_string(&ids).unwrap_or_default(),
    ));
    outputs.push((
        "runners",
        serde_json::to_string(&labels).unwrap_or_default(),
    ));
    for (name, value) in outputs {
        launcher
            .report
            .output(name, &value)
            .map_err(|error| Failure::output(name, &error))?;
    }
    Ok(())
}

fn single_outputs(launcher: &Launcher, runner: &LaunchedRunner) -> Vec<(&'static str, String)> {
    vec![
        ("label", runner.label.clone()),
        ("runner-id", runner.runner_id.to_string()),
        ("runner-name", runner.name.clone()),
        ("instance-id", runner.instance_id.to_string()),
        ("instance-type", runner.candidate.instance_type.to_string()),
        ("region", launcher.clients.region.to_string()),
        (
            "availability-zone",
            runner.availability_zone.clone().unwrap_or_default(),
        ),
        ("market", runner.candidate.market.to_string()),
    ]
}

fn counted(runners: usize) -> String {
    match runners {
        1 => "1 runner".to_owned(),
        more => format!("{more} runners"),
    }
}
