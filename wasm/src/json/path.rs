//! Where a place lies in the document, in Access Analyzer's words.

use serde::{Deserialize, Serialize};

use super::Value;
use crate::position::Span;

/// A part of a string, in UTF-16 units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Substring {
    /// First unit.
    pub start: u32,
    /// Number of units.
    pub length: u32,
}

/// One step of a path: `PathElement` of the Access Analyzer API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PathElement {
    /// An element of an array.
    Index(u32),
    /// A key of an object, the key itself meant.
    Key(String),
    /// A part of a string.
    Substring(Substring),
    /// The value that belongs to a key.
    Value(String),
}

/// The path to the value or key that covers `target`, the innermost one.
#[must_use]
pub fn path_to(root: &Value<'_>, target: Span) -> Vec<PathElement> {
    let mut path = Vec::new();
    let mut at = root;
    while at.span() != target {
        match at {
            Value::Array(elements, _) => {
                let index = elements.partition_point(|e| e.span().end < target.end);
                match elements.get(index) {
                    Some(element) if element.span().contains(target) => {
                        path.push(PathElement::Index(u32::try_from(index).unwrap_or(u32::MAX)));
                        at = element;
                    }
                    _ => break,
                }
            }
            Value::Object(members, _) => {
                let index = members.partition_point(|m| m.value.span().end < target.end);
                let Some(member) = members.get(index) else {
                    break;
                };
                let name = member.key.value.to_string();
                if member.key.span.contains(target) {
                    path.push(PathElement::Key(name));
                    break;
                }
                if !member.value.span().contains(target) {
                    break;
                }
                path.push(PathElement::Value(name));
                at = &member.value;
            }
            Value::String(text) => {
                path.extend(substring(text.span, target));
                break;
            }
            _ => break,
        }
    }
    path
}

// Only strings without escapes are pointed into, and those that IAM accepts have one unit
// for each character. The quotes are not part of the string.
fn substring(string: Span, target: Span) -> Option<PathElement> {
    let start = target.start.checked_sub(string.start + 1)?;
    let length = target.end.checked_sub(target.start)?;
    (target.end < string.end).then_some(PathElement::Substring(Substring { start, length }))
}
