//! Whether a run has to run again, and which part of it. Pure.
//!
//! GitHub's "re-run failed jobs" cannot help here: it runs what failed and what needs that, while the job that launched the
//! instance succeeded. Its outputs would be taken from the attempt before, and their label has no runner any more. So the job
//! that launched the lost instance runs again: GitHub then runs every job that needs it as well, and nothing else.

use std::fmt;

use crate::ec2::Instance;
use crate::github::{Job, JobId, Run};
use crate::reruns::Part;

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RerunDecision {
    Rerun {
        part: Part,
        /// The jobs that were lost, each with its instance.
        lost: Vec<Lost>,
    },
    /// Nothing, and why.
    Leave(String),
}

/// A job that could not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// It failed because AWS took its instance back.
    Interrupted {
        job: String,
        instance: String,
        reason: String,
    },
    /// It waited for a runner of an older attempt.
    Waiting { job: String, label: String },
}

impl Lost {
    /// The job, what it lost, and why, for the summary.
    pub(super) fn row(&self) -> [&str; 3] {
        match self {
            Self::Interrupted {
                job,
                instance,
                reason,
            } => [job, instance, reason],
            Self::Waiting { job, label } => [job, label, "of an older attempt"],
        }
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted {
                job,
                instance,
                reason,
            } => write!(
                f,
                "job `{job}` was lost because AWS reclaimed `{instance}` ({reason})"
            ),
            Self::Waiting { job, label } => write!(
                f,
                "job `{job}` waited for `{label}`, a runner of an older attempt, which is gone"
            ),
        }
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
        // Whatever it waits for, it gets no further attempt beyond the last.
        (attempt == 1 || attempt >= max_attempts).then(|| still_running(attempt))
    } else if ended == "success" {
        Some(format!("attempt {attempt} succeeded"))
    } else if !["failure", CANCELLED].contains(&ended) {
        Some(format!("attempt {attempt} ended as `{ended}`"))
    } else if attempt >= max_attempts {
        Some(format!(
            "attempt {attempt} has ended, and `max-attempts` is {max_attempts}"
        ))
    } else {
        None
    }
}

pub(super) fn still_running(attempt: u32) -> String {
    format!("attempt {attempt} is still running")
}

/// How GitHub calls the end of a job that somebody stopped, and at times of one whose machine went down under it.
const CANCELLED: &str = "cancelled";
/// The most jobs that are asked about. Whoever cancels a run cancels every job of it that is not over.
const MOST_ASKED: usize = 10;

/// An attempt that has ended otherwise than well.
pub(super) struct Attempt<'a> {
    pub number: u32,
    pub run: &'a Run,
    pub jobs: &'a [Job],
    /// Those that this attempt launched.
    pub instances: &'a [Instance],
}

impl Attempt<'_> {
    fn taken(&self) -> Vec<&Instance> {
        self.instances
            .iter()
            .filter(|instance| instance.is_interrupted())
            .collect()
    }

    fn job_on(&self, instance: &Instance) -> Option<&Job> {
        let runner = instance.runner_id();
        let had_it = |job: &&Job| runner.is_some_and(|id| job.ran_on(id));
        self.jobs.iter().find(had_it)
    }

    /// The cancelled jobs whose annotations tell whether somebody wanted that; first those that lost their instance. Where AWS
    /// took nothing back, nothing has to be asked.
    pub(super) fn cancelled_jobs(&self) -> Vec<JobId> {
        let taken = self.taken();
        if taken.is_empty() {
            return Vec::new();
        }
        let lost = taken.iter().filter_map(|instance| self.job_on(instance));
        let mut ids = Vec::new();
        for job in lost.chain(self.jobs) {
            if job.conclusion.as_deref() == Some(CANCELLED) && !ids.contains(&job.id) {
                ids.push(job.id);
            }
        }
        ids.truncate(MOST_ASKED);
        ids
    }

    fn ended(&self) -> &'static str {
        if self.run.conclusion.as_deref() == Some(CANCELLED) {
            "was cancelled"
        } else {
            "failed"
        }
    }
}

/// Whether GitHub's annotation of a job says that somebody cancelled it: a person, or a newer run of its concurrency group.
///
/// When a machine goes down under its runner in good order, the job ends as `cancelled`, too; then there is another
/// annotation, or none.
pub(super) fn is_by_someone(annotation: &str) -> bool {
    let text = annotation.to_ascii_lowercase();
    ["canceled by", "cancelled by", "canceling since"]
        .iter()
        .any(|words| text.contains(words))
}

/// What became of the attempt's jobs and instances, if nobody cancelled it.
pub(super) fn decide_by_instances(attempt: &Attempt<'_>) -> RerunDecision {
    let (number, ended, jobs) = (attempt.number, attempt.ended(), attempt.jobs);
    let taken = attempt.taken();
    if attempt.instances.is_empty() {
        return RerunDecision::Leave(format!(
            "attempt {number} {ended}, and none of its instances is to be seen: it had none, or they ended more than about an \
             hour ago"
        ));
    }
    if taken.is_empty() {
        return RerunDecision::Leave(format!(
            "attempt {number} {ended}, but AWS reclaimed none of its {}",
            counted(attempt.instances.len())
        ));
    }
    let mut lost = Vec::new();
    let mut starters: Vec<Option<&Job>> = Vec::new();
    for instance in &taken {
        let starter = starter(instance, jobs);
        if let Some(job) = lost_job(attempt, instance, starter) {
            lost.push(Lost::Interrupted {
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
        [] => RerunDecision::Leave(format!(
            "attempt {number} {ended}, but no job failed on {}, which AWS reclaimed",
            named(&taken)
        )),
        [Some(job)] => RerunDecision::Rerun {
            part: Part::Job(job.id, job.name.clone()),
            lost,
        },
        _ => RerunDecision::Rerun {
            part: Part::All,
            lost,
        },
    }
}

fn same(a: Option<&Job>, b: Option<&Job>) -> bool {
    a.map(|job| job.id) == b.map(|job| job.id)
}

/// The job that ended because of it: the one that its runner had, or the `start` that waited for it.
fn lost_job<'a>(
    attempt: &'a Attempt<'_>,
    instance: &Instance,
    starter: Option<&'a Job>,
) -> Option<&'a Job> {
    match attempt.job_on(instance) {
        Some(job) => {
            Some(job).filter(|job| job.has_failed() || job.conclusion.as_deref() == Some(CANCELLED))
        }
        None => starter.filter(|job| job.has_failed()),
    }
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
