//! The records that may be gone because their deletion was asked for.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::values::runner_id::RunnerId;

/// What every clone of a client knows of deletions: a call that nobody waits for any more has been sent all the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Deletions(Arc<Mutex<BTreeSet<RunnerId>>>);

impl Deletions {
    /// Before the deletion is asked for; tells whether that is for the first time.
    pub(super) fn ask(&self, id: RunnerId) -> bool {
        self.lock().insert(id)
    }

    /// Nothing was deleted: GitHub did not know the record, or the call was not carried out.
    pub(super) fn take_back(&self, id: RunnerId) {
        self.lock().remove(&id);
    }

    /// Whether a deletion was asked for that may have been carried out.
    pub(super) fn may_have_deleted(&self, id: RunnerId) -> bool {
        self.lock().contains(&id)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<RunnerId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
