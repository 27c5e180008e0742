//! The elements of the document and of its statements: which there are and of what type.

use super::{Lint, MAX_COMPARED};
use crate::fix::{Change, nearest, removal};
use crate::issue_code;
use crate::json::{Member, Text, Value, quoted};
use crate::pattern::has_variable;
use crate::position::Span;
use crate::text::{IntoList, Own};

const TOP: [&str; 2] = ["Version", "Statement"];
const STATEMENT: [&str; 7] = [
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];
/// What Access Analyzer compares with, whatever the kind of identity policy.
const QUOTA: usize = 10_240;

pub(super) fn check(lint: &mut Lint<'_, '_>) {
    let root = lint.root;
    size(lint);
    let Some(members) = root.members() else {
        // Where nothing could be read, the syntax error says so already.
        if !matches!(root, Value::Null(_)) || root.span().text(lint.text) == "null" {
            lint.report(
                issue_code::DATA_TYPE_MISMATCH,
                root.span(),
                "a policy is a JSON object; wrap it in `{` and `}`",
            );
        }
        return;
    };
    for member in members {
        if !TOP.contains(&member.key.value.as_ref()) {
            unknown_element(lint, member, &TOP, members);
        }
    }
    version(lint);
    match root.get("Statement") {
        None => lint.report(
            issue_code::MISSING_STATEMENT,
            root.span(),
            "the policy has no `Statement`; add one",
        ),
        Some(statements) => {
            if statements.elements().is_empty() {
                lint.report(
                    issue_code::MISSING_STATEMENT,
                    root.span(),
                    "`Statement` is empty; add a statement",
                );
            }
            for value in statements.elements() {
                statement(lint, value);
            }
        }
    }
    sids(lint);
}

fn size(lint: &mut Lint<'_, '_>) {
    // Counting takes longer than all other checks of a document's frame, and few are that long.
    if lint.text.len() < QUOTA {
        return;
    }
    // Access Analyzer counts one more than there are; recorded outputs show it.
    let size = crate::size::counted(lint.text) + 1;
    if size > QUOTA {
        let message = format!(
            "the policy has {size} characters without white space, more than the {QUOTA} that \
             any identity policy may have; split it into several policies"
        );
        let code = issue_code::POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA;
        lint.report(code, lint.root.span(), message);
    }
}

fn version(lint: &mut Lint<'_, '_>) {
    let root = lint.root;
    match root.get("Version") {
        None => {
            let at = root.span().start as usize + 1;
            let comma = if root.members().is_some_and(<[_]>::is_empty) {
                ""
            } else {
                ","
            };
            let text = format!("\n  \"Version\": \"2012-10-17\"{comma}");
            lint.report_fix(
                issue_code::MISSING_VERSION,
                root.span(),
                "the policy has no `Version` and is read by the rules of 2008; add \
                 `\"Version\": \"2012-10-17\"`",
                Change::new("Add the version", Span::new(at, at), text),
            );
        }
        Some(Value::String(text)) => {
            if !matches!(text.value.as_ref(), "2012-10-17" | "2008-10-17") {
                let message = format!("there is no version `{}`; use `2012-10-17`", text.value);
                let change = Change::new("Use 2012-10-17", text.span, "\"2012-10-17\"");
                lint.report_fix(issue_code::INVALID_VERSION, text.span, message, change);
            }
        }
        Some(other) => mismatch(lint, other, "Version", "a string"),
    }
}

#[inline(never)]
fn unknown_element(
    lint: &mut Lint<'_, '_>,
    member: &Member<'_>,
    known: &[&str],
    all: &[Member<'_>],
) {
    if lint.is_full() {
        return;
    }
    let name = member.key.value.as_ref();
    if matches!(name, "Principal" | "NotPrincipal") && known.len() == STATEMENT.len() {
        let message = format!(
            "an identity policy has no `{name}`: it applies to whom it is attached to; remove it"
        );
        let change = Change::remove("Remove it", lint.root, member.key.span);
        lint.add_at(
            issue_code::UNSUPPORTED_PRINCIPAL,
            member.key.span,
            message,
            change,
        );
        return;
    }
    let free = |c: &&str| !all.iter().any(|m| m.key.value == *c);
    let meant = (lint.may_suggest())
        .then(|| nearest(name, known.iter().copied()))
        .flatten()
        .filter(free);
    let (message, change) = match meant {
        Some(meant) => (
            format!("there is no policy element `{name}` here; did you mean `{meant}`?"),
            Some(Change::write(meant, member.key.span, meant)),
        ),
        None => (
            format!("there is no policy element `{name}` here; remove it"),
            Change::remove("Remove it", lint.root, member.key.span),
        ),
    };
    lint.add_at(
        issue_code::INVALID_POLICY_ELEMENT,
        member.key.span,
        message,
        change,
    );
}

fn statement(lint: &mut Lint<'_, '_>, value: &Value<'_>) {
    let Some(members) = value.members() else {
        mismatch(lint, value, "Statement", "an object");
        return;
    };
    for member in members {
        match member.key.value.as_ref() {
            "Sid" => sid(lint, member),
            "Effect" => effect(lint, &member.value),
            "Action" | "NotAction" => {
                list(
                    lint,
                    value,
                    member,
                    issue_code::EMPTY_ARRAY_ACTION,
                    "action",
                );
            }
            "Resource" | "NotResource" => {
                list(
                    lint,
                    value,
                    member,
                    issue_code::EMPTY_ARRAY_RESOURCE,
                    "resource",
                );
            }
            "Condition" => condition(lint, member),
            _ => unknown_element(lint, member, &STATEMENT, members),
        }
    }
    let has = |name: &str| members.iter().find(|m| m.key.value == name);
    for (one, other) in [("Action", "NotAction"), ("Resource", "NotResource")] {
        if let (Some(a), Some(b)) = (has(one), has(other)) {
            let message = format!(
                "`{one}` and `{other}` exclude each other in one statement; remove one of them"
            );
            let places = vec![a.key.span, b.key.span];
            lint.add(
                issue_code::UNSUPPORTED_ELEMENT_COMBINATION,
                places,
                message,
                None,
            );
        }
    }
    let missing = [
        (
            issue_code::MISSING_EFFECT,
            has("Effect").is_none(),
            "`Effect`, `Allow` or `Deny`",
        ),
        (
            issue_code::MISSING_ACTION,
            has("Action").or(has("NotAction")).is_none(),
            "`Action` or `NotAction`",
        ),
        (
            issue_code::MISSING_RESOURCE,
            has("Resource").or(has("NotResource")).is_none(),
            "`Resource` or `NotResource`",
        ),
    ];
    for (code, absent, what) in missing {
        // A mistyped name is reported as such already.
        let typo = || {
            what.split('`')
                .filter(|name| STATEMENT.contains(name))
                .any(|name| {
                    let typo = |m: &Member<'_>| {
                        !STATEMENT.contains(&m.key.value.as_ref())
                            && nearest(&m.key.value, std::iter::once(name)).is_some()
                    };
                    members.iter().take(50).any(typo)
                })
        };
        if absent && !typo() {
            lint.report(
                code,
                value.span(),
                format!("the statement has no {what}; add it"),
            );
        }
    }
}

fn sid(lint: &mut Lint<'_, '_>, member: &Member<'_>) {
    let Value::String(text) = &member.value else {
        mismatch(lint, &member.value, "Sid", "a string");
        return;
    };
    if text.value.is_empty() {
        let change = Change::remove("Remove the Sid", lint.root, text.span);
        let message = "the `Sid` is empty; give it a value or remove it".own();
        lint.add_at(issue_code::EMPTY_SID_VALUE, text.span, message, change);
    } else if !text.value.bytes().all(|b| b.is_ascii_alphanumeric()) && !has_variable(&text.value) {
        let plain: String = text
            .value
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let change = match plain.as_str() {
            "" => Change::remove("Remove the Sid", lint.root, text.span),
            plain => Some(Change::write(plain, text.span, plain)),
        };
        let message = format!(
            "the `Sid` `{}` has other characters than letters a-z, A-Z and digits; remove them",
            text.value
        );
        lint.add_at(issue_code::UNSUPPORTED_SID, text.span, message, change);
    }
}

fn effect(lint: &mut Lint<'_, '_>, value: &Value<'_>) {
    let Value::String(text) = value else {
        mismatch(lint, value, "Effect", "a string");
        return;
    };
    if matches!(text.value.as_ref(), "Allow" | "Deny") || has_variable(&text.value) {
        return;
    }
    let message = format!(
        "there is no effect `{}`; write `Allow` or `Deny`",
        text.value
    );
    let change = nearest(&text.value, ["Allow", "Deny"].into_iter())
        .map(|meant| Change::write(meant, text.span, meant));
    lint.add_at(issue_code::INVALID_EFFECT, text.span, message, change);
}

fn list(
    lint: &mut Lint<'_, '_>,
    statement: &Value<'_>,
    member: &Member<'_>,
    empty: issue_code::Code,
    what: &str,
) {
    if let Value::Array(elements, span) = &member.value
        && elements.is_empty()
    {
        let message = format!(
            "the statement names no {what}; name some: IAM refuses an empty list, Access Analyzer only advises against it"
        );
        // Of several statements, one that allows nothing can go; what was to be denied nobody knows.
        let allows = statement.get("Effect").and_then(Value::as_str) == Some("Allow");
        let several = allows && lint.policy.statements.len() > 1;
        let gone = several
            .then(|| removal(lint.root, statement.span()))
            .flatten();
        let change = gone.map(|span| Change::new("Remove the statement", span, ""));
        lint.add_at(empty, *span, message, change);
    }
    for element in member.value.elements() {
        if element.as_text().is_none() {
            let name = member.key.value.to_string();
            mismatch(lint, element, &name, "a string or a list of strings");
        }
    }
}

fn condition(lint: &mut Lint<'_, '_>, member: &Member<'_>) {
    let Some(blocks) = member.value.members() else {
        mismatch(lint, &member.value, "Condition", "an object");
        return;
    };
    let empty = "this condition is empty and does nothing; remove it or add a key";
    if blocks.is_empty() {
        let change = Change::remove("Remove it", lint.root, member.key.span);
        let place = vec![member.value.span()];
        lint.add(
            issue_code::EMPTY_OBJECT_CONDITION,
            place,
            empty.own(),
            change,
        );
    }
    for block in blocks {
        match block.value.members() {
            None => mismatch(
                lint,
                &block.value,
                &block.key.value,
                "an object of keys and values",
            ),
            Some([]) => {
                // Alone, it would leave another empty object behind: the whole condition goes.
                let target = if blocks.len() == 1 {
                    member.key.span
                } else {
                    block.key.span
                };
                let change = Change::remove("Remove it", lint.root, target);
                let place = vec![block.value.span()];
                lint.add(
                    issue_code::EMPTY_OBJECT_CONDITION,
                    place,
                    empty.own(),
                    change,
                );
            }
            Some(keys) => {
                for key in keys {
                    values(lint, key);
                }
            }
        }
    }
}

fn values(lint: &mut Lint<'_, '_>, key: &Member<'_>) {
    for value in key.value.elements() {
        if matches!(value, Value::Null(_) | Value::Array(..) | Value::Object(..)) {
            mismatch(
                lint,
                value,
                &key.key.value,
                "a string, a number, a Boolean or a list of them",
            );
        }
    }
}

fn mismatch(lint: &mut Lint<'_, '_>, value: &Value<'_>, name: &str, expected: &str) {
    // Where nothing could be read, the syntax error says so already.
    if value.span().start == value.span().end {
        return;
    }
    let message = format!("`{name}` must be {expected}");
    let code = issue_code::DATA_TYPE_MISMATCH;
    match value.members() {
        Some([one]) if one.key.value == "Ref" || one.key.value.starts_with("Fn::") => {
            let message = format!(
                "{message}: `{}` is CloudFormation's, which writes one in its place when it deploys the template; \
                 do the same",
                one.key.value
            );
            let text = one.value.as_text().filter(|_| one.key.value == "Fn::Sub");
            let change =
                text.map(|text| Change::new("Write the string", value.span(), quoted(&text.value)));
            lint.add_at(code, value.span(), message, change);
        }
        _ => lint.report(code, value.span(), message),
    }
}

// All but the first get a number that no other Sid has.
fn numbered(same: &[&Text<'_>], all: &[&Text<'_>]) -> Change {
    let mut numbers = 2..;
    let mut fresh = || loop {
        let name = format!("{}{}", same[0].value, numbers.next().unwrap_or(0));
        if !all.iter().any(|sid| sid.value == name) {
            return name;
        }
    };
    let edits = same[1..]
        .iter()
        .map(|sid| (sid.span, quoted(&fresh())))
        .list();
    Change::made_of("Number them", edits)
}

fn sids(lint: &mut Lint<'_, '_>) {
    let policy = lint.policy;
    let mut all: Vec<_> = policy.statements.iter().filter_map(|s| s.sid).list();
    all.retain(|sid| !sid.value.is_empty());
    all.sort_unstable_by(|a, b| a.value.cmp(&b.value).then(a.span.start.cmp(&b.span.start)));
    for same in all
        .chunk_by(|a, b| a.value == b.value)
        .filter(|same| same.len() > 1)
    {
        let places: Vec<_> = same.iter().take(MAX_COMPARED).map(|sid| sid.span).list();
        let message = format!(
            "{} statements have the `Sid` `{}`; give each its own",
            same.len(),
            same[0].value
        );
        // Finding free names looks at every Sid for each new one.
        let few = same.len() <= 50 && all.len() <= MAX_COMPARED;
        let change = few.then(|| numbered(same, &all));
        lint.add(issue_code::UNIQUE_SIDS_REQUIRED, places, message, change);
    }
}
