//! What is wrong with inputs.

use std::fmt;

use super::{INPUTS, Inputs};
use crate::spec::list::closest;

/// An input that cannot be used: its name, its value where it may be shown, and what is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InputError {
    pub input: String,
    pub value: Option<String>,
    pub accepted: String,
}

impl InputError {
    pub(crate) fn wrong(input: &str, value: &str, accepted: &str) -> Self {
        Self {
            input: input.to_owned(),
            value: Some(value.to_owned()),
            accepted: accepted.to_owned(),
        }
    }

    pub(crate) fn missing(input: &str, accepted: &str) -> Self {
        Self {
            input: input.to_owned(),
            value: None,
            accepted: accepted.to_owned(),
        }
    }

    pub(super) fn unknown(name: &str) -> Self {
        let names: Vec<&str> = INPUTS.iter().map(|input| input.name).collect();
        let hint = closest(name, &names)
            .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        Self::missing(name, &format!("no input has this name{hint}"))
    }

    /// The longest part of a value that a message shows.
    const SHOWN: usize = 120;
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            input,
            value,
            accepted,
        } = self;
        // GitHub sets some of them as variables, which nobody should look for among the inputs.
        let kind = if input.contains(|c: char| c.is_ascii_uppercase()) {
            "variable"
        } else {
            "input"
        };
        match value {
            None => write!(f, "{kind} `{input}`: {accepted}"),
            Some(value) => {
                let line = value.lines().next().unwrap_or_default();
                let shown: String = line.chars().take(Self::SHOWN).collect();
                let more = if shown.len() < value.len() { "…" } else { "" };
                write!(
                    f,
                    "{kind} `{input}` is `{shown}{more}`; accepted: {accepted}"
                )
            }
        }
    }
}

/// Collects every wrong input, so that a person mends them all in one go.
#[derive(Default)]
pub(crate) struct Problems(Vec<InputError>);

impl Problems {
    /// Keeps the value, or the error.
    pub(crate) fn take<T>(&mut self, result: Result<T, InputError>) -> Option<T> {
        result.map_err(|error| self.0.push(error)).ok()
    }

    /// Parses an optional input.
    pub(crate) fn optional<T>(
        &mut self,
        inputs: &Inputs,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = inputs.get(name)?;
        self.take(parse(text).map_err(|accepted| InputError::wrong(name, text, &accepted)))
    }

    pub(crate) fn push(&mut self, error: InputError) {
        self.0.push(error);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn into_errors(self) -> Vec<InputError> {
        self.0
    }
}
