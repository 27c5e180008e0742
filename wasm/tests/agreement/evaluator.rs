//! Policy evaluation once more, from AWS's documentation alone and without a line of the crate's.
//!
//! - <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>
//! - <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>
//! - <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>
//! - <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>
//!
//! It is slow and obvious, and every answer is yes or no: whatever a request carries is known here.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::Value;

/// One request; the names of its context's keys are in small letters.
#[derive(Clone, Debug)]
pub struct Request {
    pub action: String,
    pub resource: String,
    pub context: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Allowed,
    ImplicitDeny,
    ExplicitDeny,
}

/// What the policy says to the request.
pub fn decide(policy: &Value, request: &Request) -> Decision {
    let variables = policy["Version"] == "2012-10-17";
    let statements = match &policy["Statement"] {
        Value::Array(all) => all.clone(),
        one => vec![one.clone()],
    };
    let says = |effect: &str| {
        let same = statements.iter().filter(|s| s["Effect"] == effect);
        same.into_iter().any(|s| applies(s, request, variables))
    };
    if says("Deny") {
        Decision::ExplicitDeny
    } else if says("Allow") {
        Decision::Allowed
    } else {
        Decision::ImplicitDeny
    }
}

fn applies(statement: &Value, request: &Request, variables: bool) -> bool {
    let small = |text: &str| text.to_ascii_lowercase();
    let action = |pattern: &String| {
        let pattern = pieces(&small(pattern), request, false);
        pattern.is_some_and(|pattern| fits(&pattern, &small(&request.action)))
    };
    let resource = |pattern: &String| {
        let pattern = pieces(pattern, request, variables);
        pattern.is_some_and(|pattern| fits(&pattern, &request.resource))
    };
    named(statement, "Action", action)
        && named(statement, "Resource", resource)
        && conditions(statement, request, variables)
}

fn named(statement: &Value, element: &str, covers: impl Fn(&String) -> bool) -> bool {
    match statement.get(element) {
        Some(value) => strings(value).iter().any(covers),
        None => !strings(&statement[format!("Not{element}")])
            .iter()
            .any(covers),
    }
}

fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::Array(all) => all.iter().flat_map(strings).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

// All operators and all of their keys must be met.
fn conditions(statement: &Value, request: &Request, variables: bool) -> bool {
    let Some(operators) = statement.get("Condition").and_then(Value::as_object) else {
        return true;
    };
    operators.iter().all(|(operator, keys)| {
        let keys = keys.as_object().into_iter().flatten();
        keys.into_iter().all(|(key, values)| {
            let given = request.context.get(&key.to_ascii_lowercase());
            let given = given.map(Vec::as_slice).unwrap_or_default();
            is_met(operator, &strings(values), given, request, variables)
        })
    })
}

fn is_met(
    operator: &str,
    wanted: &[String],
    given: &[String],
    request: &Request,
    variables: bool,
) -> bool {
    let (set, operator) = match operator.split_once(':') {
        Some((set, operator)) => (Some(set), operator),
        None => (None, operator),
    };
    if operator == "Null" {
        return match set {
            // "Always true" and "always false", as Access Analyzer's page about `Null` with a set operator says.
            Some(set) => set == "ForAllValues",
            None => wanted.iter().any(|w| (w == "true") == given.is_empty()),
        };
    }
    let (operator, if_exists) = match operator.strip_suffix("IfExists") {
        Some(operator) => (operator, true),
        None => (operator, false),
    };
    let negated = operator.contains("Not");
    if given.is_empty() {
        return match set {
            _ if if_exists => true,
            Some(set) => set == "ForAllValues",
            None => negated,
        };
    }
    let operator = operator.replace("Not", "");
    let meets = |value: &String| {
        let hit = wanted
            .iter()
            .any(|w| compares(&operator, w, value, request, variables));
        hit != negated
    };
    match set {
        Some("ForAnyValue") => given.iter().any(meets),
        _ => given.iter().all(meets),
    }
}

fn compares(operator: &str, wanted: &str, value: &str, request: &Request, variables: bool) -> bool {
    let expanded = |wanted: &str| pieces(wanted, request, variables);
    match operator {
        "StringEquals" => expanded(wanted).is_some_and(|w| written(&w) == value),
        "StringEqualsIgnoreCase" => {
            expanded(wanted).is_some_and(|w| written(&w).to_lowercase() == value.to_lowercase())
        }
        "StringLike" => expanded(wanted).is_some_and(|w| fits(&w, value)),
        "ArnEquals" | "ArnLike" => expanded(wanted).is_some_and(|w| fits_arn(&w, value)),
        "Bool" => wanted.eq_ignore_ascii_case(value),
        "BinaryEquals" => wanted == value,
        "IpAddress" => is_in_range(wanted, value),
        _ => {
            let order = if operator.starts_with("Date") {
                instant(value).cmp(&instant(wanted))
            } else {
                number(value).cmp(&number(wanted))
            };
            match operator
                .trim_start_matches("Date")
                .trim_start_matches("Numeric")
            {
                "Equals" => order == Ordering::Equal,
                "LessThan" => order == Ordering::Less,
                "LessThanEquals" => order != Ordering::Greater,
                "GreaterThan" => order == Ordering::Greater,
                "GreaterThanEquals" => order != Ordering::Less,
                other => unreachable!("`{other}` is not an operator"),
            }
        }
    }
}

/// A piece of a pattern.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Piece {
    Run,
    One,
    Literal(char),
}

// The pattern with its variables replaced, `None` if one of them has no single value.
fn pieces(text: &str, request: &Request, variables: bool) -> Option<Vec<Piece>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if variables
            && let Some((inside, after)) = rest.strip_prefix("${").and_then(|r| r.split_once('}'))
        {
            out.extend(variable(inside, request)?.chars().map(Piece::Literal));
            rest = after;
            continue;
        }
        out.push(match c {
            '*' => Piece::Run,
            '?' => Piece::One,
            c => Piece::Literal(c),
        });
        rest = &rest[c.len_utf8()..];
    }
    Some(out)
}

fn variable(inside: &str, request: &Request) -> Option<String> {
    if matches!(inside, "*" | "?" | "$") {
        return Some(inside.to_owned());
    }
    let (key, default) = match inside.split_once(',') {
        Some((key, default)) => (key, Some(default.trim().trim_matches('\''))),
        None => (inside, None),
    };
    match request
        .context
        .get(&key.to_ascii_lowercase())
        .map(Vec::as_slice)
    {
        Some([one]) => Some(one.clone()),
        None | Some([]) => default.map(str::to_owned),
        Some(_) => None,
    }
}

// Where wildcards are text.
fn written(pattern: &[Piece]) -> String {
    let plain = |piece: &Piece| match piece {
        Piece::Run => '*',
        Piece::One => '?',
        Piece::Literal(c) => *c,
    };
    pattern.iter().map(plain).collect()
}

// Which beginnings of the text the pattern reaches, piece by piece.
fn fits(pattern: &[Piece], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for piece in pattern {
        let before = reached;
        reached = (0..=text.len())
            .map(|end| match piece {
                Piece::Run => before[..=end].contains(&true),
                Piece::One => end > 0 && before[end - 1],
                Piece::Literal(c) => end > 0 && before[end - 1] && text[end - 1] == *c,
            })
            .collect();
    }
    reached[text.len()]
}

// "Each of the six colon-delimited components of the ARN is checked separately."
fn fits_arn(pattern: &[Piece], text: &str) -> bool {
    let patterns: Vec<&[Piece]> = pattern.splitn(6, |p| *p == Piece::Literal(':')).collect();
    let texts: Vec<&str> = text.splitn(6, ':').collect();
    let pairs = patterns.iter().zip(&texts);
    patterns.len() == texts.len() && pairs.into_iter().all(|(pattern, text)| fits(pattern, text))
}

// Thousandths: the tests' numbers have no more places.
fn number(text: &str) -> i64 {
    let negative = text.starts_with('-');
    let (whole, fraction) = text
        .trim_start_matches('-')
        .split_once('.')
        .unwrap_or((text.trim_start_matches('-'), ""));
    let digits = format!("{whole}{fraction:0<3}");
    let size: i64 = digits
        .parse()
        .unwrap_or_else(|_| panic!("`{text}` is not a number"));
    if negative { -size } else { size }
}

// Seconds since 1970, of seconds or of `YYYY-MM-DDThh:mm:ss` with `Z` or an offset; counted year by year.
fn instant(text: &str) -> i64 {
    if let Ok(seconds) = text.parse() {
        return seconds;
    }
    let field = |from: usize| -> i64 {
        let end = from + if from == 0 { 4 } else { 2 };
        let digits = text.get(from..end).unwrap_or("00");
        digits
            .parse()
            .unwrap_or_else(|_| panic!("`{text}` is not a date"))
    };
    let is_leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let (year, month, day) = (field(0), field(5), field(8));
    let years: i64 = (1970..year)
        .map(|y| if is_leap(y) { 366 } else { 365 })
        .sum();
    let lengths = [
        31,
        if is_leap(year) { 29 } else { 28 },
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let months: i64 = lengths
        .iter()
        .take(usize::try_from(month - 1).unwrap_or_default())
        .sum();
    let of_day = if text.len() > 10 {
        field(11) * 3600 + field(14) * 60 + field(17)
    } else {
        0
    };
    let zone = text.get(19..).unwrap_or("Z");
    let offset = if zone.is_empty() || zone == "Z" {
        0
    } else {
        let size = field(20) * 3600 + field(23) * 60;
        if zone.starts_with('-') { -size } else { size }
    };
    (years + months + day - 1) * 86_400 + of_day - offset
}

// Bit by bit.
fn is_in_range(range: &str, address: &str) -> bool {
    let bits = |text: &str| -> Vec<bool> {
        let address: std::net::IpAddr = text
            .parse()
            .unwrap_or_else(|_| panic!("`{text}` is not an address"));
        let bytes = match address {
            std::net::IpAddr::V4(a) => a.octets().to_vec(),
            std::net::IpAddr::V6(a) => a.octets().to_vec(),
        };
        bytes
            .iter()
            .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1 == 1))
            .collect()
    };
    let (network, length) = range.split_once('/').unwrap_or((range, "128"));
    let (network, address) = (bits(network), bits(address));
    let length: usize = length
        .parse()
        .unwrap_or_else(|_| panic!("`{range}` is not a range"));
    network.len() == address.len()
        && network
            .iter()
            .zip(&address)
            .take(length)
            .all(|(a, b)| a == b)
}
