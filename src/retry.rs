//! Time that is left, and how long to wait before the next try.

use std::time::Duration;

use tokio::time::Instant;

/// When something must be over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn after(duration: Duration) -> Self {
        Self(Instant::now() + duration)
    }

    /// The earlier of this deadline and one `duration` from now.
    pub(crate) fn within(self, duration: Duration) -> Self {
        Self(self.0.min(Instant::now() + duration))
    }

    pub(crate) fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    pub(crate) fn is_over(self) -> bool {
        self.left().is_zero()
    }

    pub(crate) fn instant(self) -> Instant {
        self.0
    }

    /// Waits, unless the deadline would come first; then says so at once.
    pub(crate) async fn sleep(self, duration: Duration) -> Result<(), Over> {
        if duration >= self.left() {
            return Err(Over);
        }
        tokio::time::sleep(duration).await;
        Ok(())
    }
}

/// The deadline would have passed during the wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Over;

/// Exponential backoff with full jitter: many clients that failed together do not come back together.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    ceiling: Duration,
    most: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, most: Duration) -> Self {
        Self {
            ceiling: first,
            most,
        }
    }

    /// The next wait: random up to a ceiling that doubles, but at least what the server asked for.
    pub(crate) fn next(&mut self, asked: Option<Duration>) -> Duration {
        let jittered = self.ceiling.mul_f64(fastrand::f64());
        self.ceiling = (self.ceiling * 2).min(self.most);
        asked.map_or(jittered, |asked| asked + jittered)
    }
}

/// What is tried again, and from which wait on.
impl Default for Backoff {
    fn default() -> Self {
        Self::new(Duration::from_millis(200), Duration::from_secs(5))
    }
}

/// An error that knows whether the same call may succeed a little later.
pub(crate) trait Passing {
    fn is_passing(&self) -> bool;

    /// How long the server asked to wait.
    fn wait(&self) -> Option<Duration> {
        None
    }
}

impl Passing for crate::ec2::Ec2Error {
    fn is_passing(&self) -> bool {
        Self::is_passing(self)
    }
}

impl Passing for crate::github::GithubError {
    fn is_passing(&self) -> bool {
        Self::is_passing(self)
    }

    fn wait(&self) -> Option<Duration> {
        Self::wait(self)
    }
}

/// Repeats a call that is safe to repeat, until it succeeds, fails for good, or the time is over.
pub(crate) async fn until<T, E, F, Answer>(deadline: Deadline, call: F) -> Result<T, E>
where
    E: Passing,
    F: Fn() -> Answer,
    Answer: Future<Output = Result<T, E>>,
{
    let mut backoff = Backoff::default();
    loop {
        match call().await {
            Err(error)
                if error.is_passing()
                    && deadline.sleep(backoff.next(error.wait())).await.is_ok() => {}
            done_or_final => return done_or_final,
        }
    }
}
