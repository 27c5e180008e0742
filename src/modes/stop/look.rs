//! What a stop looks at before it ends anything: instances, the run's jobs, and runners that no list shows.

use std::time::{Duration, SystemTime};

use super::decide::Known;
use super::filter::StopFilter;
use crate::clients::Clients;
use crate::ec2::{Found, Instance, tags};
use crate::error::Failure;
use crate::github::{GithubError, Job, LIST_JOBS, Runner, RunnerList};
use crate::report::Reporter;
use crate::retry::{self, Backoff, Deadline};
use crate::values::run;

/// How long a fresh instance may stay invisible to `DescribeInstances`: 20 s were seen.
const INVISIBLE: Duration = Duration::from_secs(22);
/// How long one look for it may take.
const LOOK_PATIENCE: Duration = Duration::from_secs(10);

/// This run's instances, all attempts. At a terminal there is no run: what is named is looked for in the whole repository.
pub(super) async fn find_instances(
    clients: &Clients,
    filter: &StopFilter,
    deadline: Deadline,
) -> Found {
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

/// The run's jobs, where the job's own token may read them. Only they tell which runner is waited for: what passes is waited out.
pub(super) async fn jobs(
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
pub(super) async fn wait_for_instances(
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
pub(super) async fn with_unlisted(
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
