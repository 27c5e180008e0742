//! The inputs of one invocation.
//!
//! A value comes from a flag, else from `SPRINTERS_INPUTS` (the action's inputs as one JSON object), else from the label or
//! profile that `runner` names, else from the environment variable that the table names. An omitted action input arrives as
//! `""`, which means absent.

mod error;
mod layer;
mod listen_flags;
mod mode;
mod source;
mod table;

pub(crate) use error::{InputError, Problems};
pub(crate) use layer::{Layer, Placed};
pub(crate) use listen_flags::ListenFlags;
pub(crate) use mode::Mode;
pub(crate) use source::{Source, SourceSpan};
pub(crate) use table::{INPUTS, Input};

use std::collections::BTreeMap;

use crate::values::account::AccountId;

/// The input values of one invocation.
#[derive(Clone, Default)]
pub(crate) struct Inputs {
    given: BTreeMap<&'static str, String>,
    /// What `runner` stands for.
    layer: Layer,
    environment: BTreeMap<&'static str, String>,
    /// Names that are no input's.
    unknown: Vec<InputError>,
}

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
                // serde_json's message can quote the text, and the text holds secrets: only the place is reported.
                accepted: format!(
                    "one JSON object of strings, as `toJSON(inputs)` makes it; it does not parse at line {}, column {}",
                    error.line(),
                    error.column()
                ),
                place: None,
            })?,
            None => BTreeMap::new(),
        };
        let mode = object.remove("mode").filter(|mode| !mode.trim().is_empty());
        let is_there = |value: &String| !value.trim().is_empty();
        let mut inputs = Self {
            given: flags,
            ..Self::default()
        };
        inputs.given.retain(|_, value| is_there(value));
        for input in INPUTS {
            if let Some(value) = object.remove(input.name).filter(is_there) {
                inputs.given.entry(input.name).or_insert(value);
            }
            let variable = || input.environment.iter().find_map(|name| environment(name));
            if let Some(value) = variable().filter(is_there) {
                inputs.environment.insert(input.name, value);
            }
        }
        inputs.unknown = object.keys().map(|name| table::unknown(name)).collect();
        Ok((mode, inputs))
    }

    /// What is wrong with names of no input: reported together with what is wrong with the others.
    pub(crate) fn unknown(&self) -> &[InputError] {
        &self.unknown
    }

    /// Puts below the given inputs what `runner` stands for.
    pub(crate) fn with(mut self, layer: Layer) -> Self {
        self.layer = layer;
        self
    }

    /// The same inputs for one of the runners that `runner` names.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn for_runner(&self, name: &str) -> Self {
        let mut inputs = self.clone();
        inputs.given.insert("runner", name.to_owned());
        inputs
    }

    /// Fills in what the AWS profile of a person says, where nothing else names a region.
    pub(crate) fn with_region_of_profile(mut self, region: Option<String>) -> Self {
        if let Some(region) = region.filter(|_| self.get("aws-region").is_none()) {
            self.environment.insert("aws-region", region);
        }
        self
    }

    /// The value of an input, without white space around it; `None` where it is absent.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        debug_assert!(
            INPUTS.iter().any(|input| input.name == name),
            "{name} is not in the table"
        );
        let from_layer = || Some(self.layer.values.get(name)?.text.as_str());
        let from_environment = || Some(self.environment.get(name)?.as_str());
        self.given(name)
            .or_else(from_layer)
            .or_else(from_environment)
            .or_else(|| self.layer.defaults.get(name).copied())
            .map(str::trim)
            .filter(|value| !value.is_empty())
    }

    /// The value of a flag or of the action's own input, and of nothing else.
    pub(crate) fn given(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(|value| value.trim())
    }

    /// Where the value stands that the message is about, if it came from a label or a profile, and what stands there.
    pub(crate) fn place(&self, name: &str, message: &str) -> Option<(&SourceSpan, &str)> {
        if self.given.contains_key(name) {
            return None;
        }
        Some(self.layer.values.get(name)?.place_of(message))
    }

    /// The account that the credentials must belong to.
    pub(crate) fn account(&self) -> Option<&AccountId> {
        self.layer.account.as_ref()
    }

    /// What the log should say about `runner`.
    pub(crate) fn notes(&self) -> &[String] {
        &self.layer.notes
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
        let gathered = gather(&[], Some(r#"{"instance-typ": "x", "zzz": "x"}"#));
        let unknown = gathered.map(|(_, inputs)| inputs.unknown().to_vec());
        let messages: Vec<String> = unknown.iter().flatten().map(ToString::to_string).collect();
        assert_eq!(
            messages,
            [
                "input `instance-typ`: no input has this name; did you mean `instance-type`?",
                "input `zzz`: no input has this name"
            ]
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

    #[test]
    fn what_runner_stands_for_is_below_what_was_given_and_above_the_environment() {
        let source = std::sync::Arc::new(Source {
            name: "f".to_owned(),
            text: "spot".to_owned(),
        });
        let placed = |text: &str| Placed {
            text: text.to_owned(),
            place: SourceSpan::new(&source, 0..4),
            entries: vec![("m7i.large".to_owned(), SourceSpan::new(&source, 1..2))],
        };
        let layer = Layer {
            values: [
                ("spot", placed("true")),
                ("aws-region", placed("eu-west-1")),
                ("instance-type", placed("m7i.large, m7a.large")),
            ]
            .into(),
            account: "111122223333".parse().ok(),
            defaults: [("image", "ubuntu-22.04"), ("spot", "auto")].into(),
            notes: vec!["noted".to_owned()],
        };
        let (_, inputs) = gather(&[("spot", "false"), ("swap", " 4 ")], None)
            .unwrap_or_else(|error| unreachable!("{error}"));
        let inputs = inputs.with(layer);
        assert_eq!(inputs.get("spot"), Some("false"));
        assert_eq!(inputs.get("aws-region"), Some("eu-west-1"));
        assert_eq!(inputs.get("image"), Some("ubuntu-22.04"));
        assert_eq!(
            (inputs.get("swap"), inputs.given("swap")),
            (Some("4"), Some("4"))
        );
        assert_eq!(
            (inputs.given("image"), inputs.notes()),
            (None, &["noted".to_owned()][..])
        );
        assert_eq!(
            inputs.account().map(ToString::to_string).as_deref(),
            Some("111122223333")
        );
        let place = |name: &str, message: &str| {
            let found = inputs.place(name, message);
            found.map(|(place, text)| (place.to_string(), text.to_owned()))
        };
        assert_eq!(place("spot", ""), None, "a flag has no place");
        let whole = ("f:1:1".to_owned(), "m7i.large, m7a.large".to_owned());
        assert_eq!(place("instance-type", "no"), Some(whole));
        let entry = ("f:1:2".to_owned(), "m7i.large".to_owned());
        assert_eq!(place("instance-type", "`m7i.large` is none"), Some(entry));
        let kept = inputs
            .clone()
            .with_region_of_profile(Some("us-gov-west-1".to_owned()));
        assert_eq!(kept.get("aws-region"), Some("eu-west-1"));
    }

    #[test]
    fn a_person_s_profile_names_the_region_where_nothing_else_does() {
        let (_, inputs) = Inputs::gather(BTreeMap::new(), None, |_| None)
            .unwrap_or_else(|error| unreachable!("{error}"));
        let region = |region: Option<&str>| {
            let filled = inputs
                .clone()
                .with_region_of_profile(region.map(str::to_owned));
            filled.get("aws-region").map(str::to_owned)
        };
        assert_eq!(region(Some("eu-west-3")).as_deref(), Some("eu-west-3"));
        assert_eq!(region(None), None);
        let one = inputs.for_runner("linux");
        assert_eq!(
            (one.get("runner"), inputs.get("runner")),
            (Some("linux"), None)
        );
    }

    #[test]
    fn every_secret_is_masked_and_nothing_else() {
        let json = r#"{"github-token": "hush", "aws-secret-access-key": "hidden", "spot": "auto", "mode": " "}"#;
        let (mode, inputs) =
            gather(&[], Some(json)).unwrap_or_else(|error| unreachable!("{error}"));
        let mut secrets: Vec<&str> = inputs.secrets().collect();
        secrets.sort_unstable();
        assert_eq!((mode, secrets), (None, vec!["hidden", "hush"]));
    }

    #[test]
    fn a_value_of_the_longest_that_is_shown_is_shown_whole() {
        let shown =
            |length: usize| InputError::wrong("setup", &"x".repeat(length), "less").to_string();
        assert!(!shown(120).contains('…') && shown(121).contains("x…`"));
        let lines = InputError::wrong("setup", "one\ntwo", "less").to_string();
        assert_eq!(lines, "input `setup` is `one…`; accepted: less");
        let of = |name: &str| InputError::new(name, "no").to_string();
        assert_eq!(of("GITHUB_RUN_ID"), "variable `GITHUB_RUN_ID`: no");
        assert_eq!(
            of(".github/sprinters.yml"),
            "file `.github/sprinters.yml`: no"
        );
        assert_eq!(
            InputError::wrong("a/b", "x", "y").to_string(),
            "file `a/b` is `x`; accepted: y"
        );
    }

    #[test]
    fn the_same_problem_is_told_once() {
        let mut problems = Problems::default();
        assert!(problems.is_empty());
        let wrong = |name: &str| Err::<(), _>(InputError::new(name, "no"));
        assert_eq!(problems.collect_once(wrong("a")), None);
        assert_eq!(problems.collect_once(wrong("a")), None);
        assert_eq!(problems.collect_once(Ok(7)), Some(7));
        let mut others = Problems::default();
        others.push(InputError::new("a", "no"));
        others.push(InputError::new("b", "no"));
        problems.adopt(others, &Inputs::default());
        let told: Vec<String> = problems
            .into_errors()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(told, ["input `a`: no", "input `b`: no"]);
    }
}
