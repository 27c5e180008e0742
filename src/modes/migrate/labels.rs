//! Jobs whose `runs-on` names another service's label: each gets a job that starts its runner, and one job stops them all.

use super::edits::Edits;
use super::matrix::combinations;
use super::wanted::Wanted;
use super::workflow::{Job, Workflow};
use super::{guard, runs_on, secrets, sprinters_label};
use crate::yaml::{Node, write};

/// A job that can be migrated, with what its label asks for.
struct Labelled<'w> {
    job: Job<'w>,
    runs_on: &'w (Node, Node),
    wanted: Wanted,
}

/// A stop job ends what this run started in one region.
struct Stop<'w> {
    region: String,
    needs: Vec<String>,
    /// A job with a key inside, whose layout it takes.
    like: (Job<'w>, &'w Node),
}

/// Migrates every such job; tells whether there was one.
pub(super) fn migrate(workflow: &Workflow<'_>, edits: &mut Edits) -> bool {
    let mut ids: Vec<String> = workflow.jobs().map(|job| job.id.to_owned()).collect();
    let mut stops: Vec<Stop<'_>> = Vec::new();
    let mut found = false;
    for job in workflow.jobs() {
        let Some(runs_on) = job.body.entry("runs-on") else {
            continue;
        };
        match labelled(workflow, job, runs_on) {
            None => {}
            Some(Err(why)) => {
                found = true;
                let line = runs_on.0.line;
                edits.note(line, format!("left as it is: {why}"));
            }
            Some(Ok(labelled)) => {
                found = true;
                let start = fresh(&format!("start-{}", job.id), &mut ids);
                let region = region(&labelled.wanted);
                edit(workflow, &labelled, &start, &region, edits);
                let needs = [start, job.id.to_owned()];
                match stops.iter_mut().find(|stop| stop.region == region) {
                    Some(stop) => stop.needs.extend(needs),
                    None => stops.push(Stop {
                        region,
                        needs: needs.into(),
                        like: (job, &runs_on.0),
                    }),
                }
            }
        }
    }
    for stop in &stops {
        let id = fresh("stop-runners", &mut ids);
        insert_stop(workflow, &id, stop, edits);
    }
    if !stops.is_empty() {
        secrets::declare(workflow, edits);
    }
    found
}

/// The region that the label names, else the repository's variable.
fn region(wanted: &Wanted) -> String {
    let variable = "${{ vars.AWS_REGION }}";
    wanted.region.clone().unwrap_or_else(|| variable.to_owned())
}

/// A job's id that nobody has yet.
fn fresh(wished: &str, ids: &mut Vec<String>) -> String {
    let numbered = (2..).map(|number| format!("{wished}-{number}"));
    let mut all = std::iter::once(wished.to_owned()).chain(numbered);
    let id = all.find(|id| !ids.contains(id)).unwrap_or_default();
    ids.push(id.clone());
    id
}

/// What a job's label asks for; `None` where the label is nobody's that is known here.
fn labelled<'w>(
    workflow: &Workflow<'_>,
    job: Job<'w>,
    runs_on: &'w (Node, Node),
) -> Option<Result<Labelled<'w>, String>> {
    let wanted = wanted(&runs_on.1)?;
    let obstacle = obstacle(workflow, job, runs_on);
    Some(match (obstacle, wanted) {
        (Some(why), _) => Err(why.to_owned()),
        (None, wanted) => wanted.map(|wanted| Labelled {
            job,
            runs_on,
            wanted,
        }),
    })
}

pub(super) fn wanted(runs_on: &Node) -> Option<Result<Wanted, String>> {
    let labels: Vec<&str> = match runs_on.sequence() {
        Some(items) => items.iter().filter_map(Node::scalar).collect(),
        None => vec![runs_on.get("labels").unwrap_or(runs_on).scalar()?],
    };
    if labels.iter().any(|label| sprinters_label::is_label(label)) {
        Some(sprinters_label::parse(&labels))
    } else if labels.iter().any(|label| runs_on::is_label(label)) {
        Some(runs_on::parse(&labels.join(",")))
    } else {
        None
    }
}

/// Why a job cannot be given a runner of its own by editing.
fn obstacle(workflow: &Workflow<'_>, job: Job<'_>, runs_on: &(Node, Node)) -> Option<&'static str> {
    let text = workflow.text;
    let body = job.body;
    let strategy = body.get("strategy");
    if strategy.is_some_and(|strategy| combinations(strategy).is_none()) {
        return Some(
            "how many runners its `strategy` needs is known only when the workflow runs: start them with `count`, and use the \
             output `runners`",
        );
    }
    let needs = body.get("needs");
    let is_unusual = !needs.is_none_or(|needs| is_editable(workflow, needs))
        || !job.key.is_simple(text)
        || !is_id(job.id)
        || workflow.lines.indent(runs_on.0.span.start).is_none()
        || workflow.lines.indent(job.key.span.start).is_none()
        || body.is_flow(text);
    unusual(workflow, runs_on).or(is_unusual.then_some(UNUSUAL))
}

const UNUSUAL: &str = "it is written in a way that cannot be edited safely";

/// Why a `runs-on` cannot be edited.
pub(super) fn unusual(
    workflow: &Workflow<'_>,
    (key, value): &(Node, Node),
) -> Option<&'static str> {
    if value.get("labels").is_some() {
        Some("a runner group has no place in it: runners belong to the repository")
    } else {
        let is_editable = is_editable(workflow, value) && key.is_simple(workflow.text);
        (!is_editable).then_some(UNUSUAL)
    }
}

fn is_editable(workflow: &Workflow<'_>, node: &Node) -> bool {
    let text = workflow.text;
    match node.sequence() {
        Some(items) => !items.is_empty() && items.iter().all(|item| item.is_simple(text)),
        None => node.is_simple(text),
    }
}

/// What GitHub takes as a job's id.
fn is_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
}

fn edit(
    workflow: &Workflow<'_>,
    labelled: &Labelled<'_>,
    start: &str,
    region: &str,
    edits: &mut Edits,
) {
    let Labelled {
        job,
        runs_on: (key, value),
        wanted,
    } = labelled;
    for note in &wanted.notes {
        edits.note(value.line, note.clone());
    }
    if wanted.region.is_none() {
        let note = "set the repository's variable `AWS_REGION`: `gh variable set AWS_REGION`";
        edits.note(value.line, note);
    }
    if let Some((condition, value)) = job.body.entry("if")
        && one_line(workflow, value).is_none()
    {
        let note = format!("give `{start}` the same condition: it spans several lines");
        edits.note(condition.line, note);
    }
    for (name, why) in [
        ("environment", "the job may wait for an approval"),
        ("concurrency", "the job may wait for its turn"),
    ] {
        if let Some((key, _)) = job.body.entry(name) {
            let note = format!(
                "`{name}`: {why} while its runner is up, for as long as `idle-timeout` (10m): set that, or give `{start}` the \
                 same `{name}`"
            );
            edits.note(key.line, note);
        }
    }
    let before = workflow.lines.with_comment_above(job.key.span.start);
    edits.insert(before, start_job(workflow, labelled, start, region));
    let end = workflow.end_of(value);
    let label = match count(*job) {
        Some(_) => format!("fromJSON(needs.{start}.outputs.runners)[strategy.job-index]"),
        None => format!("needs.{start}.outputs.label"),
    };
    add_need(workflow, *job, key, start, edits);
    let value = guard::runs_on(start, &label);
    edits.replace(key.span.start..end, format!("runs-on: {value}"));
    if !guard::add_step(workflow, *job, start, edits) {
        let note = format!(
            "`{}` has no steps that could be guarded against a re-run",
            job.id
        );
        edits.note(job.key.line, note);
    }
}

/// Adds to `needs` the job that starts the runner.
fn add_need(workflow: &Workflow<'_>, job: Job<'_>, runs_on: &Node, start: &str, edits: &mut Edits) {
    let lines = &workflow.lines;
    let Some((_, needs)) = job.body.entry("needs") else {
        let indent = lines.indent(runs_on.span.start).unwrap_or_default();
        let line = format!("needs: {start}{}{indent}", lines.end());
        edits.insert(runs_on.span.start, line);
        return;
    };
    match needs.sequence() {
        Some(items) if needs.is_flow(workflow.text) => {
            let (at, comma) = match items.last() {
                Some(last) => (last.span.end, ", "),
                None => (needs.span.start + 1, ""),
            };
            edits.insert(at, format!("{comma}{start}"));
        }
        Some(items) => {
            let Some(last) = items.last() else { return };
            let line = lines.start(last.span.start);
            let before = workflow.text.get(line..last.span.start).unwrap_or_default();
            let indent = &before[..before.len() - before.trim_start_matches(' ').len()];
            let at = lines.content_end(last.span.end);
            edits.insert(at, format!("{}{indent}- {start}", lines.end()));
        }
        None => {
            let old = workflow.text.get(needs.span.clone()).unwrap_or_default();
            edits.replace(needs.span.clone(), format!("[{old}, {start}]"));
        }
    }
}

/// Indentation as the file has it: of jobs, and from one level to the next.
fn indents<'w>(workflow: &'w Workflow<'_>, job: Job<'_>, inside: &Node) -> (&'w str, String) {
    let of_job = workflow
        .lines
        .indent(job.key.span.start)
        .unwrap_or_default();
    let of_body = workflow.lines.column(inside.span.start);
    (
        of_job,
        " ".repeat(of_body.saturating_sub(of_job.len()).max(1)),
    )
}

/// How many runners the combinations of its `strategy` need.
fn count(job: Job<'_>) -> Option<usize> {
    combinations(job.body.get("strategy")?)
}

fn start_job(
    workflow: &Workflow<'_>,
    labelled: &Labelled<'_>,
    start: &str,
    region: &str,
) -> String {
    let body = labelled.job.body;
    let mut lines = vec![(0, format!("{start}:"))];
    // The runner is worth its money only when the job can begin.
    for name in ["needs", "if"] {
        if let Some(value) = body.get(name).and_then(|value| one_line(workflow, value)) {
            lines.push((1, format!("{name}: {value}")));
        }
    }
    lines.push((1, "runs-on: ubuntu-latest".to_owned()));
    lines.push((1, "outputs:".to_owned()));
    let count = count(labelled.job);
    let first = if count.is_some() { "runners" } else { "label" };
    for output in [first].into_iter().chain(guard::OUTPUTS) {
        lines.push((
            2,
            format!("{output}: ${{{{ steps.runner.outputs.{output} }}}}"),
        ));
    }
    lines.push((1, "steps:".to_owned()));
    lines.push((2, "- id: runner".to_owned()));
    let wanted = labelled.wanted.inputs.iter();
    let mut inputs: Vec<_> = wanted.map(|(name, value)| (*name, value.clone())).collect();
    inputs.extend(count.map(|count| ("count", count.to_string())));
    let region = (!labelled.wanted.is_region_in_inputs).then_some(region);
    lines.extend(step("  ", "start", region, &inputs));
    let (indent, step) = indents(workflow, labelled.job, &labelled.runs_on.0);
    let mut text = laid_out(&lines, indent, &step, workflow.lines.end());
    text.push_str(workflow.lines.end());
    text
}

/// The value on one line: a simple one as it stands, a list in brackets.
fn one_line(workflow: &Workflow<'_>, value: &Node) -> Option<String> {
    let source = |node: &Node| {
        let text = workflow.text.get(node.span.clone())?;
        node.is_simple(workflow.text).then(|| text.to_owned())
    };
    match value.sequence() {
        Some(items) => {
            let items: Option<Vec<String>> = items.iter().map(source).collect();
            Some(format!("[{}]", items?.join(", ")))
        }
        None => source(value),
    }
}

/// The step's lines; the first begins with what stands before `uses`.
fn step(
    before_uses: &str,
    mode: &str,
    region: Option<&str>,
    inputs: &[(&'static str, String)],
) -> Vec<(usize, String)> {
    let given = |name: &str, value: &str| (4, format!("{name}: {}", write::scalar(value)));
    let mut lines = vec![
        (2, format!("{before_uses}uses: sprinters/action@v1")),
        (3, "with:".to_owned()),
        given("mode", mode),
        given("aws-access-key-id", "${{ secrets.AWS_ACCESS_KEY_ID }}"),
        given(
            "aws-secret-access-key",
            "${{ secrets.AWS_SECRET_ACCESS_KEY }}",
        ),
    ];
    lines.extend(region.map(|region| given("aws-region", region)));
    lines.push(given("github-token", "${{ secrets.SPRINTERS_TOKEN }}"));
    lines.extend(inputs.iter().map(|(name, value)| given(name, value)));
    lines
}

fn insert_stop(workflow: &Workflow<'_>, id: &str, stop: &Stop<'_>, edits: &mut Edits) {
    let Some(last) = workflow.jobs().last() else {
        return;
    };
    let mut lines = vec![
        (0, format!("{id}:")),
        (1, format!("needs: [{}]", stop.needs.join(", "))),
        (1, "if: always()".to_owned()),
        (1, "runs-on: ubuntu-latest".to_owned()),
        (1, "steps:".to_owned()),
    ];
    lines.extend(step("- ", "stop", Some(&stop.region), &[]));
    let (indent, step) = indents(workflow, stop.like.0, stop.like.1);
    let end = workflow.lines.end();
    let at = workflow.lines.of_entry(last.key.span.start, false).end;
    let is_open = !workflow.text[..at].ends_with('\n');
    let text = laid_out(&lines, indent, &step, end);
    let first_break = if is_open { end } else { "" };
    edits.insert(at, format!("{first_break}{end}{text}"));
}

/// Lines with their levels. Under a list's dash the next level is two blanks further, whatever the file's step is.
fn laid_out(lines: &[(usize, String)], indent: &str, step: &str, end: &str) -> String {
    let mut text = String::new();
    for (level, line) in lines {
        let blanks = match level {
            0..=2 => step.repeat(*level),
            3 => format!("{}  ", step.repeat(2)),
            _ => format!("{}  {step}", step.repeat(2)),
        };
        text.push_str(&format!("{indent}{blanks}{line}{end}"));
    }
    text
}
