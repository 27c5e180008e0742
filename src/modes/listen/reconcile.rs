//! How many runners to launch: what is wanted, held against what lives. Pure.

/// How many runners a set may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Limits {
    /// How many wait for jobs.
    pub min: usize,
    /// The most that live at any moment, whatever they do.
    pub max: usize,
}

/// The jobs that the set has to serve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Demand {
    /// GitHub's count of assigned jobs, waiting and running.
    pub assigned: usize,
    /// Jobs that were assigned and have not started, of which GitHub's count need not know yet.
    pub waiting: usize,
    /// Jobs on runners that live.
    pub running: usize,
    /// Jobs whose runner is gone although GitHub has not noticed yet: no other runner can take them.
    pub lost: usize,
    /// By how much GitHub's count is too high, as far as runners that found no job have shown.
    pub distrusted: usize,
}

/// The runners that the set has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Supply {
    /// Launches that are under way.
    pub starting: usize,
    /// Booting, or waiting for a job.
    pub ready: usize,
    pub busy: usize,
    /// Alive, but of no use to another job: they have had theirs.
    pub done: usize,
    /// Launches of which nobody knows whether they gave an instance.
    pub doubtful: usize,
}

impl Supply {
    /// What costs money, or may.
    pub(super) fn alive(&self) -> usize {
        self.starting + self.ready + self.busy + self.done + self.doubtful
    }

    /// What has, or can take, a job.
    fn useful(&self) -> usize {
        self.starting + self.ready + self.busy
    }
}

/// What to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Decision {
    /// Runners that there should be, `max-runners` included.
    pub wanted: usize,
    pub launch: usize,
    /// More would be wanted if `max-runners` allowed them.
    pub is_at_max: bool,
}

/// Decides. A set that is being drained serves the jobs that it has, and keeps nobody waiting for others.
///
/// Nothing is ended here: a runner that is not wanted any more ends itself, or takes the next job before that.
pub(super) fn decide(
    limits: Limits,
    demand: Demand,
    supply: Supply,
    is_draining: bool,
) -> Decision {
    let counted = demand
        .assigned
        .saturating_sub(demand.lost)
        .saturating_sub(demand.distrusted);
    let for_jobs = counted.max(demand.waiting + demand.running);
    let min = if is_draining { 0 } else { limits.min };
    let wished = for_jobs + min;
    let wanted = wished.min(limits.max);
    let missing = wanted.saturating_sub(supply.useful());
    let room = limits.max.saturating_sub(supply.alive());
    Decision {
        wanted,
        launch: missing.min(room),
        is_at_max: wished > limits.max || missing > room,
    }
}

/// How many of the jobs on offer to acquire: those for which there can be a runner. A count that is too high must not keep
/// jobs from runners that wait for them already.
pub(super) fn acquirable(
    limits: Limits,
    demand: Demand,
    supply: Supply,
    is_draining: bool,
) -> usize {
    if is_draining {
        return 0;
    }
    let taken = demand.assigned.max(demand.waiting + demand.running);
    let free = supply.ready.saturating_sub(demand.waiting);
    limits.max.saturating_sub(taken).max(free)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn launch(min: usize, max: usize, demand: Demand, supply: Supply) -> usize {
        decide(Limits { min, max }, demand, supply, false).launch
    }

    fn assigned(assigned: usize) -> Demand {
        Demand {
            assigned,
            ..Demand::default()
        }
    }

    fn ready(ready: usize) -> Supply {
        Supply {
            ready,
            ..Supply::default()
        }
    }

    #[test]
    fn one_runner_for_each_assigned_job_and_no_more_than_the_most() {
        assert_eq!(launch(0, 5, assigned(3), Supply::default()), 3);
        assert_eq!(launch(0, 5, assigned(3), ready(2)), 1);
        assert_eq!(launch(0, 5, assigned(3), ready(4)), 0);
        assert_eq!(launch(0, 5, assigned(34), ready(2)), 3);
        assert_eq!(launch(0, 0, assigned(1), Supply::default()), 0);
    }

    #[test]
    fn some_wait_beside_those_that_work() {
        assert_eq!(launch(2, 9, assigned(0), Supply::default()), 2);
        let busy = Supply {
            busy: 1,
            ready: 1,
            ..Supply::default()
        };
        assert_eq!(launch(2, 9, assigned(1), busy), 1);
        assert_eq!(launch(2, 2, assigned(1), busy), 0);
    }

    #[test]
    fn whatever_lives_or_may_live_counts_against_the_most() {
        let supply = Supply {
            starting: 1,
            done: 1,
            doubtful: 1,
            ..Supply::default()
        };
        assert_eq!(launch(0, 4, assigned(4), supply), 1);
        let decision = decide(Limits { min: 0, max: 3 }, assigned(3), supply, false);
        assert_eq!((decision.launch, decision.is_at_max), (0, true));
    }

    #[test]
    fn a_count_that_forgets_a_job_does_not_starve_it() {
        let demand = Demand {
            waiting: 1,
            running: 2,
            ..assigned(0)
        };
        let busy = Supply {
            busy: 2,
            ..Supply::default()
        };
        assert_eq!(launch(0, 9, demand, busy), 1);
    }

    #[test]
    fn a_count_that_is_too_high_is_believed_less_and_less() {
        let demand = Demand {
            distrusted: 15,
            ..assigned(34)
        };
        assert_eq!(launch(0, 50, demand, ready(19)), 0);
        let lost = Demand {
            lost: 1,
            ..assigned(1)
        };
        assert_eq!(launch(0, 50, lost, Supply::default()), 0);
    }

    #[test]
    fn a_drained_set_serves_what_it_has_and_takes_nothing_new() {
        let limits = Limits { min: 2, max: 9 };
        let decision = decide(limits, assigned(1), Supply::default(), true);
        assert_eq!(decision.launch, 1);
        let none = Supply::default();
        assert_eq!(acquirable(limits, assigned(1), ready(1), true), 0);
        assert_eq!(acquirable(limits, assigned(4), none, false), 5);
        assert_eq!(acquirable(limits, assigned(40), none, false), 0);
        assert_eq!(acquirable(limits, assigned(40), ready(3), false), 3);
        let waiting = Demand {
            waiting: 2,
            ..assigned(40)
        };
        assert_eq!(acquirable(limits, waiting, ready(3), false), 1);
    }

    #[test]
    fn who_wants_as_many_as_may_live_is_not_kept_from_more() {
        let limits = Limits { min: 0, max: 2 };
        let decided = |assigned, supply| {
            let demand = Demand {
                assigned,
                ..Demand::default()
            };
            decide(limits, demand, supply, false)
        };
        let none = Supply::default();
        assert_eq!(
            (decided(2, none).launch, decided(2, none).is_at_max),
            (2, false)
        );
        assert_eq!(
            (decided(3, none).launch, decided(3, none).is_at_max),
            (2, true)
        );
        // One that has had its job takes the place of another until it is gone.
        let done = Supply { done: 1, ..none };
        assert_eq!(
            (decided(1, done).launch, decided(1, done).is_at_max),
            (1, false)
        );
        assert_eq!(
            (decided(2, done).launch, decided(2, done).is_at_max),
            (1, true)
        );
    }
}
