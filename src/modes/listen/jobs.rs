//! The jobs of one set, as far as its messages tell. Pure.
//!
//! GitHub's statistics and its messages contradict each other at times, in both directions, and a listener that was just
//! started knows no messages at all. So neither is believed alone: see [`Jobs::demand`].

use std::collections::{BTreeMap, VecDeque};
use std::time::SystemTime;

use super::reconcile::Demand;
use crate::github::scale_sets::{Job, Statistics};
use crate::values::runner_id::RunnerId;

/// An assigned job counts whatever the statistics say, until so many later ones have come.
const BELIEVED_FOR: u64 = 2;
/// Jobs that are over are remembered for messages that come twice, or late.
const REMEMBERED: usize = 2_000;

/// What is known of a job that is not over.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub job: Job,
    pub stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Since the statistics of this number.
    Waiting(u64),
    Running(RunnerId),
}

/// A job that is over.
#[derive(Debug)]
struct Over {
    key: String,
    /// The assignment that it was over in.
    assigned: Option<SystemTime>,
    runner: Option<RunnerId>,
}

#[derive(Debug, Default)]
pub(super) struct Jobs {
    known: BTreeMap<String, Known>,
    over: VecDeque<Over>,
    statistics: Statistics,
    /// How many statistics have come.
    count: u64,
}

impl Jobs {
    pub(super) fn note_statistics(&mut self, statistics: Statistics) {
        self.statistics = statistics;
        self.count += 1;
    }

    pub(super) fn assigned_count(&self) -> usize {
        self.statistics.assigned()
    }

    /// A job waits for a runner. A message that comes late does not set a job back.
    pub(super) fn assign(&mut self, job: Job) {
        if self.known.contains_key(&job.key) || self.is_over(&job) {
            return;
        }
        let stage = Stage::Waiting(self.count);
        self.known.insert(job.key.clone(), Known { job, stage });
    }

    /// A runner has taken it; `false` where that is known, or over.
    pub(super) fn start(&mut self, job: Job, runner: RunnerId) -> bool {
        if self.is_over(&job) {
            return false;
        }
        let stage = Stage::Running(runner);
        let before = self.known.insert(job.key.clone(), Known { job, stage });
        before.is_none_or(|known| known.stage != stage)
    }

    /// It is over, whatever came of it; `false` where that is known.
    pub(super) fn complete(&mut self, job: &Job, runner: Option<RunnerId>) -> bool {
        if self.is_over(job) {
            return false;
        }
        self.over.push_back(Over {
            key: job.key.clone(),
            assigned: job.assigned,
            runner,
        });
        if self.over.len() > REMEMBERED {
            self.over.pop_front();
        }
        self.known.remove(&job.key);
        true
    }

    /// Whether the job was over in this assignment already: one that no runner took is assigned again under the same name.
    fn is_over(&self, job: &Job) -> bool {
        let last = self.over.iter().rev().find(|over| over.key == job.key);
        last.is_some_and(|over| match (over.assigned, job.assigned) {
            (Some(then), Some(now)) => now <= then,
            _ => true,
        })
    }

    /// Whether the runner has had its job.
    pub(super) fn is_over_on(&self, runner: RunnerId) -> bool {
        self.over.iter().any(|over| over.runner == Some(runner))
    }

    /// The runner of a job that runs.
    pub(super) fn runs_on(&self, runner: RunnerId) -> bool {
        self.runners().any(|known| known == runner)
    }

    fn runners(&self) -> impl Iterator<Item = RunnerId> {
        self.known.values().filter_map(|known| match known.stage {
            Stage::Running(runner) => Some(runner),
            Stage::Waiting(_) => None,
        })
    }

    fn waiting(&self) -> impl Iterator<Item = &Known> {
        self.known
            .values()
            .filter(|known| matches!(known.stage, Stage::Waiting(since) if self.count < since + BELIEVED_FOR))
    }

    /// What the set has to serve. `lives` tells whether the runner's instance lives.
    pub(super) fn demand(&self, lives: impl Fn(RunnerId) -> bool, distrusted: usize) -> Demand {
        let running = self.runners().filter(|runner| lives(*runner)).count();
        Demand {
            assigned: self.statistics.assigned(),
            waiting: self.waiting().count(),
            running,
            lost: self.runners().count() - running,
            distrusted,
        }
    }

    /// Forgets jobs that waited without a runner for so long that GitHub must have given them up.
    pub(super) fn forget_before(&mut self, time: SystemTime) {
        self.known.retain(|_, known| {
            known.job.queued.is_none_or(|queued| queued > time)
                || matches!(known.stage, Stage::Running(_))
        });
    }

    /// A runner is gone, and with it whatever GitHub believes to run on it.
    pub(super) fn forget_runner(&mut self, runner: RunnerId) {
        self.known
            .retain(|_, known| known.stage != Stage::Running(runner));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn job(key: &str, assigned: u64) -> Job {
        Job {
            key: key.to_owned(),
            assigned: Some(UNIX_EPOCH + Duration::from_secs(assigned)),
            ..Job::default()
        }
    }

    fn demand(jobs: &Jobs) -> (usize, usize, usize) {
        let demand = jobs.demand(|runner| runner != RunnerId(99), 0);
        (demand.waiting, demand.running, demand.lost)
    }

    #[test]
    fn an_assigned_job_counts_until_two_statistics_have_come() {
        let mut jobs = Jobs::default();
        jobs.note_statistics(Statistics::of(0));
        jobs.assign(job("a", 1));
        assert_eq!(demand(&jobs), (1, 0, 0));
        jobs.note_statistics(Statistics::of(0));
        assert_eq!(demand(&jobs), (1, 0, 0));
        jobs.note_statistics(Statistics::of(0));
        assert_eq!(demand(&jobs), (0, 0, 0));
    }

    #[test]
    fn messages_twice_and_out_of_order() {
        let mut jobs = Jobs::default();
        assert!(jobs.start(job("a", 1), RunnerId(7)));
        jobs.assign(job("a", 1));
        assert!(!jobs.start(job("a", 1), RunnerId(7)));
        assert_eq!(demand(&jobs), (0, 1, 0));
        assert!(jobs.complete(&job("a", 1), Some(RunnerId(7))));
        assert!(!jobs.complete(&job("a", 1), Some(RunnerId(7))));
        jobs.assign(job("a", 1));
        assert!(!jobs.start(job("a", 1), RunnerId(7)));
        assert_eq!(demand(&jobs), (0, 0, 0));
        assert!(jobs.is_over_on(RunnerId(7)) && !jobs.is_over_on(RunnerId(8)));
    }

    #[test]
    fn a_job_that_nobody_took_is_assigned_again() {
        let mut jobs = Jobs::default();
        jobs.assign(job("a", 1));
        assert!(jobs.complete(&job("a", 1), Some(RunnerId(7))));
        jobs.assign(job("a", 2));
        assert_eq!(demand(&jobs), (1, 0, 0));
    }

    #[test]
    fn a_job_whose_runner_is_gone_wants_no_other() {
        let mut jobs = Jobs::default();
        assert!(jobs.start(job("a", 1), RunnerId(99)));
        assert_eq!(demand(&jobs), (0, 0, 1));
        jobs.forget_runner(RunnerId(99));
        assert_eq!(demand(&jobs), (0, 0, 0));
    }

    #[test]
    fn what_runs_where_is_known_until_it_is_over() {
        let mut jobs = Jobs::default();
        jobs.note_statistics(Statistics::of(3));
        assert_eq!(jobs.assigned_count(), 3);
        assert!(jobs.start(job("a", 1), RunnerId(7)));
        assert!(jobs.runs_on(RunnerId(7)) && !jobs.runs_on(RunnerId(8)));
        // Another runner has it after all.
        assert!(jobs.start(job("a", 1), RunnerId(8)));
        assert!(jobs.runs_on(RunnerId(8)) && !jobs.runs_on(RunnerId(7)));
        jobs.forget_runner(RunnerId(7));
        assert!(jobs.runs_on(RunnerId(8)));
        assert!(jobs.complete(&job("a", 1), None));
        assert!(!jobs.runs_on(RunnerId(8)) && !jobs.is_over_on(RunnerId(8)));
        let demand = jobs.demand(|_| true, 2);
        assert_eq!((demand.assigned, demand.distrusted), (3, 2));
    }

    #[test]
    fn only_jobs_that_waited_too_long_are_forgotten() {
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        let queued = |key: &str, seconds: Option<u64>| Job {
            queued: seconds.map(at),
            ..job(key, 1)
        };
        let mut jobs = Jobs::default();
        for (key, seconds) in [("old", Some(10)), ("new", Some(11)), ("unknown", None)] {
            jobs.assign(queued(key, seconds));
        }
        assert!(jobs.start(queued("runs", Some(1)), RunnerId(7)));
        jobs.forget_before(at(10));
        assert_eq!(demand(&jobs), (2, 1, 0));
    }

    #[test]
    fn the_latest_ends_are_remembered_and_no_more() {
        let mut jobs = Jobs::default();
        for n in 0..=REMEMBERED {
            assert!(jobs.complete(&job(&n.to_string(), 1), None));
        }
        assert!(jobs.complete(&job("0", 1), None), "it is forgotten");
        assert!(!jobs.complete(&job(&REMEMBERED.to_string(), 1), None));
    }
}
