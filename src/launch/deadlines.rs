//! Deadlines: how `start-timeout` is divided among launch, boot and, if it comes to that, the undo.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::retry::Deadline;

/// How much of `start-timeout` is kept for the undo, where there is enough of it.
const RESERVE: Duration = Duration::from_secs(8);
/// How much later than `start-timeout` an undo may end.
const GRACE: Duration = Duration::from_millis(1_200);

/// When each phase of a launch must be over, from now on.
#[derive(Debug)]
pub(crate) struct Deadlines {
    launch: Duration,
    launch_by: Deadline,
    online_by: Deadline,
    undone_by: Deadline,
    /// What throttles may add to each.
    allowance: Duration,
    is_throttled: AtomicBool,
}

impl Deadlines {
    /// Begins now, for so many runners.
    pub(crate) fn new(start_timeout: Duration, runners: u16) -> Self {
        let launch = launch_share(start_timeout);
        let online = start_timeout.saturating_sub(reserve(start_timeout));
        Self {
            launch,
            launch_by: Deadline::after(launch),
            online_by: Deadline::after(online),
            undone_by: Deadline::after(start_timeout + GRACE),
            allowance: throttled(runners),
            is_throttled: AtomicBool::new(false),
        }
    }

    /// EC2 or GitHub slows the launches down: from now on they have the time that takes.
    pub(crate) fn on_throttle(&self) {
        self.is_throttled.store(true, Ordering::Relaxed);
    }

    /// The part of `start-timeout` in which candidates are tried.
    pub(crate) fn launch_share(&self) -> Duration {
        self.launch + self.extra()
    }

    /// When an instance must be launched: the rest of `start-timeout` is for its boot.
    pub(crate) fn launch_by(&self) -> Deadline {
        self.launch_by.later(self.extra())
    }

    pub(crate) fn online_by(&self) -> Deadline {
        self.online_by.later(self.extra())
    }

    pub(crate) fn undone_by(&self) -> Deadline {
        self.undone_by.later(self.extra())
    }

    fn extra(&self) -> Duration {
        if self.is_throttled.load(Ordering::Relaxed) {
            self.allowance
        } else {
            Duration::ZERO
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
    fn throttles_that_come_add_time_and_others_do_not() {
        let deadlines = Deadlines::new(Duration::from_secs(8), 200);
        assert!(deadlines.launch_by().left() <= Duration::from_secs(4));
        assert!(deadlines.online_by().left() <= Duration::from_secs(8));
        deadlines.on_throttle();
        let allowance = throttled(200);
        assert!(deadlines.launch_by().left() > allowance);
        assert!(deadlines.online_by().left() > allowance);
        assert!(deadlines.undone_by().left() > allowance);
    }

    #[test]
    fn many_get_the_time_that_throttles_take() {
        assert_eq!(throttled(1), Duration::ZERO);
        assert_eq!(throttled(1_000), Duration::from_millis(746_250));
    }
}
