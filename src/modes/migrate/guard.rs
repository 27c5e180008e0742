//! What keeps a job from waiting for a runner of an older attempt: it fails at once, with the command that helps.

use super::edits::Edits;
use super::workflow::{Job, Workflow};
use crate::yaml::Node;

/// The outputs of a job with `mode: start` that the guard compares, beside its label.
pub(super) const OUTPUTS: [&str; 2] = ["attempt", "job-id"];

/// What `runs-on` asks for: the label in the attempt that launched its runner.
pub(super) fn runs_on(start: &str, label: &str) -> String {
    format!(
        "${{{{ needs.{start}.outputs.attempt == github.run_attempt && {label} || 'ubuntu-latest' }}}}"
    )
}

/// Puts the step before all others of the job; `false` where the job has none that can be edited.
pub(super) fn add_step(
    workflow: &Workflow<'_>,
    job: Job<'_>,
    start: &str,
    edits: &mut Edits,
) -> bool {
    let Some(steps) = job.body.get("steps") else {
        return false;
    };
    let Some(first) = steps.sequence().and_then(<[Node]>::first) else {
        return false;
    };
    let says = format!(
        "echo \"::error::{start} did not run in this attempt: gh run rerun $GITHUB_RUN_ID${{JOB:+ --job $JOB}}\""
    );
    let condition = format!("if: needs.{start}.outputs.attempt != github.run_attempt");
    let number = format!("${{{{ needs.{start}.outputs.job-id }}}}");
    if steps.is_flow(workflow.text) {
        let step =
            format!("{{{condition}, run: '{says} && exit 1', env: {{JOB: \"{number}\"}}}}, ");
        edits.insert(first.span.start, step);
        return true;
    }
    let line = workflow.lines.start(first.span.start);
    let before = workflow
        .text
        .get(line..first.span.start)
        .unwrap_or_default();
    let indent = &before[..before.len() - before.trim_start_matches(' ').len()];
    if !before.trim_start().starts_with('-') {
        return false;
    }
    let mut lines = vec![
        format!(
            "# \"Re-run failed jobs\" does not run `{start}` again, and a runner takes one job."
        ),
        format!("- {condition}"),
        "  run: |".to_owned(),
        format!("    {says}"),
        "    exit 1".to_owned(),
        "  env:".to_owned(),
        format!("    JOB: {number}"),
    ];
    let has_defaults = |node: &Node| node.get("defaults").is_some();
    if has_defaults(&workflow.root) || has_defaults(job.body) {
        // Before a checkout, a folder of the repository is not there.
        lines.extend(["  shell: bash", "  working-directory: ."].map(str::to_owned));
    }
    let end = workflow.lines.end();
    let step: String = lines
        .iter()
        .map(|line| format!("{indent}{line}{end}"))
        .collect();
    edits.insert(line, step);
    true
}
