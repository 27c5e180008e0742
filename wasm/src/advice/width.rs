//! What a policy grants beyond the need.

use super::{Context, MAX_ADVICE, diagnostic, note};
use crate::data::{self, Catalog, Known};
use crate::fix::{Change, removal};
use crate::issue_code::sprinters as own;
use crate::json::{Text, Value, quoted};
use crate::lint::Diagnostic;
use crate::pattern::{has_wildcard, matches_ignoring_case, same_name};
use crate::policy::{Effect, Element, Statement};
use crate::statement::Style;
use crate::text::{self, IntoList, Join, Own};
use crate::verdict::Feature;

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
        Some(Feature::LaunchTemplate | Feature::CapacityReservation) => &[],
        Some(Feature::ImageByName) => &["ec2:DescribeImages"],
        Some(Feature::Bake) => &[
            "ec2:DescribeImages",
            "ec2:CreateImage",
            "ec2:DeregisterImage",
            "ec2:DeleteSnapshot",
        ],
    }
}

/// Reports what each Allow statement grants beyond the need; the same action in several statements once.
pub(super) fn unneeded(context: &Context<'_, '_>, out: &mut Vec<Diagnostic>) {
    let features = context.options.setup.features.iter().copied().map(Some);
    let need: Vec<&str> = std::iter::once(None)
        .chain(features)
        .flat_map(needed)
        .copied()
        .list();
    let mut seen: Vec<(&str, usize)> = Vec::new();
    for statement in &context.policy.statements {
        let allows = statement.effect == Some(Effect::Allow);
        let Some(action) = statement.action.as_ref().filter(|_| allows) else {
            continue;
        };
        if action.negated {
            let message =
                "`NotAction` allows everything else there is; name the actions in `Action`";
            note(
                out,
                diagnostic(own::WHOLE_SERVICE, vec![action.key], message.own()),
            );
            continue;
        }
        for text in action.texts() {
            if out.len() >= MAX_ADVICE {
                return;
            }
            let value = text.value.as_ref();
            let known = seen.iter().find(|(name, _)| *name == value);
            if let Some(same) = known.and_then(|(_, at)| out.get_mut(*at)) {
                again(context, statement, action, text, same);
                continue;
            }
            if let Some(one) = check_action(context, &need, statement, action, text) {
                // Whether one of these is on everything depends on its statement.
                if one.code != own::ADMINISTRATOR_ACCESS && one.code != own::WHOLE_SERVICE {
                    seen.push((value, out.len()));
                }
                note(out, one);
            }
        }
    }
}

fn check_action(
    context: &Context<'_, '_>,
    need: &[&str],
    statement: &Statement<'_, '_>,
    action: &Element<'_, '_>,
    text: &Text<'_>,
) -> Option<Diagnostic> {
    let value = text.value.as_ref();
    let hits: Vec<&str> = need
        .iter()
        .filter(|name| matches_ignoring_case(value, name))
        .copied()
        .list();
    if hits.is_empty() {
        // Mistyped, most likely; the findings say so, and removing it would be wrong.
        if !may_exist(context.catalog, value) {
            return None;
        }
        let mut one = diagnostic(
            own::UNNEEDED_PERMISSION,
            vec![text.span],
            superfluous(value),
        );
        one.change = removed(context, statement, action, text);
        return Some(one);
    }
    let (code, message) = if is_everything(value) && is_unbounded(statement) {
        let message = format!(
            "`{value}` on everything is administrator access: whoever has these credentials owns the account; \
             name the actions that Sprinters needs"
        );
        (own::ADMINISTRATOR_ACCESS, message)
    } else {
        let (far, code) = if is_whole_service(value) {
            ("far ", own::WHOLE_SERVICE)
        } else if has_wildcard(value) {
            ("", own::UNNEEDED_PERMISSION)
        } else {
            return None;
        };
        let needed = match hits[..] {
            [only] => format!("`{only}`, all that Sprinters needs of it; name that"),
            _ => format!(
                "the {} actions that Sprinters needs; name those",
                hits.len()
            ),
        };
        (code, format!("`{value}` allows {far}more than {needed}"))
    };
    let mut one = diagnostic(code, vec![text.span], message);
    one.change = named(context, statement, action, text, &hits);
    Some(one)
}

fn superfluous(action: &str) -> String {
    let serves = |f: &&Feature| needed(Some(**f)).iter().any(|name| same_name(name, action));
    match Feature::ALL.iter().find(serves) {
        Some(feature) => format!(
            "Sprinters needs `{action}` only for the feature `{}`; choose that feature, or remove the permission",
            feature.name()
        ),
        None => {
            format!("Sprinters does not need `{action}` for the chosen features; remove it")
        }
    }
}

fn removed(
    context: &Context<'_, '_>,
    statement: &Statement<'_, '_>,
    action: &Element<'_, '_>,
    text: &Text<'_>,
) -> Option<Change> {
    let alone = action.value.elements().len() == 1;
    if alone && context.policy.statements.len() == 1 {
        return None;
    }
    let target = if alone {
        statement.value.span()
    } else {
        text.span
    };
    let change = Change::new("Remove it", removal(context.root, target)?, "");
    // One action less that no request asks for: nothing to try. A statement's ARNs say which account is meant.
    Some(if alone { change } else { change.proven() })
}

// The names instead of the pattern, as further elements of its list.
fn named(
    context: &Context<'_, '_>,
    statement: &Statement<'_, '_>,
    action: &Element<'_, '_>,
    text: &Text<'_>,
    hits: &[&str],
) -> Option<Change> {
    let others = || action.texts().filter(|other| other.span != text.span);
    let fresh = |name: &&&str| !others().any(|other| matches_ignoring_case(&other.value, name));
    let new: Vec<&str> = hits.iter().filter(fresh).copied().list();
    let style = Style::of(context.text, statement.value);
    let title = "Name the actions";
    let mut out = String::new();
    if !matches!(action.value, Value::Array(..)) || action.value.elements().len() == 1 {
        style.values(&mut out, &new, 1);
        return Some(Change::new(title, action.value.span(), out));
    }
    if new.is_empty() {
        return Change::remove(title, context.root, text.span);
    }
    let list: Vec<String> = new.iter().map(|name| quoted(name)).list();
    Some(Change::new(title, text.span, list.joined(", ")))
}

// The same advice at one more place.
fn again(
    context: &Context<'_, '_>,
    statement: &Statement<'_, '_>,
    action: &Element<'_, '_>,
    text: &Text<'_>,
    same: &mut Diagnostic,
) {
    same.places.push(text.span);
    let Some(change) = &mut same.change else {
        return;
    };
    // Statements that would go as a whole stay: all of them could be gone.
    let alone = action.value.elements().len() == 1;
    let further = removed(context, statement, action, text).filter(|_| !alone);
    for edit in further.into_iter().flat_map(|further| further.edits) {
        let free = change
            .edits
            .iter()
            .all(|(other, _)| other.end <= edit.0.start || edit.0.end <= other.start);
        if free {
            change.edits.push(edit);
        }
    }
}

fn is_everything(action: &str) -> bool {
    !action.is_empty() && action.bytes().all(|b| b == b'*' || b == b':')
}

// Every action of a service, or of services that nobody listed.
fn is_whole_service(action: &str) -> bool {
    match text::cut(action, b':') {
        Some((prefix, name)) => has_wildcard(prefix) || name.bytes().all(|b| b == b'*'),
        None => is_everything(action),
    }
}

// On every resource and under no condition.
fn is_unbounded(statement: &Statement<'_, '_>) -> bool {
    let every = |element: &Element<'_, '_>| {
        !element.negated
            && element
                .texts()
                .any(|t| !t.value.is_empty() && t.value.bytes().all(|b| b == b'*'))
    };
    statement.conditions.is_empty() && statement.resource.as_ref().is_some_and(every)
}

fn may_exist(catalog: Option<&Catalog>, action: &str) -> bool {
    match text::cut(action, b':') {
        Some((prefix, name)) => {
            has_wildcard(prefix)
                || data::is_prefix(prefix) && data::exists(catalog, prefix, name) != Known::None
        }
        None => action.bytes().all(|b| b == b'*'),
    }
}
