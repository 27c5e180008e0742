//! Checks whether an IAM policy fits Sprinters: parse → lint → evaluate → verdict.
//!
//! Pure: no I/O, no clock, no panics. The native binary calls [`Checker`], browsers and Node
//! the same through `bindings`, and both print the same [`Report`].

mod advice;
pub mod arn;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
#[expect(
    unreachable_pub,
    reason = "what wasm-bindgen exports is reached from JavaScript"
)]
mod bindings;
mod check;
pub mod code;
pub mod compare;
pub mod data;
pub mod evaluate;
mod fix;
pub mod json;
mod lint;
pub mod operator;
mod options;
pub mod pattern;
pub mod policy;
pub mod position;
#[cfg(any(all(target_arch = "wasm32", target_os = "unknown"), test))]
mod question;
pub mod report;
pub mod simulate;
pub mod size;
mod tighten;
pub mod verdict;
#[cfg(any(all(target_arch = "wasm32", target_os = "unknown"), test))]
mod write;

pub use check::{Checker, apply};
pub use data::Catalog;
pub use options::Options;
pub use report::{Edit, Finding, Fix, List, Location, Range, Report};
pub use size::Target;
pub use tighten::tighten;
pub use verdict::{Decision, Feature, Setup, Verdict};
