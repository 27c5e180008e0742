//! Outputs of a start step: renamed where they are used, and added where the guard needs them.

use std::ops::Range;

use super::super::edits::Edits;
use super::super::expression::{references, sole};
use super::super::workflow::{Job, Workflow};

/// `steps.ID.outputs.ec2-instance-id`, wherever it is used within that range.
pub(super) fn rename(workflow: &Workflow<'_>, within: Range<usize>, id: &str, edits: &mut Edits) {
    let text = workflow.text.get(within.clone()).unwrap_or_default();
    for reference in references(text, "steps") {
        let is_theirs = reference.names::<4>() == Some(["steps", id, "outputs", "ec2-instance-id"]);
        if let Some((_, name)) = reference.names.last().filter(|_| is_theirs) {
            let name = within.start + name.start..within.start + name.end;
            edits.replace(name, "instance-id");
        }
    }
}

/// What the job calls the step's output of that name.
pub(super) fn of_job<'w>(job: Job<'w>, id: &str, output: &str) -> Option<&'w str> {
    let outputs = job.body.get("outputs")?;
    let entry = outputs.entries().iter().find(|(_, value)| {
        let reference = value.scalar().and_then(|value| sole(value, "steps"));
        let names = reference.as_ref().and_then(|one| one.names::<4>());
        names == Some(["steps", id, "outputs", output])
    });
    entry?.0.scalar()
}

/// Lets the job hand on more of the step's outputs; `false` where it has others of these names, or cannot be edited.
pub(super) fn add(
    workflow: &Workflow<'_>,
    job: Job<'_>,
    id: &str,
    names: &[&str],
    edits: &mut Edits,
) -> bool {
    let Some(outputs) = job.body.get("outputs") else {
        return false;
    };
    let missing: Vec<&&str> = names
        .iter()
        .filter(|name| of_job(job, id, name) != Some(**name))
        .collect();
    if missing.iter().any(|name| outputs.get(name).is_some()) {
        return false;
    }
    let Some((last, value)) = outputs.entries().last() else {
        return false;
    };
    let given = |name: &str| format!("${{{{ steps.{id}.outputs.{name} }}}}");
    if outputs.is_flow(workflow.text) {
        let more: String = missing
            .iter()
            .map(|name| format!(", {name}: \"{}\"", given(name)))
            .collect();
        edits.insert(value.span.end, more);
        return true;
    }
    let Some(indent) = workflow.lines.indent(last.span.start) else {
        return false;
    };
    let end = workflow.lines.end();
    let more: String = missing
        .iter()
        .map(|name| format!("{end}{indent}{name}: {}", given(name)))
        .collect();
    edits.insert(workflow.lines.content_end(value.span.end), more);
    true
}
