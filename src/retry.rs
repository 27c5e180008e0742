//! Retry policy and deadlines.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::Instant;
use tracing::event;

use crate::platform::OWN_EVENTS;
use crate::platform::clock::{self, timeout};

/// When something must be over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn after(duration: Duration) -> Self {
        let now = Instant::now();
        Self(now.checked_add(duration).unwrap_or(now + NEVER))
    }

    /// The earlier of this deadline and one `duration` from now.
    pub(crate) fn within(self, duration: Duration) -> Self {
        Self(self.0.min(Self::after(duration).0))
    }

    /// That much later.
    pub(crate) fn later(self, duration: Duration) -> Self {
        Self(self.0.checked_add(duration).unwrap_or(self.0))
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

    /// How long one try of a call may take: short enough that another try fits in before the deadline, long enough for a
    /// slow server, and never longer than the time that is left.
    pub(crate) fn attempt(self) -> Duration {
        let left = self.left();
        (left / 3).clamp(SHORTEST_TRY, LONGEST_TRY).min(left)
    }

    /// Waits, unless the deadline would come first; then says so at once.
    pub(crate) async fn sleep(self, duration: Duration) -> Result<(), Over> {
        if duration >= self.left() {
            return Err(Over);
        }
        clock::sleep(duration).await;
        Ok(())
    }
}

/// As good as no deadline.
const NEVER: Duration = Duration::from_hours(24 * 365);
const SHORTEST_TRY: Duration = Duration::from_millis(600);
const LONGEST_TRY: Duration = Duration::from_secs(10);
/// No server answers in less.
const TOO_SHORT: Duration = Duration::from_millis(100);

/// The deadline would have passed during the wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Over;

/// Exponential backoff with full jitter: many clients that failed together do not come back together.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    ceiling: Duration,
    most: Duration,
    /// How many waits there were.
    waits: u32,
}

impl Backoff {
    pub(crate) fn new(first: Duration, most: Duration) -> Self {
        Self {
            ceiling: first,
            most,
            waits: 0,
        }
    }

    /// The next wait: random up to a ceiling that doubles, but at least what the server asked for.
    pub(crate) fn next(&mut self, asked: Option<Duration>) -> Duration {
        let jittered = self.ceiling.mul_f64(fastrand::f64());
        self.ceiling = (self.ceiling * 2).min(self.most);
        self.waits += 1;
        asked.map_or(jittered, |asked| asked + jittered)
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new(Duration::from_millis(200), Duration::from_secs(5))
    }
}

/// An error that knows whether the same call may succeed a little later.
pub(crate) trait Transient: Send {
    /// The error of a call whose answer did not come within that time.
    fn timed_out(call: &'static str, within: Duration) -> Self;

    /// The call that failed, in the words of its messages.
    fn call(&self) -> &'static str;

    fn is_transient(&self) -> bool;

    /// How long the server asked to wait.
    fn wait(&self) -> Option<Duration>;
}

/// What to do about a call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The same call again, after this wait.
    Repeat(Duration),
    /// It will not succeed, or not in time: what the error means is the caller's to say.
    GiveUp,
}

/// The one place that decides whether a failed call is repeated: from the error, and from the time that is left. Only calls
/// come here whose repetition is safe: reads, deletions, and launches that carry the same client token or a fresh name.
pub(crate) fn decide(
    error: &impl Transient,
    backoff: &mut Backoff,
    deadline: Deadline,
) -> Decision {
    if !error.is_transient() {
        return Decision::GiveUp;
    }
    let wait = backoff.next(error.wait());
    if wait < deadline.left() {
        repeat(error, backoff, wait)
    } else {
        Decision::GiveUp
    }
}

/// As `decide`, for an undo: it asks once more before its time is over, however long the server wanted it to wait. Nothing is
/// lost by asking, and what is left behind costs money.
pub(crate) fn decide_for_undo(
    error: &impl Transient,
    backoff: &mut Backoff,
    deadline: Deadline,
) -> Decision {
    let left = deadline.left();
    if !error.is_transient() || left < TOO_SHORT {
        return Decision::GiveUp;
    }
    let wait = backoff.next(error.wait());
    repeat(error, backoff, wait.min(left.mul_f64(0.6)))
}

fn repeat(error: &impl Transient, backoff: &Backoff, wait: Duration) -> Decision {
    event!(
        OWN_EVENTS,
        operation = error.call(),
        attempt = backoff.waits + 1,
        wait = wait.as_secs_f64(),
        "retry"
    );
    Decision::Repeat(wait)
}

/// One try of a call: an answer that does not come in its share of the time is given up.
pub(crate) fn attempt<T, E: Transient>(
    call: &'static str,
    deadline: Deadline,
    answer: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, E>> {
    within(call, deadline.attempt(), answer)
}

async fn within<T, E: Transient>(
    call: &'static str,
    time: Duration,
    answer: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    timeout(time, answer)
        .await
        .unwrap_or_else(|_| Err(E::timed_out(call, time)))
}

/// As `attempt`, for an undo, where nobody is as patient: half of the time that is left, so that a slow server is heard.
pub(crate) fn attempt_undo<T, E: Transient>(
    call: &'static str,
    deadline: Deadline,
    answer: impl Future<Output = Result<T, E>>,
) -> impl Future<Output = Result<T, E>> {
    let left = deadline.left();
    let time = (left / 2).clamp(SHORTEST_TRY, LONGEST_TRY).min(left);
    within(call, time, answer)
}

/// Repeats a call that is safe to repeat, until it succeeds, fails for good, or the time is over.
pub(crate) fn until<T, E, F, Answer>(
    call: &'static str,
    deadline: Deadline,
    ask: F,
) -> impl Future<Output = Result<T, E>>
where
    T: Send,
    E: Transient,
    F: Fn() -> Answer + Send,
    Answer: Future<Output = Result<T, E>> + Send,
{
    repeated(call, deadline, Deadline::attempt, ask)
}

/// As `until`, within a time that is too short for silence to be waited out and tried again: a try may take all of it. Connect,
/// handshake and request are three round trips, and a third of little time would cut every one of them off on a long way.
pub(crate) fn briefly<T, E, F, Answer>(
    call: &'static str,
    deadline: Deadline,
    ask: F,
) -> impl Future<Output = Result<T, E>>
where
    T: Send,
    E: Transient,
    F: Fn() -> Answer + Send,
    Answer: Future<Output = Result<T, E>> + Send,
{
    repeated(call, deadline, Deadline::left, ask)
}

async fn repeated<T, E, F, Answer>(
    call: &'static str,
    deadline: Deadline,
    share: fn(Deadline) -> Duration,
    ask: F,
) -> Result<T, E>
where
    T: Send,
    E: Transient,
    F: Fn() -> Answer + Send,
    Answer: Future<Output = Result<T, E>> + Send,
{
    let mut asked = Asked { ask, answer: None };
    let reason = until_answered(call, deadline, share, &mut asked).await;
    asked
        .answer
        .unwrap_or_else(|| Err(reason.unwrap_or_else(|| E::timed_out(call, Duration::ZERO))))
}

/// A call that keeps its answer, so that what repeats it need not know the answer's type: there is one loop for each error, not
/// one for each call.
struct Asked<F, Answer: Future> {
    ask: F,
    answer: Option<Answer::Output>,
}

trait Ask<E>: Send {
    /// One try.
    fn ask(&mut self) -> Pin<Box<dyn Future<Output = Result<(), E>> + Send + '_>>;
}

impl<T, E, F, Answer> Ask<E> for Asked<F, Answer>
where
    T: Send,
    E: Send,
    F: Fn() -> Answer + Send,
    Answer: Future<Output = Result<T, E>> + Send,
{
    fn ask(&mut self) -> Pin<Box<dyn Future<Output = Result<(), E>> + Send + '_>> {
        let answer = (self.ask)();
        Box::pin(async move {
            self.answer = Some(Ok(answer.await?));
            Ok(())
        })
    }
}

/// Repeats the call until it is answered; otherwise tells why it was not.
async fn until_answered<E: Transient>(
    call: &'static str,
    deadline: Deadline,
    share: fn(Deadline) -> Duration,
    asked: &mut dyn Ask<E>,
) -> Option<E> {
    let mut backoff = Backoff::default();
    // Of a call that failed for a reason and then got no answer in time, the reason says more.
    let mut reason = None;
    loop {
        if reason.is_some() && deadline.is_over() {
            return reason;
        }
        let time = share(deadline);
        let (error, is_silent) = match timeout(time, asked.ask()).await {
            Ok(Ok(())) => return None,
            Ok(Err(error)) => (error, false),
            Err(_) => (E::timed_out(call, time), true),
        };
        let decision = decide(&error, &mut backoff, deadline);
        if !is_silent || reason.is_none() {
            reason = Some(error);
        }
        match decision {
            Decision::Repeat(wait) => clock::sleep(wait).await,
            Decision::GiveUp => return reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    struct Fault {
        passes: bool,
        wait: Option<Duration>,
    }

    impl Transient for Fault {
        fn timed_out(_: &'static str, _: Duration) -> Self {
            Self {
                passes: true,
                wait: None,
            }
        }

        fn call(&self) -> &'static str {
            "ask"
        }

        fn is_transient(&self) -> bool {
            self.passes
        }

        fn wait(&self) -> Option<Duration> {
            self.wait
        }
    }

    fn decided(passes: bool, wait: Option<u64>, left: u64) -> Decision {
        let fault = Fault {
            passes,
            wait: wait.map(Duration::from_secs),
        };
        let mut backoff = Backoff::new(Duration::ZERO, Duration::ZERO);
        decide(
            &fault,
            &mut backoff,
            Deadline::after(Duration::from_secs(left)),
        )
    }

    #[test]
    fn what_is_repeated() {
        assert_eq!(decided(true, None, 60), Decision::Repeat(Duration::ZERO));
        assert_eq!(
            decided(true, Some(30), 60),
            Decision::Repeat(Duration::from_secs(30))
        );
        // Nobody waits for an answer that would come too late.
        assert_eq!(decided(true, Some(61), 60), Decision::GiveUp);
        assert_eq!(decided(true, None, 0), Decision::GiveUp);
        assert_eq!(decided(false, None, 60), Decision::GiveUp);
    }

    #[tokio::test]
    async fn a_reason_is_not_hidden_by_silence() {
        let asked = AtomicU32::new(0);
        let soon = Deadline::after(Duration::from_secs(1));
        let answer: Result<(), Fault> = until("ask", soon, || {
            let is_first = asked.fetch_add(1, Ordering::Relaxed) == 0;
            let reason = is_first.then_some(Fault {
                passes: true,
                wait: Some(Duration::from_millis(1)),
            });
            async move {
                match reason {
                    Some(reason) => Err(reason),
                    None => std::future::pending().await,
                }
            }
        })
        .await;
        assert!(answer.is_err_and(|fault| fault.wait.is_some()));
        assert!(asked.into_inner() > 1, "it was asked again");
    }

    #[test]
    fn an_undo_asks_once_more() {
        let fault = Fault {
            passes: true,
            wait: Some(Duration::from_mins(1)),
        };
        let mut backoff = Backoff::default();
        let soon = Deadline::after(Duration::from_secs(3));
        assert_eq!(decide(&fault, &mut backoff, soon), Decision::GiveUp);
        let insisted = decide_for_undo(&fault, &mut backoff, soon);
        assert!(matches!(insisted, Decision::Repeat(wait) if wait < Duration::from_secs(2)));
    }

    #[test]
    fn the_wait_is_random_below_a_ceiling_that_doubles() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(3));
        for most in [1, 2, 3, 3] {
            assert!(backoff.next(None) <= Duration::from_secs(most));
        }
        assert!(backoff.next(Some(Duration::from_secs(9))) >= Duration::from_secs(9));
    }

    #[test]
    fn a_try_leaves_time_for_another() {
        let attempt = |left: f64| Deadline::after(Duration::from_secs_f64(left)).attempt();
        assert_eq!(attempt(300.0), LONGEST_TRY);
        assert!(attempt(6.8) < Duration::from_millis(2_300));
        assert!(attempt(0.5) <= Duration::from_millis(500));
    }
}
