//! What the program can be told to do: one verb each.

pub(crate) mod check;
pub(crate) mod migrate;
pub(crate) mod policy;
pub(crate) mod rerun;
pub(crate) mod start;
pub(crate) mod stop;
pub(crate) mod summary;
pub(crate) mod sweep;
