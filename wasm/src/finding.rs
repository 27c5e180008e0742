//! One finding, and where it is.

use serde::{Deserialize, Serialize};

use crate::issue_code::FindingType;
use crate::json::PathElement;
use crate::position::Position;

/// A range in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// Its start.
    pub start: Position,
    /// Its end, exclusive.
    pub end: Position,
}

/// Where a finding is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// The way from the document's root.
    pub path: Vec<PathElement>,
    /// The place in the text.
    pub span: Range,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What is wrong and what to do.
    pub finding_details: String,
    /// How much it matters.
    pub finding_type: FindingType,
    /// The check's name.
    pub issue_code: String,
    /// Where AWS explains it.
    pub learn_more_link: String,
    /// The places.
    pub locations: Vec<Location>,
}
