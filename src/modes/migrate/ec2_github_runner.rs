//! Steps that use `machulav/ec2-github-runner`: the same shape of workflow, other names.

use super::edits::Edits;
use super::workflow::{Job, Workflow, quoted};
use crate::yaml::Node;

const THEIRS: &str = "machulav/ec2-github-runner";
const OURS: &str = "sprinters/action@v1";

/// What becomes of one of their inputs.
enum Becomes {
    /// Ours of that name, with the same value.
    Input(&'static str),
    /// As `Input`, and there is something to know.
    But(&'static str, &'static str),
    /// Nothing; here is why.
    Nothing(&'static str),
    Spot,
    Minutes,
}

fn becomes(input: &str, is_start: bool) -> Option<Becomes> {
    use Becomes::{But, Input, Minutes, Nothing, Spot};
    Some(match input {
        "mode" | "github-token" => return None,
        "ec2-image-id" => Input("image"),
        "ec2-instance-type" => Input("instance-type"),
        "subnet-id" => Input("subnet"),
        "security-group-id" => Input("security-group"),
        "aws-resource-tags" => Input("tags"),
        "runner-home-dir" => Input("runner-home"),
        "ec2-instance-id" => Input("instance-id"),
        "label" if is_start => But(
            "labels",
            "an extra label; the output `label` is always a unique one, and better for `runs-on`",
        ),
        "label" => Input("label"),
        "iam-role-name" => But(
            "instance-profile",
            "this is the name of an instance profile; the policy needs `iam:PassRole` for its role",
        ),
        "pre-runner-script" => But(
            "setup",
            "it runs as root with `bash -e`, before the runner starts",
        ),
        "market-type" => Spot,
        "startup-timeout-minutes" => Minutes,
        "startup-quiet-period-seconds" | "startup-retry-interval-seconds" => {
            Nothing("Sprinters finds its own pace")
        }
        "ec2-image-filters" | "ec2-image-owner" => Nothing(
            "images are named: `image: ami-…`, `resolve:ssm:…` or `ubuntu-24.04`; without `image`, Ubuntu 24.04 is taken",
        ),
        "availability-zones-config" => Nothing(
            "list the subnets in `subnet`, zone first: `eu-central-1a=subnet-…, eu-central-1b=subnet-…`",
        ),
        "block-device-mappings" => Nothing("the root volume is `root-size` and `root`"),
        "eip-allocation-id" => {
            Nothing("an Elastic IP address is not supported; a NAT gateway keeps the address")
        }
        "key-name" => Nothing("no instance has a key pair"),
        "metadata-options" => Nothing("IMDSv2 is always required"),
        "packages" => Nothing("install them in `setup`, or bake them into the image"),
        "run-runner-as-service" | "use-jit" | "runner-debug" => {
            Nothing("there is nothing to choose here")
        }
        "run-runner-as-user" => Input("runner-user"),
        _ => Nothing("it has no counterpart"),
    })
}

/// Migrates every such step; tells whether there was one.
pub(super) fn migrate(workflow: &Workflow<'_>, edits: &mut Edits) -> bool {
    let mut found = false;
    for job in workflow.jobs() {
        for step in job
            .body
            .get("steps")
            .and_then(Node::sequence)
            .unwrap_or_default()
        {
            let Some(uses) = step.get("uses").filter(|uses| is_theirs(uses)) else {
                continue;
            };
            found = true;
            if let Err(why) = migrate_step(workflow, job, step, uses, edits) {
                edits.note(uses.line, format!("left as it is: {why}"));
            }
        }
    }
    found
}

fn is_theirs(uses: &Node) -> bool {
    let rest = uses.scalar().and_then(|uses| {
        let named = uses.get(..THEIRS.len())?.eq_ignore_ascii_case(THEIRS);
        named.then(|| &uses[THEIRS.len()..])
    });
    rest.is_some_and(|rest| rest.starts_with('@'))
}

fn migrate_step(
    workflow: &Workflow<'_>,
    job: Job<'_>,
    step: &Node,
    uses: &Node,
    edits: &mut Edits,
) -> Result<(), String> {
    let with = step.get("with").ok_or("it has no `with`")?;
    let mode = with.get("mode").and_then(Node::scalar).unwrap_or_default();
    if ["pause", "resume"].contains(&mode) {
        return Err(format!(
            "mode `{mode}` has no counterpart; every job gets a fresh instance"
        ));
    }
    let keys = with.entries().iter().map(|(key, _)| key);
    if !uses.is_simple(workflow.text) || !keys.clone().all(|key| key.is_simple(workflow.text)) {
        return Err("it is written in a way that cannot be edited safely".to_owned());
    }
    replace_uses(workflow, uses, edits);
    let is_start = mode != "stop";
    for (index, (key, _)) in with.entries().iter().enumerate() {
        let name = key.scalar().unwrap_or_default();
        match becomes(name, is_start) {
            None => {}
            Some(Becomes::Input(ours)) => edits.replace(key.span.clone(), ours),
            Some(Becomes::But(ours, note)) => {
                edits.replace(key.span.clone(), ours);
                edits.note(key.line, format!("`{name}` is `{ours}` now: {note}"));
            }
            Some(Becomes::Nothing(why)) => {
                workflow.remove(with, index, edits);
                edits.note(key.line, format!("`{name}` is left out: {why}"));
            }
            Some(Becomes::Spot) => spot(workflow, with, index, edits),
            Some(Becomes::Minutes) => minutes(workflow, with, index, edits),
        }
    }
    if is_start {
        let note = "jobs run as `runner`, who may use `sudo`, and not as root";
        edits.note(uses.line, note);
    }
    rename_outputs(workflow, job, step, edits);
    if !has_region(workflow, job, step) {
        let note = "the region must be known: add `aws-region`, or `aws-actions/configure-aws-credentials` before this step";
        edits.note(uses.line, note);
    }
    Ok(())
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

/// `market-type: spot`.
fn spot(workflow: &Workflow<'_>, with: &Node, index: usize, edits: &mut Edits) {
    let Some((key, value)) = with.entries().get(index) else {
        return;
    };
    if value.scalar() == Some("spot") && value.is_simple(workflow.text) {
        edits.replace(key.span.clone(), "spot");
        edits.replace(value.span.clone(), "'true'");
        let note = "`spot: auto` falls back to on-demand where there is no spot capacity";
        edits.note(key.line, note);
        return;
    }
    workflow.remove(with, index, edits);
    if value.scalar() != Some("") {
        edits.note(key.line, "`market-type` is left out: choose `spot` by hand");
    }
}

/// `startup-timeout-minutes: 5`.
fn minutes(workflow: &Workflow<'_>, with: &Node, index: usize, edits: &mut Edits) {
    let Some((key, value)) = with.entries().get(index) else {
        return;
    };
    let minutes = value
        .scalar()
        .and_then(|text| text.trim().parse::<u32>().ok());
    // The longest that `start-timeout` may be.
    let minutes = minutes.filter(|minutes| (1..=60).contains(minutes));
    if let Some(minutes) = minutes.filter(|_| value.is_simple(workflow.text)) {
        edits.replace(key.span.clone(), "start-timeout");
        edits.replace(value.span.clone(), quoted(&format!("{minutes}m")));
        return;
    }
    workflow.remove(with, index, edits);
    edits.note(
        key.line,
        "`startup-timeout-minutes` is left out: `start-timeout` takes `5m`, and at most `60m`",
    );
}

/// `steps.ID.outputs.ec2-instance-id`, wherever the job uses it.
fn rename_outputs(workflow: &Workflow<'_>, job: Job<'_>, step: &Node, edits: &mut Edits) {
    let Some(id) = step
        .get("id")
        .and_then(Node::scalar)
        .filter(|id| !id.is_empty())
    else {
        return;
    };
    let theirs = format!("steps.{id}.outputs.ec2-instance-id");
    let range = workflow.lines.of_entry(job.key.span.start, false);
    let text = workflow.text.get(range.clone()).unwrap_or_default();
    let is_word = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    for (at, _) in text.match_indices(&theirs) {
        let before = text[..at].chars().next_back();
        let after = text[at + theirs.len()..].chars().next();
        if !before.is_some_and(|c| is_word(c) || c == '.') && !after.is_some_and(is_word) {
            let start = range.start + at;
            let ours = format!("steps.{id}.outputs.instance-id");
            edits.replace(start..start + theirs.len(), ours);
        }
    }
}

/// Whether something tells the step its region: a variable, or the action that signs in.
fn has_region(workflow: &Workflow<'_>, job: Job<'_>, step: &Node) -> bool {
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
    let steps = job.body.get("steps").and_then(Node::sequence);
    [&workflow.root, job.body, step].into_iter().any(in_env)
        || steps.unwrap_or_default().iter().any(signs_in)
}
