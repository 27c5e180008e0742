//! What runs futures: tokio's runtime on one thread, or wstd's executor in the portable build.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

#[cfg(not(target_family = "wasm"))]
use anyhow::Context;
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

/// Does something for each item, so many at a time; answers in their order. Nothing is begun before its turn: what is under way
/// takes tens of kilobytes, and there may be a thousand items.
pub(crate) fn each<T, Doing>(
    items: impl IntoIterator<Item = T>,
    at_once: usize,
    mut act: impl FnMut(T) -> Doing + Send,
) -> impl Future<Output = Vec<Doing::Output>> + Send
where
    T: Send,
    Doing: Future<Output: Send> + Send,
{
    let items = Vec::from_iter(items).into_iter();
    async move {
        let mut works = items.map(|item| -> Work<'_, Doing::Output> { Box::pin(act(item)) });
        in_turn(&mut works, at_once).await
    }
}

/// What is done for an item. In a box, so that what goes on with it is compiled once for each kind of answer.
type Work<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

async fn in_turn<'a, T: Send>(
    works: &mut (dyn Iterator<Item = Work<'a, T>> + Send + '_),
    at_once: usize,
) -> Vec<T> {
    let mut outputs = Vec::new();
    let mut under_way = Vec::new();
    poll_fn(|context| {
        loop {
            while under_way.len() < at_once
                && let Some(work) = works.next()
            {
                under_way.push((outputs.len(), work));
                outputs.push(None);
            }
            let before = under_way.len();
            under_way.retain_mut(|(place, work)| match work.as_mut().poll(context) {
                Poll::Ready(output) => {
                    if let Some(place) = outputs.get_mut(*place) {
                        *place = Some(output);
                    }
                    false
                }
                Poll::Pending => true,
            });
            if before == 0 {
                return Poll::Ready(());
            }
            if under_way.len() == before {
                return Poll::Pending;
            }
        }
    })
    .await;
    outputs.into_iter().flatten().collect()
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
    async fn nothing_is_begun_before_its_turn() {
        let begun = AtomicUsize::new(0);
        let most = each(0..9, 3, |place| {
            let others = begun.fetch_add(1, Ordering::Relaxed) + 1 - place;
            async move {
                sleep(Duration::from_millis(5)).await;
                others
            }
        });
        assert_eq!(begun.load(Ordering::Relaxed), 0);
        assert_eq!(most.await, [1; 9]);
        assert_eq!(begun.into_inner(), 9);
    }

    #[tokio::test]
    async fn nothing_to_do_is_done() {
        assert!(each([], 1, async |(): ()| ()).await.is_empty());
    }
}
