//! One line of a check's result.

use super::Mark;

/// One line of the result.
#[derive(Debug)]
pub(crate) struct Finding {
    pub mark: Mark,
    pub subject: String,
    /// What is wrong and what to do, where something is.
    pub remedy: Option<String>,
}

impl Finding {
    pub(crate) fn fine(subject: impl Into<String>) -> Self {
        Self {
            mark: Mark::Done,
            subject: subject.into(),
            remedy: None,
        }
    }

    pub(crate) fn missing(subject: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            mark: Mark::Missing,
            subject: subject.into(),
            remedy: Some(remedy.into()),
        }
    }
}
