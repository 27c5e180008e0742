//! How far GitHub's count of assigned jobs is believed: less, after runners that were launched for it found no job. Pure.
//!
//! After an incident the count can stay too high for days. Each runner that waited in vain takes one off it, for a time that
//! doubles; then the count is tried again.

use std::time::Duration;

use tokio::time::Instant;

const LONGEST: Duration = Duration::from_hours(2);

#[derive(Debug, Default)]
pub(super) struct Distrust {
    amount: usize,
    level: u32,
    until: Option<Instant>,
}

impl Distrust {
    /// By how much the count is too high, as far as is known.
    pub(super) fn amount(&self) -> usize {
        self.amount
    }

    pub(super) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// A runner found no job within `idle` although so many were said to wait; how long that is remembered.
    pub(super) fn note(&mut self, waiting: usize, idle: Duration, now: Instant) -> Duration {
        let pause = (idle * 2_u32.saturating_pow(self.level)).min(LONGEST);
        if self.until.is_none() {
            self.level += 1;
        }
        self.amount = (self.amount + 1).min(waiting);
        self.until = Some(now + pause);
        pause
    }

    /// The time is over: the count is tried again.
    pub(super) fn expire(&mut self, now: Instant) -> bool {
        let is_over = self.until.is_some_and(|until| until <= now);
        if is_over {
            self.amount = 0;
            self.until = None;
        }
        is_over
    }

    /// What the count says is what there is: whatever was wrong with it has passed.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_runner_without_a_job_takes_one_off_and_the_pause_doubles() {
        let (mut distrust, now) = (Distrust::default(), Instant::now());
        let idle = Duration::from_mins(10);
        assert_eq!(distrust.note(2, idle, now), idle);
        assert_eq!(distrust.amount(), 1);
        let pause = distrust.note(2, idle, now);
        distrust.note(2, idle, now);
        assert_eq!((distrust.amount(), pause), (2, idle * 2));
        assert!(!distrust.expire(now + idle));
        assert!(distrust.expire(now + idle * 2));
        assert_eq!(distrust.amount(), 0);
        assert_eq!(distrust.note(2, idle, now), idle * 2);
        distrust.expire(now + idle * 9);
        assert_eq!(distrust.note(2, idle, now), idle * 4);
        distrust.reset();
        assert_eq!(distrust.note(2, idle, now), idle);
    }
}
