//! The secrets that a reusable workflow declares: what it uses, its callers must pass.

use super::edits::Edits;
use super::workflow::Workflow;
use crate::yaml::Node;

/// Those of the quick start.
const OURS: [&str; 3] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "SPRINTERS_TOKEN",
];

/// Declares them in a reusable workflow; of any other, nothing is to be done.
pub(super) fn declare(workflow: &Workflow<'_>, edits: &mut Edits) {
    let on = workflow.root.get("on");
    let Some((key, call)) = on.and_then(|on| on.entry("workflow_call")) else {
        return;
    };
    let declared = call.entry("secrets");
    let is_missing = |name: &&str| declared.is_none_or(|(_, secrets)| secrets.get(name).is_none());
    let missing: Vec<&str> = OURS.into_iter().filter(is_missing).collect();
    if missing.is_empty() {
        return;
    }
    let names = missing.join("`, `");
    if insert(workflow, key, call, &missing, edits).is_some() {
        let note =
            format!("its callers must pass `{names}`: `secrets: inherit`, or each by its name");
        edits.note(key.line, note);
    } else {
        let note = format!("declare the secrets `{names}`, and let the callers pass them");
        edits.note(key.line, note);
    }
}

fn insert(
    workflow: &Workflow<'_>,
    key: &Node,
    call: &Node,
    missing: &[&str],
    edits: &mut Edits,
) -> Option<()> {
    let lines = &workflow.lines;
    let end = lines.end();
    let flow = || -> Vec<String> {
        let each = missing.iter();
        each.map(|name| format!("{name}: {{required: true}}"))
            .collect()
    };
    let block = |indent: &str| -> String {
        let each = missing.iter();
        each.map(|name| format!("{indent}{name}:{end}{indent}  required: true{end}"))
            .collect()
    };
    if let Some((_, secrets)) = call.entry("secrets") {
        let (last, value) = secrets.entries().last()?;
        if secrets.is_flow(workflow.text) {
            edits.insert(value.span.end, format!(", {}", flow().join(", ")));
        } else {
            let indent = lines.indent(last.span.start)?;
            edits.insert(lines.of_entry(last.span.start, false).end, block(indent));
        }
    } else if let Some((last, value)) = call.entries().last() {
        if call.is_flow(workflow.text) {
            let all = format!(", secrets: {{{}}}", flow().join(", "));
            edits.insert(value.span.end, all);
        } else {
            let indent = lines.indent(last.span.start)?;
            let all = format!("{indent}secrets:{end}{}", block(&format!("{indent}  ")));
            let has_items = value.sequence().is_some();
            edits.insert(lines.of_entry(last.span.start, has_items).end, all);
        }
    } else {
        let indent = format!("{}  ", lines.indent(key.span.start)?);
        let all = format!("{indent}secrets:{end}{}", block(&format!("{indent}  ")));
        edits.insert(lines.of_entry(key.span.start, false).end, all);
    }
    Some(())
}
