//! What another entry of the same list, or another statement, says already.

use super::Lint;
use crate::fix::{Change, removal};
use crate::issue_code;
use crate::json::{Text, Value};
use crate::pattern::{covers, covers_ignoring_case, has_wildcard, name_hash};
use crate::policy::{Element, Statement};
use crate::position::Span;
use crate::text::{IntoList, Join, Own};

pub(super) fn check(lint: &mut Lint<'_, '_>, statement: &Statement<'_, '_>) {
    if let Some(actions) = &statement.action {
        let texts = listed_texts(actions);
        for group in groups(&texts, true) {
            let message = format!(
                "{} actions say the same; `{}` is covered by another one, remove it",
                group.all.len(),
                group.longest(&texts)
            );
            report(
                lint,
                issue_code::REDUNDANT_ACTION,
                actions,
                &texts,
                &group,
                message,
            );
        }
    }
    if let Some(resources) = &statement.resource {
        let texts = listed_texts(resources);
        for group in groups(&texts, false) {
            let message = format!(
                "{} resources overlap; `{}` is covered by another one, remove it",
                group.all.len(),
                group.longest(&texts)
            );
            report(
                lint,
                issue_code::REDUNDANT_RESOURCE,
                resources,
                &texts,
                &group,
                message,
            );
        }
    }
}

fn listed_texts<'v, 't>(element: &Element<'v, 't>) -> Vec<&'v Text<'t>> {
    let mut texts = Vec::with_capacity(element.value.elements().len());
    texts.extend(element.texts());
    texts
}

// Entries that one of them, the umbrella, covers.
struct Group {
    umbrella: usize,
    /// All of them in order, the umbrella too.
    all: Vec<usize>,
}

impl Group {
    fn longest<'t>(&self, texts: &'t [&Text<'_>]) -> &'t str {
        let covered = self.all.iter().filter(|at| **at != self.umbrella);
        covered
            .map(|at| texts[*at].value.as_ref())
            .fold("", |longest, text| {
                if text.len() > longest.len() {
                    text
                } else {
                    longest
                }
            })
    }
}

fn groups(texts: &[&Text<'_>], ignore_case: bool) -> Vec<Group> {
    if texts.len() < 2 || texts.len() > super::MAX_COMPARED {
        return Vec::new();
    }
    let cover = |a: usize, b: usize| {
        let (a, b) = (texts[a].value.as_ref(), texts[b].value.as_ref());
        if ignore_case {
            covers_ignoring_case(a, b)
        } else {
            covers(a, b)
        }
    };
    let wild: Vec<usize> = (0..texts.len())
        .filter(|at| has_wildcard(&texts[*at].value))
        .list();
    let mut covered = vec![false; texts.len()];
    let mut found = Vec::new();
    for &umbrella in &wild {
        // Only the widest pattern of a chain is the umbrella; of equal ones the first.
        let wider = |&&other: &&usize| {
            other != umbrella
                && cover(other, umbrella)
                && (other < umbrella || !cover(umbrella, other))
        };
        if wild.iter().any(|other| wider(&other)) {
            continue;
        }
        let others = |at: &usize| *at != umbrella && cover(umbrella, *at);
        if !(0..texts.len()).any(|at| others(&at)) {
            continue;
        }
        let all: Vec<usize> = (0..texts.len())
            .filter(|at| *at == umbrella || others(at))
            .list();
        for &at in &all {
            covered[at] = true;
        }
        found.push(Group { umbrella, all });
    }
    found.extend(repeated(texts, &covered, ignore_case));
    found.sort_unstable_by_key(|group| group.all[0]);
    found
}

// The same text again, without wildcards.
fn repeated(texts: &[&Text<'_>], covered: &[bool], ignore_case: bool) -> Vec<Group> {
    let mut hashes: Vec<(u64, usize)> = Vec::with_capacity(texts.len());
    let left = texts.iter().enumerate().filter(|(at, _)| !covered[*at]);
    hashes.extend(left.map(|(at, text)| (name_hash(&text.value), at)));
    hashes.sort_unstable();
    let mut found = Vec::new();
    for same in hashes
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|same| same.len() > 1)
    {
        let mut left: Vec<usize> = same.iter().map(|(_, at)| *at).list();
        while let Some(&first) = left.first() {
            let equal = |at: &usize| {
                let (a, b) = (&texts[first].value, &texts[*at].value);
                a == b || (ignore_case && a.eq_ignore_ascii_case(b))
            };
            let (all, rest): (Vec<usize>, Vec<usize>) = left.iter().copied().partition(equal);
            if all.len() > 1 {
                found.push(Group {
                    umbrella: first,
                    all,
                });
            }
            left = rest;
        }
    }
    found
}

#[inline(never)]
fn report(
    lint: &mut Lint<'_, '_>,
    code: issue_code::Code,
    element: &Element<'_, '_>,
    texts: &[&Text<'_>],
    group: &Group,
    message: String,
) {
    let places = group.all.iter().map(|at| texts[*at].span).list();
    // The list is written again without the covered entries: single removals of neighbours
    // would fight over the comma between them.
    let change = match element.value {
        Value::Array(elements, span) => {
            let gone = |v: &&Value<'_>| {
                let at = |at: &usize| *at != group.umbrella && texts[*at].span == v.span();
                !group.all.iter().any(at)
            };
            let kept: Vec<&Value<'_>> = elements.iter().filter(gone).list();
            let first = elements.first().map(Value::span);
            first.map(|first| {
                let between = |start: u32, end: u32| Span { start, end }.text(lint.text);
                let lead = between(span.start + 1, first.start);
                let last = elements.last().map(|last| last.span().end);
                let tail = last.map_or("", |last| between(last, span.end.saturating_sub(1)));
                let separator = if lead.is_empty() { ", " } else { "," };
                let list: Vec<String> = kept
                    .iter()
                    .map(|v| format!("{lead}{}", v.span().text(lint.text)))
                    .list();
                let text = format!("[{}{tail}]", list.joined(separator));
                Change::new("Remove what is covered", *span, text)
            })
        }
        _ => None,
    };
    lint.add(code, places, message, change);
}

/// Statements that say the same.
pub(super) fn statements(lint: &mut Lint<'_, '_>) {
    let policy = lint.policy;
    if !(2..=super::MAX_COMPARED).contains(&policy.statements.len()) {
        return;
    }
    // Spelling a statement out is dear; only those with the same fingerprint can be equal.
    let prints: Vec<u64> = policy
        .statements
        .iter()
        .map(|s| fingerprint(s.value))
        .list();
    let mut meanings: Vec<(String, &Statement<'_, '_>)> = policy
        .statements
        .iter()
        .zip(&prints)
        .filter(|(_, print)| prints.iter().filter(|p| p == print).count() > 1)
        .map(|(statement, _)| (meaning(statement), statement))
        .list();
    meanings.sort_unstable_by(|a, b| {
        let start = |s: &Statement<'_, '_>| s.value.span().start;
        a.0.cmp(&b.0).then(start(a.1).cmp(&start(b.1)))
    });
    for same in meanings
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|same| same.len() > 1)
    {
        let places: Vec<_> = same.iter().map(|(_, s)| s.value.span()).list();
        // One at a time: two neighbours would share the comma between them.
        let change = (same.len() == 2)
            .then(|| removal(lint.root, places[1]))
            .flatten()
            .map(|span| Change::new("Remove the second", span, ""));
        let message = format!("{} statements grant the same; keep one of them", same.len());
        lint.add(issue_code::REDUNDANT_STATEMENT, places, message, change);
    }
}

// The same for all spellings of one meaning: order does not count, nor case, nor the Sid.
fn fingerprint(value: &Value<'_>) -> u64 {
    match value {
        Value::Null(_) => 1,
        Value::Bool(value, _) => 2 + u64::from(*value),
        Value::Number(number, _) => name_hash(number),
        Value::String(string) => name_hash(&string.value),
        Value::Array(elements, _) => elements.iter().map(fingerprint).fold(0, u64::wrapping_add),
        Value::Object(members, _) => members
            .iter()
            .filter(|m| m.key.value != "Sid")
            .map(|m| name_hash(&m.key.value).wrapping_mul(fingerprint(&m.value) | 1))
            .fold(0, u64::wrapping_add),
    }
}

// A statement without its Sid, lists sorted: equal texts mean the same.
fn meaning(statement: &Statement<'_, '_>) -> String {
    let mut parts: Vec<String> = Vec::with_capacity(4);
    for member in statement.value.members().unwrap_or_default() {
        let name = member.key.value.as_ref();
        match name {
            "Sid" => {}
            "Action" | "NotAction" => {
                parts.push(format!(
                    "{name}{}",
                    listed(&member.value, str::to_ascii_lowercase)
                ));
            }
            "Resource" | "NotResource" => {
                parts.push(format!("{name}{}", listed(&member.value, Own::own)));
            }
            _ => parts.push(format!("{name}{}", canonical(&member.value))),
        }
    }
    parts.sort_unstable();
    parts.joined("\u{1}")
}

fn listed(value: &Value<'_>, change: fn(&str) -> String) -> String {
    let mut all: Vec<String> = value
        .elements()
        .iter()
        .filter_map(Value::as_str)
        .map(change)
        .list();
    all.sort_unstable();
    all.joined("\u{2}")
}

fn canonical(value: &Value<'_>) -> String {
    match value {
        Value::Null(_) => "null".own(),
        Value::Bool(value, _) => value.to_string(),
        Value::Number(text, _) => (*text).own(),
        Value::String(text) => format!("\u{3}{}", text.value),
        Value::Array(elements, _) => {
            let mut all: Vec<String> = elements.iter().map(canonical).list();
            all.sort_unstable();
            all.joined("\u{4}")
        }
        Value::Object(members, _) => {
            let mut all: Vec<String> = members
                .iter()
                .map(|m| format!("{}\u{5}{}", m.key.value, canonical(&m.value)))
                .list();
            all.sort_unstable();
            all.joined("\u{6}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    // Only a hint, but one that separates: else each statement would be spelled out.
    #[test]
    fn a_fingerprint_is_that_of_one_meaning() {
        let print = |text: &str| fingerprint(&parse(text).root);
        let one = print(
            r#"{"Sid": "a", "Action": ["ec2:A", "ec2:B"], "Condition": {"Bool": {"k": true}}}"#,
        );
        for same in [
            r#"{"Action": ["EC2:b", "ec2:a"], "Condition": {"Bool": {"k": true}}, "Sid": "b"}"#,
            r#"{"Condition": {"Bool": {"k": [true]}}, "Action": ["ec2:A", "ec2:B"]}"#,
        ] {
            assert_eq!(print(same), one, "{same}");
        }
        let others = [
            r#"{"Action": ["ec2:A", "ec2:C"], "Condition": {"Bool": {"k": true}}}"#,
            r#"{"Action": ["ec2:A"], "Condition": {"Bool": {"k": true}}}"#,
            r#"{"NotAction": ["ec2:A", "ec2:B"], "Condition": {"Bool": {"k": true}}}"#,
            r#"{"Action": ["ec2:A", "ec2:B"], "Condition": {"Bool": {"k": null}}}"#,
            r#"{"Action": ["ec2:A", "ec2:B"], "Condition": {"Bool": {"k": 5}}}"#,
            r#"{"Action": ["ec2:A", "ec2:B"], "Condition": {"Bool": {"k": 6}}}"#,
            r#"{"Action": ["ec2:A", "ec2:B"], "Condition": {"Null": {"k": true}}}"#,
            r#"{"Action": ["ec2:A", "ec2:B"]}"#,
            "{}",
        ];
        let mut prints: Vec<u64> = others.iter().map(|text| print(text)).collect();
        prints.push(one);
        prints.sort_unstable();
        prints.dedup();
        assert_eq!(prints.len(), others.len() + 1);
    }
}
