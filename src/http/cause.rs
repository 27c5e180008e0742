//! Why something failed, out of the errors that libraries wrap around one another.

/// The cause at the end of a chain of errors: the only one that says something.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
