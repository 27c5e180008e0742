//! What the checker says, in the shape of `aws accessanalyzer validate-policy`.
//! One set of types for the terminal, the browser and the workflow step.

use serde::{Deserialize, Serialize};

pub use crate::finding::{Finding, Location, Range};
use crate::headline::Headline;
use crate::issue_code::FindingType;
use crate::verdict::Verdict;

/// A change of the text; offsets are UTF-16 units of the text that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Edit {
    /// First unit to replace.
    pub start: u32,
    /// One past the last unit to replace.
    pub end: u32,
    /// What to put there.
    pub new_text: String,
}

/// A change that removes one finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// The list that holds the finding: `findings` or `advice`.
    pub list: List,
    /// Its index there.
    pub finding: usize,
    /// What it does, in a few words.
    pub title: String,
    /// The edits, in order, not overlapping.
    pub edits: Vec<Edit>,
}

/// One of the report's two lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum List {
    /// Access Analyzer's checks.
    Findings,
    /// Sprinters' own.
    Advice,
}

/// Everything about one policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The answer in one sentence.
    pub headline: Headline,
    /// The checks of Access Analyzer.
    pub findings: Vec<Finding>,
    /// Whether the policy grants what the chosen features need.
    pub verdict: Verdict,
    /// Sprinters' own advice.
    pub advice: Vec<Finding>,
    /// The changes that can be applied.
    pub fixes: Vec<Fix>,
    /// What is not granted only because of an error somewhere else.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub causes: Vec<Cause>,
}

/// A permission that is not granted, or not surely, only because of one finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// The permission's action.
    pub action: String,
    /// The finding, by its index.
    pub finding: usize,
    /// The finding's line, from 1.
    pub line: u32,
}

impl Report {
    /// Whether a finding or a piece of advice of type ERROR is there.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        let all = self.findings.iter().chain(&self.advice);
        all.into_iter()
            .any(|f| f.finding_type == FindingType::Error)
    }
}
