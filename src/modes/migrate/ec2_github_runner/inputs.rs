//! What becomes of each of their inputs.

use super::super::edits::Edits;
use super::super::expression;
use super::super::workflow::Workflow;
use super::values::{self, Meaning};
use crate::yaml::Node;

/// What becomes of one of their inputs.
enum Becomes {
    /// Ours of that name, with the same value.
    Input(&'static str),
    /// As `Input`, and there is something to know.
    But(&'static str, &'static str),
    /// Nothing; here is why.
    Nothing(&'static str),
    /// Read together with another one.
    Silently,
    Spot,
    Minutes,
    /// JSON, read for what it means; where it cannot be read, this is how to say it by hand.
    Read(fn(&Node, &str) -> Option<Meaning>, &'static str),
}

const NO_FILTERS: &str = "name the image: `image: name=<pattern>@<owner>` or `ami-…`; without `image`, Ubuntu 24.04 is taken";

fn becomes(input: &str, is_start: bool) -> Option<Becomes> {
    use Becomes::{But, Input, Minutes, Nothing, Read, Silently, Spot};
    Some(match input {
        "mode" | "github-token" => return None,
        "ec2-image-id" => Input("image"),
        "ec2-instance-type" => Input("instance-type"),
        "subnet-id" => Input("subnet"),
        "security-group-id" => Input("security-group"),
        "aws-resource-tags" => Input("tags"),
        "runner-home-dir" => Input("runner-home"),
        "ec2-volume-size" => Input("root-size"),
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
        "ec2-image-filters" => Read(
            |with, json| {
                let owner = with.get("ec2-image-owner").and_then(Node::scalar);
                values::image_filters(json, owner.map(str::trim))
            },
            NO_FILTERS,
        ),
        "ec2-image-owner" => Silently,
        "availability-zones-config" => Read(
            |_, json| values::zones(json),
            "list the subnets in `subnet`, zone first: `eu-central-1a=subnet-…, eu-central-1b=subnet-…`",
        ),
        "block-device-mappings" => Read(
            |_, json| values::block_devices(json),
            "the root volume is `root-size` and `root`",
        ),
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

/// Whether the step starts a machine that is not Linux.
pub(super) fn is_windows(with: &Node) -> bool {
    ["ec2-image-filters", "pre-runner-script", "ec2-image-id"]
        .iter()
        .filter_map(|name| with.get(name).and_then(Node::scalar))
        .any(|value| {
            let value = value.to_ascii_lowercase();
            value.contains("windows") || value.contains("powershell")
        })
}

/// Migrates all inputs of a step.
pub(super) fn migrate(workflow: &Workflow<'_>, with: &Node, is_start: bool, edits: &mut Edits) {
    for (index, (key, value)) in with.entries().iter().enumerate() {
        let name = key.scalar().unwrap_or_default();
        match becomes(name, is_start) {
            None => {}
            Some(Becomes::Silently) => {
                workflow.remove(with, index, edits);
                if with.get("ec2-image-filters").is_none() {
                    edits.note(key.line, format!("`{name}` is left out: {NO_FILTERS}"));
                }
            }
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
            Some(Becomes::Read(read, by_hand)) => {
                let json = value.scalar().unwrap_or_default();
                if let Some(meaning) = read(with, json) {
                    replace(workflow, with, index, meaning, edits);
                } else {
                    workflow.remove(with, index, edits);
                    edits.note(key.line, format!("`{name}` is left out: {by_hand}"));
                }
            }
        }
    }
}

/// What a value means takes its place; where an input of theirs says the same, that one holds.
fn replace(
    workflow: &Workflow<'_>,
    with: &Node,
    index: usize,
    meaning: Meaning,
    edits: &mut Edits,
) {
    let Some((key, _)) = with.entries().get(index) else {
        return;
    };
    let name = key.scalar().unwrap_or_default();
    let is_given = |ours: &str| {
        let all = with.entries().iter().filter_map(|(key, _)| key.scalar());
        all.filter(|theirs| *theirs != name).any(|theirs| {
            theirs == ours
                || matches!(becomes(theirs, true), Some(Becomes::Input(other)) if other == ours)
        })
    };
    let (given, inputs): (Vec<_>, Vec<_>) = meaning
        .inputs
        .into_iter()
        .partition(|(ours, _)| is_given(ours));
    for (ours, value) in given {
        let note =
            format!("`{ours}` of `{name}` (`{value}`) is left out: the step has one of its own");
        edits.note(key.line, note);
    }
    for note in meaning.notes {
        edits.note(key.line, note);
    }
    workflow.replace_entry(with, index, &inputs, edits);
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

/// `startup-timeout-minutes: 5`, or an expression that gives such a number.
fn minutes(workflow: &Workflow<'_>, with: &Node, index: usize, edits: &mut Edits) {
    let Some((key, value)) = with.entries().get(index) else {
        return;
    };
    let text = value.scalar().map(str::trim).unwrap_or_default();
    // The longest that `start-timeout` may be.
    let is_number = text
        .parse::<u32>()
        .is_ok_and(|minutes| (1..=60).contains(&minutes));
    let is_expression = text.starts_with("${{") && text.ends_with("}}") && expression::is_in(text);
    if (is_number || is_expression) && value.is_simple(workflow.text) {
        edits.replace(key.span.clone(), "start-timeout");
        let written = workflow.scalar_in(with, &format!("{text}m"));
        edits.replace(value.span.clone(), written);
        return;
    }
    workflow.remove(with, index, edits);
    edits.note(
        key.line,
        "`startup-timeout-minutes` is left out: `start-timeout` takes `5m`, and at most `60m`",
    );
}
