//! `rerun`: run a workflow run again that failed because AWS reclaimed an instance, and no other.
//!
//! It works for a `workflow_run` workflow, because no job can rerun the run that it is a part of.

mod decide;
pub(crate) mod spec;
mod summary;

use std::time::Duration;

use crate::clients::Clients;
use crate::ec2::{Instance, tags};
use crate::error::Failure;
use crate::github::{LIST_JOBS, LOOK_AT_ANNOTATIONS, LOOK_AT_RUN, Run};
use crate::modes::rerun::spec::RerunSpec;
use crate::report::{CheckStatus, Reporter};
use crate::reruns::stranded::{self, Stranded, Waiting};
use crate::reruns::{Begun, begin};
use crate::retry::{self, Deadline};
use decide::{Attempt, Lost, RerunDecision};

/// How long passing errors are waited out.
const PATIENCE: Duration = Duration::from_mins(1);
/// Looks at the run and its instances, and runs it again or says why not.
pub(crate) async fn rerun(
    clients: &Clients,
    spec: &RerunSpec,
    report: &Reporter,
) -> Result<(), Failure> {
    let deadline = Deadline::after(PATIENCE);
    let run = look(clients, spec.run, deadline).await?;
    let attempt = spec.attempt.unwrap_or(run.run_attempt);
    let verdict = match decide::decide_by_run(&run, attempt, spec.max_attempts) {
        Some(why) => RerunDecision::Leave(why),
        None if run.is_completed() => {
            decide_by_instances(clients, spec.run, &run, attempt, deadline).await?
        }
        None => decide_by_waiting(clients, &run, attempt, deadline).await?,
    };
    let verdict = match verdict {
        RerunDecision::Rerun { part, lost } => {
            let begun = begin(&clients.github, spec.run, attempt, &part, deadline).await;
            match begun.map_err(|error| clients.github_failure(&error))? {
                Begun::Now => RerunDecision::Rerun { part, lost },
                Begun::BySomebodyElse => RerunDecision::Leave(format!(
                    "attempt {attempt} was followed by attempt {} already",
                    attempt + 1
                )),
            }
        }
        leave @ RerunDecision::Leave(_) => leave,
    };
    report_decision(&verdict, &run, attempt, report)
}

async fn look(clients: &Clients, run: u64, deadline: Deadline) -> Result<Run, Failure> {
    retry::until(LOOK_AT_RUN, deadline, || clients.github.workflow_run(run))
        .await
        .map_err(|error| clients.github_failure(&error))
}

async fn decide_by_instances(
    clients: &Clients,
    id: u64,
    run: &Run,
    attempt: u32,
    deadline: Deadline,
) -> Result<RerunDecision, Failure> {
    let (jobs, instances) = tokio::join!(
        retry::until(LIST_JOBS, deadline, || clients.github.jobs(id, attempt)),
        find_instances(clients, id, Some(attempt), deadline)
    );
    let attempt = Attempt {
        number: attempt,
        run,
        jobs: &jobs.map_err(|error| clients.github_failure(&error))?,
        instances: &instances?,
    };
    for job in attempt.cancelled_jobs() {
        let annotations = retry::until(LOOK_AT_ANNOTATIONS, deadline, || {
            clients.github.annotations(job)
        })
        .await
        .map_err(|error| clients.github_failure(&error))?;
        let mut messages = annotations.iter().filter_map(|one| one.message.as_deref());
        if messages.any(decide::is_by_someone) {
            let number = attempt.number;
            return Ok(RerunDecision::Leave(format!(
                "attempt {number} was cancelled"
            )));
        }
    }
    Ok(decide::decide_by_instances(&attempt))
}

/// A run that has not ended: it is cancelled where all that it still does is wait for runners of an older attempt.
async fn decide_by_waiting(
    clients: &Clients,
    run: &Run,
    attempt: u32,
    deadline: Deadline,
) -> Result<RerunDecision, Failure> {
    let (id, github) = (run.id, &clients.github);
    let jobs_of = async |attempt| {
        let jobs = retry::until(LIST_JOBS, deadline, || github.jobs(id, attempt)).await;
        jobs.map_err(|error| clients.github_failure(&error))
    };
    let (jobs, instances) = tokio::join!(
        jobs_of(attempt),
        find_instances(clients, id, None, deadline)
    );
    let (jobs, instances, number) = (jobs?, instances?, id.to_string());
    let mut waiting = Waiting {
        run: &number,
        attempt,
        jobs: &jobs,
        older_jobs: &[],
        instances: &instances,
    };
    let mut older = Vec::new();
    for attempt in waiting.older_attempts() {
        older.extend(jobs_of(attempt).await?);
    }
    waiting.older_jobs = &older;
    let Some(Stranded { jobs, part }) = waiting.stranded() else {
        return Ok(RerunDecision::Leave(decide::still_running(attempt)));
    };
    let is_over = stranded::cancel(github, id).await;
    if !is_over.map_err(|error| clients.github_failure(&error))? {
        return Ok(RerunDecision::Leave(format!(
            "attempt {attempt} was cancelled, because it waited for a runner of an older attempt, and has not ended yet"
        )));
    }
    let lost = jobs.into_iter();
    let lost = lost
        .map(|(job, label)| Lost::Waiting { job, label })
        .collect();
    Ok(RerunDecision::Rerun { part, lost })
}

/// What the attempt launched, or all attempts. Terminated instances are to be seen for about an hour.
async fn find_instances(
    clients: &Clients,
    run: u64,
    attempt: Option<u32>,
    deadline: Deadline,
) -> Result<Vec<Instance>, Failure> {
    let by_tag = |key: &str, value: String| (format!("tag:{key}"), [value]);
    let mut wanted = vec![
        by_tag(tags::REPOSITORY, clients.run.repository.to_string()),
        by_tag(tags::RUN_ID, run.to_string()),
    ];
    wanted.extend(attempt.map(|attempt| by_tag(tags::RUN_ATTEMPT, attempt.to_string())));
    let filters: Vec<(&str, &[String])> = wanted
        .iter()
        .map(|(name, values)| (name.as_str(), &values[..]))
        .collect();
    let found = clients.ec2.find(&filters, deadline).await;
    // Without an answer of each region nobody knows what was reclaimed.
    if let Some((region, error)) = found.unseen().next() {
        return Err(clients.failure_in(region, error));
    }
    Ok(found.instances)
}

/// One line, the outputs and the summary.
fn report_decision(
    verdict: &RerunDecision,
    run: &Run,
    attempt: u32,
    report: &Reporter,
) -> Result<(), Failure> {
    let (is_rerun, why) = match verdict {
        RerunDecision::Rerun { part, lost } => {
            for lost in lost {
                report.line(format_args!("· {lost}"));
            }
            let next = attempt + 1;
            let why = part.described(next);
            report.mark(CheckStatus::Done, &why);
            (true, why)
        }
        RerunDecision::Leave(why) => {
            report.mark(CheckStatus::Done, format_args!("nothing to rerun: {why}"));
            (false, why.clone())
        }
    };
    for (name, value) in [("rerun", is_rerun.to_string()), ("reason", why.clone())] {
        report
            .output(name, &value)
            .map_err(|error| Failure::output(name, &error))?;
    }
    let lost: Vec<[&str; 3]> = match verdict {
        RerunDecision::Rerun { lost, .. } => lost.iter().map(Lost::row).collect(),
        RerunDecision::Leave(_) => Vec::new(),
    };
    report.summary(&summary::rerun(is_rerun, &why, &run.html_url, &lost));
    Ok(())
}
