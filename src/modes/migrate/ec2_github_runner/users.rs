//! The jobs that run on a runner of theirs: each needs one of ours, which takes one job.

use super::super::edits::Edits;
use super::super::expression::sole;
use super::super::guard;
use super::super::matrix::combinations;
use super::super::workflow::{Job, Workflow};
use super::Site;
use super::outputs;
use crate::yaml::Node;

/// A job on such a runner.
struct User<'w> {
    job: Job<'w>,
    runs_on: &'w (Node, Node),
    /// How many runners it needs; `None` where only the run knows.
    count: Option<usize>,
}

/// How many runners the jobs on a start's runner need: one at least; `None` where only the run knows.
pub(super) fn count(workflow: &Workflow<'_>, start: &Site<'_>) -> Option<usize> {
    let label = start.job.zip(start.id()).and_then(|(job, id)| {
        let label = outputs::of_job(job, id, "label")?;
        Some((job, label))
    });
    let Some((job, label)) = label else {
        return Some(1);
    };
    let users = users(workflow, job, label, &mut Edits::default());
    let count: Option<usize> = users.iter().map(|user| user.count).sum();
    count.map(|count| count.max(1))
}

/// Gives each job a runner of its own, and a guard.
pub(super) fn migrate(workflow: &Workflow<'_>, start: &Site<'_>, edits: &mut Edits) {
    let (Some(job), Some(id)) = (start.job, start.id()) else {
        return;
    };
    let Some(label) = outputs::of_job(job, id, "label") else {
        return;
    };
    let users = users(workflow, job, label, edits);
    if users.is_empty() {
        return;
    }
    let counts: Option<usize> = users.iter().map(|user| user.count).sum();
    let matrices = users
        .iter()
        .filter(|user| user.job.body.get("strategy").is_some());
    let (Some(count), 0..=1) = (counts, matrices.count()) else {
        let names: Vec<String> = users
            .iter()
            .map(|user| format!("`{}`", user.job.id))
            .collect();
        edits.note(
            start.uses.line,
            format!(
                "a runner takes one job, and {} need several: set `count`, and give each its own of the output `runners`, such as \
                 `fromJSON(needs.{}.outputs.runners)[strategy.job-index]`",
                names.join(", "),
                job.id
            ),
        );
        return;
    };
    let more = if count > 1 {
        &["runners", "attempt", "job-id"][..]
    } else {
        &guard::OUTPUTS[..]
    };
    if !outputs::add(workflow, job, id, more, edits) {
        edits.note(start.uses.line, "the jobs on it are not guarded against a re-run: its job has other outputs of these names");
        return;
    }
    if count > 1 {
        several(workflow, start, &users, count, edits);
    }
    let mut next = users
        .iter()
        .filter(|user| is_matrix(user))
        .filter_map(|user| user.count)
        .sum::<usize>();
    for user in &users {
        let label = match (count, is_matrix(user)) {
            (1, _) => format!("needs.{}.outputs.{label}", job.id),
            (_, true) => format!(
                "fromJSON(needs.{}.outputs.runners)[strategy.job-index]",
                job.id
            ),
            (_, false) => {
                next += 1;
                format!("fromJSON(needs.{}.outputs.runners)[{}]", job.id, next - 1)
            }
        };
        let value = &user.runs_on.1;
        let end = workflow.end_of(value);
        edits.replace(value.span.start..end, guard::runs_on(job.id, &label));
        if !guard::add_step(workflow, user.job, job.id, edits) {
            edits.note(
                user.job.key.line,
                format!(
                    "`{}` has no steps that could be guarded against a re-run",
                    user.job.id
                ),
            );
        }
    }
}

fn is_matrix(user: &User<'_>) -> bool {
    user.job.body.get("strategy").is_some()
}

/// The jobs whose `runs-on` is that output. A list's other labels no runner of ours has.
fn users<'w>(
    workflow: &'w Workflow<'_>,
    start: Job<'_>,
    label: &str,
    edits: &mut Edits,
) -> Vec<User<'w>> {
    let is_it = |node: &Node| {
        let reference = node.scalar().and_then(|value| sole(value, "needs"));
        let names = reference.as_ref().and_then(|one| one.names::<4>());
        names == Some(["needs", start.id, "outputs", label]) && node.is_simple(workflow.text)
    };
    let mut users = Vec::new();
    for job in workflow.jobs() {
        let Some(runs_on) = job.body.entry("runs-on") else {
            continue;
        };
        let value = &runs_on.1;
        let is_user = match value.sequence() {
            Some(items) if items.iter().any(is_it) => {
                let others: Vec<&str> = items
                    .iter()
                    .filter(|item| !is_it(item))
                    .filter_map(Node::scalar)
                    .collect();
                if !others.is_empty() {
                    let note = format!(
                        "`{}` is left out of `runs-on`: the runner has none of these labels unless `labels` gives them",
                        others.join("`, `")
                    );
                    edits.note(value.line, note);
                }
                true
            }
            _ => is_it(value),
        };
        if is_user {
            let count = job.body.get("strategy").map_or(Some(1), combinations);
            users.push(User {
                job,
                runs_on,
                count,
            });
        }
    }
    users
}

/// `count`, and what else is different then.
fn several(
    workflow: &Workflow<'_>,
    start: &Site<'_>,
    users: &[User<'_>],
    count: usize,
    edits: &mut Edits,
) {
    let Some(mode) = start.with.entry("mode") else {
        return;
    };
    let names: Vec<String> = users
        .iter()
        .map(|user| format!("`{}`", user.job.id))
        .collect();
    edits.note(
        start.uses.line,
        format!(
            "a runner takes one job: there are {count} for {}, and they share no files",
            names.join(", ")
        ),
    );
    workflow.add_entry(start.with, mode, "count", &count.to_string(), edits);
    let waits = |user: &User<'_>| {
        let others = users.iter().filter(|other| other.job.id != user.job.id);
        let needs = workflow.all_needs(user.job);
        others
            .into_iter()
            .any(|other| needs.contains(&other.job.id))
    };
    if let Some(late) = users.iter().find(|user| waits(user)) {
        workflow.add_entry(start.with, mode, "idle-timeout", "6h", edits);
        let note = format!(
            "`{}` waits for another job while its runner is up, which costs: `idle-timeout` is how long; a start job of its own \
             is cheaper",
            late.job.id
        );
        edits.note(start.uses.line, note);
    }
}
