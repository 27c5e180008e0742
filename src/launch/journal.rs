//! What one `start` has brought into the world, kept before each call, so that the undo knows what to look for even where
//! an answer never came.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::teardown::Remains;
use crate::values::network::InstanceId;
use crate::values::runner_id::RunnerId;

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
    Exists(RunnerId),
    Gone,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Machine {
    None,
    /// Asked for with this client token; whether it exists is not known.
    Unknown(String),
    Exists(InstanceId),
}

/// Names one attempt in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry(usize);

/// Shared by all launches of one call.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    attempts: Mutex<Vec<Attempt>>,
}

impl Ledger {
    /// Before a runner record of that name is asked for.
    pub(crate) fn asking_for_record(&self, name: &str) -> Entry {
        let mut attempts = self.lock();
        attempts.push(Attempt {
            record: Record::UnderWay(name.to_owned()),
            instance: Machine::None,
        });
        Entry(attempts.len() - 1)
    }

    /// An answer came that does not tell.
    pub(crate) fn record_unknown(&self, entry: Entry) {
        self.change(entry, |attempt| {
            if let Record::UnderWay(name) = &attempt.record {
                attempt.record = Record::Unknown(name.clone());
            }
        });
    }

    pub(crate) fn record_exists(&self, entry: Entry, id: RunnerId) {
        self.change(entry, |attempt| attempt.record = Record::Exists(id));
    }

    pub(crate) fn record_gone(&self, entry: Entry) {
        self.change(entry, |attempt| attempt.record = Record::Gone);
    }

    /// Before an instance is asked for with that client token.
    pub(crate) fn asking_for_instance(&self, entry: Entry, token: &str) {
        self.change(entry, |attempt| {
            attempt.instance = Machine::Unknown(token.to_owned());
        });
    }

    pub(crate) fn instance_exists(&self, entry: Entry, id: &InstanceId) {
        self.change(entry, |attempt| {
            attempt.instance = Machine::Exists(id.clone());
        });
    }

    /// EC2 refused for certain, or the instance was ended.
    pub(crate) fn no_instance(&self, entry: Entry) {
        self.change(entry, |attempt| attempt.instance = Machine::None);
    }

    /// What is known to exist now. Of a call that is under way only its answer tells more.
    pub(crate) fn known(&self) -> Remains {
        Remains {
            tokens: Vec::new(),
            names: Vec::new(),
            names_under_way: Vec::new(),
            ..self.remains()
        }
    }

    /// What exists or may exist now.
    pub(crate) fn remains(&self) -> Remains {
        self.remains_except(&[])
    }

    /// What exists or may exist beside the launches that succeeded.
    pub(crate) fn remains_except(&self, kept: &[Entry]) -> Remains {
        let mut remains = Remains::default();
        for (index, attempt) in self.lock().iter().enumerate() {
            if kept.contains(&Entry(index)) {
                continue;
            }
            match &attempt.record {
                Record::UnderWay(name) => remains.names_under_way.push(name.clone()),
                Record::Unknown(name) => remains.names.push(name.clone()),
                Record::Exists(id) => remains.records.push(*id),
                Record::Gone => {}
            }
            match &attempt.instance {
                Machine::None => {}
                Machine::Unknown(token) => remains.tokens.push(token.clone()),
                Machine::Exists(id) => remains.instances.push(id.clone()),
            }
        }
        remains
    }

    fn change(&self, Entry(index): Entry, change: impl FnOnce(&mut Attempt)) {
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

    #[test]
    fn remembers_what_may_exist() {
        let ledger = Ledger::default();
        assert!(ledger.remains().is_empty());
        let lost = ledger.asking_for_record("a");
        assert_eq!(ledger.remains().names_under_way, ["a"]);
        ledger.record_unknown(lost);
        let full = ledger.asking_for_record("b");
        ledger.record_exists(full, RunnerId(7));
        ledger.asking_for_instance(full, "token");
        let remains = ledger.remains();
        assert_eq!(
            (remains.names, remains.records, remains.tokens),
            (
                vec!["a".to_owned()],
                vec![RunnerId(7)],
                vec!["token".to_owned()]
            )
        );
        ledger.instance_exists(full, &InstanceId::from_ec2("i-1"));
        ledger.record_gone(lost);
        let remains = ledger.remains();
        assert!(
            remains.tokens.is_empty() && remains.names.is_empty() && remains.instances.len() == 1
        );
        assert_eq!(ledger.known(), remains);
        assert!(remains.without(&ledger.known()).is_empty());
        ledger.no_instance(full);
        ledger.record_gone(full);
        assert!(ledger.remains().is_empty());
    }
}
