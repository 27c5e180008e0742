//! Whether each set is served: the last time that GitHub answered for it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// A long poll takes 50 s; three that fail are an outage.
const STALE: Duration = Duration::from_mins(3);

#[derive(Debug)]
pub(super) struct Health {
    sets: Mutex<Vec<(String, Seen)>>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    at: Instant,
    is_standby: bool,
}

impl Health {
    pub(super) fn of<'a>(sets: impl Iterator<Item = &'a str>) -> Self {
        let seen = Seen {
            at: Instant::now(),
            is_standby: true,
        };
        Self {
            sets: Mutex::new(sets.map(|set| (set.to_owned(), seen)).collect()),
        }
    }

    /// GitHub has answered, or another listener serves the set.
    pub(super) fn seen(&self, set: &str, is_standby: bool) {
        let at = Instant::now();
        let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, seen)) = sets.iter_mut().find(|(known, _)| known == set) {
            *seen = Seen { at, is_standby };
        }
    }

    /// The set is not served any more.
    pub(super) fn forget(&self, set: &str) {
        let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        sets.retain(|(known, _)| known != set);
    }

    /// Whether all is well, and a line for each set.
    pub(super) fn status(&self, now: Instant) -> (bool, String) {
        let sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
        let is_stale = |seen: &Seen| now.saturating_duration_since(seen.at) > STALE;
        let lines = sets.iter().map(|(set, seen)| {
            let state = match (is_stale(seen), seen.is_standby) {
                (true, _) => "no answer from GitHub",
                (false, true) => "standby",
                (false, false) => "serving",
            };
            let ago = now.saturating_duration_since(seen.at).as_secs();
            format!("{set}: {state} ({ago} s ago)\n")
        });
        (
            !sets.iter().any(|(_, seen)| is_stale(seen)),
            lines.collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_without_an_answer_is_reported() {
        let health = Health::of(["a", "b"].into_iter());
        health.seen("a", false);
        let now = Instant::now();
        assert_eq!(
            health.status(now),
            (
                true,
                "a: serving (0 s ago)\nb: standby (0 s ago)\n".to_owned()
            )
        );
        let (is_well, text) = health.status(now + STALE * 2);
        assert!(!is_well && text.contains("a: no answer from GitHub (360 s ago)"));
        // One whose time is over keeps nobody from being well.
        health.forget("a");
        health.forget("b");
        assert_eq!(health.status(now + STALE * 2), (true, String::new()));
    }

    #[test]
    fn three_minutes_are_not_too_long() {
        let health = Health::of(["a"].into_iter());
        health.seen("a", false);
        let Some(at) = health
            .sets
            .lock()
            .ok()
            .and_then(|sets| Some(sets.first()?.1.at))
        else {
            unreachable!("it was seen")
        };
        assert!(health.status(at + STALE).0);
        assert!(!health.status(at + STALE + Duration::from_millis(1)).0);
    }
}
