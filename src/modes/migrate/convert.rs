//! From one text to another: pure, the same for the same text, and a second time there is nothing left to do.

use super::ec2_github_runner;
use super::edits::{Edits, Note};
use super::labels;
use super::listen::{self, Profiles};
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

/// Whether a text starts runners with the action that is replaced: its stop may be in another file.
pub(super) fn has_start(text: &str) -> bool {
    let workflow = Workflow::parse(text).ok().flatten();
    workflow.is_some_and(|workflow| ec2_github_runner::has_start(&workflow))
}

/// What jobs with another service's label become.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Target {
    /// Jobs that start and stop their runners.
    #[default]
    Steps,
    /// Names of profiles, which `sprinters listen` serves.
    Listen(Profiles),
}

/// Migrates a workflow or a composite action. A text that is neither stays as it is. `has_start` tells of all files that are
/// migrated together.
pub(super) fn convert(
    text: &str,
    has_start: bool,
    target: &mut Target,
) -> Result<Converted, Unreadable> {
    let mut edits = Edits::default();
    let workflow = Workflow::parse(text)?;
    let is_found = workflow.as_ref().is_some_and(|workflow| {
        let steps = ec2_github_runner::migrate(workflow, has_start, &mut edits);
        let labels = match target {
            Target::Steps => labels::migrate(workflow, &mut edits),
            Target::Listen(profiles) => listen::migrate(workflow, profiles, &mut edits),
        };
        steps || labels
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
