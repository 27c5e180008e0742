//! Launches that fail, and instances that die before they have a job: a set in trouble tries one at a time, less and less
//! often, and says so. Pure.

use std::time::Duration;

use tokio::time::Instant;

use crate::retry::Backoff;

const FIRST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_mins(5);
/// One death may be anybody's; several in a row have a cause that the next launch has, too.
const TOLERATED_DEATHS: u32 = 2;

/// The least that is waited after a refusal of the session that should not pass by itself.
pub(super) const SESSION_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// What is waited beside that: a single strange answer costs seconds, and a refusal that stays is asked about once a minute.
pub(super) fn session_backoff() -> Backoff {
    Backoff::new(4 * SESSION_PAUSE, LONGEST_PAUSE)
}

/// How long a listener waits because a server asks for it. A wrong header must not silence it for an hour, and one call a
/// minute is no burden to a server that is right.
pub(super) fn bounded(asked: Option<Duration>) -> Option<Duration> {
    asked.map(|wait| wait.min(LONGEST_PAUSE))
}

#[derive(Debug, Default)]
pub(super) struct Trouble {
    failures: u32,
    deaths: u32,
    retry_at: Option<Instant>,
}

impl Trouble {
    /// How many launches may be under way; nothing limits a set without trouble.
    pub(super) fn most(&self, now: Instant) -> usize {
        match self.retry_at {
            None => usize::MAX,
            Some(at) if at <= now => 1,
            Some(_) => 0,
        }
    }

    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    /// A launch failed; when the next may begin. Those that fail together are one failure.
    pub(super) fn failed(&mut self, now: Instant) -> Duration {
        if let Some(at) = self.retry_at.filter(|at| *at > now) {
            return at - now;
        }
        let pause = (FIRST * 2_u32.saturating_pow(self.failures)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        // Random, so that several sets do not ask together.
        let pause = pause.mul_f64(0.75 + fastrand::f64() / 2.0);
        self.retry_at = Some(now + pause);
        pause
    }

    /// An instance died before a job came to it. How long to wait, where that is not the first time.
    pub(super) fn died(&mut self, now: Instant) -> Option<Duration> {
        self.deaths = self.deaths.saturating_add(1);
        (self.deaths > TOLERATED_DEATHS).then(|| self.failed(now))
    }

    /// EC2 launches again.
    pub(super) fn launched(&mut self) {
        if self.deaths <= TOLERATED_DEATHS {
            self.failures = 0;
            self.retry_at = None;
        }
    }

    /// A runner came online: whatever it was has passed.
    pub(super) fn online(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_less_and_less_often() {
        let (mut trouble, now) = (Trouble::default(), Instant::now());
        assert_eq!(trouble.most(now), usize::MAX);
        let first = trouble.failed(now);
        assert!(first < Duration::from_secs(7));
        assert_eq!(trouble.failed(now), first);
        assert_eq!((trouble.most(now), trouble.most(now + first)), (0, 1));
        let mut at = now;
        for _ in 0..20 {
            at += trouble.failed(at);
        }
        let pause = trouble.failed(at);
        assert!(pause > LONGEST / 2 && pause < LONGEST * 2);
        trouble.launched();
        assert_eq!(trouble.most(at), usize::MAX);
    }

    #[test]
    fn nobody_silences_a_listener_for_an_hour() {
        let asked = |seconds| bounded(Some(Duration::from_secs(seconds)));
        assert_eq!(bounded(None), None);
        assert_eq!(asked(3), Some(Duration::from_secs(3)));
        assert_eq!(asked(3_600), Some(LONGEST_PAUSE));
    }

    #[test]
    fn instances_that_die_one_after_another_are_trouble() {
        let (mut trouble, now) = (Trouble::default(), Instant::now());
        assert_eq!((trouble.died(now), trouble.died(now)), (None, None));
        assert!(trouble.died(now).is_some());
        trouble.launched();
        assert_eq!(trouble.most(now), 0);
        trouble.online();
        assert_eq!(trouble.most(now), usize::MAX);
    }
}
