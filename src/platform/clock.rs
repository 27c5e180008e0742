//! Timers: tokio's, or the host's in the portable build, where tokio runs without a driver.
//!
//! `tokio::time::Instant` works everywhere; what waits must come from here.

use std::time::Duration;

use tokio::time::Instant;

#[cfg(not(target_family = "wasm"))]
pub(crate) use tokio::time::{sleep, sleep_until, timeout, timeout_at};
#[cfg(target_family = "wasm")]
pub(crate) use wasi::{sleep, sleep_until, timeout, timeout_at};

/// Something done again and again, with at least that much time in between.
pub(crate) struct Ticks {
    every: Duration,
    due: Instant,
}

impl Ticks {
    pub(crate) fn new(every: Duration) -> Self {
        Self {
            every,
            due: Instant::now(),
        }
    }

    /// Waits for the next tick; the first comes at once.
    pub(crate) async fn tick(&mut self) {
        sleep_until(self.due).await;
        self.due = Instant::now() + self.every;
    }
}

#[cfg(target_family = "wasm")]
mod wasi {
    use std::time::Duration;

    use tokio::time::Instant;

    /// The time was over first.
    #[derive(Debug)]
    pub(crate) struct Elapsed;

    pub(crate) async fn sleep(duration: Duration) {
        wstd::task::sleep(duration.into()).await;
    }

    pub(crate) async fn sleep_until(due: Instant) {
        sleep(due.saturating_duration_since(Instant::now())).await;
    }

    pub(crate) async fn timeout<F: Future>(
        within: Duration,
        future: F,
    ) -> Result<F::Output, Elapsed> {
        tokio::select! {
            // What is there counts, even where the time is over.
            biased;
            output = future => Ok(output),
            () = sleep(within) => Err(Elapsed),
        }
    }

    pub(crate) async fn timeout_at<F: Future>(
        due: Instant,
        future: F,
    ) -> Result<F::Output, Elapsed> {
        timeout(due.saturating_duration_since(Instant::now()), future).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_tick_comes_at_once_and_a_late_one_is_not_made_up_for() {
        let every = Duration::from_millis(30);
        let began = Instant::now();
        let mut ticks = Ticks::new(every);
        ticks.tick().await;
        assert!(began.elapsed() < every);
        sleep(every * 3).await;
        ticks.tick().await;
        let late = Instant::now();
        ticks.tick().await;
        assert!(late.elapsed() >= every);
    }
}
