//! The operating system, or WASI: signals, timers, and what runs futures.

pub(crate) mod clock;
pub(crate) mod executor;
pub(crate) mod files;
pub(crate) mod rescue;
pub(crate) mod signals;
#[cfg(target_family = "wasm")]
pub(crate) mod wasi;

/// The level of the program's own events. What is released has no events of lower levels: only libraries emit those, and nobody is
/// shown them.
pub(crate) const OWN_EVENTS: tracing::Level = tracing::Level::ERROR;

/// A variable of the environment; an empty one is absent, as in GitHub's own toolkit.
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
