//! Checks whether an IAM policy fits Sprinters: parse → lint → evaluate → verdict.
//!
//! Pure: no I/O, no clock, no panics. The native binary calls [`Checker`], browsers and Node
//! the same through `bindings`, and both print the same [`Report`].

/// As the standard library's, whose way for texts without arguments is written anew at each call.
macro_rules! format {
    ($($arguments:tt)*) => { $crate::text::formatted(format_args!($($arguments)*)) };
}

mod advice;
pub mod arn;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
#[expect(
    unreachable_pub,
    reason = "what wasm-bindgen exports is reached from JavaScript"
)]
mod bindings;
mod cause;
mod check;
pub mod data;
pub mod evaluate;
mod finding;
mod fix;
mod fix_all;
pub mod headline;
pub mod issue_code;
pub mod json;
mod lint;
pub mod operator;
mod options;
#[cfg(any(all(target_arch = "wasm32", target_os = "unknown"), test))]
mod options_json;
mod paste;
pub mod pattern;
pub mod policy;
pub mod position;
pub mod region;
mod remedy;
pub mod report;
#[cfg(any(all(target_arch = "wasm32", target_os = "unknown"), test))]
mod report_json;
pub mod simulate;
pub mod size;
mod statement;
mod swar;
pub mod tags;
mod text;
mod tighten;
mod trial;
pub mod values;
pub mod verdict;

pub use check::{Checker, apply};
pub use data::Catalog;
pub use fix_all::{Done, Fixed};
pub use headline::Headline;
pub use options::Options;
pub use paste::READ_AS_UTF_16;
pub use report::{Cause, Edit, Finding, Fix, List, Location, Range, Report};
pub use size::Target;
pub use tighten::tighten;
pub use verdict::{Decision, Feature, Refusal, Setup, Verdict};
