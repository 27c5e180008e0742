//! Conditions on tags where the service knows none.

use super::Lint;
use crate::data::{self, Known};
use crate::issue_code;
use crate::operator::Family;
use crate::pattern::same_name;
use crate::policy::{Condition, Effect, Statement};
use crate::position::Span;
use crate::text::{self, Join};

pub(super) fn check(lint: &mut Lint<'_, '_>, statement: &Statement<'_, '_>) {
    let (Some(action), Some(effect)) = (&statement.action, statement.effect) else {
        return;
    };
    for condition in statement.conditions.iter().filter(|c| asks_for_tag(c)) {
        let key = condition.key.value.as_ref();
        if action.negated {
            let (code, effect) = match effect {
                Effect::Allow => (
                    issue_code::ALLOW_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE,
                    "allowed",
                ),
                Effect::Deny => (
                    issue_code::DENY_NOTACTION_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE,
                    "denied",
                ),
            };
            let message = format!(
                "many actions know nothing of `{key}` and are never {effect} here; name the \
                 actions in `Action`"
            );
            lint.add(
                code,
                vec![action.value.span(), condition.key.span],
                message,
                None,
            );
            continue;
        }
        let (services, mut places) = untagged(lint, statement);
        if services.is_empty() {
            continue;
        }
        places.push(condition.key.span);
        let list = services.joined("`, `");
        let (code, message) = match effect {
            Effect::Allow => (
                issue_code::ALLOW_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE,
                format!(
                    "these actions of `{list}` know nothing of `{key}` and are not allowed by this \
                     statement; move them to one without this condition"
                ),
            ),
            Effect::Deny => (
                issue_code::DENY_WITH_UNSUPPORTED_TAG_CONDITION_KEY_FOR_SERVICE,
                format!(
                    "these actions of `{list}` know nothing of `{key}` and are not denied by this \
                     statement; move them to one without this condition"
                ),
            ),
        };
        lint.add(code, places, message, None);
    }
}

// A positive comparison of a resource's tag: never true where the key is unknown.
fn asks_for_tag(condition: &Condition<'_, '_>) -> bool {
    let head = "aws:ResourceTag/";
    let positive = condition
        .operator
        .is_some_and(|op| op.family != Family::Null && !op.negated && !op.if_exists);
    let key = condition.key.value.as_ref();
    positive && key.get(..head.len()).is_some_and(|k| same_name(k, head))
}

fn untagged(lint: &Lint<'_, '_>, statement: &Statement<'_, '_>) -> (Vec<String>, Vec<Span>) {
    let (mut services, mut places) = (Vec::new(), Vec::new());
    for text in statement
        .action
        .iter()
        .flat_map(super::super::policy::Element::texts)
    {
        let Some((prefix, name)) = text::cut(&text.value, b':') else {
            continue;
        };
        let known = data::takes_tags(lint.catalog, prefix, name);
        if matches!(
            known,
            Known::Some {
                any_takes_tags: false
            }
        ) {
            let prefix = prefix.to_ascii_lowercase();
            if !services.contains(&prefix) {
                services.push(prefix);
            }
            places.push(text.span);
        }
    }
    (services, places)
}
