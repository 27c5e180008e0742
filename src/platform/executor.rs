//! What runs futures: tokio's runtime on one thread, or wstd's executor in the portable build.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

#[cfg(not(target_family = "wasm"))]
use anyhow::Context as _;
use tokio::task::JoinSet;

/// Runs the program to its end.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn block_on<F: Future>(program: F) -> anyhow::Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("could not start")?;
    Ok(runtime.block_on(program))
}

/// Runs the program to its end. Everything that waits for the host must live inside: wstd forgets its reactor afterwards.
#[cfg(target_family = "wasm")]
#[expect(clippy::unnecessary_wraps, reason = "an operating system can refuse")]
pub(crate) fn block_on<F: Future>(program: F) -> anyhow::Result<F::Output> {
    Ok(wstd::runtime::block_on(async {
        // Tasks of tokio's sets need no runtime of tokio's, but something that polls them.
        let tasks = tokio::task::LocalSet::new();
        tasks.run_until(program).await
    }))
}

/// Begins a task of the set. In a box, so that what runs a task is compiled once for each kind of answer, and not for each task.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn spawn<T: Send + 'static>(
    tasks: &mut JoinSet<T>,
    work: impl Future<Output = T> + Send + 'static,
) {
    let work: Pin<Box<dyn Future<Output = T> + Send>> = Box::pin(work);
    tasks.spawn(work);
}

/// Begins a task of the set.
#[cfg(target_family = "wasm")]
pub(crate) fn spawn<T: 'static>(tasks: &mut JoinSet<T>, work: impl Future<Output = T> + 'static) {
    let work: Pin<Box<dyn Future<Output = T>>> = Box::pin(work);
    tasks.spawn_local(work);
}

/// Does something for each item, so many at a time; answers in their order.
pub(crate) async fn each<T, Doing>(
    items: impl IntoIterator<Item = T>,
    at_once: usize,
    act: impl FnMut(T) -> Doing,
) -> Vec<Doing::Output>
where
    Doing: Future<Output: Send> + Send,
{
    let begun = items.into_iter().map(act).map(Box::pin);
    let mut all: Vec<Work<Doing>> = begun.map(Work::UnderWay).collect();
    let unfinished = all.iter_mut().map(|work| work as &mut dyn Finish);
    finish(unfinished.collect(), at_once).await;
    all.into_iter().filter_map(Work::output).collect()
}

/// Something that is done, or was. It keeps its output, so that what drives it need not know the output's type.
enum Work<Doing: Future> {
    UnderWay(Pin<Box<Doing>>),
    Done(Doing::Output),
}

impl<Doing: Future> Work<Doing> {
    fn output(self) -> Option<Doing::Output> {
        match self {
            Self::UnderWay(_) => None,
            Self::Done(output) => Some(output),
        }
    }
}

trait Finish: Send {
    /// Goes on with it; whether it is done.
    fn is_done(&mut self, context: &mut Context<'_>) -> bool;
}

impl<Doing> Finish for Work<Doing>
where
    Doing: Future<Output: Send> + Send,
{
    fn is_done(&mut self, context: &mut Context<'_>) -> bool {
        if let Self::UnderWay(doing) = self
            && let Poll::Ready(output) = doing.as_mut().poll(context)
        {
            *self = Self::Done(output);
        }
        matches!(self, Self::Done(_))
    }
}

/// Waits until all of it is done. Only the first so many are gone on with: the others move up.
async fn finish(mut unfinished: Vec<&mut dyn Finish>, at_once: usize) {
    poll_fn(|context| {
        loop {
            let (before, mut place) = (unfinished.len(), 0);
            unfinished.retain_mut(|work| {
                place += 1;
                place > at_once || !work.is_done(context)
            });
            match unfinished.len() {
                0 => return Poll::Ready(()),
                left if left == before => return Poll::Pending,
                _ => {}
            }
        }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;
    use crate::platform::clock::sleep;

    #[tokio::test]
    async fn so_many_are_done_at_a_time_and_answered_in_their_order() {
        let (under_way, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        // The first takes longest.
        let answers = each([40, 10, 30, 0, 20], 2, |millis| {
            let (under_way, most) = (&under_way, &most);
            async move {
                most.fetch_max(
                    under_way.fetch_add(1, Ordering::Relaxed) + 1,
                    Ordering::Relaxed,
                );
                sleep(Duration::from_millis(millis)).await;
                under_way.fetch_sub(1, Ordering::Relaxed);
                millis + 1
            }
        });
        assert_eq!(answers.await, [41, 11, 31, 1, 21]);
        assert_eq!(most.into_inner(), 2);
        assert_eq!(under_way.into_inner(), 0);
    }

    #[tokio::test]
    async fn nothing_to_do_is_done() {
        assert!(each([], 1, async |(): ()| ()).await.is_empty());
    }
}
