//! What a look at EC2 and GitHub changes in what is known of a set.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::census::{Census, Plan, Records};
use super::errand::Due;
use super::fleet::{Member, Stage};
use super::prices::{self, Prices};
use super::set::{Doubtful, Set};
use crate::ec2::Instance;
use crate::github::Runner;
use crate::teardown::Record;
use crate::values::network::InstanceId;
use crate::values::region::Region;
use crate::values::run;
use crate::values::runner_id::RunnerId;

/// How long an instance may take beyond `start-timeout` before it is ended from here: its own timer comes first.
const BOOT_GRACE: Duration = Duration::from_secs(90);
/// How long a launch of another listener, which may have been killed in the middle of it, is waited for.
const DOUBTED_FOR: Duration = Duration::from_secs(30);
/// How long a job stays on a runner that is gone, at GitHub.
const LOST_FOR: Duration = Duration::from_mins(20);
/// How long until a record that could not be deleted is looked for again.
const RECORD_LEFT: Duration = Duration::from_secs(30);
/// A record that is younger may not be known everywhere.
const FRESH: Duration = Duration::from_secs(5);

fn price_in(home: &Region, instance: &Instance) -> Prices {
    prices::of_instance(instance, instance.id.region().unwrap_or(home))
}

impl Set {
    /// The tag's value: a name alone does not tell two sets of different runner groups apart.
    pub(super) fn tag(&self) -> String {
        self.launching.tag().to_owned()
    }

    pub(super) fn plan_census(&self) -> Plan {
        let now = SystemTime::now();
        let is_old = |member: &&Member| {
            now.duration_since(member.launched)
                .is_ok_and(|age| age > FRESH)
        };
        let has_waiting = self.has_waiting();
        let is_asked_for = |member: &&Member| match member.stage {
            Stage::Booting => true,
            Stage::Idle => has_waiting,
            Stage::Busy | Stage::Done => false,
        };
        let asked = self.fleet.members().filter(is_old).filter(is_asked_for);
        Plan {
            tag: self.tag(),
            known: self
                .fleet
                .members()
                .map(|member| member.instance.clone())
                .collect(),
            runners: asked
                .filter_map(|member| Some((member.runner?, member.etag.clone())))
                .collect(),
            // Once an hour at least, records that nobody needs are found.
            all_runners: !self.has_looked
                || !self.doubtful.is_empty()
                || self.record_left.is_some()
                || self.fleet.is_empty(),
        }
    }

    /// Whether jobs are said to wait for a runner.
    fn has_waiting(&self) -> bool {
        let demand = self.demand();
        demand.waiting > 0 || demand.assigned > demand.lost + self.fleet.count(Stage::Busy)
    }

    /// How long until the next look: the less there is to see, the longer.
    pub(super) fn pause_of_look(&self) -> Duration {
        let supply = self.fleet.supply(self.launches.len(), 0);
        let is_full = self.has_waiting() && supply.alive() >= self.spec.limits.max;
        let seconds = if self.drains || is_full || !self.doubtful.is_empty() {
            3
        } else if self.fleet.count(Stage::Booting) > 0 {
            10
        } else if !self.fleet.is_empty() {
            // Those that wait in vain end themselves: where they do so soon, their records are to go soon.
            self.spec
                .start
                .idle_timeout
                .as_duration()
                .as_secs()
                .clamp(10, 60)
        } else {
            3_600
        };
        let pause = Duration::from_secs(seconds);
        if self.record_left.is_some() {
            pause.min(RECORD_LEFT)
        } else {
            pause
        }
    }

    pub(super) fn look_within(&mut self, pause: Duration) {
        self.next_census = self.next_census.min(Instant::now() + pause);
    }

    /// Takes a look's result in; instances that are to be ended, with their records.
    pub(super) fn see(&mut self, census: Census) -> Vec<Due> {
        let now = SystemTime::now();
        let Census {
            instances,
            gone,
            records,
        } = census;
        let with_instance: BTreeSet<RunnerId> =
            instances.iter().filter_map(Instance::runner_id).collect();
        let home = self.clients.region.clone();
        let price = |instance: &Instance| price_in(&home, instance);
        let ended = |id: &InstanceId| gone.iter().find(|instance| instance.id == *id);
        let has_ended = |id: &InstanceId| ended(id).is_some();
        for mut left in self.fleet.see_instances(instances, price, has_ended, now) {
            left.reason =
                ended(&left.member.instance).and_then(|instance| instance.state_reason.clone());
            self.left(left);
        }
        let was_online: Vec<RunnerId> = self.seen_online();
        let begins = self.launching.names_begin();
        match records {
            Records::Unseen => {}
            Records::Some(seen) => {
                for (id, record, etag) in seen {
                    self.fleet.see_runner(id, record.as_ref(), &begins, now);
                    self.fleet.keep_etag(id, etag);
                }
            }
            Records::All(all) => {
                self.record_left = None;
                self.fleet.see_runners(&all, &begins, now);
                self.doubt(&all.runners, &with_instance, now);
            }
        }
        for runner in self.seen_online() {
            if !was_online.contains(&runner) {
                self.online(runner);
            }
        }
        self.has_looked = true;
        self.forget_lost();
        self.overdue(now)
    }

    pub(super) fn price_of(&self, instance: &Instance) -> Prices {
        price_in(&self.clients.region, instance)
    }

    fn seen_online(&self) -> Vec<RunnerId> {
        let online = self
            .fleet
            .members()
            .filter(|member| member.online.is_some());
        online.filter_map(|member| member.runner).collect()
    }

    /// Records of this set without an instance: young ones may belong to a launch that is under way, old ones are nobody's.
    fn doubt(&mut self, all: &[Runner], with_instance: &BTreeSet<RunnerId>, now: SystemTime) {
        let begins = self.launching.names_begin();
        let before = std::mem::take(&mut self.doubtful);
        let is_doubtful = |runner: &&Runner| {
            runner.name.starts_with(&begins)
                && !runner.is_online()
                && !runner.busy
                && !with_instance.contains(&runner.id)
                && !self.fleet.has(runner.id)
                && !self.launching.is_under_way(&runner.name)
        };
        let doubtful = all.iter().filter(is_doubtful).map(|runner| {
            let known = before.iter().find(|one| one.record.id == runner.id);
            let age = run::age(&runner.name, now).unwrap_or_default();
            let until = known.map_or_else(
                || Instant::now() + DOUBTED_FOR.saturating_sub(age),
                |known| known.until,
            );
            Doubtful {
                record: Record {
                    id: runner.id,
                    name: runner.name.clone(),
                },
                until,
            }
        });
        let (young, old) = doubtful.partition(|one| one.until > Instant::now());
        self.doubtful = young;
        let old: Vec<Doubtful> = old;
        for one in old {
            self.forget_record(one.record.id, Some(one.record.name));
        }
    }

    fn forget_lost(&mut self) {
        let now = Instant::now();
        for (since, runner) in &self.lost {
            if now.duration_since(*since) > LOST_FOR {
                self.jobs.forget_runner(*runner);
            }
        }
        self.lost
            .retain(|(since, _)| now.duration_since(*since) <= LOST_FOR);
    }

    /// Those that outlived their time, or never came online although they must have by now, and in a set that is drained
    /// those that wait.
    fn overdue(&mut self, now: SystemTime) -> Vec<Due> {
        let boot = self.spec.start.start_timeout.as_duration() + BOOT_GRACE;
        let is_unneeded = self.drains && self.demand().assigned == 0;
        let due: Vec<Due> = self
            .fleet
            .members()
            .filter(|member| {
                member.is_overdue(boot, now) || (is_unneeded && member.stage == Stage::Idle)
            })
            .filter(|member| !self.ending.contains(&member.instance))
            .map(|member| Due {
                instance: member.instance.clone(),
                runner: member.runner,
                name: member.name.clone(),
            })
            .collect();
        self.ending
            .extend(due.iter().map(|one| one.instance.clone()));
        due
    }
}
