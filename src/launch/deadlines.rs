//! One deadline rules all: how `start-timeout` is divided among launch, boot and, if it comes to that, the undo.

use std::time::Duration;

use crate::retry::Deadline;

/// How much of `start-timeout` is kept for the undo, where there is enough of it.
const RESERVE: Duration = Duration::from_secs(8);
/// How much later than `start-timeout` an undo may end.
const GRACE: Duration = Duration::from_millis(1_200);

/// When each phase of a `start` must be over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadlines {
    /// The part of `start-timeout` in which the ladder is climbed.
    pub launch_share: Duration,
    pub launch_by: Deadline,
    pub online_by: Deadline,
    pub undone_by: Deadline,
}

impl Deadlines {
    /// Begins now, for so many runners.
    pub(crate) fn new(start_timeout: Duration, runners: u16) -> Self {
        let throttled = throttled(runners);
        let launch_share = launch_share(start_timeout) + throttled;
        let online = start_timeout.saturating_sub(reserve(start_timeout));
        Self {
            launch_share,
            launch_by: Deadline::after(launch_share),
            online_by: Deadline::after(online + throttled),
            undone_by: Deadline::after(start_timeout + throttled + GRACE),
        }
    }
}

/// What the documented throttles take of many launches, on top of `start-timeout`: EC2 allows two a second, GitHub 80 requests
/// a minute that create something. <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>
fn throttled(runners: u16) -> Duration {
    const BURST: u16 = 5;
    const EACH: Duration = Duration::from_millis(750);
    EACH * u32::from(runners.saturating_sub(BURST))
}

/// Half: an instance needs the other half to boot, and capacity that has not come back by then is rarely back in time.
fn launch_share(start_timeout: Duration) -> Duration {
    start_timeout / 2
}

fn reserve(start_timeout: Duration) -> Duration {
    (start_timeout / 5).min(RESERVE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_minutes() {
        let minutes = Duration::from_mins(5);
        assert_eq!(launch_share(minutes), Duration::from_secs(150));
        assert_eq!(reserve(minutes), Duration::from_secs(8));
        assert_eq!(reserve(Duration::from_secs(5)), Duration::from_secs(1));
    }

    #[test]
    fn many_get_the_time_that_throttles_take() {
        assert_eq!(throttled(1), Duration::ZERO);
        assert_eq!(throttled(1_000), Duration::from_millis(746_250));
    }
}
