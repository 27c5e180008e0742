//! Why an exchange failed, out of the errors that libraries wrap around one another.

use std::error::Error;

/// An exchange that ended without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unanswered {
    /// The cause at the end of the chain: the only one that says something.
    pub message: String,
    /// Whether the request may have reached the server. Where no connection was made, it cannot have acted.
    pub was_sent: bool,
}

impl Unanswered {
    pub(crate) fn new(error: &(dyn Error + 'static)) -> Self {
        Self {
            message: innermost(error),
            was_sent: !never_left(error),
        }
    }

    /// A request that was sent, and a message of our own.
    pub(crate) fn sent(message: String) -> Self {
        Self {
            message,
            was_sent: true,
        }
    }
}

/// The cause at the end of a chain of errors, shortened.
pub(crate) fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    shortened(&cause.to_string())
}

/// The longest part of a foreign message that is kept.
const LONGEST: usize = 500;

/// A message of a server or a library, cut where it is too long for a log.
pub(crate) fn shortened(message: &str) -> String {
    match message.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

/// Whether the request never left this machine: no address for the name, a connection that was refused, no file descriptor.
#[cfg(not(target_family = "wasm"))]
fn never_left(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let connecting = error.downcast_ref::<hyper_util::client::legacy::Error>();
        if connecting.is_some_and(hyper_util::client::legacy::Error::is_connect) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// What the host says about a request that it could not carry out.
#[cfg(target_family = "wasm")]
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct HostError {
    pub message: String,
    /// Whether no connection was made, so that nothing was asked.
    pub never_left: bool,
}

/// As the portable build's host says.
#[cfg(target_family = "wasm")]
fn never_left(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<HostError>() {
            return error.never_left;
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_are_cut() {
        assert_eq!(shortened("short"), "short");
        let cut = shortened(&"é".repeat(100_000));
        assert_eq!(cut.chars().count(), LONGEST + 1);
        assert!(cut.ends_with('…'));
    }

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn the_cause_is_what_the_innermost_says() {
        let error = Outer(std::io::Error::other("connection reset"));
        assert_eq!(innermost(&error), "connection reset");
        assert_eq!(
            Unanswered::new(&error),
            Unanswered::sent("connection reset".to_owned())
        );
    }
}
