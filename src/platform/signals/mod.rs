//! A cancel. GitHub sends SIGINT, 7.5 seconds later SIGTERM, 2.5 seconds later SIGKILL.

use std::time::Duration;

#[cfg(not(target_family = "wasm"))]
#[path = "native.rs"]
mod system;
#[cfg(target_family = "wasm")]
#[path = "wasi.rs"]
mod system;

pub(crate) use system::Cancel;

/// How long an undo may take after a cancel: GitHub's 7.5 seconds, less some room for the last answer.
pub(crate) const UNDO_WITHIN: Duration = Duration::from_millis(6_800);
