//! Whether a run has to run again, and which part of it. Pure.
//!
//! GitHub's "re-run failed jobs" cannot help here: it runs what failed and what needs that, while the job that launched the
//! instance succeeded. Its outputs would be taken from the attempt before, and their label has no runner any more. So the job
//! that launched the lost instance runs again: GitHub then runs every job that needs it as well, and nothing else.

use std::fmt;

use crate::ec2::Instance;
use crate::github::{Job, JobId, Run};

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Rerun {
        part: Part,
        /// The jobs that were lost, each with its instance.
        lost: Vec<Lost>,
    },
    /// Nothing, and why.
    Leave(String),
}

/// Which part of the run runs again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// This job, and every job that needs it.
    Job(JobId, String),
    /// All of it: several jobs launched what was lost, and GitHub takes one job at a time; or nobody knows which job it was.
    All,
}

/// A job that failed because its instance was taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lost {
    pub job: String,
    pub instance: String,
    pub reason: String,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            job,
            instance,
            reason,
        } = self;
        write!(
            f,
            "job `{job}` failed because AWS took back `{instance}` ({reason})"
        )
    }
}

/// What GitHub says alone: `Some` where nothing is to be done, whatever became of the instances.
pub(super) fn decide_by_run(run: &Run, attempt: u32, max_attempts: u32) -> Option<String> {
    let ended = run.conclusion.as_deref().unwrap_or("unknown");
    if run.run_attempt > attempt {
        let now = run.run_attempt;
        Some(format!(
            "attempt {attempt} was followed by attempt {now} already"
        ))
    } else if !run.is_completed() {
        Some(format!("attempt {attempt} is still running"))
    } else if ended == "success" {
        Some(format!("attempt {attempt} succeeded"))
    } else if ended == "cancelled" {
        Some(format!("attempt {attempt} was cancelled"))
    } else if ended != "failure" {
        Some(format!("attempt {attempt} ended as `{ended}`"))
    } else if attempt >= max_attempts {
        Some(format!(
            "attempt {attempt} failed, and there shall be {max_attempts} at most (`max-attempts`)"
        ))
    } else {
        None
    }
}

/// What became of the failed attempt's jobs and instances.
pub(super) fn decide_by_instances(attempt: u32, jobs: &[Job], instances: &[Instance]) -> Verdict {
    let taken: Vec<&Instance> = instances.iter().filter(|i| i.is_taken_back()).collect();
    if instances.is_empty() {
        return Verdict::Leave(format!(
            "attempt {attempt} failed, and none of its instances is to be seen: it had none, or they ended more than about an \
             hour ago"
        ));
    }
    if taken.is_empty() {
        return Verdict::Leave(format!(
            "attempt {attempt} failed, but AWS took none of its {} back",
            counted(instances.len())
        ));
    }
    let mut lost = Vec::new();
    let mut starters: Vec<Option<&Job>> = Vec::new();
    for instance in &taken {
        let starter = starter(instance, jobs);
        if let Some(job) = failed_job(instance, starter, jobs) {
            lost.push(Lost {
                job: job.name.clone(),
                instance: instance.id.to_string(),
                reason: instance.state_reason.clone().unwrap_or_default(),
            });
            if !starters.iter().any(|s| same(*s, starter)) {
                starters.push(starter);
            }
        }
    }
    match starters[..] {
        [] => Verdict::Leave(format!(
            "attempt {attempt} failed, but no job failed on {}, which AWS took back",
            named(&taken)
        )),
        [Some(job)] => Verdict::Rerun {
            part: Part::Job(job.id, job.name.clone()),
            lost,
        },
        _ => Verdict::Rerun {
            part: Part::All,
            lost,
        },
    }
}

fn same(a: Option<&Job>, b: Option<&Job>) -> bool {
    a.map(|job| job.id) == b.map(|job| job.id)
}

/// The job that failed because of it: the one that its runner had, or the `start` that waited for it.
fn failed_job<'a>(
    instance: &Instance,
    starter: Option<&'a Job>,
    jobs: &'a [Job],
) -> Option<&'a Job> {
    let had_it = |job: &&Job| job.runner_id.is_some() && job.runner_id == instance.runner_id();
    jobs.iter()
        .find(had_it)
        .or(starter)
        .filter(|job| job.has_failed())
}

/// The job that launched it: by its number, else by its key where exactly one job goes by that.
fn starter<'a>(instance: &Instance, jobs: &'a [Job]) -> Option<&'a Job> {
    let by_number = instance
        .job_id()
        .and_then(|id| jobs.iter().find(|job| job.id == JobId(id)));
    by_number.or_else(|| {
        let key = instance.tag(crate::ec2::tags::JOB)?;
        let mut named = jobs.iter().filter(|job| job.name == key);
        named.next().filter(|_| named.next().is_none())
    })
}

fn counted(instances: usize) -> String {
    match instances {
        1 => "1 instance".to_owned(),
        more => format!("{more} instances"),
    }
}

fn named(instances: &[&Instance]) -> String {
    let ids: Vec<String> = instances.iter().map(|i| format!("`{}`", i.id)).collect();
    ids.join(", ")
}

#[cfg(test)]
mod tests;
