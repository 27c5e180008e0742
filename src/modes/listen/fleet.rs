//! The runners of one set that live, as far as EC2, GitHub and the messages tell. Pure.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use super::prices::Prices;
use super::reconcile::Supply;
use crate::ec2::Instance;
use crate::github::{Runner, RunnerList};
use crate::launch::runner::LaunchedRunner;
use crate::values::network::InstanceId;
use crate::values::runner_id::RunnerId;
use crate::values::spot::Market;

/// How long an instance that EC2 has launched may be missing from `DescribeInstances`.
const INVISIBLE: Duration = Duration::from_secs(30);

/// A runner and its instance.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub instance: InstanceId,
    pub runner: Option<RunnerId>,
    /// The runner's name, unless somebody gave the instance another.
    pub name: Option<String>,
    pub stage: Stage,
    pub launched: SystemTime,
    pub online: Option<SystemTime>,
    pub expires: Option<SystemTime>,
    pub market: Market,
    pub instance_type: String,
    pub zone: Option<String>,
    /// Of the instance alone.
    pub usd_per_hour: Option<f64>,
    /// Of its volumes.
    pub volumes_usd_per_hour: Option<f64>,
    /// It belongs to a set of that name that was deleted: no job of this one comes to it.
    pub is_of_deleted_set: bool,
    /// Where this process has launched it.
    pub launch: Option<LaunchedRunner>,
    /// The answer to GitHub's last look at it, for the next one.
    pub etag: Option<String>,
}

/// Where a runner is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Not seen online yet.
    Booting,
    /// It waits for a job.
    Idle,
    Busy,
    /// It has had its job, or its record is gone: no job comes to it any more.
    Done,
}

/// An instance that was there and is not any more.
#[derive(Clone, Debug)]
pub(super) struct Gone {
    pub member: Member,
    /// EC2's reason, where it is known.
    pub reason: Option<String>,
}

impl Gone {
    /// Whether it ended before a job came to it.
    pub(super) fn had_no_job(&self) -> bool {
        matches!(self.member.stage, Stage::Booting | Stage::Idle)
    }

    pub(super) fn is_reclaimed(&self) -> bool {
        let reason = self.reason.as_deref();
        reason.is_some_and(|reason| reason.starts_with("Server.SpotInstance"))
    }
}

#[derive(Debug, Default)]
pub(super) struct Fleet {
    members: BTreeMap<InstanceId, Member>,
}

impl Fleet {
    pub(super) fn add(&mut self, member: Member) {
        self.members.insert(member.instance.clone(), member);
    }

    pub(super) fn members(&self) -> impl Iterator<Item = &Member> {
        self.members.values()
    }

    fn members_mut(&mut self) -> impl Iterator<Item = &mut Member> {
        self.members.values_mut()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(super) fn has(&self, runner: RunnerId) -> bool {
        self.of(runner).is_some()
    }

    pub(super) fn of(&self, runner: RunnerId) -> Option<&Member> {
        self.members().find(|member| member.runner == Some(runner))
    }

    fn of_mut(&mut self, runner: RunnerId) -> Option<&mut Member> {
        self.members_mut()
            .find(|member| member.runner == Some(runner))
    }

    /// A job has begun on that runner; what is known of it.
    pub(super) fn started(&mut self, runner: RunnerId, now: SystemTime) -> Option<&Member> {
        let member = self.of_mut(runner)?;
        if member.stage < Stage::Busy {
            member.stage = Stage::Busy;
        }
        member.online.get_or_insert(now);
        Some(member)
    }

    /// Its one job is over: the instance ends itself. It is never ended on that word, which can be wrong.
    pub(super) fn finished(&mut self, runner: RunnerId) {
        if let Some(member) = self.of_mut(runner) {
            member.stage = Stage::Done;
        }
    }

    /// What `DescribeInstances` shows: new ones are taken in, and those that are gone are returned.
    pub(super) fn see_instances(
        &mut self,
        seen: Vec<Instance>,
        price: impl Fn(&Instance) -> Prices,
        has_ended: impl Fn(&InstanceId) -> bool,
        now: SystemTime,
    ) -> Vec<Gone> {
        let mut missing = std::mem::take(&mut self.members);
        for instance in seen.into_iter().filter(|one| one.state.is_alive()) {
            let member = match missing.remove(&instance.id) {
                Some(known) => known,
                None => adopted(&instance, price(&instance), now),
            };
            self.add(member);
        }
        let is_young = |member: &Member| {
            let age = now.duration_since(member.launched).unwrap_or_default();
            age < INVISIBLE && !has_ended(&member.instance)
        };
        let (young, gone): (Vec<Member>, Vec<Member>) =
            missing.into_values().partition(|member| is_young(member));
        for member in young {
            self.add(member);
        }
        gone.into_iter()
            .map(|member| Gone {
                member,
                reason: None,
            })
            .collect()
    }

    /// What GitHub lists. A record that is missing was removed when its runner had done its job, or has vanished; from a list
    /// that is not whole it may be missing for no reason.
    pub(super) fn see_runners(&mut self, list: &RunnerList, begins: &str, now: SystemTime) {
        let by_id: BTreeMap<RunnerId, &Runner> = list
            .runners
            .iter()
            .map(|runner| (runner.id, runner))
            .collect();
        for member in self.members.values_mut() {
            let Some(id) = member.runner else { continue };
            let record = by_id.get(&id).copied();
            if record.is_some() || list.is_whole {
                member.see(record, begins, now);
            }
        }
    }

    /// One runner's own record; `begins` is what the names of the set's runners begin with.
    pub(super) fn see_runner(
        &mut self,
        id: RunnerId,
        found: Option<&Runner>,
        begins: &str,
        now: SystemTime,
    ) {
        if let Some(member) = self.of_mut(id) {
            member.see(found, begins, now);
        }
    }

    /// A runner that this process has launched. A look may have shown it already.
    pub(super) fn join(&mut self, member: Member) {
        match self.members.get_mut(&member.instance) {
            Some(known) => {
                known.launch = member.launch;
                known.usd_per_hour = member.usd_per_hour.or(known.usd_per_hour);
                known.volumes_usd_per_hour =
                    member.volumes_usd_per_hour.or(known.volumes_usd_per_hour);
                known.launched = member.launched;
                known.is_of_deleted_set |= member.is_of_deleted_set;
            }
            None => self.add(member),
        }
    }

    /// The launch of a runner whose root volume is fast for the boot alone; reported once.
    pub(super) fn take_fast(&mut self, runner: RunnerId) -> Option<LaunchedRunner> {
        let launch = self.of_mut(runner)?.launch.take();
        launch.filter(|launch| launch.volumes.root.is_for_boot)
    }

    pub(super) fn keep_etag(&mut self, runner: RunnerId, etag: Option<String>) {
        if let Some(member) = self.of_mut(runner) {
            member.etag = etag;
        }
    }

    /// GitHub refused to delete its record, because a job has come to it.
    pub(super) fn is_busy_after_all(&mut self, instance: &InstanceId) {
        if let Some(member) = self.members.get_mut(instance) {
            member.stage = Stage::Busy;
        }
    }

    /// How many of the set's own runners are there.
    pub(super) fn count(&self, stage: Stage) -> usize {
        self.members()
            .filter(|member| member.stage == stage && !member.is_of_deleted_set)
            .count()
    }

    pub(super) fn supply(&self, starting: usize, doubtful: usize) -> Supply {
        let ready = self.count(Stage::Booting) + self.count(Stage::Idle);
        let busy = self.count(Stage::Busy);
        Supply {
            starting,
            ready,
            busy,
            done: self.members.len() - ready - busy,
            doubtful,
        }
    }

    /// What the runners that live cost an hour with their volumes, as far as it is known.
    pub(super) fn usd_per_hour(&self) -> f64 {
        self.members()
            .flat_map(|member| [member.usd_per_hour, member.volumes_usd_per_hour])
            .flatten()
            .fold(0.0, |sum, usd| sum + usd)
    }
}

impl Member {
    fn see(&mut self, record: Option<&Runner>, begins: &str, now: SystemTime) {
        self.is_of_deleted_set |= record.is_some_and(|runner| !runner.name.starts_with(begins));
        match record {
            Some(runner) if runner.busy => {
                self.stage = self.stage.max(Stage::Busy);
                self.online.get_or_insert(now);
            }
            Some(runner) if runner.is_online() => {
                self.stage = self.stage.max(Stage::Idle);
                self.online.get_or_insert(now);
            }
            Some(_) => {}
            None => self.stage = Stage::Done,
        }
    }

    /// Whether it has outlived its time, or has not come online in `boot`. A busy one is never overdue: who ends those is the
    /// instance itself.
    pub(super) fn is_overdue(&self, boot: Duration, now: SystemTime) -> bool {
        let age = now.duration_since(self.launched).unwrap_or_default();
        let has_expired = self.expires.is_some_and(|expires| expires <= now);
        match self.stage {
            Stage::Busy => false,
            Stage::Booting => has_expired || age > boot,
            Stage::Idle | Stage::Done => has_expired,
        }
    }
}

/// An instance of the set that this process has not launched.
pub(super) fn adopted(instance: &Instance, prices: Prices, now: SystemTime) -> Member {
    Member {
        instance: instance.id.clone(),
        runner: instance.runner_id(),
        name: instance.runner_name().map(str::to_owned),
        stage: Stage::Booting,
        launched: instance.usage.launched.unwrap_or(now),
        online: None,
        expires: instance.expires(),
        market: instance.usage.market,
        instance_type: instance.instance_type.clone(),
        zone: instance.usage.zone.as_ref().map(ToString::to_string),
        usd_per_hour: prices.instance,
        volumes_usd_per_hour: prices.volumes,
        is_of_deleted_set: false,
        launch: None,
        etag: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::{State, Usage, tags};
    use crate::launch::journal::Journal;
    use crate::values::candidate::Candidate;
    use crate::values::network::Placement;
    use crate::values::region::Region;
    use crate::values::volume::{RootVolume, Volumes};
    use Stage::{Booting, Busy, Done, Idle};
    use std::time::UNIX_EPOCH;

    fn instance(id: &str, runner: u64, state: State, launched: SystemTime) -> Instance {
        Instance {
            id: InstanceId::from_ec2(id),
            state,
            state_reason: None,
            instance_type: "m7i.large".to_owned(),
            usage: Usage {
                launched: Some(launched),
                ..Usage::default()
            },
            tags: [(tags::RUNNER_ID.to_owned(), runner.to_string())].into(),
        }
    }

    fn record(id: u64, status: &str, busy: bool) -> Runner {
        Runner {
            id: RunnerId(id),
            name: format!("sprinters-listen-117-{id}"),
            status: status.to_owned(),
            busy,
        }
    }

    fn whole<const N: usize>(runners: [Runner; N]) -> RunnerList {
        RunnerList {
            runners: runners.into(),
            is_whole: true,
        }
    }

    /// What the names of the set's runners begin with.
    const OURS: &str = "sprinters-listen-117-";

    #[test]
    fn a_runner_of_a_set_that_was_deleted_takes_no_job_of_the_next() {
        let (mut fleet, now) = (Fleet::default(), UNIX_EPOCH + Duration::from_hours(1));
        let seen = vec![
            instance("i-1", 1, State::Running, UNIX_EPOCH),
            instance("i-2", 2, State::Running, UNIX_EPOCH),
        ];
        fleet.see_instances(seen, |_| Prices::default(), |_| false, now);
        let mut older = record(1, "online", true);
        older.name = "sprinters-listen-99-1".to_owned();
        let list = whole([older, record(2, "online", true)]);
        fleet.see_runners(&list, OURS, now);
        let supply = fleet.supply(0, 0);
        assert_eq!((supply.busy, supply.done, supply.alive()), (1, 1, 2));
        // It is busy all the same, and so never ended from here.
        assert_eq!(stages(&fleet), [Busy, Busy]);
    }

    fn half_a_dollar() -> Prices {
        Prices {
            instance: Some(0.375),
            volumes: Some(0.125),
        }
    }

    fn stages(fleet: &Fleet) -> Vec<Stage> {
        fleet.members().map(|member| member.stage).collect()
    }

    #[test]
    fn a_listener_that_was_just_started_finds_out_who_does_what() {
        let (mut fleet, now) = (Fleet::default(), UNIX_EPOCH + Duration::from_hours(1));
        let seen = ["i-1", "i-2", "i-3", "i-4"]
            .iter()
            .zip(1..)
            .map(|(id, runner)| instance(id, runner, State::Running, UNIX_EPOCH))
            .chain([instance("i-5", 5, State::Terminated, UNIX_EPOCH)]);
        let gone = fleet.see_instances(seen.collect(), |_| half_a_dollar(), |_| false, now);
        assert!(gone.is_empty());
        let records = [
            record(1, "offline", false),
            record(2, "online", false),
            record(3, "online", true),
        ];
        let cut = RunnerList {
            is_whole: false,
            ..whole(records.clone())
        };
        fleet.see_runners(&cut, OURS, now);
        assert_eq!(stages(&fleet), [Booting, Idle, Busy, Booting]);
        fleet.see_runners(&whole(records), OURS, now);
        assert_eq!(stages(&fleet), [Booting, Idle, Busy, Done]);
        let supply = fleet.supply(0, 0);
        assert_eq!((supply.ready, supply.busy, supply.done), (2, 1, 1));
        assert!((fleet.usd_per_hour() - 2.0).abs() < f64::EPSILON);
        // A runner goes one way only, whatever an older answer says.
        fleet.see_runner(RunnerId(3), Some(&record(3, "online", false)), OURS, now);
        assert_eq!(stages(&fleet), [Booting, Idle, Busy, Done]);
    }

    #[test]
    fn an_instance_that_is_too_young_to_be_seen_is_not_gone() {
        let (mut fleet, now) = (Fleet::default(), UNIX_EPOCH + Duration::from_hours(1));
        let old = instance("i-old", 1, State::Running, UNIX_EPOCH);
        let young = instance("i-young", 2, State::Pending, now - Duration::from_secs(2));
        fleet.see_instances(vec![old, young], |_| Prices::default(), |_| false, now);
        let gone = fleet.see_instances(Vec::new(), |_| Prices::default(), |_| false, now);
        let ids: Vec<&str> = gone.iter().map(|g| g.member.instance.as_str()).collect();
        assert_eq!(ids, ["i-old"]);
        assert!(gone.iter().all(Gone::had_no_job));
        assert_eq!(fleet.members().count(), 1);
        // But what EC2 says to have ended has.
        let gone = fleet.see_instances(Vec::new(), |_| Prices::default(), |_| true, now);
        assert_eq!((gone.len(), fleet.is_empty()), (1, true));
    }

    #[test]
    fn a_busy_runner_is_never_overdue() {
        let (mut fleet, now) = (Fleet::default(), UNIX_EPOCH + Duration::from_hours(9));
        fleet.see_instances(
            vec![instance("i-1", 1, State::Running, UNIX_EPOCH)],
            |_| Prices::default(),
            |_| false,
            now,
        );
        let boot = Duration::from_mins(6);
        assert!(fleet.members().all(|member| member.is_overdue(boot, now)));
        fleet.started(RunnerId(1), now);
        assert!(fleet.members().all(|member| !member.is_overdue(boot, now)));
        fleet.finished(RunnerId(1));
        assert_eq!(stages(&fleet), [Stage::Done]);
        assert!(fleet.started(RunnerId(1), now).is_some());
        assert_eq!(stages(&fleet), [Stage::Done]);
    }

    fn launched(instance: &str, runner: u64, is_fast: bool) -> LaunchedRunner {
        LaunchedRunner {
            entry: Journal::default().without_record(),
            label: "label".to_owned(),
            name: "name".to_owned(),
            runner_id: RunnerId(runner),
            instance_id: InstanceId::from_ec2(instance),
            candidate: Candidate {
                market: Market::Spot,
                instance_type: "m7i.large".parse().unwrap_or_else(|e| unreachable!("{e}")),
                region: Region::default(),
                placement: Placement::Anywhere,
                spot_price: None,
            },
            volumes: Volumes {
                root: RootVolume {
                    is_for_boot: is_fast,
                    ..RootVolume::default()
                },
                temp: None,
            },
            availability_zone: None,
            minted_in: Duration::ZERO,
            launched_in: Duration::ZERO,
        }
    }

    /// As a launch of this process gives it.
    fn member(id: &str, runner: u64, is_fast: bool) -> Member {
        let launched = launched(id, runner, is_fast);
        let seen = instance(id, runner, State::Pending, UNIX_EPOCH);
        Member {
            launch: Some(launched),
            ..adopted(&seen, half_a_dollar(), UNIX_EPOCH)
        }
    }

    #[test]
    fn a_fast_volume_is_brought_down_once() {
        let mut fleet = Fleet::default();
        fleet.join(member("i-1", 1, true));
        fleet.join(member("i-2", 2, false));
        let mut taken = |runner| fleet.take_fast(RunnerId(runner)).map(|one| one.instance_id);
        assert_eq!(taken(1), Some(InstanceId::from_ec2("i-1")));
        assert_eq!((taken(1), taken(2), taken(3)), (None, None, None));
    }

    #[test]
    fn a_launch_that_a_look_has_shown_already_is_one_member() {
        let (mut fleet, now) = (Fleet::default(), UNIX_EPOCH + Duration::from_hours(1));
        let seen = vec![instance("i-1", 1, State::Running, now)];
        fleet.see_instances(seen, |_| Prices::default(), |_| false, now);
        fleet.started(RunnerId(1), now);
        fleet.join(Member {
            is_of_deleted_set: true,
            ..member("i-1", 1, true)
        });
        assert_eq!(fleet.members().count(), 1);
        assert!(fleet.of(RunnerId(1)).is_some_and(|one| one.stage == Busy
            && one.launched == UNIX_EPOCH
            && one.usd_per_hour == Some(0.375)
            && one.volumes_usd_per_hour == Some(0.125)
            && one.is_of_deleted_set));
        assert!(fleet.take_fast(RunnerId(1)).is_some());
        // Of an unknown price nothing is forgotten.
        fleet.join(Member {
            usd_per_hour: None,
            volumes_usd_per_hour: None,
            ..member("i-1", 1, true)
        });
        assert!((fleet.usd_per_hour() - 0.5).abs() < f64::EPSILON);
    }

    #[test]
    fn what_is_told_of_one_runner_is_told_of_no_other() {
        let mut fleet = Fleet::default();
        fleet.join(member("i-1", 1, false));
        fleet.join(member("i-2", 2, false));
        fleet.keep_etag(RunnerId(2), Some("tag".to_owned()));
        fleet.is_busy_after_all(&InstanceId::from_ec2("i-2"));
        fleet.finished(RunnerId(3));
        let told: Vec<_> = fleet
            .members()
            .map(|one| (one.stage, one.etag.as_deref()))
            .collect();
        assert_eq!(told, [(Booting, None), (Busy, Some("tag"))]);
        assert!(fleet.has(RunnerId(1)) && !fleet.has(RunnerId(3)));
        assert_eq!(
            (fleet.count(Booting), fleet.count(Busy), fleet.count(Idle)),
            (1, 1, 0)
        );
        fleet.finished(RunnerId(2));
        assert_eq!(stages(&fleet), [Booting, Done]);
    }

    #[test]
    fn each_stage_has_a_time_that_is_too_long() {
        let (boot, expires) = (Duration::from_mins(6), UNIX_EPOCH + Duration::from_hours(6));
        let is_overdue = |stage, after: Duration| {
            let member = Member {
                stage,
                expires: Some(expires),
                ..member("i-1", 1, false)
            };
            member.is_overdue(boot, UNIX_EPOCH + after)
        };
        assert!(!is_overdue(Booting, boot) && is_overdue(Booting, boot + Duration::from_secs(1)));
        let lifetime = Duration::from_hours(6);
        for stage in [Idle, Done] {
            assert!(
                !is_overdue(stage, lifetime.saturating_sub(Duration::from_secs(1))),
                "{stage:?}"
            );
            assert!(is_overdue(stage, lifetime), "{stage:?}");
        }
        assert!(!is_overdue(Busy, lifetime * 2));
    }

    #[test]
    fn one_that_ends_while_it_works_had_a_job() {
        let gone = |stage, reason: Option<&str>| Gone {
            member: Member {
                stage,
                ..member("i-1", 1, false)
            },
            reason: reason.map(str::to_owned),
        };
        assert!(gone(Booting, None).had_no_job() && gone(Idle, None).had_no_job());
        assert!(!gone(Busy, None).had_no_job() && !gone(Done, None).had_no_job());
        let reclaimed = Some("Server.SpotInstanceTermination: …");
        assert!(gone(Idle, reclaimed).is_reclaimed());
        assert!(!gone(Idle, Some("Client.UserInitiatedShutdown")).is_reclaimed());
        assert!(!gone(Idle, None).is_reclaimed());
    }
}
