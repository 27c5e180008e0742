//! Sprinters' own advice: what is missing, what is too much, and the traps.

mod width;

use crate::data::{self, Catalog, Known};
use crate::evaluate::{
    self, Fact, Facts, Request, Target as Asked, Tri, holds, names_action, names_resource,
};
use crate::fix::Change;
use crate::issue_code::sprinters as own;
use crate::json::Value;
use crate::lint::Diagnostic;
use crate::options::Options;
use crate::paste;
use crate::pattern::same_name;
use crate::policy::{Effect, Element, Policy};
use crate::position::Span;
use crate::remedy;
use crate::size::{Target, counted};
use crate::tags::OURS;
use crate::text::{self, Append, IntoList, Join, Own};
use crate::verdict::{Decision, FactSheet, Permission, RequiredRequests, Verdict};

/// Nobody reads more.
const MAX_ADVICE: usize = 200;

pub(crate) struct Context<'a, 't> {
    pub(crate) text: &'t str,
    pub(crate) root: &'a Value<'t>,
    pub(crate) policy: &'a Policy<'a, 't>,
    pub(crate) options: &'a Options,
    pub(crate) catalog: Option<&'a Catalog>,
    pub(crate) verdict: &'a Verdict,
    /// The requests that it was made with.
    pub(crate) required: &'a [RequiredRequests],
}

/// What IAM refuses although no check of Access Analyzer's says so: it depends on the kind of policy.
pub(crate) fn refusals(text: &str, root: &Value<'_>, target: Target) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    if root.get("Statement").is_some() {
        version(root, target, &mut out);
        size(text, root, target, &mut out);
    }
    out
}

/// All advice, after what IAM refuses.
pub(crate) fn run(context: &Context<'_, '_>, refusals: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut out = refusals;
    let lacks = |permission: &&Permission| permission.decision != Decision::Granted;
    for permission in context.verdict.permissions.iter().filter(lacks) {
        lacking(context, permission, &mut out);
    }
    placeholders(context, &mut out);
    escaped_variables(context, &mut out);
    never_true(context, &mut out);
    traps(context, &mut out);
    width::unneeded(context, &mut out);
    not_checked(context, &mut out);
    out
}

fn diagnostic(code: crate::issue_code::Code, places: Vec<Span>, message: String) -> Diagnostic {
    Diagnostic {
        refused: code.is_refused(),
        code,
        message,
        places,
        change: None,
    }
}

// One function for all: making room for a diagnostic would stand at each of them.
#[inline(never)]
fn note(out: &mut Vec<Diagnostic>, one: Diagnostic) {
    out.push(one);
}

// IAM refuses managed policies of the old version and reads inline ones by the old rules.
fn version(root: &Value<'_>, target: Target, out: &mut Vec<Diagnostic>) {
    let version = root.get("Version");
    if version.and_then(Value::as_str) == Some("2012-10-17") {
        return;
    }
    let place = version.map_or(root.span(), Value::span);
    let (code, message) = if target == Target::Managed {
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
    let mut one = diagnostic(code, vec![place], message.own());
    one.change = crate::lint::new_version(root);
    note(out, one);
}

fn size(text: &str, root: &Value<'_>, target: Target, out: &mut Vec<Diagnostic>) {
    if text.len() <= target.quota() {
        return;
    }
    let size = counted(text);
    if size > target.quota() {
        let message = format!(
            "the policy has {size} characters without white space, but a {} may have {}; \
             shorten or split it",
            target.noun(),
            target.quota()
        );
        note(
            out,
            diagnostic(own::POLICY_TOO_LARGE, vec![root.span()], message),
        );
    }
}

#[inline(never)]
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
    let mut places: Vec<Span> = statements.map(|s| s.value.span()).list();
    if places.is_empty() {
        let statement = context.root.get("Statement");
        places.push(statement.map_or(context.root.span(), Value::span));
    }
    let mut message = permission.explanation.as_ref().own();
    if !permission.conditions.is_empty() {
        message.append(" (");
        message.append(&permission.conditions.joined("; "));
        message.append(")");
    }
    let mut one = diagnostic(code, places, message);
    if permission.decision == Decision::Missing {
        let assumed = &context.verdict.assumed;
        one.change = remedy::add(
            context.text,
            context.root,
            context.options,
            assumed,
            &permission.action,
        );
    }
    note(out, one);
}

// Words of a template, which somebody meant to be filled in.
fn placeholders(context: &Context<'_, '_>, out: &mut Vec<Diagnostic>) {
    let places = paste::placeholders(context.text);
    if let Some(first) = places.first() {
        let message = format!(
            "`{}` is a template's placeholder, of CloudFormation, Terraform or the like, which IAM does not fill in; \
             put the value there, or check what the template makes of it",
            first.text(context.text).trim_end()
        );
        note(out, diagnostic(own::TEMPLATE_PLACEHOLDER, places, message));
    }
}

fn escaped_variables(context: &Context<'_, '_>, out: &mut Vec<Diagnostic>) {
    let places = paste::escaped_variables(context.text);
    let Some(first) = places.first() else {
        return;
    };
    let message = format!(
        "`{}` is how a policy document in Terraform writes one of IAM's variables; in JSON, write `${{…}}`",
        first.text(context.text)
    );
    let dollar = |place: &Span| {
        let end = place.start + 1;
        (Span { end, ..*place }, "$".own())
    };
    let edits = places.iter().map(dollar).list();
    let mut one = diagnostic(own::TEMPLATE_PLACEHOLDER, places, message);
    one.change = Some(Change::made_of("Write ${…}", edits));
    note(out, one);
}

// Conditions that keep a statement from ever granting what it names.
fn never_true(context: &Context<'_, '_>, out: &mut Vec<Diagnostic>) {
    let required = context.required;
    let missing: Vec<(&str, &str)> = context
        .verdict
        .permissions
        .iter()
        .flat_map(|p| p.resources.iter().map(move |r| (p, r)))
        .filter(|(_, r)| r.decision == Decision::Missing)
        .map(|(p, r)| (p.action.as_ref(), r.resource_type.as_ref()))
        .list();
    if missing.is_empty() {
        return;
    }
    let mut seen = Vec::new();
    let all = required
        .iter()
        .flat_map(|required| required.all().iter().map(move |asked| (required, asked)));
    for (required, asked) in all.filter(|(_, a)| missing.contains(&(a.action, a.resource))) {
        let facts = FactSheet::new(asked, required);
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
                if never && !seen.contains(&key.span.start) {
                    seen.push(key.span.start);
                    let message = format!(
                        "`{}` about `{}` never carries `{}`, so this condition is never true and \
                         the statement never grants it; put that resource type into a statement \
                         without this key",
                        asked.action, asked.resource, key.value
                    );
                    note(
                        out,
                        diagnostic(own::CONDITION_NEVER_TRUE, vec![key.span], message),
                    );
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
        statements.map(|s| s.value.span()).list()
    };
    // The statement, where it is one alone: else narrowing it would change nothing.
    let only = |answer: &evaluate::Answer| {
        let mut allows = answer
            .statements
            .iter()
            .filter(|(_, effect, _)| *effect == Effect::Allow);
        allows
            .next()
            .filter(|_| allows.next().is_none())
            .map(|(at, ..)| *at)
    };
    let granted = context
        .verdict
        .permissions
        .iter()
        .any(|p| p.action == "ec2:TerminateInstances" && p.decision < Decision::Missing);
    if ends.allowed != Tri::False && ends.denied != Tri::True {
        let message = format!(
            "this also ends instances that are not Sprinters'; put `ec2:TerminateInstances` and `ec2:ModifyVolume` into \
             a statement of their own with `\"StringEquals\": {{\"aws:ResourceTag/{OURS}\": \"true\"}}`"
        );
        let mut one = diagnostic(own::UNSCOPED_TERMINATE, places(&ends), message);
        one.change = only(&ends)
            .and_then(|at| remedy::scope_to_own(context.text, context.policy, context.root, at));
        note(out, one);
    } else if granted {
        let tags = ask("ec2:CreateTags");
        if tags.allowed != Tri::False && tags.denied != Tri::True {
            let message = format!(
                "whoever may put `{OURS}` on any instance may end it after that, so the tag \
                 protects nothing; add `\"StringEquals\": {{\"ec2:CreateAction\": \"RunInstances\"}}`"
            );
            let mut one = diagnostic(own::UNGUARDED_CREATE_TAGS, places(&tags), message);
            one.change = only(&tags)
                .and_then(|at| remedy::guard_tags(context.text, context.policy, context.root, at));
            note(out, one);
        }
    }
}

// Services outside the tables at hand: say so once instead of guessing.
fn not_checked(context: &Context<'_, '_>, out: &mut Vec<Diagnostic>) {
    let mut services: Vec<String> = Vec::new();
    let mut places = Vec::new();
    for statement in &context.policy.statements {
        let actions = statement.action.iter().flat_map(Element::texts);
        let keys = statement.conditions.iter().map(|condition| condition.key);
        for (text, is_action) in actions.map(|t| (t, true)).chain(keys.map(|k| (k, false))) {
            let Some((prefix, name)) = text::cut(&text.value, b':') else {
                continue;
            };
            let is_open = if is_action {
                data::service(prefix).is_none()
                    && name.bytes().any(|b| b != b'*')
                    && data::exists(context.catalog, prefix, name) == Known::NotChecked
            } else {
                data::key_names(context.catalog, prefix).is_none()
            };
            let known = |service: &String| same_name(service, prefix);
            if is_open && data::is_prefix(prefix) && !services.iter().any(known) {
                services.push(prefix.to_ascii_lowercase());
                places.push(text.span);
            }
        }
    }
    if !services.is_empty() {
        services.sort_unstable();
        let message = format!(
            "not checked: the actions and condition keys of `{}`, whose names are not loaded",
            services.joined("`, `")
        );
        note(out, diagnostic(own::NOT_CHECKED, places, message));
    }
}
