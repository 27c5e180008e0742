//! The inputs: one table that the flags, the help, `action.yml` and the README all agree with.
//!
//! A value comes from a flag, else from `SPRINTERS_INPUTS` (the action's inputs as one JSON object), else from the
//! environment variable that the table names. An omitted action input arrives as `""`, which means absent.

use std::collections::BTreeMap;
use std::fmt;

use crate::spec::list::closest;

/// What Sprinters is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Start,
    Stop,
    Check,
    Sweep,
}

impl Mode {
    pub(crate) const ALL: [Self; 4] = [Self::Start, Self::Stop, Self::Check, Self::Sweep];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Check => "check",
            Self::Sweep => "sweep",
        }
    }

    /// Parses the mode's word.
    pub(crate) fn parse(word: &str) -> Result<Self, InputError> {
        Self::ALL
            .into_iter()
            .find(|mode| mode.name() == word)
            .ok_or_else(|| {
                let names = Self::ALL.map(Self::name);
                let mut accepted = "`start`, `stop`, `check` or `sweep`".to_owned();
                if let Some(near) = closest(word, &names) {
                    accepted = format!("{accepted}; did you mean `{near}`?");
                }
                InputError::wrong("mode", word, &accepted)
            })
    }
}

/// One input of the contract.
pub(crate) struct Input {
    /// Its name in `action.yml`, and its flag after `--`.
    pub name: &'static str,
    /// What stands for the value in the help.
    pub value: &'static str,
    pub help: &'static str,
    pub default: Option<&'static str>,
    pub modes: &'static [Mode],
    /// Environment variables that are read where the input is absent.
    pub environment: &'static [&'static str],
    /// Never printed, and masked in the log.
    pub secret: bool,
}

use Mode::{Check, Start, Stop, Sweep};

const EVERY: &[Mode] = &[Start, Stop, Check, Sweep];
const LAUNCH: &[Mode] = &[Start, Check];

const fn input(
    name: &'static str,
    value: &'static str,
    modes: &'static [Mode],
    help: &'static str,
) -> Input {
    Input {
        name,
        value,
        help,
        default: None,
        modes,
        environment: &[],
        secret: false,
    }
}

impl Input {
    const fn default(self, default: &'static str) -> Self {
        Self {
            default: Some(default),
            ..self
        }
    }

    const fn environment(self, environment: &'static [&'static str]) -> Self {
        Self {
            environment,
            ..self
        }
    }

    const fn secret(self) -> Self {
        Self {
            secret: true,
            ..self
        }
    }
}

/// Every input but `mode`, in the order in which people read them.
pub(crate) const INPUTS: &[Input] = &[
    input(
        "github-token",
        "TOKEN",
        EVERY,
        "Fine-grained token with the repository permission `Administration: write`",
    )
    .environment(&["SPRINTERS_TOKEN"])
    .secret(),
    input(
        "aws-access-key-id",
        "ID",
        EVERY,
        "AWS access key; without it the SDK's default credential chain applies",
    )
    .secret(),
    input(
        "aws-secret-access-key",
        "KEY",
        EVERY,
        "The access key's secret",
    )
    .secret(),
    input(
        "aws-session-token",
        "TOKEN",
        EVERY,
        "The session token of temporary credentials",
    )
    .secret(),
    input("aws-region", "REGION", EVERY, "AWS region")
        .environment(&["AWS_REGION", "AWS_DEFAULT_REGION"]),
    input(
        "image",
        "IMAGE",
        LAUNCH,
        "`ubuntu-24.04`, `ubuntu-22.04` (with `-arm` for arm64), `ami-…` or `resolve:ssm:…`",
    )
    .default("ubuntu-24.04"),
    input(
        "instance-type",
        "TYPES",
        LAUNCH,
        "Instance types in order of preference",
    )
    .default("t3.large, t4g.large for arm64"),
    input(
        "spot",
        "WHEN",
        LAUNCH,
        "`false`, `true`, or `auto`: spot first, on-demand where there is none",
    )
    .default("false"),
    input("availability-zone", "ZONES", LAUNCH, "Availability zones")
        .default("any zone of the default VPC"),
    input(
        "subnet",
        "SUBNETS",
        LAUNCH,
        "Subnets, `subnet-…` or `eu-central-1a=subnet-…`",
    )
    .default("the default VPC's"),
    input(
        "security-group",
        "GROUPS",
        LAUNCH,
        "Security groups, `sg-…`",
    )
    .default("the VPC's default group"),
    input(
        "instance-profile",
        "PROFILE",
        LAUNCH,
        "IAM instance profile for the job, name or ARN (needs `iam:PassRole`)",
    ),
    input(
        "root",
        "VOLUME",
        LAUNCH,
        "Root volume's performance, `gp3/<iops>/<throughput>`, `max` allowed",
    ),
    input("root-size", "GIB", LAUNCH, "Root volume's size in GiB")
        .default("30 for Ubuntu, else the image's"),
    input(
        "count",
        "N",
        LAUNCH,
        "How many runners to launch in one call",
    )
    .default("1"),
    input("labels", "LABELS", LAUNCH, "Extra runner labels"),
    input(
        "tags",
        "TAGS",
        LAUNCH,
        "Extra tags for instances and volumes, as YAML or JSON",
    ),
    input(
        "setup",
        "SCRIPT",
        LAUNCH,
        "Script that runs as root on the instance before the runner starts",
    ),
    input(
        "runner-home",
        "PATH",
        LAUNCH,
        "Folder of a runner that is already in the image",
    ),
    input("runner-user", "USER", LAUNCH, "Account that runs jobs").default("runner"),
    input(
        "start-timeout",
        "DURATION",
        LAUNCH,
        "How long the runner may take until it is online",
    )
    .default("5m"),
    input(
        "idle-timeout",
        "DURATION",
        LAUNCH,
        "How long the runner waits for its job before it powers off",
    )
    .default("10m"),
    input(
        "max-lifetime",
        "DURATION",
        LAUNCH,
        "When the instance powers off, whatever it does",
    )
    .default("6h"),
    input(
        "label",
        "LABELS",
        &[Stop],
        "Stop only the runners that have one of these labels",
    ),
    input("instance-id", "IDS", &[Stop], "Stop only these instances"),
];

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

    fn unknown(name: &str) -> Self {
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
