//! What a launch, or an attempt at one, has left: known by id, or only by the name or token that it was asked for with.

use std::time::{Duration, Instant};

use super::records::{Record, delete_records};
use super::{each, terminate_all};
use crate::ec2::{DESCRIBE_INSTANCES, Ec2, Regional};
use crate::github::{Github, LIST, RunnerList};
use crate::platform::clock::timeout;
use crate::retry::{self, Backoff, Deadline};
use crate::values::network::InstanceId;
use crate::values::region::Region;

/// What makes a launch one, however often it is asked for in that region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientToken {
    pub region: Region,
    pub token: String,
}

/// What is to be ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Leftovers {
    pub instances: Vec<InstanceId>,
    /// Launches whose outcome is not known.
    pub tokens: Vec<ClientToken>,
    pub records: Vec<Record>,
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
        self.records
            .retain(|record| !known.records.contains(record));
        self
    }

    pub(crate) fn and(mut self, other: Self) -> Self {
        self.instances.extend(other.instances);
        self.tokens.extend(other.tokens);
        self.records.extend(other.records);
        self.names.extend(other.names);
        self.names_under_way.extend(other.names_under_way);
        self
    }
}

/// How long what was asked for without an answer is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Search {
    /// As long as EC2 may lag behind itself: what has not shown up by then does not exist.
    UntilCertain,
    /// A moment, after a cancel. What has not shown up by then may still exist.
    Briefly,
}

impl Search {
    pub(crate) fn duration(self) -> Duration {
        match self {
            // 20 s were seen.
            Self::UntilCertain => Duration::from_secs(22),
            Self::Briefly => Duration::from_secs(4),
        }
    }
}

/// What was ended, and what could not be.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    pub terminated: Vec<InstanceId>,
    pub deleted: Vec<Record>,
    /// What is left or may be left, each with the reason.
    pub left: Vec<String>,
}

impl Ended {
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.terminated.extend(other.terminated);
        self.deleted.extend(other.deleted);
        self.left.extend(other.left);
        self
    }
}

/// Ends everything that is left, within the deadline.
pub(crate) async fn end(
    ec2: &Regional,
    github: &Github,
    leftovers: Leftovers,
    search: Search,
    deadline: Deadline,
) -> Ended {
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
    let lost_instances = end_launched(ec2, tokens, search, deadline);
    let lost_records = end_named(github, names, None, deadline);
    let late_records = end_named(github, names_under_way, Some(Search::Briefly), deadline);
    let (known, instances, lost, late) =
        tokio::join!(known, lost_instances, lost_records, late_records);
    known.and(instances).and(lost).and(late)
}

async fn end_instances(ec2: &Regional, ids: Vec<InstanceId>, deadline: Deadline) -> Ended {
    let mut ended = Ended::default();
    for (id, outcome) in terminate_all(ec2, &ids, deadline).await {
        match outcome {
            Ok(()) => ended.terminated.push(id),
            Err(why) => ended.left.push(format!("instance `{id}`: {why}")),
        }
    }
    ended
}

async fn end_records(github: &Github, records: Vec<Record>, deadline: Deadline) -> Ended {
    let mut ended = Ended::default();
    for (record, deleted) in delete_records(github, records, deadline).await {
        match deleted {
            Ok(()) => ended.deleted.push(record),
            Err(why) => ended.left.push(format!("runner record {record}: {why}")),
        }
    }
    ended
}

/// Ends the instances that were launched with these client tokens although no answer came. Looks for them for a while,
/// because a fresh instance is not visible at once, and ends each as soon as it is seen.
async fn end_launched(
    ec2: &Regional,
    tokens: Vec<ClientToken>,
    search: Search,
    deadline: Deadline,
) -> Ended {
    let mut by_region: Vec<(Region, Vec<String>)> = Vec::new();
    for ClientToken { region, token } in tokens {
        match by_region.iter_mut().find(|(known, _)| *known == region) {
            Some((_, tokens)) => tokens.push(token),
            None => by_region.push((region, vec![token])),
        }
    }
    let searches = each(by_region, |(region, tokens)| async move {
        end_launched_in(ec2, &ec2.of(Some(&region)), tokens, search, deadline).await
    });
    let ended = searches.await.into_iter();
    ended.fold(Ended::default(), Ended::and)
}

/// How old an answer may be at the end of a search and still count as its last.
const LAST_LOOK: Duration = Duration::from_secs(3);

async fn end_launched_in(
    all: &Regional,
    ec2: &Ec2,
    tokens: Vec<String>,
    search: Search,
    deadline: Deadline,
) -> Ended {
    let mut ended = Ended::default();
    let wanted = search.duration();
    // A search that the deadline shortens proves nothing.
    let is_certain = search == Search::UntilCertain && deadline.left() >= wanted;
    let looking = deadline.within(wanted);
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(1));
    let filter = [("client-token", &tokens[..])];
    let mut seen: Vec<InstanceId> = Vec::new();
    let mut answered: Option<Instant> = None;
    let failed = loop {
        let look = retry::attempt(DESCRIBE_INSTANCES, looking, ec2.instances(&filter)).await;
        let failed = match look {
            Err(error) => Some(error),
            Ok(found) => {
                answered = Some(Instant::now());
                let fresh: Vec<_> = found.iter().filter(|i| !seen.contains(&i.id)).collect();
                let alive = fresh
                    .iter()
                    .filter(|i| i.state.is_alive())
                    .map(|i| i.id.clone());
                let alive: Vec<InstanceId> = alive.collect();
                seen.extend(fresh.into_iter().map(|instance| instance.id.clone()));
                ended = ended.and(end_instances(all, alive, deadline).await);
                None
            }
        };
        let is_final = failed.as_ref().is_some_and(|error| !error.is_transient());
        let is_enough = seen.len() >= tokens.len() || is_final;
        if is_enough || looking.sleep(backoff.next(None)).await.is_err() {
            break failed;
        }
    };
    // A last look that the end of the search cut off takes nothing from the one just before it.
    let just_answered = answered.is_some_and(|at| at.elapsed() < LAST_LOOK);
    let failed = failed.filter(|error| !(error.is_transient() && just_answered));
    if seen.len() < tokens.len() {
        let why = match failed {
            Some(error) => Some(error.to_string()),
            None if !is_certain => {
                Some("EC2 gave no answer to its launch, and may not show it yet".to_owned())
            }
            None => None,
        };
        let which = tokens.join("`, `");
        ended.left.extend(
            why.map(|why| format!("perhaps an instance with client token `{which}`: {why}")),
        );
    }
    ended
}

/// Ends the records that were made under these names although no answer came. Where GitHub may still be at it, looks again
/// for a while.
async fn end_named(
    github: &Github,
    names: Vec<String>,
    again: Option<Search>,
    deadline: Deadline,
) -> Ended {
    let mut ended = Ended::default();
    if names.is_empty() {
        return ended;
    }
    let looking = again.map(|search| deadline.within(search.duration()));
    let mut backoff = Backoff::new(Duration::from_millis(300), Duration::from_secs(1));
    let mut deleted = 0;
    loop {
        let found = find_named(github, &names, deadline, &mut ended).await;
        deleted += found.len();
        ended = ended.and(end_records(github, found, deadline).await);
        let is_enough = deleted >= names.len() || !ended.left.is_empty();
        let Some(looking) = looking.filter(|_| !is_enough) else {
            return ended;
        };
        if looking.sleep(backoff.next(None)).await.is_err() {
            return ended;
        }
    }
}

async fn find_named(
    github: &Github,
    names: &[String],
    deadline: Deadline,
    ended: &mut Ended,
) -> Vec<Record> {
    /// From so many names on, one list of everything is the shorter way.
    const MANY: usize = 3;
    let mut records = Vec::new();
    let mut each: Vec<&str> = names.iter().map(String::as_str).collect();
    if names.len() >= MANY {
        match retry::until(LIST, deadline, || github.runners(None)).await {
            Ok(list) => {
                let is_whole = list.is_whole;
                records.extend(records_named(list, names));
                each.retain(|name| !is_whole && records.iter().all(|record| record.name != *name));
            }
            Err(error) => {
                let which = names.join("`, `");
                ended
                    .left
                    .push(format!("perhaps the runner record `{which}`: {error}"));
                return records;
            }
        }
    }
    for name in each {
        match retry::until(LIST, deadline, || github.runners(Some(name))).await {
            Ok(list) => records.extend(records_named(list, names)),
            Err(error) => ended
                .left
                .push(format!("perhaps the runner record `{name}`: {error}")),
        }
    }
    records
}

/// GitHub's filter may match more than the very name; only ours is ours.
fn records_named(list: RunnerList, names: &[String]) -> impl Iterator<Item = Record> {
    let runners = list.runners.into_iter();
    runners
        .filter(|runner| names.contains(&runner.name))
        .map(|runner| Record {
            id: runner.id,
            name: runner.name,
        })
}
