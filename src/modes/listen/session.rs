//! From a set's name to its one session. Where another listener has it, this one waits: the session is what elects the one
//! that serves.

use std::time::Duration;

use tokio::time::Instant;

use super::service::Voice;
use super::set::Set;
use super::spec::SetSpec;
use super::trouble;
use crate::clients::Clients;
use crate::error::Failure;
use crate::github::scale_sets::{
    CREATE_SET, FIND, FIND_GROUP, OPEN, ScaleSet, ScaleSetError, ScaleSets, Session, UPDATE,
};
use crate::retry::{self, Backoff, Deadline, Transient};
use crate::values::scope::RunnerGroup;

/// How long passing errors are waited out before they are reported.
const PATIENCE: Duration = Duration::from_secs(30);
/// The set that is gone for good is not waited for any longer than one that never was.
const LONGEST_WAIT: Duration = Duration::from_mins(2);
/// How often a standby asks: at first often, because most listeners that end close their session.
const STANDBY: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(8)];
/// How often it says that it still waits.
const SAY_EVERY: Duration = Duration::from_mins(10);

/// The number of the group that the set is in.
pub(super) async fn group(
    sets: &ScaleSets,
    group: &RunnerGroup,
    clients: &Clients,
) -> Result<u64, Failure> {
    let name = match group {
        RunnerGroup::Default => return Ok(crate::github::DEFAULT_GROUP),
        RunnerGroup::Id(id) => return Ok(*id),
        RunnerGroup::Name(name) => name,
    };
    let deadline = Deadline::after(PATIENCE);
    let found = retry::until(FIND_GROUP, deadline, || sets.group(name)).await;
    let scope = &clients.run.scope;
    found
        .map_err(|error| failure(&error, clients))?
        .ok_or_else(|| {
            Failure::new(
                format!("{scope} has no runner group `{name}`"),
                "check `runner-group`, and that the token may see it",
            )
        })
}

/// The set that is to be taken out of service, as it is.
pub(super) async fn existing(
    sets: &ScaleSets,
    spec: &SetSpec,
    group: u64,
    clients: &Clients,
) -> Result<ScaleSet, Failure> {
    let deadline = Deadline::after(PATIENCE);
    let found = retry::until(FIND, deadline, || sets.find(&spec.name, group)).await;
    let (name, scope) = (&spec.name, &clients.run.scope);
    found
        .map_err(|error| failure(&error, clients))?
        .ok_or_else(|| {
            Failure::new(
                format!("{scope} has no scale set `{name}` that could be taken out of service"),
                "nothing needs to be done if it was deleted before; else check the name, `scope` and `runner-group`",
            )
        })
}

/// The set of that name with the labels that it should have, made where there is none.
pub(super) async fn ensure(
    sets: &ScaleSets,
    spec: &SetSpec,
    group: u64,
    voice: &Voice,
) -> Result<ScaleSet, ScaleSetError> {
    let deadline = Deadline::after(PATIENCE);
    let find = || retry::until(FIND, deadline, || sets.find(&spec.name, group));
    let found = if let Some(found) = find().await? {
        found
    } else {
        let create = || sets.create(&spec.labels, group);
        match retry::until(CREATE_SET, deadline, create).await {
            Ok(made) => {
                voice.log("created", format_args!("scale set created ({})", made.id));
                return Ok(made);
            }
            // Another listener was faster, or a lost answer of ours.
            Err(error) if error.is_conflict() => find().await?.ok_or(error)?,
            Err(error) => return Err(error),
        }
    };
    if found.has_labels(&spec.labels) {
        return Ok(found);
    }
    let changed = retry::until(UPDATE, deadline, || {
        sets.update(&found, &spec.labels, group)
    })
    .await?;
    voice.log(
        "labels",
        format_args!("labels set to `{}`", spec.labels.join("`, `")),
    );
    Ok(changed)
}

/// Opens the session, however long another one lives. `None` once the listener is to stop.
pub(super) async fn open(set: &Set) -> Result<Option<Session>, ScaleSetError> {
    let Set { service, voice, .. } = set;
    let mut standby = Backoff::new(STANDBY[0], STANDBY[1]);
    let mut troubled = Backoff::new(Duration::from_secs(1), LONGEST_WAIT);
    let mut logged: Option<Instant> = None;
    loop {
        let opening = retry::attempt(
            OPEN,
            Deadline::after(PATIENCE),
            Session::open(&set.sets, set.id, &service.owner),
        );
        let answer = tokio::select! {
            answer = opening => answer,
            () = set.stop.cancelled() => return Ok(None),
        };
        let wait = match answer {
            Ok(session) => return Ok(Some(session)),
            Err(error) if error.is_session_conflict() => {
                service.health.seen(&voice.set, true);
                service.metrics.holds_session(&voice.set, false);
                if logged.is_none_or(|at| at.elapsed() > SAY_EVERY) {
                    logged = Some(Instant::now());
                    let why = error.message();
                    let text = if set.drains {
                        format!(
                            "waiting for the listener that serves this set (`{why}`): end that listener, or take the \
                             runner out of its file and start it again"
                        )
                    } else {
                        format!("standing by, for another listener serves this set (`{why}`)")
                    };
                    voice.log("standby", text);
                }
                STANDBY[0] / 2 + standby.next(None)
            }
            Err(error) if error.is_transient() => {
                let wait = troubled.next(trouble::bounded(error.wait()));
                voice.warns("trouble", format_args!("{error}; asking again"));
                wait
            }
            Err(error) => return Err(error),
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = set.stop.cancelled() => return Ok(None),
        }
    }
}

pub(super) fn failure(error: &ScaleSetError, clients: &Clients) -> Failure {
    Failure::new(error.to_string(), error.remedy(&clients.run.scope))
}
