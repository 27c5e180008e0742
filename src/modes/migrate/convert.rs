//! From one text to another: pure, the same for the same text, and a second time there is nothing left to do.

use super::ec2_github_runner;
use super::edits::{Edits, Note};
use super::labels;
use super::workflow::{AS_WRITTEN, Workflow};
use crate::yaml::{Node, Unreadable};

/// What became of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Converted {
    pub text: String,
    pub notes: Vec<Note>,
    /// Whether anything in it was somebody else's.
    pub is_found: bool,
}

/// Migrates a workflow. A text that is none stays as it is.
pub(super) fn convert(text: &str) -> Result<Converted, Unreadable> {
    let mut edits = Edits::default();
    let workflow = Workflow::parse(text)?;
    let is_found = workflow.as_ref().is_some_and(|workflow| {
        let steps = ec2_github_runner::migrate(workflow, &mut edits);
        labels::migrate(workflow, &mut edits) || steps
    });
    let (converted, notes) = edits.apply(text);
    // What was YAML must be YAML still.
    if converted != text {
        Node::parse(&converted, AS_WRITTEN).map_err(|error| Unreadable {
            at: error.at,
            line: error.line,
            why: format!(
                "its layout is too unusual to be edited safely ({})",
                error.why
            ),
        })?;
    }
    Ok(Converted {
        text: converted,
        notes,
        is_found,
    })
}
