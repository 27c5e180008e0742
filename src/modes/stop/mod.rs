//! `stop`: end what this run started. It needs no outputs of `start`: it finds its own by tag.

pub(crate) mod bill;
pub(crate) mod cost_report;
mod decide;
pub(crate) mod filter;
mod look;
mod partial_rerun;
mod summary;
mod unnamed;
mod used;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::clients::Clients;
use crate::ec2::{Instance, SpotPriceSince, State, together};
use crate::error::Failure;
use crate::github::{LIST, RunnerList};
use crate::modes::stop::bill::{Bill, Bills};
use crate::platform::clock::timeout;
use crate::report::{CheckStatus, Reporter};
use crate::retry::{self, Deadline};
use crate::teardown::{self, NotDeleted, Record};
use crate::values::network::InstanceId;
use crate::values::per_region::listed;
use crate::values::region::Region;
use crate::values::scope::Scope;
use crate::values::spot::Market;
use decide::{InUse, Known};
use filter::StopFilter;
use look::{find_instances, jobs, wait_for_instances, with_unlisted};

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
    let mut by_region: BTreeMap<Option<&Region>, Vec<&str>> = BTreeMap::new();
    for instance in spot() {
        let types = by_region.entry(instance.id.region()).or_default();
        if !types.contains(&&*instance.instance_type) {
            types.push(&instance.instance_type);
        }
    }
    let by_region = by_region.into_iter();
    let asked = by_region.map(|(region, types)| (clients.ec2.of(region), types));
    let asking = together(asked.collect(), |ec2, types| async move {
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
