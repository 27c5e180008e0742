//! What wakes the runtime in the portable build: WASI's pollables.
//!
//! tokio runs there as everywhere else, with its tasks and timers, but knows of no answer that the host is waiting for. So
//! each time that it would go to sleep, this waits in its place: until the host has something, or a short while, after which
//! tokio looks at its timers.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use wasip2::cli::exit::exit_with_code;
use wasip2::clocks::monotonic_clock::subscribe_duration;
use wasip2::io::poll::{Pollable, poll};
use wasip2::random::random::get_random_u64;

/// No timer rings later than this after its time. Waiting costs next to nothing: a hundred calls of the host a second.
const TICK_NANOSECONDS: u64 = 10_000_000;

static WAITING: Mutex<Waiting> = Mutex::new(Waiting {
    program: None,
    pollables: Vec::new(),
});

/// Who waits for what.
struct Waiting {
    /// Woken at every turn, so that tokio never sleeps by itself.
    program: Option<Waker>,
    pollables: Vec<(Arc<Pollable>, Waker)>,
}

/// Nobody panics while holding it.
fn waiting() -> MutexGuard<'static, Waiting> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does what comes before `main`: the C library's list of folders is filled by a constructor, and the crate behind `wasip2` has
/// told the linker that it calls all constructors itself.
pub(crate) fn set_up() {
    wit_bindgen::rt::run_ctors_once();
    // Left alone, it would take the clock for its seed: names and client tokens must differ whatever a host's clock says.
    fastrand::seed(get_random_u64());
}

/// WASI's plain way out knows success and failure alone.
pub(crate) fn exit(code: u8) {
    exit_with_code(code);
}

/// tokio's runtime, kept awake.
pub(crate) struct Runtime(tokio::runtime::Runtime);

impl Runtime {
    pub(crate) fn new() -> io::Result<Self> {
        tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .on_thread_park(turn)
            .build()
            .map(Self)
    }

    pub(crate) fn block_on<F: Future>(&self, program: F) -> F::Output {
        let mut program = pin!(program);
        self.0.block_on(poll_fn(|context| {
            waiting().program = Some(context.waker().clone());
            program.as_mut().poll(context)
        }))
    }
}

/// Waits until the host has something for somebody, but not for long.
fn turn() {
    let tick = subscribe_duration(TICK_NANOSECONDS);
    let (pollables, wakers): (Vec<_>, Vec<_>) = waiting().pollables.iter().cloned().unzip();
    let mut asked: Vec<&Pollable> = pollables.iter().map(AsRef::as_ref).collect();
    asked.push(&tick);
    for index in poll(&asked) {
        // The tick is the one without a waker.
        if let Some(waker) = wakers.get(index as usize) {
            waker.wake_by_ref();
        }
    }
    if let Some(program) = &waiting().program {
        program.wake_by_ref();
    }
}

/// Waits for a pollable.
pub(crate) fn ready(pollable: Pollable) -> Ready {
    Ready(Arc::new(pollable))
}

/// One that is waited for; forgotten when it is dropped.
pub(crate) struct Ready(Arc<Pollable>);

impl Future for Ready {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0.ready() {
            return Poll::Ready(());
        }
        let mut waiting = waiting();
        let mut known = waiting.pollables.iter_mut();
        match known.find(|(pollable, _)| Arc::ptr_eq(pollable, &self.0)) {
            Some((_, waker)) => waker.clone_from(context.waker()),
            None => waiting
                .pollables
                .push((self.0.clone(), context.waker().clone())),
        }
        Poll::Pending
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        let mut waiting = waiting();
        waiting
            .pollables
            .retain(|(pollable, _)| !Arc::ptr_eq(pollable, &self.0));
    }
}
