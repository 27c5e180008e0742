//! A cancel. GitHub sends SIGINT, 7.5 seconds later SIGTERM, 2.5 seconds later SIGKILL.

pub(crate) mod budget;

#[cfg(not(target_family = "wasm"))]
#[path = "native.rs"]
mod system;
#[cfg(target_family = "wasm")]
#[path = "wasi.rs"]
mod system;

pub(crate) use system::Cancel;
