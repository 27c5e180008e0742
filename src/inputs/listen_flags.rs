//! The flags of `listen` that are not inputs: they are about the process rather than the runners.

/// As they were given.
#[derive(Clone, Debug, Default)]
#[cfg_attr(
    target_family = "wasm",
    expect(dead_code, reason = "the portable build does not listen")
)]
pub(crate) struct ListenFlags {
    pub log: Option<String>,
    pub metrics: Option<String>,
    pub drain: Option<String>,
}
