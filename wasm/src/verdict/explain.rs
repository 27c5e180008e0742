//! The verdict in words.

use super::Decision;
use crate::evaluate::{Answer, Fact, Facts, Request, Tri, holds, names_action, names_resource};
use crate::json::Value;
use crate::operator::Family;
use crate::policy::{Condition, Effect, Policy, Statement, Version};
use crate::tags::{self, Tag};
use crate::text::{self, Append, IntoList, Join, Own};

/// More reasons than that nobody reads.
const MAX_REASONS: usize = 6;

/// What a permission that is granted means for a job.
pub(super) fn granted(action: &str) -> &'static str {
    consequence(action).0
}

/// What it means that a permission may not be granted.
pub(super) fn permission(
    action: &str,
    decision: Decision,
    types: &[&str],
    regions: &[&str],
) -> String {
    let (_, cannot) = consequence(action);
    let mut list = match types {
        [] | ["*"] => String::new(),
        types => format!(" on `{}`", types.joined("`, `")),
    };
    if !regions.is_empty() {
        list.append(&format!(" in `{}`", regions.joined("`, `")));
    }
    match decision {
        Decision::Granted => granted(action).own(),
        Decision::Conditional => {
            format!(
                "`{action}`{list} is allowed only under a condition; if it is not met, {cannot}"
            )
        }
        Decision::Missing => format!("`{action}`{list} is not allowed: {cannot}"),
        Decision::Denied => format!("`{action}`{list} is denied by a statement: {cannot}"),
    }
}

fn consequence(action: &str) -> (&'static str, &'static str) {
    match action {
        "ec2:RunInstances" => ("can launch instances", "no runner can start"),
        "ec2:CreateTags" => (
            "can tag what it launches",
            "the launch fails, because the instance is tagged in the same call",
        ),
        "ec2:DescribeInstances" => (
            "can see its instances",
            "neither `start` nor `stop` can find the instances of a run",
        ),
        "ec2:ModifyVolume" => (
            "can lower a volume's performance once the runner is up",
            "volumes keep their boot performance and its price",
        ),
        "ec2:TerminateInstances" => (
            "can end its instances",
            "instances that fail to power off themselves stay and cost money",
        ),
        "ec2:DescribeSpotPriceHistory" => (
            "can read spot prices",
            "the cheapest zone and the savings are not known",
        ),
        "iam:PassRole" => (
            "can give the instance its role",
            "a launch with an instance profile fails",
        ),
        "iam:CreateServiceLinkedRole" => (
            "can create EC2's role for spot",
            "the first spot launch in the account fails",
        ),
        "ec2:GetConsoleOutput" => (
            "can read its instances' logs",
            "`start` cannot show why an instance did not come online",
        ),
        "ec2:DescribeImages" => (
            "can look images up",
            "an image written as `name=…@…` is not found",
        ),
        "ec2:CreateImage" => ("can make an image of its instance", "`bake` makes none"),
        "ec2:DeregisterImage" => (
            "can take back its older images",
            "a bake leaves them, and their price",
        ),
        "ec2:DeleteSnapshot" => (
            "can delete its older images' snapshots",
            "a bake leaves them, and their price",
        ),
        _ => (
            "can read the image's parameter",
            "an image written as `resolve:ssm:…` is not found",
        ),
    }
}

/// What a conditional answer depends on.
pub(super) fn open(policy: &Policy<'_, '_>, request: &Request<'_>, answer: &Answer) -> Vec<String> {
    let mut out = Vec::new();
    for (index, effect, hit) in &answer.statements {
        let Some(statement) = policy
            .statements
            .get(*index)
            .filter(|_| *hit == Tri::Unknown)
        else {
            continue;
        };
        if out.len() >= MAX_REASONS {
            break;
        }
        if statement.in_doubt {
            out.push(format!(
                "how statement {} is to be read, which has an error",
                index + 1
            ));
            continue;
        }
        if names_resource(statement, policy.version, request) == Tri::Unknown {
            out.push(resource(statement, *effect));
        }
        for condition in &statement.conditions {
            if out.len() < MAX_REASONS
                && holds(condition, policy.version, request.facts) == Tri::Unknown
            {
                let not = if *effect == Effect::Deny { "not: " } else { "" };
                let on = circumstances(condition, policy.version, request.facts);
                out.push(format!("{not}{}{on}", words(condition)));
            }
        }
    }
    out
}

// For a condition on our tags: what of the inputs it depends on.
fn circumstances(condition: &Condition<'_, '_>, version: Version, facts: &dyn Facts) -> String {
    let key = condition.key.value.as_ref();
    if facts.fact(key) == Fact::TagKeys {
        let fails = |tag: &&Tag| {
            let alone = OneKey(tag.key);
            holds(condition, version, &alone) == Tri::False
        };
        let failing = tags::ALL.iter().filter(fails);
        // Several tags depend on the same.
        let mut all: Vec<&str> = Vec::new();
        for circumstance in failing.filter_map(|t| t.carried.circumstance()) {
            if !all.contains(&circumstance) {
                all.push(circumstance);
            }
        }
        all.push("`tags` adds others");
        return format!(", which may fail where {}", all.joined(" or where "));
    }
    let tag = text::cut(key, b'/').and_then(|(_, name)| tags::find(name));
    match tag.and_then(|tag| tag.carried.circumstance()) {
        Some(circumstance) => format!(", a tag that is there only if {circumstance}"),
        None => String::new(),
    }
}

// A request with this tag key alone.
struct OneKey(&'static str);

impl Facts for OneKey {
    fn fact(&self, _: &str) -> Fact<'_> {
        Fact::Values(vec![self.0])
    }
}

fn resource(statement: &Statement<'_, '_>, effect: Effect) -> String {
    let texts = statement
        .resource
        .iter()
        .flat_map(super::super::policy::Element::texts);
    let list: Vec<_> = texts.map(|t| format!("`{}`", t.value)).take(3).list();
    let negated = statement.resource.as_ref().is_some_and(|r| r.negated);
    let not = if negated == (effect == Effect::Allow) {
        "not "
    } else {
        ""
    };
    format!("the resource is {not}among {}", list.joined(", "))
}

/// Why statements that name the action do not grant it.
pub(super) fn missed(policy: &Policy<'_, '_>, request: &Request<'_>) -> Vec<String> {
    let mut out = Vec::new();
    for statement in &policy.statements {
        if statement.effect != Some(Effect::Allow) || !names_action(statement, request.action) {
            continue;
        }
        if names_resource(statement, policy.version, request) == Tri::False {
            continue;
        }
        for condition in &statement.conditions {
            if out.len() >= MAX_REASONS {
                return out;
            }
            if holds(condition, policy.version, request.facts) == Tri::False {
                let why = match request.facts.fact(&condition.key.value) {
                    Fact::Never => "no such request carries this key",
                    Fact::Absent => "Sprinters' request does not carry this key",
                    _ => "Sprinters' request carries another value",
                };
                out.push(format!("{} can never be true: {why}", words(condition)));
            }
        }
    }
    out.dedup();
    out
}

fn words(condition: &Condition<'_, '_>) -> String {
    let shown = |v: &Value<'_>| match v {
        Value::String(text) => format!("`{}`", text.value),
        Value::Number(text, _) => format!("`{text}`"),
        Value::Bool(value, _) => format!("`{value}`"),
        _ => "?".own(),
    };
    let values: Vec<_> = condition.value.elements().iter().take(4).map(shown).list();
    let null = condition
        .operator
        .is_some_and(|op| op.family == Family::Null);
    let verb = if null {
        "Null"
    } else {
        condition.operator_text.value.as_ref()
    };
    format!("`{}` {verb} {}", condition.key.value, values.joined(" or "))
}
