//! What keeps a set's jobs waiting, and from when to when. Pure.

use std::time::{Duration, SystemTime};

/// A shorter wait needs no reason.
const WORTH_TELLING: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Hindrance {
    last: Option<Seen>,
    is_at_max: bool,
}

#[derive(Debug)]
struct Seen {
    since: SystemTime,
    until: SystemTime,
    why: String,
}

impl Hindrance {
    pub(super) fn note(&mut self, why: String, now: SystemTime) {
        match &mut self.last {
            Some(seen) if seen.why == why => seen.until = now,
            _ => {
                self.last = Some(Seen {
                    since: now,
                    until: now,
                    why,
                });
            }
        }
    }

    /// Whether so many runners live that no more may be launched; `None` where more may.
    pub(super) fn note_max(&mut self, max: Option<usize>, now: SystemTime) {
        if let Some(max) = max {
            if !self.is_at_max {
                // Another time than the last.
                self.last = None;
            }
            self.note(format!("`max-runners` ({max}) lived"), now);
        }
        self.is_at_max = max.is_some();
    }

    /// Why a job waited from then on until a runner was launched for it; `None` where nothing kept it.
    pub(super) fn of_wait(&self, from: SystemTime, until: Option<SystemTime>) -> Option<&str> {
        let seen = self.last.as_ref().filter(|seen| seen.until >= from)?;
        let waited = until.is_none_or(|until| {
            let wait = until.duration_since(from).unwrap_or_default();
            wait >= WORTH_TELLING && seen.since <= until
        });
        waited.then_some(seen.why.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn only_a_job_that_waited_has_a_reason() {
        let mut hindrance = Hindrance::default();
        hindrance.note_max(Some(2), at(100));
        hindrance.note_max(Some(2), at(130));
        hindrance.note_max(None, at(131));
        // It was among the first two.
        assert_eq!(hindrance.of_wait(at(100), Some(at(100))), None);
        // It came later, and had to wait.
        let why = hindrance.of_wait(at(100), Some(at(120)));
        assert_eq!(why, Some("`max-runners` (2) lived"));
        // Nobody had to wait any more.
        assert_eq!(hindrance.of_wait(at(140), Some(at(150))), None);
        // A runner that waited for it was launched before.
        assert_eq!(hindrance.of_wait(at(110), Some(at(50))), None);
        // It was cancelled while it waited.
        assert!(hindrance.of_wait(at(110), None).is_some());
    }

    #[test]
    fn a_reason_begins_anew() {
        let mut hindrance = Hindrance::default();
        hindrance.note_max(Some(2), at(100));
        hindrance.note_max(None, at(101));
        hindrance.note_max(Some(2), at(200));
        assert_eq!(hindrance.of_wait(at(110), Some(at(120))), None);
        hindrance.note("EC2 was full".to_owned(), at(210));
        hindrance.note("EC2 was full".to_owned(), at(240));
        assert_eq!(
            hindrance.of_wait(at(205), Some(at(245))),
            Some("EC2 was full")
        );
    }
}
