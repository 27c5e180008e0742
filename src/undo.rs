//! The way back: terminate first, because that costs money, then delete the runner records.

use std::fmt;
use std::time::Duration;

use crate::ec2::{Ec2, Ec2Error};
use crate::github::{Deletion, Github, GithubError, RunnerId};
use crate::ledger::Remains;
use crate::retry::{self, Backoff, Deadline};
use crate::spec::network::InstanceId;

/// How long an instance whose launch got no answer may stay invisible to `DescribeInstances`.
const INVISIBLE: Duration = Duration::from_secs(4);

/// What was ended, and what could not be.
#[derive(Debug, Default)]
pub(crate) struct Undone {
    pub terminated: Vec<InstanceId>,
    pub deleted: Vec<RunnerId>,
    /// What is left, each with the reason.
    pub left: Vec<String>,
}

/// Ends everything that remains, within the deadline.
pub(crate) async fn undo(
    ec2: &Ec2,
    github: &Github,
    remains: Remains,
    deadline: Deadline,
) -> Undone {
    let mut undone = Undone::default();
    let Remains {
        mut instances,
        tokens,
        mut records,
        names,
    } = remains;
    // Two things can be looked for at once; nothing is ended before both are known.
    let (found, named) = tokio::join!(
        find_launched(ec2, &tokens, &mut undone.left, deadline.within(INVISIBLE)),
        find_records(github, &names, deadline)
    );
    instances.extend(found);
    match named {
        Ok(ids) => records.extend(ids),
        Err(why) => undone.left.push(why),
    }
    if !instances.is_empty() {
        match terminate(ec2, &instances, deadline).await {
            Ok(()) => undone.terminated = instances,
            Err(why) => undone
                .left
                .extend(instances.iter().map(|id| format!("instance `{id}`: {why}"))),
        }
    }
    for id in records {
        match delete_record(github, id, deadline).await {
            Ok(()) => undone.deleted.push(id),
            Err(why) => undone.left.push(format!("runner record {id}: {why}")),
        }
    }
    undone
}

/// The instances that were launched with these client tokens although no answer came. Looks again for a while, because a
/// fresh instance is not visible at once.
async fn find_launched(
    ec2: &Ec2,
    tokens: &[String],
    left: &mut Vec<String>,
    deadline: Deadline,
) -> Vec<InstanceId> {
    if tokens.is_empty() {
        return Vec::new();
    }
    let mut backoff = Backoff::default();
    loop {
        let answer = ec2.instances(&[("client-token", tokens)]).await;
        if let Ok(found) = &answer
            && found.len() >= tokens.len()
        {
            return found.iter().map(|instance| instance.id.clone()).collect();
        }
        if deadline.sleep(backoff.next(None)).await.is_err() {
            return match answer {
                Ok(found) => found.into_iter().map(|instance| instance.id).collect(),
                Err(error) => {
                    left.push(format!(
                        "perhaps an instance with client token `{}`: {error}",
                        tokens.join("`, `")
                    ));
                    Vec::new()
                }
            };
        }
    }
}

/// The records that were made under these names although no answer came.
async fn find_records(
    github: &Github,
    names: &[String],
    deadline: Deadline,
) -> Result<Vec<RunnerId>, String> {
    let mut ids = Vec::new();
    for name in names {
        let found = retry::until(deadline, || github.runners(Some(name)))
            .await
            .map_err(|error| format!("perhaps the runner record `{name}`: {error}"))?;
        // GitHub's filter may match more than the very name; only ours is ours.
        ids.extend(
            found
                .into_iter()
                .filter(|runner| runner.name == *name)
                .map(|runner| runner.id),
        );
    }
    Ok(ids)
}

/// Terminates, repeating what may pass: a throttle, a hiccup, or an id that is not known everywhere yet.
pub(crate) async fn terminate(
    ec2: &Ec2,
    ids: &[InstanceId],
    deadline: Deadline,
) -> Result<(), Ec2Error> {
    let mut backoff = Backoff::default();
    loop {
        match ec2.terminate(ids).await {
            Err(error)
                if (error.is_passing() || error.is_unknown_instance())
                    && deadline.sleep(backoff.next(None)).await.is_ok() => {}
            done_or_final => return done_or_final,
        }
    }
}

/// Why a record is still there.
#[derive(Debug)]
pub(crate) enum NotDeleted {
    /// GitHub believes that a job runs on it, and refuses.
    Busy,
    Refused(GithubError),
}

impl fmt::Display for NotDeleted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("GitHub believes that it still runs a job"),
            Self::Refused(error) => error.fmt(f),
        }
    }
}

/// Deletes a record, waiting out a job that GitHub believes is still running.
pub(crate) async fn delete_record(
    github: &Github,
    id: RunnerId,
    deadline: Deadline,
) -> Result<(), NotDeleted> {
    let mut backoff = Backoff::default();
    loop {
        let (why, wait) = match github.delete_runner(id).await {
            Ok(Deletion::Deleted | Deletion::Gone) => return Ok(()),
            Ok(Deletion::Busy) => (NotDeleted::Busy, None),
            Err(error) if error.is_passing() => {
                let wait = error.wait();
                (NotDeleted::Refused(error), wait)
            }
            Err(error) => return Err(NotDeleted::Refused(error)),
        };
        if deadline.sleep(backoff.next(wait)).await.is_err() {
            return Err(why);
        }
    }
}
