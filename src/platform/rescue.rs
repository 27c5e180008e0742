//! A panic is a bug of ours; what was launched until then must still be ended.
//!
//! A release aborts on a panic, so that nothing unwinds: the hook is the last code that runs, and a thread of its own does
//! the work, because the one that panicked may hold the runtime.

use std::panic::PanicHookInfo;
use std::sync::{Mutex, PoisonError};

type Undo = Box<dyn FnOnce() + Send>;

static UNDO: Mutex<Option<Undo>> = Mutex::new(None);

/// From now on, a panic is reported and ends the program with code 1, after what was armed.
pub(crate) fn install(report: impl Fn(&PanicHookInfo<'_>) + Send + Sync + 'static) {
    std::panic::set_hook(Box::new(move |panic| {
        report(panic);
        // Whoever panics while an undo runs waits for its end: the lock is held until then.
        let mut undo = UNDO.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(undo) = undo.take() {
            // A panic in there is the end.
            let _ = std::thread::spawn(undo).join();
        }
        std::process::exit(1);
    }));
}

/// What a panic is to do from now on.
#[cfg_attr(
    target_family = "wasm",
    expect(dead_code, reason = "a rescue from a panic needs a thread")
)]
pub(crate) fn arm(undo: impl FnOnce() + Send + 'static) {
    *UNDO.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(undo));
}

/// Nothing is left to undo.
pub(crate) fn disarm() {
    *UNDO.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

/// The tests see with it that a panic leaves nothing behind; no release has it.
#[cfg(debug_assertions)]
pub(crate) fn panic_for_a_test() {
    let is_asked_for = std::env::var_os("SPRINTERS_TEST_PANIC").is_some();
    assert!(!is_asked_for, "asked for by SPRINTERS_TEST_PANIC");
}
