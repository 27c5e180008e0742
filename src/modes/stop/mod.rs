//! `stop`: end what this run started. It needs no outputs of `start`: it finds its own by tag.

pub(crate) mod bill;
pub(crate) mod cost_report;
mod decide;
pub(crate) mod filter;
mod partial_rerun;
mod summary;
mod unnamed;
mod used;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::clients::Clients;
use crate::ec2::{Found, Instance, SpotPriceSince, State, tags, together};
use crate::error::Failure;
use crate::github::{GithubError, Job, LIST, LIST_JOBS, Runner, RunnerList};
use crate::modes::stop::bill::{Bill, Bills};
use crate::platform::clock::timeout;
use crate::report::{CheckStatus, Reporter};
use crate::retry::{self, Backoff, Deadline};
use crate::teardown::{self, NotDeleted, Record};
use crate::values::network::InstanceId;
use crate::values::per_region::listed;
use crate::values::region::Region;
use crate::values::run;
use crate::values::scope::Scope;
use crate::values::spot::Market;
use decide::{InUse, Known};
use filter::StopFilter;

/// How long a fresh instance may stay invisible to `DescribeInstances`: 20 s were seen.
const INVISIBLE: Duration = Duration::from_secs(22);
/// How long one look for it may take.
const LOOK_PATIENCE: Duration = Duration::from_secs(10);
/// How long a record may stay busy after its instance was terminated. GitHub notices late, and removes the record of an
/// ephemeral runner by itself then.
const BUSY_PATIENCE: Duration = Duration::from_secs(20);
/// How long the price of spot may take to come.
const PRICE_PATIENCE: Duration = Duration::from_secs(5);

/// Terminates this run's instances and deletes their runner records.
pub(crate) async fn stop(
    clients: &Clients,
    filter: &StopFilter,
    report: &Reporter,
) -> Result<(), Failure> {
    let began = Instant::now();
    let deadline = Deadline::after(teardown::patience(0));
    let (instances, runners, jobs) = tokio::join!(
        find_instances(clients, filter, deadline),
        retry::until(LIST, deadline, || clients.github.runners(None)),
        jobs(clients, filter, deadline, report)
    );
    // Where EC2 does not answer, records are deleted all the same: a runner that cannot connect powers its instance off.
    let (mut instances, mut unseen) = clients
        .seen(instances, report)
        .unwrap_or_else(|failure| (Vec::new(), Some(failure)));
    let is_anybodys = unnamed::is_anybodys(&clients.run, filter);
    let is_whole = filter.is_whole_run() && !is_anybodys;
    if let Ok(list) = &runners
        && is_whole
    {
        if unseen.is_none() {
            let known = Known::new(&list.runners, jobs.as_deref(), clients, filter);
            unseen = wait_for_instances(clients, filter, &known, &mut instances, report).await;
        }
        warn_of_cut_list(list, report);
    }
    if is_anybodys && let Some(question) = unnamed::ask(&clients.run, &instances, SystemTime::now())
    {
        return Err(question);
    }
    warn_of_no_match(clients, filter, &instances, report);
    let patience = teardown::patience(instances.len());
    let (runners, unanswered) = match runners {
        Ok(list) => with_unlisted(clients, list, &instances, Deadline::after(patience)).await,
        Err(error) => (Vec::new(), Some(error)),
    };
    // GitHub's silence about one runner takes no time from the instances' end.
    let deadline = Deadline::after(patience);

    let known = Known::new(&runners, jobs.as_deref(), clients, filter);
    let (alive, over): (Vec<&Instance>, Vec<&Instance>) = instances
        .iter()
        .partition(|instance| instance.state.is_alive());
    let (spared, free): (Vec<_>, Vec<_>) = alive
        .iter()
        .map(|instance| (*instance, known.in_use(instance)))
        .partition(|(_, in_use)| in_use.is_some());
    log_spared(&spared, report);
    let free: Vec<&Instance> = free.into_iter().map(|(instance, _)| instance).collect();
    let spared: Vec<&Instance> = spared.into_iter().map(|(instance, _)| instance).collect();
    let (terminated, used) = tokio::join!(
        terminate(clients, &free, report, deadline),
        used::by_jobs(clients, jobs.as_deref(), &instances)
    );
    log_over(&over, report);

    let scope = clients.run.scope.tag();
    let (here, elsewhere): (Vec<&Instance>, Vec<&Instance>) = instances
        .iter()
        .filter(|instance| !spared.iter().any(|one| one.id == instance.id))
        .partition(|instance| instance.scope() == scope.as_deref());
    log_elsewhere(&elsewhere, report);
    let records = decide::records(&clients.run, &known, &here, &spared, is_whole);
    let count = records.len();
    // Prices wait until here: before, they would take the open connection from the termination.
    let (deleted, history) = tokio::join!(
        delete_records(clients, records, report),
        spot_price_history(clients, &instances, report)
    );
    // A record that is gone keeps a runner from connecting, and its instance ends by itself: so all is tried before the step fails.
    let unseen = unseen.map_or(Ok(()), |unseen| Err(unseen.and(BESIDE_UNSEEN)));
    let unanswered = unanswered.map_or(Ok(()), |error| Err(clients.github_failure(&error)));
    all_of([terminated, deleted, unseen, unanswered])?;

    if free.is_empty() && spared.is_empty() && count == 0 {
        report.mark(CheckStatus::Done, "nothing to stop");
    }
    if filter.is_whole_run()
        && let Some(advice) = partial_rerun::advice(&clients.run, &instances)
    {
        report.warning(advice);
    }
    let billed = billed(clients, filter, &instances);
    let bills = bills(clients, &billed, &history);
    log_cost(&bills, report)?;
    for used in &used {
        report.line(format_args!("· {used}"));
    }
    report.summary(&summary::stopped(
        &billed,
        &bills,
        &used,
        count,
        began.elapsed(),
    ));
    Ok(())
}

/// What is done although not every instance could be seen.
const BESIDE_UNSEEN: &str = "whatever else of this run could be found is stopped";

/// The first failure, and what else failed.
fn all_of(outcomes: [Result<(), Failure>; 4]) -> Result<(), Failure> {
    let failures = outcomes.into_iter().filter_map(Result::err);
    let all = failures.reduce(|first, other| {
        let lines = other.help.into_iter();
        lines.fold(first.and(other.what), Failure::and)
    });
    all.map_or(Ok(()), Err)
}

/// This attempt's, and whatever an older one had left running; a narrowed stop counts all that it names.
fn billed(clients: &Clients, filter: &StopFilter, instances: &[Instance]) -> Vec<Instance> {
    let is_counted = |instance: &&Instance| {
        !filter.is_whole_run()
            || instance.state.is_alive()
            || instance.attempt() == Some(clients.run.attempt.as_str())
    };
    instances.iter().filter(is_counted).cloned().collect()
}

/// The run's jobs, where the job's own token may read them. Only they tell which runner is waited for: what passes is waited out.
async fn jobs(
    clients: &Clients,
    filter: &StopFilter,
    deadline: Deadline,
    report: &Reporter,
) -> Option<Vec<Job>> {
    let run: u64 = clients.run.id.parse().ok()?;
    let attempt: u32 = clients.run.attempt.parse().ok()?;
    let github = clients.job_github.as_ref().filter(|_| !filter.force)?;
    match retry::until(LIST_JOBS, deadline, || github.jobs(run, attempt)).await {
        Ok(jobs) => Some(jobs),
        Err(error) => {
            if error.is_transient() {
                report.warning(format_args!(
                    "{error}: which runners are waited for is not known, so that only busy ones are spared"
                ));
            }
            None
        }
    }
}

/// A `start` that was killed a moment ago: its record is there, its instance is not visible yet. What keeps EC2 from an answer
/// meanwhile is the caller's to tell, once the record is deleted.
async fn wait_for_instances(
    clients: &Clients,
    filter: &StopFilter,
    known: &Known<'_>,
    instances: &mut Vec<Instance>,
    report: &Reporter,
) -> Option<Failure> {
    let visible_by = Deadline::after(INVISIBLE);
    let mut backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(4));
    let mut is_logged = false;
    let mut unseen = None;
    while let Some(alone) = without_instance(clients, instances, known) {
        if !is_logged {
            report.line("· a runner record has no instance yet: looking again");
            is_logged = true;
        }
        if visible_by.sleep(backoff.next(None)).await.is_err() {
            let then = if known.may_be_starting() {
                "its record stays, for another job of this run may be launching it; a stop that runs last deletes it"
            } else {
                "if it is launched after all, it powers itself off after `start-timeout`, because its record is deleted now"
            };
            report.warning(format_args!(
                "the instance of runner `{alone}` has not shown up: {then}"
            ));
            break;
        }
        // A look that began in time has time for an answer.
        let found = find_instances(clients, filter, Deadline::after(LOOK_PATIENCE)).await;
        let first = found.unseen().next();
        unseen = first.map(|(region, error)| clients.failure_in(region, error));
        match first {
            None => *instances = found.instances,
            Some((_, error)) if !error.is_transient() => break,
            Some(_) => {}
        }
    }
    unseen
}

/// A young record of this run without any instance, not even an ended one, that no job needs.
fn without_instance<'a>(
    clients: &Clients,
    instances: &[Instance],
    known: &Known<'a>,
) -> Option<&'a str> {
    let has_instance = |runner: &Runner| {
        instances
            .iter()
            .any(|instance| instance.runner_id() == Some(runner.id))
    };
    let is_young = |runner: &Runner| {
        run::age(&runner.name, SystemTime::now()).is_some_and(|age| age < Duration::from_mins(2))
    };
    let alone = known.runners.iter().find(|runner| {
        clients.run.launched(&runner.name)
            && is_young(runner)
            && !has_instance(runner)
            && known.in_use_elsewhere(runner).is_none()
    });
    alone.map(|runner| runner.name.as_str())
}

/// The list, and what it lacks of the instances' runners, as far as GitHub answers. Of an instance that has ended, a list that is
/// whole tells enough.
async fn with_unlisted(
    clients: &Clients,
    list: RunnerList,
    instances: &[Instance],
    deadline: Deadline,
) -> (Vec<Runner>, Option<GithubError>) {
    let scope = clients.run.scope.tag();
    let is_whole = list.is_whole;
    let doubted = instances
        .iter()
        .filter(|instance| instance.scope() == scope.as_deref())
        .filter(|instance| instance.state.is_alive() || !is_whole);
    let (runners, unanswered) = clients.with_unlisted(list, doubted, deadline).await;
    (
        runners,
        unanswered.into_iter().map(|(_, error)| error).next(),
    )
}

/// The instances' records are asked for by number; only those of runners that never had an instance could be missed.
fn warn_of_cut_list(list: &RunnerList, report: &Reporter) {
    if !list.is_whole {
        report.warning(
            "GitHub's list of runners changed each time it was read: a record of this run that has no instance may be left, \
             which GitHub removes within a day; a stop that runs later finds it",
        );
    }
}

/// What a person named, and did not find, is most often a typing error or another region.
fn warn_of_no_match(
    clients: &Clients,
    filter: &StopFilter,
    instances: &[Instance],
    report: &Reporter,
) {
    for named in filter.without_match(instances) {
        report.warning(format_args!(
            "no instance has {named} in {}, repository `{}`, run `{}`",
            listed(clients.ec2.regions()),
            clients.run.repository,
            clients.run.id
        ));
    }
}

fn log_spared(spared: &[(&Instance, Option<InUse>)], report: &Reporter) {
    for (instance, in_use) in spared {
        if let Some(in_use) = in_use {
            report.warning(format_args!(
                "`{}` is spared: {in_use}. {}",
                instance.id,
                in_use.way_out()
            ));
        }
    }
}

fn log_over(over: &[&Instance], report: &Reporter) {
    for instance in over {
        report.line(format_args!(
            "· `{}` is {} already",
            instance.id,
            described_state(instance.state)
        ));
    }
}

/// Another scope's records have numbers of their own: to delete one by number here could end a stranger's runner.
fn log_elsewhere(instances: &[&Instance], report: &Reporter) {
    for instance in instances {
        report.warning(format_args!(
            "the runner of `{}` registered {}: its record stays there until GitHub removes it; give `mode: stop` the `scope` \
             that `mode: start` has",
            instance.id,
            Scope::described_tag(instance.scope())
        ));
    }
}

/// What spot cost while the instances ran. Prices are worth telling, not worth failing for.
async fn spot_price_history(
    clients: &Clients,
    instances: &[Instance],
    report: &Reporter,
) -> Vec<SpotPriceSince> {
    let spot = || {
        instances
            .iter()
            .filter(|instance| instance.usage.market == Market::Spot)
    };
    let Some(from) = spot().filter_map(|instance| instance.usage.launched).min() else {
        return Vec::new();
    };
    let mut by_region: BTreeMap<Option<&Region>, BTreeSet<String>> = BTreeMap::new();
    for instance in spot() {
        let types = by_region.entry(instance.id.region()).or_default();
        types.insert(instance.instance_type.clone());
    }
    let by_region = by_region.into_iter();
    let asked = by_region.map(|(region, types)| (clients.ec2.of(region), types));
    let asking = together(asked.collect(), |ec2, types| async move {
        let types: Vec<&str> = types.iter().map(String::as_str).collect();
        let asked = ec2.spot_price_history(&types, from, SystemTime::now());
        match timeout(PRICE_PATIENCE, asked).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err("EC2 did not answer in time".to_owned()),
        }
    });
    let mut history = Vec::new();
    for (_, answer) in asking.await {
        match answer {
            Ok(prices) => history.extend(prices),
            Err(why) => report.line(format_args!("· what spot cost is not known: {why}")),
        }
    }
    history
}

fn bills(clients: &Clients, instances: &[Instance], history: &[SpotPriceSince]) -> Bills {
    let now = SystemTime::now();
    let bill = |instance: &Instance| {
        let region = instance.id.region().unwrap_or(&clients.region);
        Bill::of(instance, region, history, now)
    };
    Bills(instances.iter().map(bill).collect())
}

/// One line in the log, and the outputs.
fn log_cost(bills: &Bills, report: &Reporter) -> Result<(), Failure> {
    if !bills.0.is_empty() {
        report.line(format_args!("· {}", cost_report::line(bills)));
    }
    for (name, value) in cost_report::outputs(bills) {
        report
            .output(name, &value)
            .map_err(|error| Failure::output(name, &error))?;
    }
    Ok(())
}

/// This run's instances, all attempts. At a terminal there is no run: what is named is looked for in the whole repository.
async fn find_instances(clients: &Clients, filter: &StopFilter, deadline: Deadline) -> Found {
    let run = &clients.run;
    let repository = [run.repository.to_string()];
    let run_id = [run.id.clone()];
    let labels: Vec<String> = filter.labels.iter().map(ToString::to_string).collect();
    let ids: Vec<String> = filter.instances.iter().map(ToString::to_string).collect();
    let by_tag = |key: &str| format!("tag:{key}");
    let group: Vec<String> = filter.group.iter().map(ToString::to_string).collect();
    let (by_repository, by_run, by_label, by_group) = (
        by_tag(tags::REPOSITORY),
        by_tag(tags::RUN_ID),
        by_tag(tags::LABEL),
        by_tag(tags::GROUP),
    );
    let mut filters: Vec<(&str, &[String])> = vec![(&by_repository, &repository)];
    if !run.is_local() || filter.is_whole_run() {
        filters.push((&by_run, &run_id));
    }
    if !labels.is_empty() {
        filters.push((&by_label, &labels));
    }
    if !ids.is_empty() {
        filters.push(("instance-id", &ids));
    }
    if !group.is_empty() {
        filters.push((&by_group, &group));
    }
    clients.ec2.find(&filters, deadline).await
}

async fn terminate(
    clients: &Clients,
    free: &[&Instance],
    report: &Reporter,
    deadline: Deadline,
) -> Result<(), Failure> {
    let ids: Vec<InstanceId> = free.iter().map(|instance| instance.id.clone()).collect();
    let began = Instant::now();
    let mut last = None;
    let mut left = Vec::new();
    for (id, outcome) in teardown::terminate_all(&clients.ec2, &ids, deadline).await {
        match outcome {
            Ok(()) => report.done(format_args!("terminated `{id}`"), began.elapsed()),
            Err(error) => {
                left.push(format!("STILL THERE: `{id}`: {error}"));
                last = Some((id, error));
            }
        }
    }
    match last {
        Some((id, error)) => {
            let region = id.region().unwrap_or(&clients.region);
            let failure = clients.failure_in(region, &error);
            Err(left.into_iter().fold(failure, Failure::and))
        }
        None => Ok(()),
    }
}

async fn delete_records(
    clients: &Clients,
    records: Vec<Record>,
    report: &Reporter,
) -> Result<(), Failure> {
    let many = teardown::patience(records.len()).saturating_sub(teardown::patience(0));
    let deadline = Deadline::after(BUSY_PATIENCE + many);
    let began = Instant::now();
    let mut last = None;
    let mut left = Vec::new();
    for (record, deleted) in teardown::delete_records(&clients.github, records, deadline).await {
        match deleted {
            Ok(()) => report.done(format_args!("deleted runner record {record}"), began.elapsed()),
            Err(NotDeleted::Busy) => report.warning(format_args!(
                "runner record {record} is still busy on GitHub although its instance is terminated; GitHub removes it by itself \
                 when it notices"
            )),
            Err(why @ NotDeleted::NotShown) => {
                report.warning(format_args!("runner record {record}: {why}"));
            }
            Err(NotDeleted::Refused(error)) => {
                left.push(format!("STILL THERE: runner record {record}: {error}"));
                last = Some(error);
            }
        }
    }
    match last {
        Some(error) => Err(left
            .into_iter()
            .fold(clients.github_failure(&error), Failure::and)),
        None => Ok(()),
    }
}

fn described_state(state: State) -> &'static str {
    match state {
        State::ShuttingDown => "shutting down",
        other => other.name(),
    }
}
