//! A look at what lives: EC2's instances of one set, and GitHub's records of their runners.

use std::time::Duration;

use crate::clients::Clients;
use crate::ec2::{Instance, State, tags};
use crate::error::Failure;
use crate::github::{LIST, LOOK, Runner, RunnerList, Status};
use crate::retry::{self, Deadline};
use crate::values::network::InstanceId;
use crate::values::runner_id::RunnerId;

/// How long passing errors are waited out; the next look comes anyway.
const PATIENCE: Duration = Duration::from_secs(30);
const PROVEN_IN: Duration = Duration::from_secs(5);
/// From so many runners on, one list is the shorter way.
const FEW: usize = 4;

/// What to look at.
#[derive(Clone, Debug, Default)]
pub(super) struct Plan {
    /// The value of the tag `sprinters:scale-set`.
    pub tag: String,
    /// Instances that were there: of those that are gone, the reason is wanted.
    pub known: Vec<InstanceId>,
    /// Runners whose record is wanted, with the `ETag` of the last look.
    pub runners: Vec<(RunnerId, Option<String>)>,
    /// Everything that GitHub lists is wanted.
    pub all_runners: bool,
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Census {
    pub instances: Vec<Instance>,
    pub gone: Vec<Instance>,
    pub records: Records,
}

#[derive(Debug, Default)]
pub(super) enum Records {
    #[default]
    Unseen,
    /// Of each that has changed, its record and the answer's `ETag`.
    Some(Vec<(RunnerId, Option<Runner>, Option<String>)>),
    All(RunnerList),
}

/// Instances before runners: whoever takes a job in between is seen as busy.
pub(super) async fn take(clients: &Clients, plan: &Plan) -> Result<Census, Failure> {
    let deadline = Deadline::after(PATIENCE);
    let mut instances = living(clients, &plan.tag, deadline).await?;
    let missing: Vec<String> = plan
        .known
        .iter()
        .filter(|id| !instances.iter().any(|instance| instance.id == **id))
        .map(ToString::to_string)
        .collect();
    let found = if missing.is_empty() {
        Vec::new()
    } else {
        describe(clients, &[("instance-id", &missing)], deadline).await?
    };
    let (alive, gone) = divided(found);
    instances.extend(alive);
    let records = records(clients, plan, deadline).await?;
    Ok(Census {
        instances,
        gone,
        records,
    })
}

/// Of what is found by its id alone: what lives all the same, because EC2 had not found it by its tags, and what is gone.
fn divided(found: Vec<Instance>) -> (Vec<Instance>, Vec<Instance>) {
    found
        .into_iter()
        .partition(|instance| instance.state.is_alive())
}

/// Whether EC2 lets us look at all: a listener without credentials, or without the permission, would take jobs that it cannot
/// launch for. What may pass is not waited for here.
pub(super) async fn prove(clients: &Clients) -> Result<(), Failure> {
    let (by_ours, ours) = (format!("tag:{}", tags::OURS), ["true".to_owned()]);
    let states = [State::Pending.name().to_owned()];
    let filters: [(&str, &[String]); 2] = [(&by_ours, &ours), ("instance-state-name", &states)];
    let found = clients.ec2.find(&filters, Deadline::after(PROVEN_IN)).await;
    let mut refusals = found.unseen().filter(|(_, error)| !error.is_transient());
    refusals.next().map_or(Ok(()), |(region, error)| {
        Err(clients.failure_in(region, error))
    })
}

/// The set's instances that are not terminated.
async fn living(
    clients: &Clients,
    tag: &str,
    deadline: Deadline,
) -> Result<Vec<Instance>, Failure> {
    let states = [
        State::Pending,
        State::Running,
        State::ShuttingDown,
        State::Stopping,
        State::Stopped,
    ]
    .map(|state| state.name().to_owned());
    let (by_ours, by_set) = (
        format!("tag:{}", tags::OURS),
        format!("tag:{}", tags::SCALE_SET),
    );
    let (yes, set) = (["true".to_owned()], [tag.to_owned()]);
    let filters: [(&str, &[String]); 3] = [
        (&by_ours, &yes),
        (&by_set, &set),
        ("instance-state-name", &states),
    ];
    let found = describe(clients, &filters, deadline).await?;
    Ok(ours(clients, found))
}

/// The set's instances of these runners, also those that have ended: EC2 shows them for about an hour.
pub(super) async fn of_runners(
    clients: &Clients,
    tag: &str,
    runners: &[RunnerId],
) -> Result<Vec<Instance>, Failure> {
    let (by_ours, by_set, by_runner) = (
        format!("tag:{}", tags::OURS),
        format!("tag:{}", tags::SCALE_SET),
        format!("tag:{}", tags::RUNNER_ID),
    );
    let (yes, set) = (["true".to_owned()], [tag.to_owned()]);
    let runners: Vec<String> = runners.iter().map(ToString::to_string).collect();
    let filters: [(&str, &[String]); 3] =
        [(&by_ours, &yes), (&by_set, &set), (&by_runner, &runners)];
    let found = describe(clients, &filters, Deadline::after(PATIENCE)).await?;
    Ok(ours(clients, found))
}

/// Another repository may have a set of that name.
fn ours(clients: &Clients, found: Vec<Instance>) -> Vec<Instance> {
    let scope = clients.run.scope.tag();
    let repository = clients.run.repository.to_string();
    let is_ours = |instance: &Instance| {
        let is_there = instance.scope() == scope.as_deref();
        let same = |other: &str| other.eq_ignore_ascii_case(&repository);
        is_there && (scope.is_some() || instance.tag(tags::REPOSITORY).is_some_and(same))
    };
    found.into_iter().filter(is_ours).collect()
}

async fn describe(
    clients: &Clients,
    filters: &[(&str, &[String])],
    deadline: Deadline,
) -> Result<Vec<Instance>, Failure> {
    let found = clients.ec2.find(filters, deadline).await;
    // What is in a region that does not answer is not gone.
    if let Some((region, error)) = found.unseen().next() {
        return Err(clients.failure_in(region, error));
    }
    Ok(found.instances)
}

async fn records(clients: &Clients, plan: &Plan, deadline: Deadline) -> Result<Records, Failure> {
    let failed = |error| clients.github_failure(&error);
    let github = &clients.github;
    if plan.all_runners || plan.runners.len() > FEW {
        let all = retry::until(LIST, deadline, || github.runners(None)).await;
        return all.map(Records::All).map_err(failed);
    }
    if plan.runners.is_empty() {
        return Ok(Records::Unseen);
    }
    let mut seen = Vec::new();
    for (id, etag) in &plan.runners {
        let look = || github.runner(*id, etag.as_deref());
        match retry::until(LOOK, deadline, look).await.map_err(failed)? {
            Status::Unchanged => {}
            Status::Found { runner, etag } => seen.push((*id, Some(runner), etag)),
            Status::Gone => seen.push((*id, None, None)),
        }
    }
    Ok(Records::Some(seen))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use crate::ec2::Usage;

    #[test]
    fn what_is_found_by_its_id_alone_is_not_gone() {
        let instance = |id: &str, state| Instance {
            id: InstanceId::from_ec2(id),
            state,
            state_reason: None,
            instance_type: "m7i.large".to_owned(),
            usage: Usage::default(),
            tags: BTreeMap::new(),
        };
        let found = vec![
            instance("i-1", State::Running),
            instance("i-2", State::Terminated),
        ];
        let (alive, gone) = divided(found);
        assert_eq!(alive.first().map(|one| one.id.as_str()), Some("i-1"));
        assert_eq!((alive.len(), gone.len()), (1, 1));
    }
}
