//! Sprinters' own advice: what is missing, what is too much, and the traps.

use std::collections::BTreeSet;

use crate::data::{self, Catalog, Known};
use crate::evaluate::{
    self, Fact, Facts, Request, Target as Asked, Tri, holds, names_action, names_resource,
};
use crate::fix::Change;
use crate::issue_code::sprinters as own;
use crate::json::Value;
use crate::lint::Diagnostic;
use crate::options::Options;
use crate::pattern::{has_wildcard, matches_ignoring_case, same_name};
use crate::policy::{Effect, Policy};
use crate::position::Span;
use crate::size::{Target, counted};
use crate::tags::OURS;
use crate::verdict::{self, Decision, FactSheet, Feature, Permission, RequiredRequests, Verdict};

/// Nobody reads more.
const MAX_ADVICE: usize = 200;

pub(crate) struct Context<'a, 't> {
    pub(crate) text: &'t str,
    pub(crate) root: &'a Value<'t>,
    pub(crate) policy: &'a Policy<'a, 't>,
    pub(crate) options: &'a Options,
    pub(crate) catalog: Option<&'a Catalog>,
    pub(crate) verdict: &'a Verdict,
}

pub(crate) fn run(context: &Context<'_, '_>) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    version(context, &mut out);
    size(context, &mut out);
    for permission in &context.verdict.permissions {
        lacking(context, permission, &mut out);
    }
    never_true(context, &mut out);
    traps(context, &mut out);
    unneeded(context, &mut out);
    not_checked(context, &mut out);
    out
}

fn diagnostic(code: crate::issue_code::Code, places: Vec<Span>, message: String) -> Diagnostic {
    Diagnostic {
        code,
        message,
        places,
        change: None,
    }
}

// IAM refuses managed policies of the old version and reads inline ones by the old rules.
fn version(context: &Context<'_, '_>, out: &mut Vec<Diagnostic>) {
    let version = context.root.get("Version");
    if version.and_then(Value::as_str) == Some("2012-10-17") {
        return;
    }
    let place = version.map_or(context.root.span(), Value::span);
    let (code, message) = if context.options.target == Target::Managed {
        (
            own::MANAGED_POLICY_VERSION,
            "IAM refuses a managed policy without `\"Version\": \"2012-10-17\"`; add it",
        )
    } else {
        (
            own::INLINE_POLICY_VERSION,
            "without `\"Version\": \"2012-10-17\"` variables are plain text; add it",
        )
    };
    let mut one = diagnostic(code, vec![place], message.to_owned());
    one.change = crate::lint::new_version(context.root);
    out.push(one);
}

fn size(context: &Context<'_, '_>, out: &mut Vec<Diagnostic>) {
    let target = context.options.target;
    if context.text.len() <= target.quota() {
        return;
    }
    let size = counted(context.text);
    if size > target.quota() {
        let message = format!(
            "the policy has {size} characters without white space, but a {} may have {}; \
             shorten or split it",
            target.noun(),
            target.quota()
        );
        out.push(diagnostic(
            own::POLICY_TOO_LARGE,
            vec![context.root.span()],
            message,
        ));
    }
}

fn lacking(context: &Context<'_, '_>, permission: &Permission, out: &mut Vec<Diagnostic>) {
    let code = match permission.decision {
        Decision::Granted => return,
        Decision::Conditional => own::CONDITIONAL_PERMISSION,
        Decision::Missing => own::MISSING_PERMISSION,
        Decision::Denied => own::DENIED_PERMISSION,
    };
    let statements = permission
        .statements
        .iter()
        .filter_map(|at| context.policy.statements.get(*at));
    let mut places: Vec<Span> = statements.map(|s| s.value.span()).collect();
    if places.is_empty() {
        let statement = context.root.get("Statement");
        places.push(statement.map_or(context.root.span(), Value::span));
    }
    let mut message = permission.explanation.clone();
    if !permission.conditions.is_empty() {
        message.push_str(" (");
        message.push_str(&permission.conditions.join("; "));
        message.push(')');
    }
    out.push(diagnostic(code, places, message));
}

// Conditions that keep a statement from ever granting what it names.
fn never_true(context: &Context<'_, '_>, out: &mut Vec<Diagnostic>) {
    let required = RequiredRequests::new(&context.options.setup, &context.verdict.assumed);
    let missing: BTreeSet<(&str, &str)> = context
        .verdict
        .permissions
        .iter()
        .flat_map(|p| p.resources.iter().map(move |r| (p, r)))
        .filter(|(_, r)| r.decision == Decision::Missing)
        .map(|(p, r)| (p.action.as_str(), r.resource_type.as_str()))
        .collect();
    if missing.is_empty() {
        return;
    }
    let mut seen = BTreeSet::new();
    for asked in verdict::requests(&required).filter(|a| missing.contains(&(a.action, a.resource)))
    {
        let facts = FactSheet::new(asked, &required);
        let Some(target) = asked.targets.first() else {
            continue;
        };
        let request = Request {
            action: asked.action,
            target,
            facts: &facts,
        };
        for statement in &context.policy.statements {
            let allows = statement.effect == Some(Effect::Allow);
            if !allows
                || !names_action(statement, asked.action)
                || names_resource(statement, context.policy.version, &request) == Tri::False
            {
                continue;
            }
            for condition in &statement.conditions {
                if out.len() >= MAX_ADVICE {
                    return;
                }
                let key = condition.key;
                let never = facts.fact(&key.value) == Fact::Never
                    && holds(condition, context.policy.version, &facts) == Tri::False;
                if never && seen.insert(key.span.start) {
                    let message = format!(
                        "`{}` about `{}` never carries `{}`, so this condition is never true and \
                         the statement never grants it; put that resource type into a statement \
                         without this key",
                        asked.action, asked.resource, key.value
                    );
                    out.push(diagnostic(
                        own::CONDITION_NEVER_TRUE,
                        vec![key.span],
                        message,
                    ));
                }
            }
        }
    }
}

// An instance that is not ours, and a caller that may tag it.
struct Foreign;

impl Facts for Foreign {
    fn fact(&self, key: &str) -> Fact<'_> {
        let tag = |head: &str| {
            let rest = key.get(head.len()..);
            key.get(..head.len()).is_some_and(|k| same_name(k, head))
                && rest.is_some_and(|rest| same_name(rest, OURS))
        };
        if tag("aws:RequestTag/") {
            Fact::Values(vec!["true"])
        } else if same_name(key, "aws:TagKeys") {
            Fact::Values(vec![OURS])
        } else if same_name(key, "ec2:CreateAction")
            || tag("aws:ResourceTag/")
            || tag("ec2:ResourceTag/")
        {
            Fact::Absent
        } else {
            Fact::Unknown
        }
    }
}

fn traps(context: &Context<'_, '_>, out: &mut Vec<Diagnostic>) {
    let instance = Asked::open("arn:aws:ec2:{}:{account}:instance/{}");
    let ask = |action| {
        let request = Request {
            action,
            target: &instance,
            facts: &Foreign,
        };
        evaluate::evaluate(context.policy, &request)
    };
    let ends = ask("ec2:TerminateInstances");
    let places = |answer: &evaluate::Answer| -> Vec<Span> {
        let allows = answer
            .statements
            .iter()
            .filter(|(_, effect, _)| *effect == Effect::Allow);
        let statements = allows.filter_map(|(at, ..)| context.policy.statements.get(*at));
        statements.map(|s| s.value.span()).collect()
    };
    let granted = context
        .verdict
        .permissions
        .iter()
        .any(|p| p.action == "ec2:TerminateInstances" && p.decision < Decision::Missing);
    if ends.allowed != Tri::False && ends.denied != Tri::True {
        let message = format!(
            "this also ends instances that are not Sprinters'; add the condition \
             `\"StringEquals\": {{\"aws:ResourceTag/{OURS}\": \"true\"}}`"
        );
        out.push(diagnostic(own::UNSCOPED_TERMINATE, places(&ends), message));
    } else if granted {
        let tags = ask("ec2:CreateTags");
        if tags.allowed != Tri::False && tags.denied != Tri::True {
            let message = format!(
                "whoever may put `{OURS}` on any instance may end it after that, so the tag \
                 protects nothing; add `\"StringEquals\": {{\"ec2:CreateAction\": \"RunInstances\"}}`"
            );
            out.push(diagnostic(
                own::UNGUARDED_CREATE_TAGS,
                places(&tags),
                message,
            ));
        }
    }
}

fn needed(feature: Option<Feature>) -> &'static [&'static str] {
    match feature {
        None => &[
            "ec2:RunInstances",
            "ec2:CreateTags",
            "ec2:DescribeInstances",
            "ec2:ModifyVolume",
            "ec2:TerminateInstances",
            "ec2:DescribeSpotPriceHistory",
        ],
        Some(Feature::InstanceProfile) => &["iam:PassRole"],
        Some(Feature::SpotServiceLinkedRole) => &["iam:CreateServiceLinkedRole"],
        Some(Feature::SsmImageParameter) => &["ssm:GetParameters"],
        Some(Feature::Console) => &["ec2:GetConsoleOutput"],
    }
}

fn unneeded(context: &Context<'_, '_>, out: &mut Vec<Diagnostic>) {
    let features = context.options.setup.features.iter().copied().map(Some);
    let need: Vec<&str> = std::iter::once(None)
        .chain(features)
        .flat_map(needed)
        .copied()
        .collect();
    for statement in &context.policy.statements {
        let Some(action) = statement
            .action
            .as_ref()
            .filter(|_| statement.effect == Some(Effect::Allow))
        else {
            continue;
        };
        if action.negated {
            let message =
                "`NotAction` allows everything else there is; name the actions in `Action`";
            out.push(diagnostic(
                own::UNNEEDED_PERMISSION,
                vec![action.key],
                message.to_owned(),
            ));
            continue;
        }
        for text in action.texts() {
            if out.len() >= MAX_ADVICE {
                return;
            }
            let hit = need
                .iter()
                .filter(|name| matches_ignoring_case(&text.value, name))
                .count();
            let message = if hit == 0 {
                // Mistyped, most likely; the findings say so, and removing it would be wrong.
                if !may_exist(context.catalog, &text.value) {
                    continue;
                }
                let serves = |f: &&Feature| {
                    needed(Some(**f))
                        .iter()
                        .any(|name| same_name(name, &text.value))
                };
                match Feature::ALL.iter().find(serves) {
                    Some(feature) => format!(
                        "Sprinters needs `{}` only for the feature `{}`; choose that feature, or \
                         remove the permission",
                        text.value,
                        feature.name()
                    ),
                    None => format!(
                        "Sprinters does not need `{}` for the chosen features; remove it",
                        text.value
                    ),
                }
            } else if has_wildcard(&text.value) {
                format!(
                    "`{}` allows more than the {hit} of its actions that Sprinters needs; name those",
                    text.value
                )
            } else {
                continue;
            };
            let mut one = diagnostic(own::UNNEEDED_PERMISSION, vec![text.span], message);
            let alone = action.value.elements().len() == 1;
            let target = if alone {
                statement.value.span()
            } else {
                text.span
            };
            one.change = (hit == 0 && !(alone && context.policy.statements.len() == 1))
                .then(|| crate::fix::removal(context.root, target))
                .flatten()
                .map(|span| Change::new("Remove it", span, ""));
            out.push(one);
        }
    }
}

fn may_exist(catalog: Option<&Catalog>, action: &str) -> bool {
    match action.split_once(':') {
        Some((prefix, name)) => {
            has_wildcard(prefix)
                || data::is_prefix(prefix) && data::exists(catalog, prefix, name) != Known::None
        }
        None => action.bytes().all(|b| b == b'*'),
    }
}

// Services outside the tables at hand: say so once instead of guessing.
fn not_checked(context: &Context<'_, '_>, out: &mut Vec<Diagnostic>) {
    let mut services: BTreeSet<String> = BTreeSet::new();
    let mut places = Vec::new();
    for text in context
        .policy
        .statements
        .iter()
        .flat_map(|s| s.action.iter().flat_map(super::policy::Element::texts))
    {
        let Some((prefix, name)) = text.value.split_once(':') else {
            continue;
        };
        if data::service(prefix).is_none()
            && name.bytes().any(|b| b != b'*')
            && data::is_prefix(prefix)
            && data::exists(context.catalog, prefix, name) == Known::NotChecked
            && services.insert(prefix.to_ascii_lowercase())
        {
            places.push(text.span);
        }
    }
    if !services.is_empty() {
        let list: Vec<String> = services.into_iter().map(|s| format!("`{s}`")).collect();
        let message = format!(
            "not checked: the actions of {}, whose names are not loaded",
            list.join(", ")
        );
        out.push(diagnostic(own::NOT_CHECKED, places, message));
    }
}
