//! What a sweep ends. Pure, so that the rules can be read and tested in one place.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::ec2::Instance;
use crate::github::Runner;
use crate::teardown::Record;
use crate::values::network::InstanceId;
use crate::values::run::{self, WorkflowRun};
use crate::values::runner_id::RunnerId;

/// GitHub is known to call some runners busy for ever. Their lifetime was over when they expired, and this is beyond it.
const BUSY_FOR_EVER: Duration = Duration::from_hours(1);
/// A JIT config lives about an hour: an offline runner that is older has no future.
const RECORD_LIFETIME: Duration = Duration::from_mins(65);

/// What to do with each instance and record.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// Expired, with the runner record that goes first.
    pub end: Vec<(InstanceId, Option<Record>)>,
    /// Expired so long ago that no job can be running there, whatever GitHub says: the instance goes first.
    pub overdue: Vec<(InstanceId, Record)>,
    /// Records whose instance is gone.
    pub delete: Vec<Record>,
    /// Expired, but a job runs on it.
    pub spare: Vec<InstanceId>,
    /// Without a readable `sprinters:expires`: nobody can tell.
    pub unknown: Vec<InstanceId>,
    /// Its runner registered in another scope, where this sweep does not look: whether it is busy is not known.
    pub elsewhere: Vec<(InstanceId, Option<String>)>,
}

pub(super) fn plan(
    instances: &[Instance],
    runners: &[Runner],
    run: &WorkflowRun,
    now: SystemTime,
) -> Plan {
    let scope = run.scope.tag();
    let by_id: BTreeMap<RunnerId, &Runner> =
        runners.iter().map(|runner| (runner.id, runner)).collect();
    let mut plan = Plan::default();
    let mut needed = Vec::new();
    for instance in instances
        .iter()
        .filter(|instance| instance.state.is_alive())
    {
        if instance.scope() != scope.as_deref() {
            let there = instance.scope().map(str::to_owned);
            plan.elsewhere.push((instance.id.clone(), there));
            continue;
        }
        // A tag may name any number: only a name of this repository makes the record its own. Where the number is a stranger's,
        // the instance's own name tells whether its runner works.
        let is_ours = |runner: &&Runner| run.may_touch(&runner.name);
        let numbered = instance.runner_id().and_then(|id| by_id.get(&id).copied());
        let named = || {
            runners
                .iter()
                .find(|one| Some(one.name.as_str()) == instance.runner_name())
        };
        let runner = numbered.filter(is_ours).or_else(|| named().filter(is_ours));
        match instance.expires() {
            None => plan.unknown.push(instance.id.clone()),
            Some(expires) if expires > now => {}
            Some(expires) => {
                let id = instance.id.clone();
                match runner {
                    Some(busy) if busy.busy && expires + BUSY_FOR_EVER <= now => {
                        plan.overdue.push((id, record(busy)));
                    }
                    Some(busy) if busy.busy => plan.spare.push(id),
                    ours => plan.end.push((id, ours.map(record))),
                }
            }
        }
        needed.extend(instance.runner_id());
        needed.extend(runner.map(|runner| runner.id));
    }
    // A young record may belong to a launch that is under way.
    let is_abandoned = |runner: &&Runner| {
        !runner.is_online()
            && !runner.busy
            && !needed.contains(&runner.id)
            && run.may_touch(&runner.name)
            && run::age(&runner.name, now).is_some_and(|age| age > RECORD_LIFETIME)
    };
    let abandoned = runners.iter().filter(is_abandoned);
    plan.delete.extend(abandoned.map(record));
    plan
}

fn record(runner: &Runner) -> Record {
    Record {
        id: runner.id,
        name: runner.name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::{State, tags};
    use crate::values::repository::Repository;
    use crate::values::scope::Scope;
    use std::time::UNIX_EPOCH;

    const NOW: u64 = 1_795_000_000;

    fn instance(id: &str, runner: u64, expires: &str) -> Instance {
        Instance {
            id: InstanceId::from_ec2(id),
            state: State::Running,
            state_reason: None,
            instance_type: "m7i.large".to_owned(),
            usage: crate::ec2::Usage::default(),
            tags: [
                (tags::RUNNER_ID, runner.to_string()),
                (tags::EXPIRES, expires.to_owned()),
            ]
            .map(|(key, value)| (key.to_owned(), value))
            .into(),
        }
    }

    fn runner(id: u64, name: &str, status: &str, busy: bool) -> Runner {
        Runner {
            id: RunnerId(id),
            name: name.to_owned(),
            status: status.to_owned(),
            busy,
        }
    }

    #[test]
    fn the_rules() {
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        let repository: Repository = "octo/app".parse().expect("a repository");
        let name = |age: u64| {
            let digits = "0123456789abcdefghijklmnopqrstuvwxyz".as_bytes();
            let mut stamp = String::new();
            let mut rest = NOW - age;
            while rest > 0 {
                stamp.insert(
                    0,
                    char::from(digits[usize::try_from(rest % 36).unwrap_or_default()]),
                );
                rest /= 36;
            }
            format!("sprinters-1-1-{stamp}abcd-wxyz{}", repository.short_hash())
        };
        let named = name(89_999);
        let (past, future) = ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
        let instances = [
            instance("i-idle", 1, past),
            instance("i-busy", 2, past),
            instance("i-fresh", 3, future),
            instance("i-strange", 4, "soon"),
            instance("i-recordless", 99, past),
            instance("i-strangers", 8, past),
            instance("i-just-expired", 9, "2026-11-18T10:26:40Z"),
            Instance {
                tags: [
                    (tags::RUNNER_ID, "8"),
                    (tags::NAME, named.as_str()),
                    (tags::EXPIRES, "2026-11-18T10:26:40Z"),
                ]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
                ..instance("i-misnumbered", 8, past)
            },
            Instance {
                tags: [
                    (tags::RUNNER_ID, "1"),
                    (tags::EXPIRES, past),
                    (tags::SCOPE, "orgs/octo"),
                ]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
                ..instance("i-elsewhere", 1, past)
            },
            Instance {
                state: State::Terminated,
                ..instance("i-ended", 5, past)
            },
        ];
        let runners = [
            runner(1, &name(90_000), "offline", false),
            runner(2, &name(90_000), "online", true),
            runner(3, &name(90_000), "offline", false),
            runner(5, &name(90_000), "offline", false),
            runner(6, &name(60), "offline", false),
            runner(7, &name(90_000), "online", false),
            runner(8, "somebody-elses", "offline", true),
            runner(9, &name(90_000), "online", true),
            runner(10, &named, "online", true),
        ];
        let run = WorkflowRun {
            scope: Scope::Repository(repository.clone()),
            repository,
            id: "1".to_owned(),
            attempt: "1".to_owned(),
            job: "sweep".to_owned(),
            job_id: None,
        };
        let ids = |ids: &[&str]| {
            ids.iter()
                .map(|id| InstanceId::from_ec2(id))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            plan(&instances, &runners, &run, now),
            Plan {
                elsewhere: vec![(
                    InstanceId::from_ec2("i-elsewhere"),
                    Some("orgs/octo".to_owned())
                )],
                end: vec![
                    (InstanceId::from_ec2("i-idle"), Some(record(&runners[0]))),
                    (InstanceId::from_ec2("i-recordless"), None),
                    (InstanceId::from_ec2("i-strangers"), None),
                ],
                overdue: vec![(InstanceId::from_ec2("i-busy"), record(&runners[1]))],
                delete: vec![record(&runners[3])],
                spare: ids(&["i-just-expired", "i-misnumbered"]),
                unknown: ids(&["i-strange"]),
            }
        );
    }
}
