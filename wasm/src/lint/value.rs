//! The values of conditions: do they fit the operator, and do they say anything?

use super::Lint;
use super::block::Block;
use crate::fix::Change;
use crate::issue_code;
use crate::json::{Member, Text, Value, quoted};
use crate::operator::{Comparison, Family, Operator, Qualifier};
use crate::pattern::{has_variable, has_wildcard, same_name};
use crate::position::Span;
use crate::region;
use crate::values::{self, Decimal, date};

pub(super) fn check(lint: &mut Lint<'_, '_>, block: &Block<'_, '_>, entry: &Member<'_>) {
    let values = entry.value.elements();
    if values.is_empty() {
        empty(lint, block, entry);
        return;
    }
    if values
        .windows(2)
        .any(|pair| kind(&pair[0]) != kind(&pair[1]))
    {
        let message = format!(
            "the values of `{}` have different JSON types; write all as strings",
            entry.key.value
        );
        lint.report(
            issue_code::INVALID_CONDITION_DATA_TYPE,
            entry.value.span(),
            message,
        );
    }
    let Some(operator) = block.operator else {
        return;
    };
    let single = matches!(operator.family, Family::Bool | Family::Null);
    if single && values.len() > 1 && operator.qualifier.is_none() {
        let message = format!("`{}` takes one Boolean; keep one of them", block.name.value);
        lint.report(
            issue_code::INVALID_CONDITION_MULTIPLE_BOOLEAN,
            entry.value.span(),
            message,
        );
    }
    for value in values {
        one(lint, block, operator, entry, value);
    }
    whole(lint, block, operator, entry);
}

fn kind<'t>(value: &Value<'t>) -> std::mem::Discriminant<Value<'t>> {
    std::mem::discriminant(value)
}

#[inline(never)]
fn empty(lint: &mut Lint<'_, '_>, block: &Block<'_, '_>, entry: &Member<'_>) {
    let key = &entry.key.value;
    let operator = block.operator;
    let null = "use `Null` with `true` to ask for that";
    let (code, message) = match operator {
        Some(op) if op.qualifier == Some(Qualifier::ForAllValues) => (
            issue_code::EMPTY_ARRAY_CONDITION_FORALLVALUES,
            format!("without values this is true only where `{key}` is absent; {null}"),
        ),
        Some(op) if op.qualifier == Some(Qualifier::ForAnyValue) => (
            issue_code::EMPTY_ARRAY_CONDITION_FORANYVALUE,
            format!("without values of `{key}` this is never true; name some"),
        ),
        Some(op) if op.if_exists => (
            issue_code::EMPTY_ARRAY_CONDITION_IFEXISTS,
            format!("without values this is true only where `{key}` is absent; {null}"),
        ),
        _ => (
            issue_code::EMPTY_ARRAY_CONDITION,
            format!("the condition on `{key}` has no values and does nothing; name some"),
        ),
    };
    lint.report(code, entry.value.span(), message);
}

fn one(
    lint: &mut Lint<'_, '_>,
    block: &Block<'_, '_>,
    operator: Operator,
    entry: &Member<'_>,
    value: &Value<'_>,
) {
    let (text, place) = match value {
        Value::String(text) => (text.value.as_ref(), text.span),
        Value::Number(text, span) => (*text, *span),
        Value::Bool(true, span) => ("true", *span),
        Value::Bool(false, span) => ("false", *span),
        _ => return,
    };
    if has_variable(text) {
        if let Value::String(text) = value {
            variables(lint, operator, text);
        }
        return;
    }
    let name = &block.name.value;
    match operator.family {
        Family::String => wildcard(lint, block, operator, text, place),
        Family::Bool | Family::Null if values::boolean(text).is_none() => {
            let message = format!("`{name}` takes `true` or `false`, not `{text}`");
            lint.report(issue_code::TYPE_MISMATCH_BOOLEAN, place, message);
        }
        Family::Numeric if Decimal::parse(text).is_none() => {
            let message = format!("`{name}` takes numbers, not `{text}`");
            lint.report(issue_code::TYPE_MISMATCH_NUMBER, place, message);
        }
        Family::Binary if !values::is_base64(text) => {
            let message = format!("`{name}` takes base64, not `{text}`");
            lint.report(issue_code::TYPE_MISMATCH_STRING, place, message);
        }
        Family::Date => date_value(lint, &entry.key.value, text, place),
        _ => {}
    }
}

fn variables(lint: &mut Lint<'_, '_>, operator: Operator, text: &Text<'_>) {
    if matches!(operator.family, Family::String | Family::Arn) {
        super::variable::check(lint, text);
        return;
    }
    for variable in super::variable::variables(&text.value) {
        let place = text.part(variable.start, variable.end).unwrap_or(text.span);
        let message = "variables work with String and Arn operators only; write the value itself";
        lint.report(issue_code::INVALID_VARIABLE_FOR_OPERATOR, place, message);
    }
}

fn wildcard(
    lint: &mut Lint<'_, '_>,
    block: &Block<'_, '_>,
    operator: Operator,
    text: &str,
    place: Span,
) {
    if operator.comparison == Comparison::Like || !has_wildcard(text) {
        return;
    }
    let base = if operator.negated {
        "StringNotLike"
    } else {
        "StringLike"
    };
    let name = block.with_base(base);
    let message = format!(
        "`{}` compares `{text}` letter by letter; if `*` or `?` is a wildcard, use `{name}`",
        block.name.value
    );
    let change = match operator.comparison {
        Comparison::Equals => block.renamed(&name),
        _ => None,
    };
    lint.add_at(
        issue_code::WILDCARD_WITHOUT_LIKE_OPERATOR,
        place,
        message,
        change,
    );
}

fn date_value(lint: &mut Lint<'_, '_>, key: &str, text: &str, place: Span) {
    match date::parse(text) {
        None => {
            let message = format!(
                "`{text}` is not a date; write one like 2026-01-31 or 2026-01-31T12:00:00Z"
            );
            lint.report(issue_code::TYPE_MISMATCH_DATE, place, message);
        }
        Some((_, date::Written::Epoch)) if !same_name(key, "aws:EpochTime") => {
            let message =
                format!("`{text}` is read as seconds since 1970; write the date like 2026-01-31");
            lint.report(issue_code::INVALID_DATE_VALUE, place, message);
        }
        Some(_) => {}
    }
}

// What all values of one key say together.
fn whole(lint: &mut Lint<'_, '_>, block: &Block<'_, '_>, operator: Operator, entry: &Member<'_>) {
    match operator.family {
        Family::String => always(lint, block, operator, entry),
        Family::Numeric => one_number(lint, block, operator, entry),
        Family::IpAddress => super::network::check(lint, operator, entry),
        _ => {}
    }
}

// `*` alone: the condition asks only whether the key is there.
fn always(lint: &mut Lint<'_, '_>, block: &Block<'_, '_>, operator: Operator, entry: &Member<'_>) {
    let stars = |v: &&Value<'_>| {
        let text = v.as_str().unwrap_or_default();
        !text.is_empty() && text.bytes().all(|b| b == b'*')
    };
    if !operator.takes_wildcards() {
        return;
    }
    let Some(star) = entry.value.elements().iter().find(stars) else {
        return;
    };
    let (key, name) = (&entry.key.value, &block.name.value);
    let tautology = !operator.negated
        && (operator.if_exists || operator.qualifier == Some(Qualifier::ForAllValues));
    if tautology {
        let message = format!("`{name}` on `{key}` with `*` is always true; remove the key");
        lint.report(
            issue_code::REDUNDANT_KEY_DUE_TO_WILDCARD_IN_CONDITION,
            star.span(),
            message,
        );
        return;
    }
    if operator.negated && operator.qualifier == Some(Qualifier::ForAnyValue) {
        let message = format!("`{name}` on `{key}` with `*` is never true; remove the statement");
        let code = issue_code::REDUNDANT_STATEMENT_DUE_TO_WILDCARD_IN_CONDITION;
        lint.report(code, star.span(), message);
        return;
    }
    let (code, answer) = if operator.negated {
        (issue_code::EQUIVALENT_TO_NULL_TRUE, "true")
    } else {
        (issue_code::EQUIVALENT_TO_NULL_FALSE, "false")
    };
    let message = format!(
        "`{name}` with `*` only asks whether `{key}` is there; say so with \
         `\"Null\": {{\"{key}\": \"{answer}\"}}`"
    );
    let change = block
        .renamed("Null")
        .map(|change| change.also(entry.value.span(), &quoted(answer)));
    lint.add_at(code, star.span(), message, change);
}

fn one_number(
    lint: &mut Lint<'_, '_>,
    block: &Block<'_, '_>,
    operator: Operator,
    entry: &Member<'_>,
) {
    let values = entry.value.elements();
    let greatest = match operator.comparison {
        Comparison::LessThan | Comparison::LessThanEquals => true,
        Comparison::GreaterThan | Comparison::GreaterThanEquals => false,
        _ => return,
    };
    if values.len() < 2 {
        return;
    }
    let read = |v: &Value<'_>| match v {
        Value::String(text) => Decimal::parse(&text.value),
        Value::Number(text, _) => Decimal::parse(text),
        _ => None,
    };
    let numbers: Option<Vec<Decimal>> = values.iter().map(read).collect();
    let Some(numbers) = numbers else {
        return;
    };
    let mut best = 0;
    for (at, number) in numbers.iter().enumerate() {
        let order = number.cmp(&numbers[best]);
        if (greatest && order.is_gt()) || (!greatest && order.is_lt()) {
            best = at;
        }
    }
    let word = if greatest { "greatest" } else { "least" };
    let kept = values[best].span().text(lint.text);
    let message = format!(
        "of several values of `{}` only the {word} one counts with `{}`; keep {kept}",
        entry.key.value, block.name.value
    );
    let change = Change::new(format!("Keep {kept}"), entry.value.span(), kept);
    lint.report_fix(
        issue_code::REDUNDANT_CONDITION_VALUE_NUM,
        entry.value.span(),
        message,
        change,
    );
}

/// Whether the value is the name of a region that AWS does not have.
pub(super) fn is_wrong_region(text: &str) -> bool {
    !crate::arn::is_open(text) && !region::is_region(text)
}
