//! What is wrong with inputs.

use std::fmt;

use super::{Inputs, SourceSpan};

/// An input that cannot be used: its name, its value where it may be shown, and what is accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InputError {
    pub input: String,
    pub value: Option<String>,
    pub accepted: String,
    /// Where the value stands, if it came from a label or a profile.
    pub place: Option<Box<SourceSpan>>,
}

impl InputError {
    pub(crate) fn wrong(input: &str, value: &str, accepted: &str) -> Self {
        Self {
            input: input.to_owned(),
            value: Some(value.to_owned()),
            accepted: accepted.to_owned(),
            place: None,
        }
    }

    pub(crate) fn new(input: &str, accepted: &str) -> Self {
        Self {
            input: input.to_owned(),
            value: None,
            accepted: accepted.to_owned(),
            place: None,
        }
    }

    /// Points to where the value stands.
    pub(crate) fn at(mut self, place: Option<SourceSpan>) -> Self {
        self.place = self.place.or_else(|| place.map(Box::new));
        self
    }

    /// What is wrong at that place of a label or a profile.
    fn show_at(&self, place: &SourceSpan) -> String {
        match &self.value {
            None => place.show(&format!("`{}`: {}", self.input, self.accepted), None),
            Some(value) => {
                let shown = Self::shown(value);
                let title = match shown.as_str() {
                    "" => format!("something is missing in `{}`", self.input),
                    shown => format!("`{shown}` does not fit `{}`", self.input),
                };
                place.show(&title, Some(&self.accepted))
            }
        }
    }

    fn shown(value: &str) -> String {
        let line = value.lines().next().unwrap_or_default();
        let shown: String = line.chars().take(Self::SHOWN).collect();
        let more = if shown.len() < value.len() { "…" } else { "" };
        format!("{shown}{more}")
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
            place,
        } = self;
        if let Some(place) = place {
            return f.write_str(&self.show_at(place));
        }
        // GitHub sets some of them as variables, which nobody should look for among the inputs.
        let kind = if input.contains('/') {
            "file"
        } else if input.contains(|c: char| c.is_ascii_uppercase()) {
            "variable"
        } else {
            "input"
        };
        match value {
            None => write!(f, "{kind} `{input}`: {accepted}"),
            Some(value) => {
                let shown = Self::shown(value);
                write!(f, "{kind} `{input}` is `{shown}`; accepted: {accepted}")
            }
        }
    }
}

/// Collects every wrong input, so that all can be fixed in one go.
#[derive(Default)]
pub(crate) struct Problems(Vec<InputError>);

impl Problems {
    /// With the names that no input has.
    pub(crate) fn of(inputs: &Inputs) -> Self {
        Self(inputs.unknown().to_vec())
    }

    /// Keeps the value, or the error.
    pub(crate) fn collect<T>(&mut self, result: Result<T, InputError>) -> Option<T> {
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
        self.collect(parse(text).map_err(|accepted| InputError::wrong(name, text, &accepted)))
    }

    pub(crate) fn push(&mut self, error: InputError) {
        self.0.push(error);
    }

    /// As `collect`, for what is parsed several times: the same error is reported once.
    pub(crate) fn collect_once<T>(&mut self, result: Result<T, InputError>) -> Option<T> {
        let new = |error: InputError| {
            if !self.0.contains(&error) {
                self.0.push(error);
            }
        };
        result.map_err(new).ok()
    }

    /// Takes over what is wrong with one of several runners; what is wrong with all of them is reported once.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn adopt(&mut self, others: Self, inputs: &Inputs) {
        for error in others.located(inputs) {
            let message = error.to_string();
            if self.0.iter().all(|known| known.to_string() != message) {
                self.0.push(error);
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn into_errors(self) -> Vec<InputError> {
        self.0
    }

    /// The errors, each with the place where its value stands in a label or a profile.
    pub(crate) fn located(self, inputs: &Inputs) -> Vec<InputError> {
        let located = |mut error: InputError| {
            let found = inputs.place(&error.input, &error.accepted);
            if let (None, Some((place, text))) = (&error.place, found) {
                error.value = Some(text.to_owned());
                error = error.at(Some(place.clone()));
            }
            error
        };
        self.0.into_iter().map(located).collect()
    }
}
