//! One operator, one key, its values, against what the request carries.

use super::Tri;
use super::fact::{Expanded, Fact, Facts, expand};
use crate::json::Value;
use crate::operator::{Comparison, Family, Operator, Qualifier};
use crate::pattern::{has_variable, has_wildcard, same_name};
use crate::policy::{Condition, Version};
use crate::tags::{self, Carried, Tag};
use crate::values::{self, Decimal, address::Network, date};

/// Whether the condition is met.
#[must_use]
pub fn holds(condition: &Condition<'_, '_>, version: Version, facts: &dyn Facts) -> Tri {
    let Some(operator) = condition.operator else {
        return Tri::Unknown;
    };
    let values = condition.value.elements();
    let fact = facts.fact(&condition.key.value);
    if operator.family == Family::Null {
        return null(operator, values, &fact);
    }
    match fact {
        Fact::Absent | Fact::Never => absent(operator).into(),
        Fact::Values(request) if request.is_empty() => absent(operator).into(),
        Fact::Values(request) => compare_all(operator, values, &request, version, facts),
        Fact::AbsentOr(value) => {
            let present = compare_all(operator, values, &[value], version, facts);
            let missing = Tri::from(absent(operator));
            if present == missing {
                present
            } else {
                Tri::Unknown
            }
        }
        Fact::OneOf(all) => {
            let one = |value: &&str| compare_all(operator, values, &[*value], version, facts);
            let first = all.first().map_or(Tri::Unknown, one);
            if all.iter().all(|value| one(value) == first) {
                first
            } else {
                Tri::Unknown
            }
        }
        Fact::TagKeys => {
            let one = |key: &str| compare_all(operator, values, &[key], version, facts);
            tag_keys(operator, one, unknown(operator, values, true))
        }
        Fact::Present => unknown(operator, values, true),
        Fact::Unknown => unknown(operator, values, false),
    }
}

// A missing key: true for `…IfExists`, for `ForAllValues` and for negated operators.
fn absent(operator: Operator) -> bool {
    operator.if_exists
        || match operator.qualifier {
            Some(Qualifier::ForAllValues) => true,
            Some(Qualifier::ForAnyValue) => false,
            None => operator.negated,
        }
}

// Some keys are always there; the others, and those of the user's own tags, perhaps.
fn tag_keys(operator: Operator, one: impl Fn(&str) -> Tri, other: Tri) -> Tri {
    let all = takes_all(operator);
    let met = |tag: &Tag| match (one(tag.key), tag.carried) {
        (met, Carried::Always) => met,
        (met, _) if met == all.into() => met,
        _ => Tri::Unknown,
    };
    if all {
        tags::ALL
            .iter()
            .fold(other, |so_far, tag| so_far.and(met(tag)))
    } else {
        // What is not always there cannot make it true for certain.
        let always = tags::ALL.iter().filter(|t| t.carried == Carried::Always);
        always.fold(Tri::Unknown, |so_far, tag| so_far.or(met(tag)))
    }
}

// Without a qualifier, several values of a request mean any for the plain operators and all for the negated ones.
fn takes_all(operator: Operator) -> bool {
    match operator.qualifier {
        Some(Qualifier::ForAllValues) => true,
        Some(Qualifier::ForAnyValue) => false,
        None => operator.negated,
    }
}

// `*` is met by every value.
fn unknown(operator: Operator, values: &[Value<'_>], present: bool) -> Tri {
    let star = |v: &Value<'_>| {
        v.as_str()
            .is_some_and(|t| !t.is_empty() && t.bytes().all(|b| b == b'*'))
    };
    if operator.family != Family::String || !operator.takes_wildcards() || !values.iter().any(star)
    {
        return Tri::Unknown;
    }
    let when_present = Tri::from(!operator.negated);
    if present || when_present == absent(operator).into() {
        when_present
    } else {
        Tri::Unknown
    }
}

fn null(operator: Operator, values: &[Value<'_>], fact: &Fact<'_>) -> Tri {
    match operator.qualifier {
        Some(Qualifier::ForAllValues) => return Tri::True,
        Some(Qualifier::ForAnyValue) => return Tri::False,
        None => {}
    }
    let is_absent = match fact {
        Fact::Absent | Fact::Never => Tri::True,
        Fact::Values(values) => values.is_empty().into(),
        Fact::Present | Fact::OneOf(_) | Fact::TagKeys => Tri::False,
        Fact::Unknown | Fact::AbsentOr(_) => Tri::Unknown,
    };
    let mut met = Tri::False;
    for value in values {
        met = met.or(match boolean(value) {
            Some(true) => is_absent,
            Some(false) => !is_absent,
            None => Tri::False,
        });
    }
    met
}

fn boolean(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Bool(value, _) => Some(*value),
        other => values::boolean(other.as_str()?),
    }
}

fn compare_all(
    operator: Operator,
    values: &[Value<'_>],
    request: &[&str],
    version: Version,
    facts: &dyn Facts,
) -> Tri {
    let any_value = |text: &str| {
        let mut met = Tri::False;
        for value in values {
            met = met.or(one(operator, value, text, version, facts));
            if met == Tri::True {
                break;
            }
        }
        // Negated operators are NOR over the policy's values.
        if operator.negated { !met } else { met }
    };
    let all = takes_all(operator);
    let start = Tri::from(all);
    request.iter().fold(start, |met, text| {
        if all {
            met.and(any_value(text))
        } else {
            met.or(any_value(text))
        }
    })
}

fn one(
    operator: Operator,
    value: &Value<'_>,
    text: &str,
    version: Version,
    facts: &dyn Facts,
) -> Tri {
    let pattern = match value {
        Value::String(text) => text.value.as_ref(),
        Value::Number(text, _) => text,
        Value::Bool(true, _) => "true",
        Value::Bool(false, _) => "false",
        _ => return Tri::False,
    };
    let variables = version == Version::V2012
        && matches!(operator.family, Family::String | Family::Arn)
        && has_variable(pattern);
    if !variables {
        return matched(operator, pattern, text).into();
    }
    match expand(pattern, facts) {
        Expanded::Pattern(pattern) => {
            // The marks of literal wildcards are made into characters that the text has too.
            let marked = pattern.contains(['\u{1}', '\u{2}']);
            if marked && operator.takes_wildcards() {
                super::resource::marked_match(&pattern, text, operator.family == Family::Arn).into()
            } else {
                let plain = pattern.replace('\u{1}', "*").replace('\u{2}', "?");
                matched(operator, &plain, text).into()
            }
        }
        Expanded::Unresolved => Tri::False,
        Expanded::Unknown => Tri::Unknown,
    }
}

fn matched(operator: Operator, pattern: &str, text: &str) -> bool {
    match operator.family {
        Family::String => match operator.comparison {
            Comparison::Like => crate::pattern::matches(pattern, text),
            Comparison::EqualsIgnoreCase => equal_ignoring_case(pattern, text),
            _ => pattern == text,
        },
        Family::Arn if has_wildcard(pattern) => values::arn_like(pattern, text),
        Family::Arn => pattern == text,
        Family::Bool => values::boolean(pattern).is_some_and(|b| values::boolean(text) == Some(b)),
        Family::Binary => values::is_base64(pattern) && pattern == text,
        Family::IpAddress => Network::parse(pattern)
            .zip(Network::parse(text))
            .is_some_and(|(range, address)| range.contains(address)),
        Family::Numeric => Decimal::parse(pattern)
            .zip(Decimal::parse(text))
            .is_some_and(|(p, t)| ordered(operator.comparison, t.cmp(&p))),
        Family::Date => date::parse(pattern)
            .zip(date::parse(text))
            .is_some_and(|((p, _), (t, _))| ordered(operator.comparison, t.cmp(&p))),
        Family::Null => false,
    }
}

fn equal_ignoring_case(a: &str, b: &str) -> bool {
    same_name(a, b) || a.chars().map(lowercase).eq(b.chars().map(lowercase))
}

// As Unicode has it up to U+00FF, the last character that IAM takes in a policy. All of Unicode's table would be a part of the
// page's download.
fn lowercase(c: char) -> char {
    match c {
        'À'..='Þ' if c != '×' => char::from_u32(u32::from(c) + 0x20).unwrap_or(c),
        _ => c.to_ascii_lowercase(),
    }
}

fn ordered(comparison: Comparison, order: std::cmp::Ordering) -> bool {
    match comparison {
        Comparison::LessThan => order.is_lt(),
        Comparison::LessThanEquals => order.is_le(),
        Comparison::GreaterThan => order.is_gt(),
        Comparison::GreaterThanEquals => order.is_ge(),
        _ => order.is_eq(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignoring_case_is_unicodes_as_far_as_iam_takes_characters() {
        for c in (0..=0xff).filter_map(char::from_u32) {
            assert!(c.to_lowercase().eq([lowercase(c)]), "{c}");
        }
        assert!(equal_ignoring_case("ÉTÉ 1×1", "été 1×1"));
        assert!(!equal_ignoring_case("ete", "été"));
    }
}
