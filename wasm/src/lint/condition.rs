//! `Condition`: the operators, and for each key what `key` and `value` check.

use super::block::Block;
use super::{Lint, key, value};
use crate::fix::{Change, nearest, suggest};
use crate::issue_code;
use crate::json::{Member, Value};
use crate::operator::{Family, Operator, Qualifier};
use crate::pattern::same_name;
use crate::policy::Statement;
use crate::text::{self, Append, IntoList, Own};

pub(super) fn check(lint: &mut Lint<'_, '_>, statement: &Statement<'_, '_>) {
    if statement.conditions.is_empty() {
        return;
    }
    let condition = statement.value.get("Condition").and_then(Value::members);
    let all = condition.unwrap_or_default();
    for member in all {
        one(lint, statement, member, all);
    }
}

// Apart, as all that has much to say is: a browser and Node compile a function when it is first called, and many policies have no
// conditions.
#[inline(never)]
fn one(
    lint: &mut Lint<'_, '_>,
    statement: &Statement<'_, '_>,
    member: &Member<'_>,
    all: &[Member<'_>],
) {
    let block = Block {
        name: &member.key,
        operator: Operator::parse(&member.key.value),
        keys: member.value.members().unwrap_or_default(),
        effect: statement.effect,
        all,
    };
    operator(lint, &block);
    if !lint.is_grammar_alone() {
        same_key_twice(lint, &block);
    }
    for entry in block.keys {
        if lint.is_full() {
            return;
        }
        key::check(lint, &block, entry);
        if !lint.is_grammar_alone() {
            value::check(lint, &block, entry);
        }
    }
}

fn operator(lint: &mut Lint<'_, '_>, block: &Block<'_, '_>) {
    let name = block.name.value.as_ref();
    let Some(operator) = block.operator else {
        let mut message = format!("there is no condition operator `{name}`");
        let base = text::cut(name, b':').map_or(name, |(_, base)| base);
        let change = nearest(base, Operator::names()).and_then(|meant| {
            let q = text::cut(name, b':').map(|(q, _)| q);
            let q = q.and_then(|q| nearest(q, ["ForAllValues", "ForAnyValue"].into_iter()));
            let meant = q.map_or(meant.own(), |q| format!("{q}:{meant}"));
            suggest(&mut message, &meant);
            let free = !block.all.iter().any(|b| b.key.value == meant);
            free.then(|| Change::write(&meant, block.name.span, &meant))
        });
        if !message.ends_with('?') {
            message.append("; use one such as `StringEquals`");
        }
        lint.add_at(
            issue_code::INVALID_CONDITION_OPERATOR,
            block.name.span,
            message,
            change,
        );
        return;
    };
    if operator.family != Family::Null {
        return;
    }
    let plain = || {
        let free = !block.all.iter().any(|b| b.key.value == "Null");
        free.then(|| Change::new("Use Null", block.name.span, "\"Null\""))
    };
    if operator.if_exists {
        let message = "`Null` asks whether the key exists; remove `IfExists`".own();
        lint.add_at(
            issue_code::NULL_WITH_IF_EXISTS,
            block.name.span,
            message,
            plain(),
        );
    }
    if let Some(qualifier) = operator.qualifier {
        let always = match qualifier {
            Qualifier::ForAllValues => "true",
            Qualifier::ForAnyValue => "false",
        };
        let message = format!("`Null` with a qualifier is always {always}; use `Null` alone");
        lint.add_at(
            issue_code::NULL_WITH_QUALIFIER,
            block.name.span,
            message,
            plain(),
        );
    }
}

fn same_key_twice(lint: &mut Lint<'_, '_>, block: &Block<'_, '_>) {
    if block.keys.len() > super::MAX_COMPARED {
        return;
    }
    for (at, first) in block.keys.iter().enumerate() {
        let same = |m: &&Member<'_>| same_name(&m.key.value, &first.key.value);
        if block.keys[..at].iter().any(|m| same(&m)) {
            continue;
        }
        let all: Vec<_> = block.keys[at..].iter().filter(same).list();
        // The very same spelling twice is the parser's business.
        if all.iter().any(|m| m.key.value != first.key.value) {
            let message = format!(
                "the condition key `{}` stands here more than once in different spelling; merge them",
                first.key.value
            );
            let places = all.iter().map(|m| m.key.span).list();
            lint.add(
                issue_code::DUPLICATE_KEYS_WITH_DIFFERENT_CASE,
                places,
                message,
                None,
            );
        }
    }
}
