//! Edits that take a policy on: what is missing is added, what is too wide gets a condition.

use crate::fix::Change;
use crate::json::Value;
use crate::options::Options;
use crate::pattern::same_name;
use crate::policy::{Effect, Policy};
use crate::position::Span;
use crate::size::counted;
use crate::statement::{Statement, Style, append};
use crate::tags::OURS;
use crate::text::{self, Append, IntoList, Own};
use crate::tighten::{self, tighten};
use crate::verdict::Assumed;

/// Adds what the tight policy has for the action.
pub(crate) fn add(
    text: &str,
    root: &Value<'_>,
    options: &Options,
    assumed: &Assumed,
    action: &str,
) -> Option<Change> {
    let mut new = tighten::statements(&options.setup, assumed);
    new.retain(|statement| statement.actions.contains(&action));
    for statement in &mut new {
        statement.actions.retain(|a| *a == action);
    }
    let edits = append(text, root, &new)?;
    let added: usize = edits.iter().map(|(_, new)| counted(new)).sum();
    // A further Allow takes nothing away, but the policy must not grow beyond what IAM takes.
    (counted(text) + added <= options.target.quota())
        .then(|| Change::made_of("Add it", edits).proven())
}

/// The tightest policy in place of a text that says nothing: empty, or a document without any statement.
pub(crate) fn begin(text: &str, root: &Value<'_>, options: &Options) -> Option<Change> {
    let is_nothing = |value: &Value<'_>| value.elements().is_empty();
    let says_nothing = match root.members() {
        None => text.trim().is_empty() || is_nothing(root),
        Some(members) => members.iter().all(|m| match m.key.value.as_ref() {
            "Version" => true,
            "Statement" => is_nothing(&m.value),
            _ => false,
        }),
    };
    let whole = Span::new(0, text.len());
    says_nothing.then(|| Change::new("Write the tightest policy", whole, tighten(&options.setup)))
}

/// What a statement is to be narrowed to: some of its actions under a condition that Sprinters meets.
struct Scope {
    sid: &'static str,
    actions: &'static [&'static str],
    key: &'static str,
    value: &'static str,
}

const OWN: Scope = Scope {
    sid: "ManageOwn",
    actions: &[
        "ec2:TerminateInstances",
        "ec2:ModifyVolume",
        "ec2:GetConsoleOutput",
        "ec2:DeregisterImage",
        "ec2:DeleteSnapshot",
    ],
    key: "aws:ResourceTag/sprinters:sprinters",
    value: "true",
};
const ON_LAUNCH: Scope = Scope {
    sid: "TagOnLaunch",
    actions: &["ec2:CreateTags"],
    key: "ec2:CreateAction",
    value: "RunInstances",
};

/// Puts the actions that end and change instances, and the tagging that would open them to it, under conditions.
pub(crate) fn scope_to_own(
    text: &str,
    policy: &Policy<'_, '_>,
    root: &Value<'_>,
    at: usize,
) -> Option<Change> {
    debug_assert!(OWN.key.ends_with(OURS), "the tag that policies scope on");
    split(text, policy, root, at, &[ON_LAUNCH, OWN])
        .map(|edits| Change::made_of("Only for Sprinters' own", edits))
}

/// Lets tags be set in a launch alone.
pub(crate) fn guard_tags(
    text: &str,
    policy: &Policy<'_, '_>,
    root: &Value<'_>,
    at: usize,
) -> Option<Change> {
    split(text, policy, root, at, &[ON_LAUNCH])
        .map(|edits| Change::made_of("Only in a launch", edits))
}

// Takes the scopes' actions out of a statement without conditions into statements of their own.
fn split(
    text: &str,
    policy: &Policy<'_, '_>,
    root: &Value<'_>,
    at: usize,
    scopes: &[Scope],
) -> Option<Vec<(Span, String)>> {
    let statement = policy.statements.get(at)?;
    let (action, resource) = (statement.action.as_ref()?, statement.resource.as_ref()?);
    let plain = statement.effect == Some(Effect::Allow)
        && statement.conditions.is_empty()
        && !statement.in_doubt
        && statement.value.get("Condition").is_none()
        && !action.negated
        && !resource.negated;
    if !plain {
        return None;
    }
    let texts: Vec<&str> = action.texts().map(|t| t.value.as_ref()).list();
    let listed = |wanted: &&&str| texts.iter().any(|t| same_name(t, wanted));
    let resources: Vec<String> = resource.texts().map(|t| t.value.to_string()).list();
    let mut new = Vec::new();
    for scope in scopes {
        let actions: Vec<&'static str> = scope.actions.iter().filter(listed).copied().list();
        if !actions.is_empty() {
            new.push(Statement {
                sid: scope.sid,
                actions,
                resources: resources.clone(),
                equals: vec![(scope.key.own(), vec![scope.value.own()])],
            });
        }
    }
    let moved = |text: &&str| {
        new.iter()
            .any(|s| s.actions.iter().any(|a| same_name(a, text)))
    };
    let left: Vec<&str> = texts.iter().filter(|t| !moved(t)).copied().list();
    if left.len() == texts.len() {
        return None;
    }
    let style = Style::of(text, statement.value);
    let mut edits = Vec::new();
    if left.is_empty() {
        // The statement itself becomes the first of them.
        let first = new.remove(0);
        let mut condition = String::new();
        style.condition(&mut condition, &first.equals);
        let end = statement.value.members()?.last()?.value.span().end;
        let member = style.member("Condition", |out| out.append(&condition));
        edits.push((Span { start: end, end }, member));
        if !new.is_empty() {
            let mut list = String::new();
            style.values(&mut list, &first.actions, 1);
            edits.push((action.value.span(), list));
        }
    } else {
        let mut list = String::new();
        let span = action.value.span();
        if text::has(span.text(text), b'\n') {
            style.values(&mut list, &left, 1);
        } else {
            style.on_one_line().values(&mut list, &left, 1);
        }
        edits.push((span, list));
    }
    if !new.is_empty() {
        edits.extend(append(text, root, &new)?);
    }
    Some(edits)
}
