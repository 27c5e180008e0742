//! What runs futures: tokio's runtime on one thread, or wstd's executor in the portable build.

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

/// Begins a task of the set.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn spawn<T: Send + 'static>(
    tasks: &mut JoinSet<T>,
    work: impl Future<Output = T> + Send + 'static,
) {
    tasks.spawn(work);
}

/// Begins a task of the set.
#[cfg(target_family = "wasm")]
pub(crate) fn spawn<T: 'static>(tasks: &mut JoinSet<T>, work: impl Future<Output = T> + 'static) {
    tasks.spawn_local(work);
}
