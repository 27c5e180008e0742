//! `stop`: end what this run started. It needs no outputs of `start`: it finds its own by tag.

pub(crate) mod bill;
pub(crate) mod cost_report;
pub(crate) mod filter;
mod summary;

use std::time::{Duration, SystemTime};

use tokio::time::{Instant, timeout};

use crate::clients::Clients;
use crate::ec2::{DESCRIBE_INSTANCES, Ec2Error, Instance, SpotPriceSince, State, tags};
use crate::error::Failure;
use crate::github::{LIST, Runner};
use crate::modes::stop::bill::{Bill, Bills};
use crate::report::{CheckStatus, Reporter};
use crate::retry::{self, Deadline};
use crate::teardown;
use crate::values::network::InstanceId;
use crate::values::run;
use crate::values::runner_id::RunnerId;
use crate::values::scope::Scope;
use crate::values::spot::Market;
use filter::StopFilter;

/// How long passing errors are waited out.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long a fresh instance may stay invisible to `DescribeInstances`.
const INVISIBLE: Duration = Duration::from_secs(4);
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
    let deadline = Deadline::after(PATIENCE);
    let (instances, runners) = tokio::join!(
        find_instances(clients, filter, deadline),
        retry::until(LIST, deadline, || clients.github.runners(None))
    );
    let mut instances = instances.map_err(|error| clients.ec2_failure(&error))?;
    if let Ok(runners) = &runners
        && is_whole_run(filter)
        && is_more_to_come(clients, &instances, runners)
    {
        // A `start` that was killed a moment ago: its record is there, its instance is not visible yet.
        report.line("· a runner record has no instance yet: looking again");
        tokio::time::sleep(INVISIBLE).await;
        instances = find_instances(clients, filter, deadline)
            .await
            .map_err(|error| clients.ec2_failure(&error))?;
    }
    let alive: Vec<&Instance> = instances
        .iter()
        .filter(|instance| instance.state.is_alive())
        .collect();
    let (terminated, history) = tokio::join!(
        terminate(clients, &alive, report, deadline),
        spot_price_history(clients, &instances, report)
    );
    for instance in instances
        .iter()
        .filter(|instance| !instance.state.is_alive())
    {
        report.line(format_args!(
            "· `{}` is {} already",
            instance.id,
            described_state(instance.state)
        ));
    }

    // Instances come first, because they cost money; only now may a token that GitHub refuses fail the step.
    let runners = match runners {
        Ok(runners) => runners,
        Err(error) => return terminated.and(Err(clients.github_failure(&error))),
    };
    let (here, elsewhere): (Vec<&Instance>, Vec<&Instance>) = instances
        .iter()
        .partition(|instance| instance.scope() == clients.run.scope.tag().as_deref());
    log_elsewhere(&elsewhere, report);
    let of_instances: Vec<RunnerId> = here.into_iter().filter_map(Instance::runner_id).collect();
    let records: Vec<RunnerId> = runners
        .iter()
        .filter(|runner| {
            of_instances.contains(&runner.id)
                || (is_whole_run(filter) && clients.run.launched(&runner.name))
        })
        .map(|runner| runner.id)
        .collect();
    let deleted = delete_records(clients, &records, report).await;
    // A record that is gone keeps a runner from connecting, and its instance ends by itself: so both are tried.
    terminated.and(deleted)?;

    if alive.is_empty() && records.is_empty() {
        report.mark(CheckStatus::Done, "nothing to stop");
    }
    let bills = bills(clients, &instances, &history);
    log_cost(&bills, report)?;
    report.summary(&summary::stopped(
        &instances,
        &bills,
        records.len(),
        began.elapsed(),
    ));
    Ok(())
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
    let mut types: Vec<&str> = spot().map(|i| i.instance_type.as_str()).collect();
    types.sort_unstable();
    types.dedup();
    let asked = clients
        .ec2
        .spot_price_history(&types, from, SystemTime::now());
    match timeout(PRICE_PATIENCE, asked).await {
        Ok(Ok(history)) => history,
        Ok(Err(error)) => {
            report.line(format_args!("· what spot cost is not known: {error}"));
            Vec::new()
        }
        Err(_) => {
            report.line("· what spot cost is not known: EC2 did not answer in time");
            Vec::new()
        }
    }
}

fn bills(clients: &Clients, instances: &[Instance], history: &[SpotPriceSince]) -> Bills {
    let now = SystemTime::now();
    let bill = |instance| Bill::of(instance, &clients.region, history, now);
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

/// Whether a young record of this run has no instance at all, not even an ended one.
fn is_more_to_come(clients: &Clients, instances: &[Instance], runners: &[Runner]) -> bool {
    let has_instance = |runner: &Runner| {
        instances
            .iter()
            .any(|instance| instance.runner_id() == Some(runner.id))
    };
    let is_young = |runner: &Runner| {
        run::age(&runner.name, SystemTime::now()).is_some_and(|age| age < Duration::from_mins(2))
    };
    runners.iter().any(|runner| {
        clients.run.launched(&runner.name) && is_young(runner) && !has_instance(runner)
    })
}

fn is_whole_run(filter: &StopFilter) -> bool {
    filter.labels.is_empty() && filter.instances.is_empty()
}

/// This run's instances, all attempts. At a terminal there is no run, so that a narrowed stop looks at the whole repository.
async fn find_instances(
    clients: &Clients,
    filter: &StopFilter,
    deadline: Deadline,
) -> Result<Vec<Instance>, Ec2Error> {
    let run = &clients.run;
    let repository = [run.repository.to_string()];
    let run_id = [run.id.clone()];
    let labels: Vec<String> = filter.labels.iter().map(ToString::to_string).collect();
    let ids: Vec<String> = filter.instances.iter().map(ToString::to_string).collect();
    let by_tag = |key: &str| format!("tag:{key}");
    let (by_repository, by_run, by_label) = (
        by_tag(tags::REPOSITORY),
        by_tag(tags::RUN_ID),
        by_tag(tags::LABEL),
    );
    let mut filters: Vec<(&str, &[String])> = vec![(&by_repository, &repository)];
    if run.id != "local" || is_whole_run(filter) {
        filters.push((&by_run, &run_id));
    }
    if !labels.is_empty() {
        filters.push((&by_label, &labels));
    }
    if !ids.is_empty() {
        filters.push(("instance-id", &ids));
    }
    retry::until(DESCRIBE_INSTANCES, deadline, || {
        clients.ec2.instances(&filters)
    })
    .await
}

async fn terminate(
    clients: &Clients,
    alive: &[&Instance],
    report: &Reporter,
    deadline: Deadline,
) -> Result<(), Failure> {
    let ids: Vec<InstanceId> = alive.iter().map(|instance| instance.id.clone()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let began = Instant::now();
    let mut why = None;
    let mut left = Vec::new();
    for (id, error) in teardown::terminate_each(&clients.ec2, &ids, deadline).await {
        match error {
            Some(error) => {
                left.push(format!("`{id}`"));
                why = Some(error);
            }
            None => report.done(format_args!("terminated `{id}`"), began.elapsed()),
        }
    }
    match why {
        Some(error) => Err(clients
            .ec2_failure(&error)
            .and(format!("STILL THERE: {}", left.join(", ")))),
        None => Ok(()),
    }
}

async fn delete_records(
    clients: &Clients,
    records: &[RunnerId],
    report: &Reporter,
) -> Result<(), Failure> {
    let deadline = Deadline::after(BUSY_PATIENCE);
    let began = Instant::now();
    let mut refused = None;
    let mut left = Vec::new();
    for (id, deleted) in teardown::delete_records(&clients.github, records.to_vec(), deadline).await
    {
        match deleted {
            Ok(()) => report.done(format_args!("deleted runner record {id}"), began.elapsed()),
            Err(teardown::NotDeleted::Busy) => report.warning(format_args!(
                "runner record {id} is still busy on GitHub although its instance is terminated; GitHub removes it by itself \
                 when it notices"
            )),
            Err(teardown::NotDeleted::Refused(error)) => {
                left.push(id.to_string());
                refused = Some(error);
            }
        }
    }
    match refused {
        Some(error) => Err(clients.github_failure(&error).and(format!(
            "STILL THERE: runner record {}; its instance is terminated",
            left.join(", ")
        ))),
        None => Ok(()),
    }
}

fn described_state(state: State) -> &'static str {
    match state {
        State::ShuttingDown => "shutting down",
        other => other.name(),
    }
}
