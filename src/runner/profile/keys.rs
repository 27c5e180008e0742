//! Which keys a profile file may have: those of the inputs, so that each new input is one at once.

use crate::inputs::{INPUTS, Input, Mode};

/// The sections whose keys are inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// `defaults`, and each of `runners`.
    Runner,
    /// `aws`.
    Aws,
    /// `github`.
    Github,
}

/// What a key's value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// One text, number or flag.
    Scalar,
    /// Several of them, or one text with commas.
    List,
    /// A mapping of texts, or the list that the AWS CLI takes.
    Tags,
}

impl Section {
    /// The section that an input belongs into; `None` where it cannot stand in the file.
    pub(super) fn of(input: &Input) -> Option<Self> {
        let is_listener_s = matches!(input.name, "max-runners" | "min-runners" | "for");
        let is_ours = (input.modes.contains(&Mode::Start) || is_listener_s)
            && !matches!(input.name, "runner" | "group" | "profiles");
        let section = match input.name {
            name if name.starts_with("aws-") => Self::Aws,
            name if name.starts_with("github-") => Self::Github,
            "scope" | "runner-group" => Self::Github,
            _ => Self::Runner,
        };
        is_ours.then_some(section)
    }

    /// The input's key in its section.
    pub(super) fn key(self, input: &Input) -> &'static str {
        let prefix = match self {
            Self::Runner => "",
            Self::Aws => "aws-",
            Self::Github => "github-",
        };
        input.name.strip_prefix(prefix).unwrap_or(input.name)
    }

    /// Keys and their inputs, secrets included: those are told apart only to say that they do not belong here.
    pub(super) fn inputs(self) -> impl Iterator<Item = (&'static str, &'static Input)> {
        INPUTS
            .iter()
            .filter(move |input| Self::of(input) == Some(self))
            .map(move |input| (self.key(input), input))
    }

    /// Where it stands in the file, for messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Runner => "runners.<name>",
            Self::Aws => "aws",
            Self::Github => "github",
        }
    }
}

/// The key of `aws` that is not an input.
pub(super) const ACCOUNT: &str = "account";
/// The key of a runner that is not an input.
pub(super) const EXTEND: &str = "extend";

pub(super) fn shape(input: &Input) -> Shape {
    match input.name {
        "aws-region"
        | "image"
        | "instance-type"
        | "availability-zone"
        | "subnet"
        | "security-group"
        | "labels"
        | "fallback-on"
        | "launch-template"
        | "capacity-reservation" => Shape::List,
        "tags" => Shape::Tags,
        _ => Shape::Scalar,
    }
}
