//! A rate limiter for many calls of one kind under a throttle whose rate is not known: all callers share one limiter, which slows down where the
//! server says so, and quickens again while it does not.
//!
//! EC2's documented default lets an account launch five instances at once and two a second from then on
//! (<https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>), and many accounts have more. A backoff of its
//! own in each caller would leave that rate unused for most of the time, or ask many times more often than it allows.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::platform::clock::sleep_until;

/// The first interval after a throttle. Short, so that a generous limit is used; it grows fast enough for a strict one.
const FIRST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(2);
/// How long nobody asks because the server wants that. A wrong header must not keep a listener from launching for an hour, and
/// one call a minute is no burden to a server that is right.
const LONGEST_CLOSED: Duration = Duration::from_mins(1);
/// After a throttle.
const SLOW_DOWN: f64 = 1.2;
/// After a success.
const QUICKEN: f64 = 0.96;

/// The pace of one kind of call.
#[derive(Debug, Default)]
pub(crate) struct RateLimiter {
    /// Whoever holds it is the next to ask, so that what is learnt meanwhile holds for him, too.
    front: tokio::sync::Mutex<()>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Zero: there is no throttle.
    interval: Duration,
    last: Option<Instant>,
    /// Until then the server wants to be left alone.
    closed_until: Option<Instant>,
    /// When the interval grew last: calls that left together are throttled together, and are one sign.
    slowed: Option<Instant>,
}

impl RateLimiter {
    /// Waits for the caller's turn.
    pub(crate) async fn acquire(&self) {
        let _front = self.front.lock().await;
        loop {
            let now = Instant::now();
            let due = self.due().filter(|due| *due > now);
            match due {
                Some(due) => sleep_until(due).await,
                None => return self.leave(now),
            }
        }
    }

    /// When the next call may leave; `None` is at once.
    fn due(&self) -> Option<Instant> {
        let state = self.lock();
        let after_last = state
            .last
            .filter(|_| !state.interval.is_zero())
            .map(|last| last + state.interval);
        after_last.max(state.closed_until)
    }

    fn leave(&self, now: Instant) {
        self.lock().last = Some(now);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call went through.
    pub(crate) fn on_success(&self) {
        let mut state = self.lock();
        state.interval = state.interval.mul_f64(QUICKEN);
    }

    /// The server said to slow down, and for how long where it said so: then nobody asks before.
    pub(crate) fn on_throttle(&self, now: Instant, wait: Option<Duration>) {
        let mut state = self.lock();
        if let Some(wait) = wait {
            let until = now + wait.min(LONGEST_CLOSED);
            state.closed_until = state.closed_until.max(Some(until));
        }
        let is_same_sign = state
            .slowed
            .is_some_and(|slowed| now - slowed < state.interval);
        if !is_same_sign {
            state.interval = state.interval.max(FIRST).mul_f64(SLOW_DOWN).min(LONGEST);
            state.slowed = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn without_a_throttle_nobody_waits() {
        let (limiter, now) = (RateLimiter::default(), Instant::now());
        limiter.leave(now);
        limiter.on_success();
        assert_eq!(limiter.due(), None);
    }

    #[test]
    fn what_the_server_asks_for_holds_for_all() {
        let (limiter, now) = (RateLimiter::default(), Instant::now());
        limiter.on_throttle(now, Some(Duration::from_secs(30)));
        limiter.on_throttle(now, Some(Duration::from_secs(3)));
        assert_eq!(limiter.due(), Some(now + Duration::from_secs(30)));
    }

    #[test]
    fn nobody_closes_it_for_an_hour() {
        let (limiter, now) = (RateLimiter::default(), Instant::now());
        limiter.on_throttle(now, Some(Duration::from_hours(1)));
        assert_eq!(limiter.due(), Some(now + LONGEST_CLOSED));
    }

    #[test]
    fn calls_that_were_throttled_together_are_one_sign() {
        let (limiter, now) = (RateLimiter::default(), Instant::now());
        for _ in 0..32 {
            limiter.on_throttle(now, None);
        }
        limiter.leave(now);
        assert!(
            limiter
                .due()
                .is_some_and(|due| due < now + Duration::from_millis(30))
        );
    }

    /// A token bucket as EC2 documents it.
    struct Bucket {
        tokens: f64,
        most: f64,
        per_second: f64,
        filled: Instant,
    }

    impl Bucket {
        fn take(&mut self, now: Instant) -> bool {
            let since = (now - self.filled).as_secs_f64();
            self.tokens = (self.tokens + since * self.per_second).min(self.most);
            self.filled = now;
            let has = self.tokens >= 1.0;
            self.tokens -= f64::from(u8::from(has));
            has
        }
    }

    /// How long `callers` take for `calls` together, in seconds, and how many were throttled for each that passed.
    fn through(most: f64, per_second: f64, calls: u32, callers: u64) -> (f64, f64) {
        const ROUND_TRIP: Duration = Duration::from_millis(50);
        let began = Instant::now();
        let limiter = RateLimiter::default();
        let mut bucket = Bucket {
            tokens: most,
            most,
            per_second,
            filled: began,
        };
        let (mut now, mut waiting) = (began, callers);
        // When each answer is heard, and whether the call passed.
        let mut answers: BTreeMap<(Instant, u64), bool> = BTreeMap::new();
        let (mut passed, mut refused) = (0_u32, 0_u32);
        for call in 0.. {
            // Whatever comes first: an answer, or the turn of the one who waits in front.
            while let Some(((heard, _), has_passed)) =
                answers.first_key_value().map(|(k, v)| (*k, *v))
                && (waiting == 0 || heard <= limiter.due().map_or(now, |due| due.max(now)))
            {
                answers.pop_first();
                now = heard;
                waiting += 1;
                if has_passed {
                    limiter.on_success();
                    passed += 1;
                } else {
                    limiter.on_throttle(now, None);
                    refused += 1;
                }
                if passed == calls {
                    break;
                }
            }
            if passed == calls {
                break;
            }
            now = limiter.due().map_or(now, |due| due.max(now));
            waiting -= 1;
            limiter.leave(now);
            answers.insert((now + ROUND_TRIP, call), bucket.take(now));
        }
        (
            (now - began).as_secs_f64(),
            f64::from(refused) / f64::from(calls),
        )
    }

    #[test]
    fn it_finds_the_rate_that_nobody_names() {
        for (most, per_second) in [(5.0, 2.0), (5.0, 40.0), (100.0, 5.0), (900.0, 2.0)] {
            let bound = (1_000.0 - most) / per_second;
            let (took, refused) = through(most, per_second, 1_000, 32);
            assert!(
                took <= bound * 1.02,
                "{took:.0} s for {bound:.0} s at {per_second} a second"
            );
            assert!(refused <= 0.3, "{refused:.2} refusals a call");
        }
    }
}
