//! `rerun`: run a workflow run again that failed because AWS took an instance back, and no other.
//!
//! It works for a `workflow_run` workflow, because no job can rerun the run that it is a part of.

mod decide;
pub(crate) mod spec;
mod summary;

use std::time::Duration;

use crate::clients::Clients;
use crate::ec2::{DESCRIBE_INSTANCES, Instance, tags};
use crate::error::Failure;
use crate::github::{GithubError, LIST_JOBS, LOOK_AT_ANNOTATIONS, LOOK_AT_RUN, RERUN, Run};
use crate::modes::rerun::spec::RerunSpec;
use crate::report::{CheckStatus, Reporter};
use crate::retry::{self, Backoff, Deadline, Decision};
use decide::{Attempt, Part, RerunDecision};

/// How long passing errors are waited out.
const PATIENCE: Duration = Duration::from_mins(1);
/// How long GitHub may take to show an attempt whose beginning got no answer.
const SHOWN_WITHIN: Duration = Duration::from_secs(5);

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
        None => decide_by_instances(clients, spec.run, &run, attempt, deadline).await?,
    };
    let verdict = match verdict {
        RerunDecision::Rerun { part, lost } => {
            match begin(clients, spec.run, attempt, &part, deadline).await? {
                Begun::Now => RerunDecision::Rerun { part, lost },
                Begun::BySomebodyElse => RerunDecision::Leave(format!(
                    "attempt {attempt} was followed by attempt {} already",
                    attempt + 1
                )),
            }
        }
        leave @ RerunDecision::Leave(_) => leave,
    };
    tell(&verdict, &run, attempt, report)
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
        find_instances(clients, id, attempt, deadline)
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
        if annotations.iter().any(|text| decide::is_by_someone(text)) {
            let number = attempt.number;
            return Ok(RerunDecision::Leave(format!(
                "attempt {number} was cancelled"
            )));
        }
    }
    Ok(decide::decide_by_instances(&attempt))
}

/// What the attempt launched. Terminated instances are to be seen for about an hour.
async fn find_instances(
    clients: &Clients,
    run: u64,
    attempt: u32,
    deadline: Deadline,
) -> Result<Vec<Instance>, Failure> {
    let by_tag = |key: &str, value: String| (format!("tag:{key}"), [value]);
    let wanted = [
        by_tag(tags::REPOSITORY, clients.run.repository.to_string()),
        by_tag(tags::RUN_ID, run.to_string()),
        by_tag(tags::RUN_ATTEMPT, attempt.to_string()),
    ];
    let filters = wanted
        .each_ref()
        .map(|(name, values)| (name.as_str(), &values[..]));
    retry::until(DESCRIBE_INSTANCES, deadline, || {
        clients.ec2.instances(&filters)
    })
    .await
    .map_err(|error| clients.ec2_failure(&error))
}

/// Who began the next attempt.
enum Begun {
    Now,
    BySomebodyElse,
}

/// Begins the next attempt, once. GitHub refuses while one is running, so that two of us cannot begin two; where no answer
/// came, the run itself tells whether it has begun.
async fn begin(
    clients: &Clients,
    run: u64,
    attempt: u32,
    part: &Part,
    deadline: Deadline,
) -> Result<Begun, Failure> {
    let mut backoff = Backoff::default();
    let mut may_be_ours = false;
    loop {
        let asking = retry::attempt(RERUN, deadline, ask(clients, run, part));
        let Err(error) = asking.await else {
            return Ok(Begun::Now);
        };
        may_be_ours |= error.may_have_acted();
        // A refusal may be about an attempt that is not the latest any more: one look tells. After silence it takes several.
        let looking = if error.may_have_acted() {
            deadline.within(SHOWN_WITHIN)
        } else {
            Deadline::after(Duration::ZERO)
        };
        if error.is_already_running() || is_followed(clients, run, attempt, deadline, looking).await
        {
            return Ok(if may_be_ours {
                Begun::Now
            } else {
                Begun::BySomebodyElse
            });
        }
        match retry::decide(&error, &mut backoff, deadline) {
            Decision::Repeat(wait) => tokio::time::sleep(wait).await,
            Decision::GiveUp => return Err(clients.github_failure(&error)),
        }
    }
}

async fn ask(clients: &Clients, run: u64, part: &Part) -> Result<(), GithubError> {
    match part {
        Part::Job(id, _) => clients.github.rerun_job(*id).await,
        Part::All => clients.github.rerun_run(run).await,
    }
}

/// Whether another attempt has begun; looks for a while, because GitHub begins one in its own time.
async fn is_followed(
    clients: &Clients,
    run: u64,
    attempt: u32,
    deadline: Deadline,
    looking: Deadline,
) -> bool {
    let mut backoff = Backoff::default();
    loop {
        match look(clients, run, deadline).await {
            Ok(now) if now.run_attempt > attempt || !now.is_completed() => return true,
            Ok(_) if looking.sleep(backoff.next(None)).await.is_ok() => {}
            // Why it could not be begun says more than why nobody could look.
            Ok(_) | Err(_) => return false,
        }
    }
}

/// One line, the outputs and the summary.
fn tell(
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
            let why = match part {
                Part::Job(_, name) => {
                    format!("attempt {next} begins: job `{name}` and every job that needs it")
                }
                Part::All => format!("attempt {next} begins: every job"),
            };
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
        RerunDecision::Rerun { lost, .. } => lost
            .iter()
            .map(|lost| [&*lost.job, &*lost.instance, &*lost.reason])
            .collect(),
        RerunDecision::Leave(_) => Vec::new(),
    };
    report.summary(&summary::rerun(is_rerun, &why, &run.html_url, &lost));
    Ok(())
}
