//! One line of a check's result, and how what it is about stands.

use std::fmt::Display;

/// How a checked thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckStatus {
    Done,
    Missing,
    /// It cannot be known from here.
    Unknown,
    /// It could be known, but there was no answer.
    Unanswered,
}

/// One line of the result.
#[derive(Debug)]
pub(crate) struct CheckResult {
    pub mark: CheckStatus,
    pub subject: String,
    /// What is wrong and what to do, where something is.
    pub remedy: Option<String>,
}

impl CheckResult {
    pub(crate) fn fine(subject: impl Into<String>) -> Self {
        Self {
            mark: CheckStatus::Done,
            subject: subject.into(),
            remedy: None,
        }
    }

    pub(crate) fn missing(subject: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            mark: CheckStatus::Missing,
            subject: subject.into(),
            remedy: Some(remedy.into()),
        }
    }

    /// Nobody could tell now, which says nothing about the set-up.
    pub(crate) fn unanswered(subject: impl Into<String>, why: impl Display) -> Self {
        Self {
            mark: CheckStatus::Unanswered,
            subject: subject.into(),
            remedy: Some(format!("not checked: {why}")),
        }
    }
}
