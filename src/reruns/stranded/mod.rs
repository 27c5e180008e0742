//! Jobs that wait for a runner of an older attempt, which is gone: GitHub lets them wait for a day.
//!
//! "Re-run failed jobs" runs what failed and what needs it, but not the job that launched the runner, for it succeeded. While a
//! job waits, GitHub runs nothing of the run again: so the run is cancelled first, and only where nothing else of it would be.

use std::time::Duration;

use crate::ec2::{Instance, tags};
use crate::github::{CANCEL, Github, GithubError, Job, JobId, LOOK_AT_RUN};
use crate::reruns::Part;
use crate::retry::{self, Backoff, Deadline};
use crate::values::run;

/// How long a cancelled run may take to end: its jobs with `if: always()` still run, `stop` among them.
const ENDS_WITHIN: Duration = Duration::from_mins(5);

/// Why an attempt cannot go on, and what helps.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Stranded {
    /// The waiting jobs, each with the label that nobody serves.
    pub jobs: Vec<(String, String)>,
    pub part: Part,
}

/// What is known of a run that has not ended.
#[derive(Debug)]
pub(crate) struct Waiting<'a> {
    pub run: &'a str,
    pub attempt: u32,
    /// Of this attempt.
    pub jobs: &'a [Job],
    /// Of the attempts before, as far as they were asked for: instances know the job that launched them by its number there.
    pub older_jobs: &'a [Job],
    /// What the run has launched, in all attempts.
    pub instances: &'a [Instance],
}

impl Waiting<'_> {
    /// The older attempts whose labels jobs wait for; none where something of the run may still go on by itself.
    pub(crate) fn older_attempts(&self) -> Vec<u32> {
        let unfinished = self.jobs.iter().filter(|job| !job.is_completed());
        let labels: Option<Vec<u32>> = unfinished
            .map(|job| self.dead_label(job).map(|(_, attempt)| attempt))
            .collect();
        let mut attempts = labels.unwrap_or_default();
        attempts.sort_unstable();
        attempts.dedup();
        attempts
    }

    /// What is to be run again; `None` where something of the run may still go on by itself.
    pub(crate) fn stranded(&self) -> Option<Stranded> {
        let unfinished = self.jobs.iter().filter(|job| !job.is_completed());
        let jobs: Vec<(&Job, &str)> = unfinished
            .map(|job| Some((job, self.dead_label(job)?.0)))
            .collect::<Option<_>>()?;
        if jobs.is_empty() {
            return None;
        }
        let mut starters: Vec<Option<&Job>> = Vec::new();
        for (_, label) in &jobs {
            let starter = self.starter(label);
            let is_same =
                |known: Option<&Job>| known.map(|job| job.id) == starter.map(|job| job.id);
            if !starters.iter().copied().any(is_same) {
                starters.push(starter);
            }
        }
        let named = jobs.iter();
        Some(Stranded {
            jobs: named
                .map(|(job, label)| (job.name.clone(), (*label).to_owned()))
                .collect(),
            part: Part::of(&starters),
        })
    }

    /// The label of an older attempt that a waiting job asks for, if no instance serves it.
    fn dead_label<'j>(&self, job: &'j Job) -> Option<(&'j str, u32)> {
        let older = job.labels.iter().find_map(|label| {
            let attempt = run::attempt_of_label(label, self.run)?;
            (attempt < self.attempt).then_some((label.as_str(), attempt))
        });
        let (label, attempt) = older.filter(|_| job.is_waiting())?;
        let is_served = |instance: &Instance| {
            let has_it = |own: &str| own.eq_ignore_ascii_case(label);
            instance.state.is_alive() && instance.label().is_some_and(has_it)
        };
        (!self.instances.iter().any(is_served)).then_some((label, attempt))
    }

    /// The job of this attempt that would launch such a runner again: what launched the one of that label, by its number, else
    /// by its key where exactly one job goes by that.
    fn starter(&self, label: &str) -> Option<&Job> {
        let has_it = |own: &str| own.eq_ignore_ascii_case(label);
        let launched = |instance: &&Instance| instance.label().is_some_and(has_it);
        let instance = self.instances.iter().find(launched)?;
        let older = instance.job_id().and_then(|id| {
            let is_it = |job: &&Job| job.id == JobId(id);
            self.older_jobs.iter().find(is_it)
        });
        let name = match older {
            Some(job) => job.name.as_str(),
            None => instance.tag(tags::JOB)?,
        };
        let mut named = self.jobs.iter().filter(|job| job.name == name);
        named.next().filter(|_| named.next().is_none())
    }
}

/// Cancels the run and waits for its end; tells whether it came in time.
pub(crate) async fn cancel(github: &Github, run: u64) -> Result<bool, GithubError> {
    let deadline = Deadline::after(ENDS_WITHIN);
    let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(10));
    loop {
        // With 202 GitHub promises to cancel it, no more: what has not ended at the next look is asked for once more.
        let cancelled = retry::until(CANCEL, deadline, || github.cancel_run(run)).await;
        if let Err(error) = cancelled
            && !error.is_over_already()
        {
            return Err(error);
        }
        let now = retry::until(LOOK_AT_RUN, deadline, || github.workflow_run(run)).await?;
        if now.is_completed() {
            return Ok(true);
        }
        if deadline.sleep(backoff.next(None)).await.is_err() {
            return Ok(false);
        }
    }
}

#[cfg(test)]
mod tests;
