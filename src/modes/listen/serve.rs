//! Serving one set: its long poll, and everything that is done beside it.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::session::{self, failure};
use super::set::Set;
use super::trouble;
use crate::error::Failure;
use crate::github::scale_sets::{CLOSE, DELETE_SET, Message, ScaleSetError, Session};
use crate::retry::{self, Backoff, Deadline, Transient};

/// How long a listener that stops waits for launches under way to say what they made.
const SETTLE: Duration = Duration::from_secs(4);
const CLOSE_WITHIN: Duration = Duration::from_secs(2);
const SOONEST: Duration = Duration::from_millis(500);
const SLOWEST: Duration = Duration::from_secs(30);
/// GitHub holds a request for a message for some 50 s. What answers sooner, and brings nothing, is not asked again at once.
const HELD: Duration = Duration::from_secs(1);
/// A session that GitHub ends sooner is not followed by the next at once.
const LASTING: Duration = Duration::from_mins(1);
const LONGEST_REST: Duration = Duration::from_mins(1);
const DELETE_WITHIN: Duration = Duration::from_secs(30);

type Poll = Pin<Box<dyn Future<Output = Result<Option<Message>, ScaleSetError>> + Send>>;

/// Why a session ended.
enum End {
    Stopped,
    Drained,
    /// GitHub does not know it any more.
    Lost(ScaleSetError),
}

/// Serves the set until the listener stops, or until it is drained.
pub(super) async fn serve(set: Set) -> Result<(), Failure> {
    let (service, name) = (set.service.clone(), set.voice.set.clone());
    if let Some(lasts) = set.spec.lasts {
        let (stop, voice) = (set.stop.clone(), set.voice.clone());
        tokio::spawn(async move {
            sleep(lasts.as_duration()).await;
            voice.log("over", format_args!("`for` ({lasts}) is over"));
            stop.cancel();
        });
    }
    let outcome = sessions(set).await;
    service.forget(&name);
    outcome
}

/// One session after another.
async fn sessions(mut set: Set) -> Result<(), Failure> {
    let mut pauses = Backoff::new(Duration::from_secs(1), LONGEST_REST);
    loop {
        let service = set.service.clone();
        let opened = session::open(&set).await;
        let session = match opened {
            Ok(Some(session)) => Arc::new(session),
            Ok(None) => return Ok(()),
            Err(error) if error.is_gone() && set.drains => {
                set.voice
                    .log("drained", "somebody has deleted the scale set");
                return Ok(());
            }
            Err(error) if error.is_gone() => {
                set.voice.warns(
                    "gone",
                    format_args!("the scale set is gone ({error}): making it again"),
                );
                make_again(&mut set).await?;
                rest(&set, pauses.next(None)).await;
                continue;
            }
            Err(error) => {
                pause(&mut set, &error).await;
                if set.stop.is_cancelled() {
                    return Ok(());
                }
                continue;
            }
        };
        let began = Instant::now();
        match attend(&mut set, &session).await {
            End::Stopped => {
                settle(&mut set).await;
                close(&set, &session).await;
                return Ok(());
            }
            End::Drained => {
                close(&set, &session).await;
                return delete(&set).await;
            }
            End::Lost(error) => {
                set.voice.log(
                    "session-lost",
                    format_args!("{error}: opening a new session"),
                );
                service.metrics.holds_session(&set.voice.set, false);
                // What lives is looked at anew: another listener may have served meanwhile.
                close(&set, &session).await;
                set.has_looked = false;
                set.last = None;
                set.next_census = Instant::now();
                if began.elapsed() > LASTING {
                    pauses = Backoff::new(Duration::from_secs(1), LONGEST_REST);
                }
                rest(&set, pauses.next(None)).await;
            }
        }
    }
}

async fn make_again(set: &mut Set) -> Result<(), Failure> {
    match session::ensure(&set.sets, &set.spec, set.group, &set.voice).await {
        Ok(made) => {
            set.is_made_again(made.id);
            Ok(())
        }
        Err(error) if error.is_transient() => {
            pause(set, &error).await;
            Ok(())
        }
        Err(error) => Err(failure(&error, &set.clients)),
    }
}

async fn pause(set: &mut Set, error: &ScaleSetError) {
    let failure = failure(error, &set.clients);
    set.voice.warns("trouble", failure.briefly());
    let wait = trouble::SESSION_PAUSE + set.session_backoff.next(None);
    rest(set, wait).await;
}

async fn rest(set: &Set, pause: Duration) {
    tokio::select! {
        () = sleep(pause) => {}
        () = set.stop.cancelled() => {}
    }
}

/// One session, from its beginning to its end.
async fn attend(set: &mut Set, session: &Arc<Session>) -> End {
    let service = set.service.clone();
    let name = set.voice.set.clone();
    set.session_backoff = trouble::session_backoff();
    service.metrics.holds_session(&name, true);
    service.health.seen(&name, false);
    if let Some(statistics) = session.statistics {
        set.jobs.note_statistics(statistics);
    }
    set.voice.log("serving", set.greeting());
    let mut slow = Backoff::new(SOONEST, SLOWEST);
    let mut poll = next(set, session, Duration::ZERO);
    let mut asked = Instant::now();
    loop {
        if !set.is_looking && Instant::now() >= set.next_census {
            set.look();
        }
        let wants_turn = set.launch();
        if set.drains && set.is_drained() {
            return End::Drained;
        }
        let wake = set.next_wake();
        tokio::select! {
            () = set.stop.cancelled() => return End::Stopped,
            answer = &mut poll => match answer {
                Ok(message) => {
                    service.health.seen(&name, false);
                    let is_news = message.is_some_and(|message| take(set, session, message));
                    let wait = if is_news || asked.elapsed() >= HELD {
                        slow = Backoff::new(SOONEST, SLOWEST);
                        Duration::ZERO
                    } else {
                        slow.next(None)
                    };
                    poll = next(set, session, wait);
                    asked = Instant::now() + wait;
                }
                Err(error) if error.is_gone() || error.is_unauthorized() => return End::Lost(error),
                Err(error) => {
                    let wait = slow.next(trouble::bounded(error.wait()));
                    if wait > Duration::from_secs(2) {
                        set.voice.warns("trouble", &error);
                    }
                    poll = next(set, session, wait);
                    asked = Instant::now() + wait;
                }
            },
            Some(outcome) = set.launches.join_next(), if !set.launches.is_empty() => {
                match outcome {
                    Ok(outcome) => set.launched(outcome),
                    Err(error) => set.voice.warns("trouble", format_args!("a launch ended unexpectedly: {error}")),
                }
            }
            Some(news) = set.errands.join_next(), if !set.errands.is_empty() => {
                match news {
                    Ok(news) => set.hear(news),
                    Err(error) => set.voice.warns("trouble", format_args!("a call ended unexpectedly: {error}")),
                }
            }
            Ok(turn) = service.turns.clone().acquire_owned(), if wants_turn => set.launch_one(turn),
            () = sleep_until(wake) => {
                if set.distrust.expire(Instant::now()) {
                    set.voice.log("trust", "GitHub's count of waiting jobs is tried again");
                }
            }
        }
    }
}

/// Takes a message in, and says that it has been dealt with; `false` where it had come before.
fn take(set: &mut Set, session: &Arc<Session>, message: Message) -> bool {
    let id = message.id;
    let is_news = !set.is_repeated(id);
    let offers = set.take(message);
    set.acknowledge(session, id, offers);
    is_news
}

/// The long poll, after a wait.
fn next(set: &Set, session: &Arc<Session>, wait: Duration) -> Poll {
    let (session, last) = (session.clone(), set.last);
    let capacity = if set.drains { 0 } else { set.spec.limits.max };
    Box::pin(async move {
        if !wait.is_zero() {
            sleep(wait).await;
        }
        session.next(last, capacity).await
    })
}

/// Launches that are under way say what they made; runners that wait or work are left alone.
async fn settle(set: &mut Set) {
    set.launching.stop();
    let all = async {
        while let Some(outcome) = set.launches.join_next().await {
            if let Ok(outcome) = outcome {
                set.launched(outcome);
            }
        }
    };
    if timeout(SETTLE, all).await.is_err() {
        set.voice.warns(
            "trouble",
            "a launch is still under way: the next listener finds what comes of it",
        );
    }
}

async fn close(set: &Set, session: &Session) {
    let deadline = Deadline::after(CLOSE_WITHIN);
    let closed = retry::until(CLOSE, deadline, || session.close()).await;
    set.service.metrics.holds_session(&set.voice.set, false);
    match closed {
        Ok(()) => set.voice.log("closed", "session closed"),
        Err(error) => set.voice.warns(
            "trouble",
            format_args!("{error}; the next listener has to wait until GitHub ends the session"),
        ),
    }
}

async fn delete(set: &Set) -> Result<(), Failure> {
    let deadline = Deadline::after(DELETE_WITHIN);
    retry::until(DELETE_SET, deadline, || set.sets.delete(set.id))
        .await
        .map_err(|error| failure(&error, &set.clients))?;
    set.voice
        .log("drained", "no jobs are left: the scale set is deleted");
    Ok(())
}
