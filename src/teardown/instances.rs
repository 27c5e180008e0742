//! Terminating instances: one that EC2 refuses to end must not save the others.
//!
//! `TerminateInstances` ends none of its ids if one of them is protected, denied by a condition on its tags, in a wrong state
//! or unknown. So after a refusal with a code the ids are asked for in halves, down to the one that is refused.

use std::pin::Pin;
use std::time::Duration;

use super::each;
use std::collections::BTreeMap;

use crate::ec2::{Ec2, Ec2Error, Regional, TERMINATE_INSTANCES};
use crate::platform::clock::sleep;
use crate::retry::{self, Backoff, Deadline, Decision, decide_for_undo};
use crate::values::network::InstanceId;
use crate::values::region::Region;

/// Ids in one call: few enough that a slow answer does not hold up too many.
const IN_ONE_CALL: usize = 100;
/// How long a fresh id may stay unknown to `TerminateInstances`.
const UNKNOWN_FOR: Duration = Duration::from_secs(20);

/// What came of one instance.
type Outcome = (InstanceId, Result<(), Ec2Error>);

/// Terminates all of them, each in its region, many in a call and several calls at a time, and tells of each what came of it.
pub(crate) async fn terminate_all(
    ec2: &Regional,
    ids: &[InstanceId],
    deadline: Deadline,
) -> Vec<Outcome> {
    let mut by_region: BTreeMap<Option<&Region>, Vec<InstanceId>> = BTreeMap::new();
    for id in ids {
        by_region.entry(id.region()).or_default().push(id.clone());
    }
    let calls = by_region.into_iter().flat_map(|(region, ids)| {
        let parts = ids.chunks(IN_ONE_CALL).map(<[InstanceId]>::to_vec);
        parts.map(|part| (ec2.of(region), part)).collect::<Vec<_>>()
    });
    let answers = each(calls, |(ec2, ids)| async move {
        divide(&ec2, ids, deadline).await
    });
    answers.await.into_iter().flatten().collect()
}

/// Terminates one.
pub(crate) async fn terminate(
    ec2: &Regional,
    id: &InstanceId,
    deadline: Deadline,
) -> Result<(), Ec2Error> {
    repeat(&ec2.of(id.region()), std::slice::from_ref(id), deadline).await
}

/// All in one call; after a refusal without those that EC2 does not know, or in halves.
fn divide(
    ec2: &Ec2,
    ids: Vec<InstanceId>,
    deadline: Deadline,
) -> Pin<Box<dyn Future<Output = Vec<Outcome>> + Send + '_>> {
    Box::pin(async move {
        let error = match repeat(ec2, &ids, deadline).await {
            Ok(()) => return ids.into_iter().map(|id| (id, Ok(()))).collect(),
            Err(error) => error,
        };
        // Where nobody answered, the parts would not be answered either.
        if ids.len() <= 1 || error.code().is_none() || deadline.is_over() {
            let each = ids.into_iter().map(|id| (id, Err(error.clone())));
            return each.collect();
        }
        let (one, other) = parts(ids, &error);
        let (mut outcomes, others) =
            tokio::join!(divide(ec2, one, deadline), divide(ec2, other, deadline));
        outcomes.extend(others);
        outcomes
    })
}

/// `InvalidInstanceID.NotFound` names the ids that it is about: they are asked for apart. Everything else by halves.
fn parts(ids: Vec<InstanceId>, error: &Ec2Error) -> (Vec<InstanceId>, Vec<InstanceId>) {
    if error.is_unknown_instance() {
        let named = |id: &InstanceId| {
            error
                .message
                .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
                .any(|word| word == id.as_str())
        };
        let (unknown, known): (Vec<_>, Vec<_>) = ids.iter().cloned().partition(named);
        if !unknown.is_empty() && !known.is_empty() {
            return (known, unknown);
        }
    }
    let mut first = ids;
    let second = first.split_off(first.len() / 2);
    (first, second)
}

/// One call, repeating what may pass: a throttle, a hiccup, or a single id that is not known everywhere yet.
async fn repeat(ec2: &Ec2, ids: &[InstanceId], deadline: Deadline) -> Result<(), Ec2Error> {
    let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(2));
    let known_by = deadline.within(UNKNOWN_FOR);
    let mut reason: Option<Ec2Error> = None;
    loop {
        let error =
            match retry::attempt_undo(TERMINATE_INSTANCES, deadline, ec2.terminate(ids)).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
        if error.is_unknown_instance() {
            if ids.len() > 1 || known_by.sleep(backoff.next(None)).await.is_err() {
                return Err(error);
            }
        } else {
            match decide_for_undo(&error, &mut backoff, deadline) {
                Decision::Repeat(wait) => sleep(wait).await,
                Decision::GiveUp => {
                    return Err(reason.filter(|_| deadline.is_over()).unwrap_or(error));
                }
            }
        }
        reason = Some(error);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(names: &[&str]) -> Vec<InstanceId> {
        names
            .iter()
            .map(|name| InstanceId::from_ec2(name))
            .collect()
    }

    fn refused(code: &str, message: &str) -> Ec2Error {
        Ec2Error {
            message: message.to_owned(),
            ..Ec2Error::coded(TERMINATE_INSTANCES, code)
        }
    }

    #[test]
    fn unknown_ids_are_asked_for_apart() {
        let error = refused(
            "InvalidInstanceID.NotFound",
            "The instance IDs 'i-0b, i-0d' do not exist",
        );
        let (known, unknown) = parts(ids(&["i-0a", "i-0b", "i-0c", "i-0d"]), &error);
        assert_eq!(known, ids(&["i-0a", "i-0c"]));
        assert_eq!(unknown, ids(&["i-0b", "i-0d"]));
        // A part of an id is not the id.
        let (first, second) = parts(ids(&["i-0", "i-1"]), &error);
        assert_eq!((first, second), (ids(&["i-0"]), ids(&["i-1"])));
    }

    #[test]
    fn every_other_refusal_halves() {
        let error = refused("OperationNotPermitted", "i-0a may not be terminated");
        let (first, second) = parts(ids(&["i-0a", "i-0b", "i-0c"]), &error);
        assert_eq!((first.len(), second.len()), (1, 2));
    }
}
