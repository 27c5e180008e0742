//! `sweep`: end what outlived its `sprinters:expires` tag, for a scheduled workflow. A busy runner is never touched.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::clients::Clients;
use crate::ec2::{Instance, tags};
use crate::failure::Failure;
use crate::github::{Runner, RunnerId};
use crate::report::{Mark, Report, summary};
use crate::retry::{self, Deadline};
use crate::spec::network::InstanceId;
use crate::spec::run;
use crate::undo;

const PATIENCE: Duration = Duration::from_mins(1);
/// A JIT config lives about an hour: an offline runner that is older has no future.
const RECORD_LIFETIME: Duration = Duration::from_mins(65);

/// What to do with each instance and record. Pure, so that the rules can be read and tested in one place.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    terminate: Vec<InstanceId>,
    delete: Vec<RunnerId>,
    /// Expired, but a job runs on it.
    spare: Vec<InstanceId>,
    /// Without a readable `sprinters:expires`: nobody can tell.
    unknown: Vec<InstanceId>,
}

fn plan(instances: &[Instance], runners: &[Runner], now: SystemTime) -> Plan {
    let by_id: BTreeMap<RunnerId, &Runner> =
        runners.iter().map(|runner| (runner.id, runner)).collect();
    let mut plan = Plan::default();
    let mut needed = Vec::new();
    for instance in instances
        .iter()
        .filter(|instance| instance.state.is_alive())
    {
        let runner = instance.runner_id().and_then(|id| by_id.get(&id));
        match instance.expires() {
            None => plan.unknown.push(instance.id.clone()),
            Some(expires) if expires > now => {}
            Some(_) if runner.is_some_and(|runner| runner.busy) => {
                plan.spare.push(instance.id.clone());
            }
            Some(_) => {
                plan.terminate.push(instance.id.clone());
                plan.delete.extend(runner.map(|runner| runner.id));
                continue;
            }
        }
        needed.extend(instance.runner_id());
    }
    // Records whose instance is gone. A young one may belong to a launch that is under way.
    let is_abandoned = |runner: &&Runner| {
        !runner.is_online()
            && !runner.busy
            && !needed.contains(&runner.id)
            && run::age(&runner.name, now).is_some_and(|age| age > RECORD_LIFETIME)
    };
    for runner in runners.iter().filter(is_abandoned) {
        if !plan.delete.contains(&runner.id) {
            plan.delete.push(runner.id);
        }
    }
    plan
}

/// Ends what expired in this repository.
pub(crate) async fn sweep(clients: &Clients, report: &Report) -> Result<(), Failure> {
    let deadline = Deadline::after(PATIENCE);
    let repository = [clients.run.repository.to_string()];
    let ours = ["true".to_owned()];
    let (by_ours, by_repository) = (
        format!("tag:{}", tags::OURS),
        format!("tag:{}", tags::REPOSITORY),
    );
    let filters: [(&str, &[String]); 2] = [(&by_ours, &ours), (&by_repository, &repository)];
    // Instances before runners: whoever takes a job in between is seen as busy.
    let instances = retry::until(deadline, || clients.ec2.instances(&filters))
        .await
        .map_err(|error| clients.ec2_failure(&error))?;
    let runners = retry::until(deadline, || clients.github.runners(None))
        .await
        .map_err(|error| {
            clients
                .github_failure(&error)
                .and("nothing was ended: without GitHub's word nobody knows who is busy")
        })?;
    let plan = plan(&instances, &runners, SystemTime::now());
    carry_out(clients, &plan, report, deadline).await?;
    report.summary(&summary::swept(
        plan.terminate.len(),
        plan.delete.len(),
        plan.spare.len(),
    ));
    Ok(())
}

async fn carry_out(
    clients: &Clients,
    plan: &Plan,
    report: &Report,
    deadline: Deadline,
) -> Result<(), Failure> {
    for id in &plan.unknown {
        report.warning(format_args!(
            "`{id}` has no readable tag `{}`: if it is not needed, terminate it by hand",
            tags::EXPIRES
        ));
    }
    for id in &plan.spare {
        report.mark(
            Mark::Unknown,
            format_args!("`{id}` has expired, but its runner is busy: spared"),
        );
    }
    if !plan.terminate.is_empty() {
        undo::terminate(&clients.ec2, &plan.terminate, deadline)
            .await
            .map_err(|error| clients.ec2_failure(&error))?;
        for id in &plan.terminate {
            report.mark(
                Mark::Done,
                format_args!("terminated `{id}`, which had expired"),
            );
        }
    }
    for id in &plan.delete {
        match undo::delete_record(
            &clients.github,
            *id,
            deadline.within(Duration::from_secs(10)),
        )
        .await
        {
            Ok(()) => report.mark(Mark::Done, format_args!("deleted runner record {id}")),
            Err(undo::NotDeleted::Busy) => report.mark(
                Mark::Unknown,
                format_args!("runner record {id} is busy: spared"),
            ),
            Err(undo::NotDeleted::Refused(error)) => return Err(clients.github_failure(&error)),
        }
    }
    if plan.terminate.is_empty() && plan.delete.is_empty() {
        report.mark(Mark::Done, "nothing to sweep");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::State;
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
            format!("sprinters-1-1-{stamp}abcd-wxyz")
        };
        let (past, future) = ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
        let instances = [
            instance("i-idle", 1, past),
            instance("i-busy", 2, past),
            instance("i-fresh", 3, future),
            instance("i-strange", 4, "soon"),
            instance("i-recordless", 99, past),
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
            runner(8, "somebody-elses", "offline", false),
        ];
        let ids = |ids: &[&str]| {
            ids.iter()
                .map(|id| InstanceId::from_ec2(id))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            plan(&instances, &runners, now),
            Plan {
                terminate: ids(&["i-idle", "i-recordless"]),
                delete: vec![RunnerId(1), RunnerId(5)],
                spare: ids(&["i-busy"]),
                unknown: ids(&["i-strange"]),
            }
        );
    }
}
