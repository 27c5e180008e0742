//! Launching one runner: what to try in which order, the runner record, `RunInstances`, and a journal of what may exist.

pub(crate) mod ahead;
pub(crate) mod attempt;
pub(crate) mod boot_volume;
pub(crate) mod candidates;
pub(crate) mod capacity;
pub(crate) mod context;
pub(crate) mod deadlines;
pub(crate) mod error;
pub(crate) mod instance_proxy;
pub(crate) mod journal;
pub(crate) mod mint;
pub(crate) mod plan;
pub(crate) mod prepare;
pub(crate) mod rate_limit;
mod region_entries;
mod region_options;
pub(crate) mod region_spec;
pub(crate) mod registrar;
pub(crate) mod runner;
pub(crate) mod runner_group;
pub(crate) mod spec;
pub(crate) mod undo;
pub(crate) mod user_data;
