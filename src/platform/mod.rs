//! The operating system, or WASI: signals and, in the portable build, what runs futures.

#[cfg(target_family = "wasm")]
pub(crate) mod reactor;
pub(crate) mod signals;
