//! `Action` and `NotAction`: do the services and their actions exist?

use super::Lint;
use crate::data::{self, Known};
use crate::fix::{Change, nearest, suggest};
use crate::issue_code;
use crate::json::Text;
use crate::pattern::{has_variable, has_wildcard};
use crate::policy::Statement;
use crate::text::{self, Own};

pub(super) fn check(lint: &mut Lint<'_, '_>, statement: &Statement<'_, '_>) {
    let Some(element) = &statement.action else {
        return;
    };
    for text in element.texts() {
        if lint.is_full() {
            return;
        }
        if has_variable(&text.value) {
            super::variable::unsupported(lint, text, "Action");
        } else if text.value.is_empty() || text.value.bytes().any(|b| b != b'*') {
            one(lint, text);
        }
    }
}

fn one(lint: &mut Lint<'_, '_>, text: &Text<'_>) {
    let Some((prefix, name)) = text::cut(&text.value, b':') else {
        let message = if text.value.is_empty() {
            "the action is empty; write service and action, as in `ec2:RunInstances`".own()
        } else {
            format!(
                "`{}` is not an action; write service and action, as in `ec2:RunInstances`",
                text.value
            )
        };
        let found = data::service("ec2").and_then(|ec2| ec2.action(&text.value));
        let change = found.map(|action| {
            let whole = format!("ec2:{}", action.name);
            Change::write(&whole, text.span, &whole)
        });
        lint.add_refused(issue_code::INVALID_ACTION, text.span, message, change);
        return;
    };
    if lint.is_grammar_alone() {
        return;
    }
    if has_wildcard(prefix) {
        let message = format!(
            "the service in `{}` has a wildcard, which reaches services that you do not think of; \
             name the service",
            text.value
        );
        lint.report(issue_code::WILDCARD_IN_SERVICE_NAME, text.span, message);
    } else if !data::is_prefix(prefix) {
        let mut message = format!(
            "there is no service `{prefix}` for the action `{}`",
            text.value
        );
        let all = lint.may_suggest().then(data::prefixes);
        let meant = all.and_then(|all| nearest(prefix, all));
        let change = meant.map(|meant| {
            suggest(&mut message, meant);
            let whole = format!("{meant}:{name}");
            Change::write(meant, text.span, &whole)
        });
        lint.add_at(
            issue_code::INVALID_SERVICE_IN_ACTION,
            text.span,
            message,
            change,
        );
    } else if data::exists(lint.catalog, prefix, name) == Known::None {
        let mut message = format!("the service `{prefix}` has no action `{name}`");
        let meant = (lint.may_suggest())
            .then(|| data::nearest_action(lint.catalog, prefix, name))
            .flatten();
        let change = meant.map(|meant| {
            let whole = format!("{prefix}:{meant}");
            suggest(&mut message, &whole);
            Change::write(&whole, text.span, &whole)
        });
        lint.add_at(issue_code::INVALID_ACTION, text.span, message, change);
    }
}
