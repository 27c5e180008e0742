//! Many calls of one kind under a throttle whose rate nobody tells: all callers share one pace, which slows down where the
//! server says so, and quickens again while it does not.
//!
//! EC2's documented default lets an account launch five instances at once and two a second from then on
//! (<https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>), and many accounts have more. A backoff of its
//! own in each caller would leave that rate unused for most of the time, or ask many times more often than it allows.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The first interval after a throttle. Short, so that a generous limit is used; it grows fast enough for a strict one.
const FIRST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(2);
/// After a throttle. Small steps, because turns are taken ahead: what is learnt now holds for calls that leave later.
const SLOW_DOWN: f64 = 1.1;
/// After a success.
const QUICKEN: f64 = 0.97;

/// The pace of one kind of call.
#[derive(Debug, Default)]
pub(crate) struct Pace(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Zero: there is no throttle.
    interval: Duration,
    /// When the next call may leave.
    next: Option<Instant>,
    /// When the interval grew last: calls that left together are throttled together, and are one sign.
    slowed: Option<Instant>,
}

impl Pace {
    /// Takes the next turn: how long to wait for it.
    pub(crate) fn turn(&self, now: Instant) -> Duration {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = state.next.map_or(now, |next| next.max(now));
        state.next = Some(turn + state.interval);
        turn - now
    }

    /// A call went through.
    pub(crate) fn passed(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.interval = state.interval.mul_f64(QUICKEN);
    }

    /// The server said to slow down, and for how long where it said so: then nobody asks before.
    pub(crate) fn throttled(&self, now: Instant, wait: Option<Duration>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wait) = wait {
            state.next = state.next.max(Some(now + wait));
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
        let (pace, now) = (Pace::default(), Instant::now());
        for _ in 0..1_000 {
            assert_eq!(pace.turn(now), Duration::ZERO);
            pace.passed();
        }
    }

    #[test]
    fn what_the_server_asks_for_holds_for_all() {
        let (pace, now) = (Pace::default(), Instant::now());
        pace.throttled(now, Some(Duration::from_secs(30)));
        assert_eq!(pace.turn(now), Duration::from_secs(30));
        assert!(pace.turn(now) > Duration::from_secs(30));
    }

    #[test]
    fn calls_that_were_throttled_together_are_one_sign() {
        let (pace, now) = (Pace::default(), Instant::now());
        for _ in 0..32 {
            pace.throttled(now, None);
        }
        assert_eq!(pace.turn(now), Duration::ZERO);
        assert!(pace.turn(now) < Duration::from_millis(30));
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

    enum Event {
        Asks,
        Hears { has_passed: bool },
    }

    /// How long `callers` take for `calls` together, in seconds, and how many were throttled for each that passed.
    fn through(most: f64, per_second: f64, calls: u32, callers: u64) -> (f64, f64) {
        const ROUND_TRIP: Duration = Duration::from_millis(50);
        let began = Instant::now();
        let pace = Pace::default();
        let mut bucket = Bucket {
            tokens: most,
            most,
            per_second,
            filled: began,
        };
        let mut events: BTreeMap<(Instant, u64), Event> = (0..callers)
            .map(|caller| ((began, caller), Event::Asks))
            .collect();
        let (mut passed, mut refused) = (0_u32, 0_u32);
        while let Some(((now, caller), event)) = events.pop_first() {
            match event {
                Event::Asks => {
                    let has_passed = bucket.take(now);
                    events.insert((now + ROUND_TRIP, caller), Event::Hears { has_passed });
                }
                Event::Hears { has_passed } => {
                    if has_passed {
                        pace.passed();
                        passed += 1;
                        if passed == calls {
                            let took = (now - began).as_secs_f64();
                            return (took, f64::from(refused) / f64::from(calls));
                        }
                    } else {
                        pace.throttled(now, None);
                        refused += 1;
                    }
                    events.insert((now + pace.turn(now), caller), Event::Asks);
                }
            }
        }
        unreachable!("callers ask until all have passed")
    }

    #[test]
    fn it_finds_the_rate_that_nobody_told() {
        for (most, per_second) in [(5.0, 2.0), (5.0, 40.0), (100.0, 5.0), (900.0, 2.0)] {
            let bound = (1_000.0 - most) / per_second;
            let (took, refused) = through(most, per_second, 1_000, 32);
            assert!(
                took <= bound * 1.1,
                "{took:.0} s for {bound:.0} s at {per_second} a second"
            );
            assert!(refused <= 0.7, "{refused:.2} refusals a call");
        }
    }
}
