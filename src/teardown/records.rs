//! Deleting runner records at GitHub.

use std::fmt;
use std::time::{Duration, SystemTime};

use super::each;
use crate::github::{DELETE, Deletion, Github, GithubError, LIST, LOOK, Runner, Status};
use crate::platform::clock::sleep;
use crate::retry::{self, Backoff, Deadline, Decision, decide_for_undo};
use crate::values::run;
use crate::values::runner_id::RunnerId;

/// A runner record, and the name that proves whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub id: RunnerId,
    pub name: String,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (`{}`)", self.id, self.name)
    }
}

/// Why a record is still there.
#[derive(Debug)]
pub(crate) enum NotDeleted {
    /// GitHub believes that a job runs on it, and refuses.
    Busy,
    /// It was made just now, and GitHub does not show it yet.
    NotShown,
    Refused(GithubError),
}

impl fmt::Display for NotDeleted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("GitHub believes that it still runs a job"),
            Self::NotShown => {
                f.write_str("GitHub does not show it yet, so that it could not be deleted")
            }
            Self::Refused(error) => error.fmt(f),
        }
    }
}

/// Deletes each record, some at a time.
pub(crate) async fn delete_records(
    github: &Github,
    records: Vec<Record>,
    deadline: Deadline,
) -> Vec<(Record, Result<(), NotDeleted>)> {
    each(records, |record| async move {
        let deleted = delete_record(github, &record, deadline).await;
        (record, deleted)
    })
    .await
}

/// How old a record is, by its name, when every one of GitHub's servers knows it.
const KNOWN_EVERYWHERE: Duration = Duration::from_secs(6);
/// How often it is looked for until then.
const LOOK_AGAIN: Duration = Duration::from_millis(700);

/// Deletes a record, waiting out a job that GitHub believes is still running. A record that was made just now and that GitHub
/// shows nowhere is not gone: it is looked for until it must be known. After a try that may have deleted it, also one that was given
/// up on a cancel, gone is gone.
pub(crate) async fn delete_record(
    github: &Github,
    record: &Record,
    deadline: Deadline,
) -> Result<(), NotDeleted> {
    let mut backoff = Backoff::default();
    loop {
        let outcome = try_delete(github, record, deadline).await;
        let is_unproven = !github.may_have_deleted(record.id);
        if matches!(outcome, Ok(Deletion::Gone)) && is_unproven && is_fresh(record) {
            if deadline.sleep(LOOK_AGAIN).await.is_err() {
                return Err(NotDeleted::NotShown);
            }
            continue;
        }
        match outcome {
            Ok(Deletion::Deleted | Deletion::Gone) => return Ok(()),
            Ok(Deletion::Busy) => {
                if deadline.sleep(backoff.next(None)).await.is_err() {
                    return Err(NotDeleted::Busy);
                }
            }
            Err(error) => match decide_for_undo(&error, &mut backoff, deadline) {
                Decision::Repeat(wait) => sleep(wait).await,
                Decision::GiveUp => return Err(NotDeleted::Refused(error)),
            },
        }
    }
}

fn is_fresh(record: &Record) -> bool {
    run::age(&record.name, SystemTime::now()).is_some_and(|age| age < KNOWN_EVERYWHERE)
}

/// The runner of that number, which comes from an instance's tag: whose it is, only the name tells that GitHub has for it. A 404
/// is looked at once more by the name that the instance carries, if it carries one.
pub(crate) async fn find_runner(
    github: &Github,
    id: RunnerId,
    name: Option<&str>,
    deadline: Deadline,
) -> Result<Option<Runner>, GithubError> {
    let look = || github.runner(id, None);
    if let Status::Found { runner, .. } = retry::until(LOOK, deadline, look).await? {
        return Ok(Some(runner));
    }
    let Some(name) = name else {
        return Ok(None);
    };
    let named = retry::until(LIST, deadline, || github.runners(Some(name))).await?;
    Ok(named.runners.into_iter().find(|runner| runner.id == id))
}

/// One try. A 404 is looked at once more by the record's name: another of GitHub's servers, or whatever answered in its place,
/// may not know what is there.
pub(crate) async fn try_delete(
    github: &Github,
    record: &Record,
    deadline: Deadline,
) -> Result<Deletion, GithubError> {
    let delete = || retry::attempt_undo(DELETE, deadline, github.delete_runner(record.id));
    let deletion = delete().await?;
    if deletion != Deletion::Gone {
        return Ok(deletion);
    }
    let named = retry::attempt_undo(LIST, deadline, github.runners(Some(&record.name))).await?;
    if named.is_whole && !named.has(record.id) {
        return Ok(Deletion::Gone);
    }
    match delete().await? {
        Deletion::Gone => Err(GithubError::contradicted(DELETE)),
        deletion => Ok(deletion),
    }
}
