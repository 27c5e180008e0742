//! A journal of what a launch has made or asked for, written before each call, so that the undo knows what to look for even where
//! an answer never came.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::github::GithubError;
use crate::teardown::{ClientToken, Ended, Leftovers, Record as Known};
use crate::values::network::InstanceId;
use crate::values::region::Region;

/// One launch attempt: a runner record and perhaps an instance.
#[derive(Clone, Debug)]
struct Attempt {
    record: Record,
    instance: Machine,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Record {
    /// Asked for under this name; no answer came, so that GitHub may still be at it.
    UnderWay(String),
    /// Asked for under this name; an answer came, but not one that tells whether it exists.
    Unknown(String),
    Exists(Known),
    Gone,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Machine {
    None,
    /// Asked for with this client token; whether it exists is not known.
    Unknown(ClientToken),
    Exists(InstanceId),
}

/// Names one attempt in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AttemptId(usize);

/// Shared by all launches of one call.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    attempts: Mutex<Vec<Attempt>>,
}

impl Journal {
    /// Before a runner record of that name is asked for.
    pub(crate) fn asking_for_record(&self, name: &str) -> AttemptId {
        let mut attempts = self.lock();
        attempts.push(Attempt {
            record: Record::UnderWay(name.to_owned()),
            instance: Machine::None,
        });
        AttemptId(attempts.len() - 1)
    }

    /// Before an instance is asked for that has no runner record.
    pub(crate) fn without_record(&self) -> AttemptId {
        let entry = self.asking_for_record("");
        self.record_gone(entry);
        entry
    }

    /// The call for a record failed.
    pub(crate) fn record_failed(&self, entry: AttemptId, error: &GithubError) {
        if !error.may_have_acted() {
            self.record_gone(entry);
        } else if !error.may_be_acting() {
            self.record_unknown(entry);
        }
    }

    /// An answer came that does not tell.
    fn record_unknown(&self, entry: AttemptId) {
        self.change(entry, |attempt| {
            if let Record::UnderWay(name) = &attempt.record {
                attempt.record = Record::Unknown(name.clone());
            }
        });
    }

    pub(crate) fn record_exists(&self, entry: AttemptId, known: Known) {
        self.change(entry, |attempt| attempt.record = Record::Exists(known));
    }

    pub(crate) fn record_gone(&self, entry: AttemptId) {
        self.change(entry, |attempt| attempt.record = Record::Gone);
    }

    /// Before an instance is asked for with that client token.
    pub(crate) fn asking_for_instance(&self, entry: AttemptId, region: &Region, token: &str) {
        let token = ClientToken {
            region: region.clone(),
            token: token.to_owned(),
        };
        self.change(entry, |attempt| {
            attempt.instance = Machine::Unknown(token);
        });
    }

    pub(crate) fn instance_exists(&self, entry: AttemptId, id: &InstanceId) {
        self.change(entry, |attempt| {
            attempt.instance = Machine::Exists(id.clone());
        });
    }

    /// EC2 refused for certain, or the instance was ended.
    pub(crate) fn no_instance(&self, entry: AttemptId) {
        self.change(entry, |attempt| attempt.instance = Machine::None);
    }

    /// What an undo has ended: one that begins again has nothing to do with it.
    pub(crate) fn forget(&self, ended: &Ended) {
        for attempt in self.lock().iter_mut() {
            if matches!(&attempt.record, Record::Exists(known) if ended.deleted.contains(known)) {
                attempt.record = Record::Gone;
            }
            if matches!(&attempt.instance, Machine::Exists(id) if ended.terminated.contains(id)) {
                attempt.instance = Machine::None;
            }
        }
    }

    /// What is known to exist now. Of a call that is under way only its answer tells more.
    pub(crate) fn known(&self) -> Leftovers {
        Leftovers {
            tokens: Vec::new(),
            names: Vec::new(),
            names_under_way: Vec::new(),
            ..self.leftovers()
        }
    }

    /// What exists or may exist now.
    pub(crate) fn leftovers(&self) -> Leftovers {
        self.leftovers_except(&[])
    }

    /// What exists or may exist beside the launches that succeeded.
    pub(crate) fn leftovers_except(&self, kept: &[AttemptId]) -> Leftovers {
        let mut leftovers = Leftovers::default();
        for (index, attempt) in self.lock().iter().enumerate() {
            if kept.contains(&AttemptId(index)) {
                continue;
            }
            match &attempt.record {
                Record::UnderWay(name) => leftovers.names_under_way.push(name.clone()),
                Record::Unknown(name) => leftovers.names.push(name.clone()),
                Record::Exists(known) => leftovers.records.push(known.clone()),
                Record::Gone => {}
            }
            match &attempt.instance {
                Machine::None => {}
                Machine::Unknown(token) => leftovers.tokens.push(token.clone()),
                Machine::Exists(id) => leftovers.instances.push(id.clone()),
            }
        }
        leftovers
    }

    /// Everything beside the launches that succeeded has been looked for, and ended where it existed.
    pub(crate) fn settle_except(&self, kept: &[AttemptId]) {
        for (index, attempt) in self.lock().iter_mut().enumerate() {
            if !kept.contains(&AttemptId(index)) {
                attempt.record = Record::Gone;
                attempt.instance = Machine::None;
            }
        }
    }

    fn change(&self, AttemptId(index): AttemptId, change: impl FnOnce(&mut Attempt)) {
        if let Some(attempt) = self.lock().get_mut(index) {
            change(attempt);
        }
    }

    /// A poisoned lock still holds what must be undone.
    fn lock(&self) -> MutexGuard<'_, Vec<Attempt>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::cause::Unanswered;
    use crate::values::runner_id::RunnerId;

    #[test]
    fn remembers_what_may_exist() {
        let journal = Journal::default();
        assert!(journal.leftovers().is_empty());
        let lost = journal.asking_for_record("a");
        assert_eq!(journal.leftovers().names_under_way, ["a"]);
        journal.record_unknown(lost);
        let full = journal.asking_for_record("b");
        let record = Known {
            id: RunnerId(7),
            name: "b".to_owned(),
        };
        journal.record_exists(full, record.clone());
        let region: Region = "us-west-2".parse().unwrap_or_else(|e| unreachable!("{e}"));
        journal.asking_for_instance(full, &region, "token");
        let leftovers = journal.leftovers();
        let token = ClientToken {
            region,
            token: "token".to_owned(),
        };
        assert_eq!(
            (leftovers.names, leftovers.records, leftovers.tokens),
            (vec!["a".to_owned()], vec![record], vec![token])
        );
        journal.instance_exists(full, &InstanceId::from_ec2("i-1"));
        journal.record_gone(lost);
        let leftovers = journal.leftovers();
        assert!(
            leftovers.tokens.is_empty()
                && leftovers.names.is_empty()
                && leftovers.instances.len() == 1
        );
        assert_eq!(journal.known(), leftovers);
        assert!(leftovers.without(&journal.known()).is_empty());
        journal.forget(&Ended {
            terminated: vec![InstanceId::from_ec2("i-1")],
            ..Ended::default()
        });
        assert!(journal.known().instances.is_empty() && journal.known().records.len() == 1);
        journal.asking_for_record("c");
        journal.settle_except(&[full]);
        assert_eq!(journal.leftovers(), journal.known());
        journal.no_instance(full);
        journal.record_gone(full);
        assert!(journal.leftovers().is_empty());
    }

    fn record(id: u64, name: &str) -> Known {
        Known {
            id: RunnerId(id),
            name: name.to_owned(),
        }
    }

    fn region() -> Region {
        Region::default()
    }

    #[test]
    fn what_is_known_leaves_out_what_only_may_exist() {
        let journal = Journal::default();
        journal.asking_for_record("under-way");
        let unknown = journal.asking_for_record("unknown");
        journal.record_failed(unknown, &GithubError::unreadable("x", String::new()));
        let token = journal.asking_for_record("token");
        journal.record_exists(token, record(1, "token"));
        journal.asking_for_instance(token, &region(), "t");
        let all = journal.leftovers();
        assert_eq!(
            (all.names_under_way.len(), all.names.len(), all.tokens.len()),
            (1, 1, 1)
        );
        assert_eq!(
            journal.known(),
            Leftovers {
                records: vec![record(1, "token")],
                ..Leftovers::default()
            }
        );
    }

    #[test]
    fn a_refusal_made_no_record_and_silence_may_still_make_one() {
        let unanswered = |was_sent| {
            let message = "reset".to_owned();
            GithubError::unanswered("x", Unanswered { message, was_sent })
        };
        let after = |error: &GithubError| {
            let journal = Journal::default();
            let entry = journal.asking_for_record("a");
            journal.record_failed(entry, error);
            let left = journal.leftovers();
            (left.names_under_way.len(), left.names.len())
        };
        assert_eq!(after(&unanswered(false)), (0, 0));
        assert_eq!(after(&unanswered(true)), (1, 0));
        assert_eq!(after(&GithubError::unreadable("x", String::new())), (0, 1));
    }

    #[test]
    fn what_was_ended_is_forgotten_and_nothing_else() {
        let journal = Journal::default();
        for id in [1, 2] {
            let name = format!("r{id}");
            let entry = journal.asking_for_record(&name);
            journal.record_exists(entry, record(id, &name));
            journal.instance_exists(entry, &InstanceId::from_ec2(&format!("i-{id}")));
        }
        let kept = journal.without_record();
        journal.asking_for_instance(kept, &region(), "t");
        assert!(journal.leftovers().names_under_way.is_empty());
        journal.forget(&Ended {
            terminated: vec![InstanceId::from_ec2("i-2")],
            deleted: vec![record(1, "r1")],
            ..Ended::default()
        });
        let left = journal.leftovers();
        assert_eq!(
            (left.records, left.instances),
            (vec![record(2, "r2")], vec![InstanceId::from_ec2("i-1")])
        );
        assert_eq!(journal.leftovers_except(&[kept]).tokens.len(), 0);
        assert_eq!(journal.leftovers_except(&[kept]).instances.len(), 1);
        journal.settle_except(&[kept]);
        let left = journal.leftovers();
        assert_eq!(
            (left.tokens.len(), left.instances.len(), left.records.len()),
            (1, 0, 0)
        );
    }
}
