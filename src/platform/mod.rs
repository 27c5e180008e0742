//! The operating system, or WASI: signals and, in the portable build, what runs futures.

#[cfg(target_family = "wasm")]
pub(crate) mod reactor;
pub(crate) mod rescue;
pub(crate) mod signals;

/// A variable of the environment; an empty one is absent, as in GitHub's own toolkit.
pub(crate) fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
