//! Instances that are gone, and why: what that says about the next ones.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::fleet::{Gone, Stage};
use super::set::Set;
use crate::report::seconds;
use crate::values::network::InstanceId;

/// Runners that are gone are remembered for the lines of their jobs, whose last message may come later.
const REMEMBERED: usize = 200;

impl Set {
    /// An instance is gone.
    pub(super) fn left(&mut self, gone: Gone) {
        let instance = gone.member.instance.clone();
        let was_ours_to_end = self.forget_ending(&instance);
        let reason = gone.reason.as_deref().unwrap_or("EC2 gives no reason");
        let lived = SystemTime::now()
            .duration_since(gone.member.launched)
            .unwrap_or_default();
        if gone.member.stage == Stage::Busy {
            self.voice.warns(
                "lost",
                format_args!("`{instance}` ended while a job ran on it: {reason}"),
            );
            if let Some(runner) = gone.member.runner.filter(|id| self.jobs.runs_on(*id)) {
                self.lost.push((Instant::now(), runner));
            }
        } else if gone.had_no_job() {
            if !was_ours_to_end {
                self.left_without_job(&gone, reason, lived);
            }
            // GitHub would list it for another day. Of one that has a job after all it says so, and keeps it.
            if let Some(runner) = gone.member.runner {
                self.forget_record(runner, gone.member.name.clone());
            }
        }
        self.past.push_back(gone.member);
        if self.past.len() > REMEMBERED {
            self.past.pop_front();
        }
    }

    fn left_without_job(&mut self, gone: &Gone, reason: &str, lived: Duration) {
        let instance = &gone.member.instance;
        let idle = self.spec.start.idle_timeout.as_duration();
        if gone.is_reclaimed() {
            self.on_demand_next += 1;
            self.hinder("AWS reclaimed a spot instance before the job began".to_owned());
            self.voice.log(
                "reclaimed",
                format_args!(
                    "AWS reclaimed `{instance}` before a job came to it: the next goes on-demand"
                ),
            );
        } else if gone.member.online.is_some() && lived >= idle {
            self.idled(instance, idle);
        } else {
            let pause = self.trouble.died(Instant::now());
            self.hinder(format!("`{instance}` died before the job began ({reason})"));
            let later = pause.map_or_else(String::new, |pause| {
                format!("; several did: trying again in {}", seconds(pause))
            });
            self.voice.warns(
                "died",
                format_args!("`{instance}` ended before a job came to it: {reason}{later}"),
            );
        }
    }

    /// A runner waited in vain. Where GitHub said all the while that jobs wait, its count is wrong.
    fn idled(&mut self, instance: &InstanceId, idle: Duration) {
        let now = Instant::now();
        let is_lie = self
            .excess_since
            .is_some_and(|since| now.duration_since(since) >= idle);
        if !is_lie {
            self.voice.log(
                "idle",
                format_args!("`{instance}` ended itself: no job came within `idle-timeout`"),
            );
            return;
        }
        let demand = self.demand();
        let busy = self.fleet.count(Stage::Busy);
        let waiting = demand.assigned.saturating_sub(demand.lost + busy);
        let pause = self.distrust.note(waiting, idle, now);
        self.voice.warns(
            "distrust",
            format_args!(
                "GitHub counts {waiting} waiting jobs, but `{instance}` got none within `idle-timeout`: {} of them are not \
                 believed for {}",
                self.distrust.amount(),
                seconds(pause)
            ),
        );
    }

    /// Nobody ends it any more; whether somebody did.
    fn forget_ending(&mut self, instance: &InstanceId) -> bool {
        let place = self.ending.iter().position(|one| one == instance);
        place.map(|place| self.ending.swap_remove(place)).is_some()
    }

    /// What came of ending an instance.
    pub(super) fn ended(&mut self, instance: &InstanceId, result: Result<bool, String>) {
        match result {
            Ok(true) => self.voice.log(
                "ended",
                format_args!("terminated `{instance}`, which had no job"),
            ),
            // A job has just come to it.
            Ok(false) => {
                self.forget_ending(instance);
                self.fleet.is_busy_after_all(instance);
            }
            Err(why) => {
                self.forget_ending(instance);
                self.voice.warns(
                    "ended",
                    format_args!("`{instance}` could not be ended: {why}"),
                );
            }
        }
        self.look_within(Duration::from_secs(5));
    }
}
