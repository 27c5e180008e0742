//! The job summary of a `sweep`.

/// What `sweep` ended.
pub(crate) fn swept(terminated: usize, deleted: usize, spared: usize, reruns: usize) -> String {
    format!(
        "### Sprinters: swept\n\nInstances terminated: {terminated}. Runner records deleted: {deleted}. Busy, spared: {spared}. Runs begun again: {reruns}.\n\n"
    )
}
