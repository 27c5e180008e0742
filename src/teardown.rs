//! The way back: terminate first, because that costs money, then delete the runner records.
//!
//! A record that is gone ends an instance, too, though later: its runner cannot connect any more, and the instance powers
//! itself off. So records are deleted even where EC2 does not answer.

use std::fmt;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::ec2::{DESCRIBE_INSTANCES, Ec2, Ec2Error, TERMINATE_INSTANCES};
use crate::github::{DELETE, Deletion, Github, GithubError, LIST};
use crate::retry::{self, Backoff, Deadline, Decision, decide_for_undo};
use crate::values::network::InstanceId;
use crate::values::runner_id::RunnerId;

/// How long an instance whose launch got no answer may stay invisible to `DescribeInstances`.
const INVISIBLE: Duration = Duration::from_secs(4);
/// Calls under way at a time.
const AT_ONCE: usize = 10;

/// What an undo has to end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Leftovers {
    pub instances: Vec<InstanceId>,
    /// Client tokens of launches whose outcome is not known.
    pub tokens: Vec<String>,
    pub records: Vec<RunnerId>,
    /// Names of runner records that may exist.
    pub names: Vec<String>,
    /// Names of runner records that may exist only in a while.
    pub names_under_way: Vec<String>,
}

impl Leftovers {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What came up beside what was known before.
    pub(crate) fn without(mut self, known: &Self) -> Self {
        self.instances.retain(|id| !known.instances.contains(id));
        self.records.retain(|id| !known.records.contains(id));
        self
    }
}

/// What was ended, and what could not be.
#[derive(Debug, Default)]
pub(crate) struct Undone {
    pub terminated: Vec<InstanceId>,
    pub deleted: Vec<RunnerId>,
    /// What is left, each with the reason.
    pub left: Vec<String>,
}

impl Undone {
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.terminated.extend(other.terminated);
        self.deleted.extend(other.deleted);
        self.left.extend(other.left);
        self
    }
}

/// Ends everything that remains, within the deadline.
pub(crate) async fn undo(
    ec2: &Ec2,
    github: &Github,
    leftovers: Leftovers,
    deadline: Deadline,
) -> Undone {
    let Leftovers {
        instances,
        tokens,
        records,
        names,
        names_under_way,
    } = leftovers;
    let known = async {
        // A busy runner's record can only be deleted once its instance is on its way out. But where EC2 keeps us waiting,
        // the record goes first.
        let terminating = end_instances(ec2, instances, deadline);
        tokio::pin!(terminating);
        if let Ok(ended) = timeout(deadline.left() / 3, &mut terminating).await {
            return ended.and(end_records(github, records, deadline).await);
        }
        let (ended, deleted) = tokio::join!(terminating, end_records(github, records, deadline));
        ended.and(deleted)
    };
    let lost_instances = end_launched(ec2, tokens, deadline);
    let lost_records = end_named(github, names, false, deadline);
    let late_records = end_named(github, names_under_way, true, deadline);
    let (known, instances, lost, late) =
        tokio::join!(known, lost_instances, lost_records, late_records);
    known.and(instances).and(lost).and(late)
}

async fn end_instances(ec2: &Ec2, ids: Vec<InstanceId>, deadline: Deadline) -> Undone {
    let mut undone = Undone::default();
    for (id, why) in terminate_each(ec2, &ids, deadline).await {
        match why {
            None => undone.terminated.push(id),
            Some(why) => undone.left.push(format!("instance `{id}`: {why}")),
        }
    }
    undone
}

async fn end_records(github: &Github, ids: Vec<RunnerId>, deadline: Deadline) -> Undone {
    let mut undone = Undone::default();
    for (id, why) in delete_records(github, ids, deadline).await {
        match why {
            Ok(()) => undone.deleted.push(id),
            Err(why) => undone.left.push(format!("runner record {id}: {why}")),
        }
    }
    undone
}

/// Ends the instances that were launched with these client tokens although no answer came. Looks for them for a while,
/// because a fresh instance is not visible at once.
async fn end_launched(ec2: &Ec2, tokens: Vec<String>, deadline: Deadline) -> Undone {
    if tokens.is_empty() {
        return Undone::default();
    }
    let looking = deadline.within(INVISIBLE);
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(1));
    let filter = [("client-token", &tokens[..])];
    let mut found = Vec::new();
    let unknown = loop {
        let look = retry::attempt(DESCRIBE_INSTANCES, looking, ec2.instances(&filter)).await;
        let failed = look.map(|instances| found = instances).err();
        let is_final = failed.as_ref().is_some_and(|error| !error.is_transient());
        let is_enough = found.len() >= tokens.len() || is_final;
        if is_enough || looking.sleep(backoff.next(None)).await.is_err() {
            break failed;
        }
    };
    let alive = found
        .iter()
        .filter(|instance| instance.state.is_alive())
        .map(|instance| instance.id.clone())
        .collect();
    let mut undone = end_instances(ec2, alive, deadline).await;
    if let Some(error) = unknown {
        undone.left.push(format!(
            "perhaps an instance with client token `{}`: {error}",
            tokens.join("`, `")
        ));
    }
    undone
}

/// Ends the records that were made under these names although no answer came. Where GitHub may still be at it, looks again
/// for a while.
async fn end_named(
    github: &Github,
    names: Vec<String>,
    under_way: bool,
    deadline: Deadline,
) -> Undone {
    let mut undone = Undone::default();
    if names.is_empty() {
        return undone;
    }
    let looking = deadline.within(INVISIBLE);
    let mut backoff = Backoff::new(Duration::from_millis(300), Duration::from_secs(1));
    let mut deleted = 0;
    loop {
        let found = find_named(github, &names, deadline, &mut undone).await;
        deleted += found.len();
        undone = undone.and(end_records(github, found, deadline).await);
        let is_enough = !under_way || deleted >= names.len() || !undone.left.is_empty();
        if is_enough || looking.sleep(backoff.next(None)).await.is_err() {
            return undone;
        }
    }
}

async fn find_named(
    github: &Github,
    names: &[String],
    deadline: Deadline,
    undone: &mut Undone,
) -> Vec<RunnerId> {
    /// From so many names on, one list of everything is the shorter way.
    const MANY: usize = 3;
    let mut ids = Vec::new();
    let each: Vec<Option<&str>> = if names.len() < MANY {
        names.iter().map(|name| Some(name.as_str())).collect()
    } else {
        vec![None]
    };
    for name in each {
        match retry::until(LIST, deadline, || github.runners(name)).await {
            // GitHub's filter may match more than the very name; only ours is ours.
            Ok(found) => ids.extend(
                found
                    .into_iter()
                    .filter(|runner| names.contains(&runner.name))
                    .map(|runner| runner.id),
            ),
            Err(error) => {
                let which = name.map_or_else(|| names.join("`, `"), str::to_owned);
                undone
                    .left
                    .push(format!("perhaps the runner record `{which}`: {error}"));
            }
        }
    }
    ids
}

/// Terminates, repeating what may pass: a throttle, a hiccup, or an id that is not known everywhere yet.
pub(crate) async fn terminate(
    ec2: &Ec2,
    ids: &[InstanceId],
    deadline: Deadline,
) -> Result<(), Ec2Error> {
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(2));
    let mut reason: Option<Ec2Error> = None;
    loop {
        let error =
            match retry::attempt_undo(TERMINATE_INSTANCES, deadline, ec2.terminate(ids)).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
        if error.is_unknown_instance() {
            if ids.len() > 1 {
                return Err(error);
            }
            if deadline.sleep(backoff.next(None)).await.is_err() {
                return Err(error);
            }
        } else {
            match decide_for_undo(&error, &mut backoff, deadline) {
                Decision::Repeat(wait) => tokio::time::sleep(wait).await,
                Decision::GiveUp => {
                    return Err(reason.filter(|_| deadline.is_over()).unwrap_or(error));
                }
            }
        }
        reason = Some(error);
    }
}

/// All in one call; but EC2 ends none of them where it does not know one, so then each by itself.
pub(crate) async fn terminate_each(
    ec2: &Ec2,
    ids: &[InstanceId],
    deadline: Deadline,
) -> Vec<(InstanceId, Option<Ec2Error>)> {
    if ids.is_empty() {
        return Vec::new();
    }
    let why = match terminate(ec2, ids, deadline).await {
        Err(error) if error.is_unknown_instance() && ids.len() > 1 => {
            return each(ids.to_vec(), |id| {
                let ec2 = ec2.clone();
                async move {
                    let why = terminate(&ec2, std::slice::from_ref(&id), deadline)
                        .await
                        .err();
                    (id, why)
                }
            })
            .await;
        }
        answer => answer.err(),
    };
    ids.iter().map(|id| (id.clone(), why.clone())).collect()
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

/// Deletes each record, some at a time.
pub(crate) async fn delete_records(
    github: &Github,
    ids: Vec<RunnerId>,
    deadline: Deadline,
) -> Vec<(RunnerId, Result<(), NotDeleted>)> {
    each(ids, |id| {
        let github = github.clone();
        async move { (id, delete_record(&github, id, deadline).await) }
    })
    .await
}

/// Deletes a record, waiting out a job that GitHub believes is still running.
pub(crate) async fn delete_record(
    github: &Github,
    id: RunnerId,
    deadline: Deadline,
) -> Result<(), NotDeleted> {
    let mut backoff = Backoff::default();
    loop {
        match retry::attempt_undo(DELETE, deadline, github.delete_runner(id)).await {
            Ok(Deletion::Deleted | Deletion::Gone) => return Ok(()),
            Ok(Deletion::Busy) => {
                if deadline.sleep(backoff.next(None)).await.is_err() {
                    return Err(NotDeleted::Busy);
                }
            }
            Err(error) => match decide_for_undo(&error, &mut backoff, deadline) {
                Decision::Repeat(wait) => tokio::time::sleep(wait).await,
                Decision::GiveUp => return Err(NotDeleted::Refused(error)),
            },
        }
    }
}

/// Does something for each item, some at a time; answers in no order.
async fn each<T, R, F, Doing>(items: Vec<T>, mut act: F) -> Vec<R>
where
    F: FnMut(T) -> Doing,
    Doing: Future<Output = R> + Send + 'static,
    R: Send + 'static,
{
    let mut answers = Vec::new();
    let mut under_way = JoinSet::new();
    for item in items {
        if under_way.len() >= AT_ONCE {
            answers.extend(under_way.join_next().await.and_then(Result::ok));
        }
        under_way.spawn(act(item));
    }
    while let Some(answer) = under_way.join_next().await {
        answers.extend(answer.ok());
    }
    answers
}
