//! Steps that use `machulav/ec2-github-runner`: the same shape of workflow, other names, and one job for each runner.

mod inputs;
mod outputs;
mod users;
mod values;

use super::edits::Edits;
use super::expression::references;
use super::workflow::{Job, Workflow};
use crate::yaml::Node;

const THEIRS: &str = "machulav/ec2-github-runner";
const OURS: &str = "sprinters/action@v1";

/// A step of theirs.
struct Site<'w> {
    /// `None` in a composite action.
    job: Option<Job<'w>>,
    step: &'w Node,
    uses: &'w Node,
    with: &'w Node,
    mode: &'w str,
}

impl<'w> Site<'w> {
    fn id(&self) -> Option<&'w str> {
        let id = self.step.get("id").and_then(Node::scalar);
        id.filter(|id| !id.is_empty())
    }

    /// A mode that is known only when the workflow runs may be `start`.
    fn is_start(&self) -> bool {
        !["stop", "pause", "resume"].contains(&self.mode)
    }

    fn label(&self) -> Option<&'w (Node, Node)> {
        self.with.entry("label")
    }

    /// A label that a person chose: one of an output is ours.
    fn own_label(&self) -> Option<&'w str> {
        let label = self.label()?.1.scalar()?;
        let of_outputs = |context| !references(label, context).is_empty();
        (!label.is_empty() && !of_outputs("needs") && !of_outputs("steps")).then_some(label)
    }
}

/// Whether it starts a runner with a step of theirs.
pub(super) fn has_start(workflow: &Workflow<'_>) -> bool {
    sites(workflow).iter().any(|(uses, site)| {
        let mode = site.as_ref().map(|site| site.mode);
        is_theirs(uses) && mode.is_some_and(|mode| mode != "stop")
    })
}

/// Migrates every such step; tells whether there was one. `has_start` tells of all files that are migrated together.
pub(super) fn migrate(workflow: &Workflow<'_>, has_start: bool, edits: &mut Edits) -> bool {
    let sites = sites(workflow);
    let known: Vec<&Site<'_>> = sites.iter().filter_map(|(_, site)| site.as_ref()).collect();
    let starts: Vec<&&Site<'_>> = known.iter().filter(|site| site.is_start()).collect();
    for (uses, site) in &sites {
        let outcome = match site {
            None => Err("it has no `with`".to_owned()),
            Some(site) if site.mode == "stop" && !has_start => Err(
                "what it stops was started by something else. If a start of this action is in another file, name both files"
                    .to_owned(),
            ),
            Some(site) => obstacle(workflow, site).map_or(Ok(site), Err),
        };
        match outcome {
            Ok(site) => migrate_site(workflow, site, &starts, edits),
            Err(why) => edits.note(uses.line, format!("left as it is: {why}")),
        }
    }
    !sites.is_empty()
}

/// Every step that uses their action, and what is known of it where it has inputs.
fn sites<'w>(workflow: &'w Workflow<'_>) -> Vec<(&'w Node, Option<Site<'w>>)> {
    let of_jobs = workflow.jobs().flat_map(|job| {
        let steps = job.body.get("steps").and_then(Node::sequence);
        steps
            .unwrap_or_default()
            .iter()
            .map(move |step| (Some(job), step))
    });
    let composite = workflow.composite_steps().unwrap_or_default();
    let all = of_jobs.chain(composite.iter().map(|step| (None, step)));
    all.filter_map(|(job, step)| {
        let uses = step.get("uses").filter(|uses| is_theirs(uses))?;
        let site = step.get("with").map(|with| Site {
            job,
            step,
            uses,
            with,
            mode: with.get("mode").and_then(Node::scalar).unwrap_or_default(),
        });
        Some((uses, site))
    })
    .collect()
}

fn is_theirs(uses: &Node) -> bool {
    let rest = uses.scalar().and_then(|uses| {
        let named = uses.get(..THEIRS.len())?.eq_ignore_ascii_case(THEIRS);
        named.then(|| &uses[THEIRS.len()..])
    });
    rest.is_some_and(|rest| rest.starts_with('@'))
}

/// Why a step cannot be migrated.
fn obstacle(workflow: &Workflow<'_>, site: &Site<'_>) -> Option<String> {
    if ["pause", "resume"].contains(&site.mode) {
        let mode = site.mode;
        return Some(format!(
            "mode `{mode}` has no counterpart; every job gets a fresh instance"
        ));
    }
    if inputs::is_windows(site.with) {
        return Some("it starts Windows, and Sprinters' instances are Linux".to_owned());
    }
    let mut keys = site.with.entries().iter().map(|(key, _)| key);
    let is_editable =
        site.uses.is_simple(workflow.text) && keys.all(|key| key.is_simple(workflow.text));
    (!is_editable).then(|| "it is written in a way that cannot be edited safely".to_owned())
}

fn migrate_site(
    workflow: &Workflow<'_>,
    site: &Site<'_>,
    starts: &[&&Site<'_>],
    edits: &mut Edits,
) {
    replace_uses(workflow, site.uses, edits);
    inputs::migrate(workflow, site.with, site.is_start(), edits);
    own_label(workflow, site, starts, edits);
    if !site.is_start() {
        widen(workflow, site, starts, edits);
        look_everywhere(workflow, site, starts, edits);
    }
    if site.is_start() {
        let note = "jobs run as `runner`, who may use `sudo`, and not as root";
        edits.note(site.uses.line, note);
        users::migrate(workflow, site, edits);
    }
    if let Some(id) = site.id() {
        let within = match site.job {
            Some(job) => workflow.lines.of_entry(job.key.span.start, false),
            None => 0..workflow.text.len(),
        };
        outputs::rename(workflow, within, id, edits);
    }
    if !has_region(workflow, site) {
        let note = "the region must be known: add `aws-region`, or `aws-actions/configure-aws-credentials` before this step";
        edits.note(site.uses.line, note);
    }
}

/// A label that a person chose pairs a start with its stop. Ours finds the run's own by itself, and `group` pairs several.
fn own_label(workflow: &Workflow<'_>, site: &Site<'_>, starts: &[&&Site<'_>], edits: &mut Edits) {
    let (Some(label), Some((key, value))) = (site.own_label(), site.label()) else {
        return;
    };
    let is_paired = starts.len() > 1;
    let has_it = |start: &&&Site<'_>| start.own_label() == Some(label);
    if site.is_start() {
        if is_paired && let Some(mode) = site.with.entry("mode") {
            workflow.add_entry(site.with, mode, "group", label, edits);
        }
        return;
    }
    if is_paired && starts.iter().any(has_it) && value.is_simple(workflow.text) {
        edits.replace_again(key.span.clone(), "group");
    } else if let Some(index) = site
        .with
        .entries()
        .iter()
        .position(|(one, _)| one.span == key.span)
    {
        edits.drop_within(key.span.clone());
        workflow.remove(site.with, index, edits);
        let note = "`label` is left out: `stop` finds what this run started, and that label is not its own";
        edits.note(key.line, note);
    }
}

/// A start of several runners has one label and one instance among its outputs: a stop that is narrowed to these leaves the
/// others.
fn widen(workflow: &Workflow<'_>, site: &Site<'_>, starts: &[&&Site<'_>], edits: &mut Edits) {
    let is_of_several = |value: &Node| {
        let all = references(value.scalar().unwrap_or_default(), "needs");
        all.iter()
            .filter_map(|one| one.names.get(1))
            .any(|(job, _)| {
                let is_it = |start: &&&&Site<'_>| start.job.is_some_and(|one| one.id == job);
                starts
                    .iter()
                    .filter(is_it)
                    .any(|start| users::count(workflow, start) != Some(1))
            })
    };
    for (index, (key, value)) in site.with.entries().iter().enumerate() {
        let name = key.scalar().unwrap_or_default();
        if ["label", "ec2-instance-id"].contains(&name) && is_of_several(value) {
            edits.drop_within(key.span.clone());
            workflow.remove(site.with, index, edits);
            let note = format!("`{name}` is left out: `stop` ends all runners of this run");
            edits.note(key.line, note);
        }
    }
}

/// A stop looks in every region that one of the starts launches in.
fn look_everywhere(
    workflow: &Workflow<'_>,
    site: &Site<'_>,
    starts: &[&&Site<'_>],
    edits: &mut Edits,
) {
    let mut regions: Vec<String> = Vec::new();
    for start in starts {
        let listed = regions_of(start).unwrap_or_default();
        for region in listed.split(", ").filter(|region| !region.is_empty()) {
            if regions.iter().all(|known| known != region) {
                regions.push(region.to_owned());
            }
        }
    }
    let Some(mode) = site.with.entry("mode").filter(|_| regions.len() > 1) else {
        return;
    };
    if site.with.get("aws-region").is_none() {
        workflow.add_entry(site.with, mode, "aws-region", &regions.join(", "), edits);
    } else {
        let note = format!(
            "`stop` looks in its `aws-region` alone: list all of `{}` there",
            regions.join("`, `")
        );
        edits.note(site.uses.line, note);
    }
}

/// The regions that the places of a start name.
fn regions_of(site: &Site<'_>) -> Option<String> {
    let config = site.with.get("availability-zones-config")?.scalar()?;
    let zones = values::zones(config)?;
    let mut inputs = zones.inputs.into_iter();
    let (_, regions) = inputs.find(|(name, _)| *name == "aws-region")?;
    Some(regions)
}

/// The action's name, without a comment after it that tells the version of theirs.
fn replace_uses(workflow: &Workflow<'_>, uses: &Node, edits: &mut Edits) {
    let end = workflow.lines.content_end(uses.span.end);
    let rest = workflow.text.get(uses.span.end..end).unwrap_or_default();
    let is_version = rest.trim().strip_prefix('#').is_some_and(|comment| {
        let comment = comment.trim();
        let number = comment.trim_start_matches(['v', 'V']);
        number.starts_with(|c: char| c.is_ascii_digit())
            && number
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || ".-".contains(c))
    });
    let until = if is_version { end } else { uses.span.end };
    edits.replace(uses.span.start..until, OURS);
}

/// Whether something tells the step its region: a variable, an input, or the action that signs in.
fn has_region(workflow: &Workflow<'_>, site: &Site<'_>) -> bool {
    let in_env = |node: &Node| {
        node.get("env").is_some_and(|env| {
            ["AWS_REGION", "AWS_DEFAULT_REGION"]
                .iter()
                .any(|name| env.get(name).is_some())
        })
    };
    let signs_in = |step: &Node| {
        step.get("uses")
            .and_then(Node::scalar)
            .is_some_and(|uses| uses.starts_with("aws-actions/configure-aws-credentials"))
    };
    let steps = match site.job {
        Some(job) => job.body.get("steps").and_then(Node::sequence),
        None => workflow.composite_steps(),
    };
    [
        Some(&workflow.root),
        site.job.map(|job| job.body),
        Some(site.step),
    ]
    .into_iter()
    .flatten()
    .any(in_env)
        || steps.unwrap_or_default().iter().any(signs_in)
        || regions_of(site).is_some()
}
