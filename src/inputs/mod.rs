//! The inputs of one invocation.
//!
//! A value comes from a flag, else from `SPRINTERS_INPUTS` (the action's inputs as one JSON object), else from the
//! environment variable that the table names. An omitted action input arrives as `""`, which means absent.

mod error;
mod mode;
mod table;

pub(crate) use error::{InputError, Problems};
pub(crate) use mode::Mode;
pub(crate) use table::INPUTS;

use std::collections::BTreeMap;

/// The input values of one invocation.
#[derive(Default)]
pub(crate) struct Inputs(BTreeMap<&'static str, String>);

impl Inputs {
    /// Puts flags, the action's JSON object and the environment together. Returns the object's `mode`, too.
    pub(crate) fn gather(
        flags: BTreeMap<&'static str, String>,
        json: Option<&str>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<(Option<String>, Self), InputError> {
        let mut object: BTreeMap<String, String> = match json {
            Some(json) => serde_json::from_str(json).map_err(|error| InputError {
                input: "SPRINTERS_INPUTS".to_owned(),
                value: None,
                // serde_json's message can quote the text, and the text holds secrets: only the place is told.
                accepted: format!(
                    "one JSON object of strings, as `toJSON(inputs)` makes it; it does not parse at line {}, column {}",
                    error.line(),
                    error.column()
                ),
            })?,
            None => BTreeMap::new(),
        };
        let mode = object.remove("mode").filter(|mode| !mode.trim().is_empty());
        let mut values = flags;
        for input in INPUTS {
            let from_object = object.remove(input.name);
            if values
                .get(input.name)
                .is_some_and(|value| !value.trim().is_empty())
            {
                continue;
            }
            let from_environment = || input.environment.iter().find_map(|name| environment(name));
            let value = from_object
                .filter(|value| !value.trim().is_empty())
                .or_else(from_environment);
            if let Some(value) = value.filter(|value| !value.trim().is_empty()) {
                values.insert(input.name, value);
            }
        }
        match object.into_keys().next() {
            Some(unknown) => Err(InputError::unknown(&unknown)),
            None => Ok((mode, Self(values))),
        }
    }

    /// The value of an input, without white space around it; `None` where it is absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        debug_assert!(
            INPUTS.iter().any(|input| input.name == name),
            "{name} is not in the table"
        );
        self.0
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// The secret values, to be masked before anything is printed.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        INPUTS
            .iter()
            .filter(|input| input.secret)
            .filter_map(|input| self.get(input.name))
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    fn gather(
        flags: &[(&'static str, &str)],
        json: Option<&str>,
    ) -> Result<(Option<String>, Inputs), InputError> {
        let flags = flags
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        Inputs::gather(flags, json, |name| {
            (name == "AWS_REGION").then(|| "us-west-2".to_owned())
        })
    }

    #[test]
    fn flags_then_json_then_environment() {
        let json =
            r#"{"mode": "stop", "spot": "auto", "image": "", "aws-region": "", "count": "2"}"#;
        let gathered = gather(&[("count", "3")], Some(json));
        assert!(gathered.is_ok_and(|(mode, inputs)| {
            mode.as_deref() == Some("stop")
                && inputs.get("spot") == Some("auto")
                && inputs.get("image").is_none()
                && inputs.get("aws-region") == Some("us-west-2")
                && inputs.get("count") == Some("3")
        }));
    }

    #[test]
    fn an_unknown_input_gets_a_suggestion() {
        let error = gather(&[], Some(r#"{"instance-typ": "x"}"#))
            .err()
            .map(|e| e.to_string());
        assert_eq!(
            error.as_deref(),
            Some("input `instance-typ`: no input has this name; did you mean `instance-type`?")
        );
    }

    #[test]
    fn broken_json_never_shows_its_text() {
        let error = gather(&[], Some(r#"{"github-token": "hush" x"#))
            .err()
            .map(|e| e.to_string());
        assert!(error.is_some_and(|e| e.contains("line 1") && !e.contains("hush")));
    }

    #[test]
    fn long_values_are_cut() {
        let error = InputError::wrong("setup", &"x".repeat(500), "less").to_string();
        assert!(error.contains('…') && error.len() < 200);
    }
}
