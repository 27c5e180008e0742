//! Several policies as one: what an entity has of both is what one with the statements of both gives.

use super::is_policy;
use crate::json::{self, Value};
use crate::text::{IntoList, Join, Own};

/// More policies than that have more statements than one policy can hold.
const MOST: usize = 20;

/// One policy with the statements of all that stand in the text, one after the other.
pub(super) fn in_a_row(text: &str) -> Option<String> {
    let between = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '\u{feff}');
    let mut rest = text.trim_matches(between);
    let mut texts = Vec::new();
    while !rest.is_empty() {
        let end = json::parse(rest).root.span().end as usize;
        if end == 0 || texts.len() == MOST {
            return None;
        }
        texts.push(rest.get(..end)?);
        rest = rest[end..].trim_start_matches(between);
    }
    let parsed = texts.iter().map(|text| json::parse(text)).list();
    if parsed.iter().any(|one| !one.errors.is_empty()) {
        return None;
    }
    let all = texts.iter().zip(&parsed);
    merged(&all.map(|(text, one)| (*text, &one.root)).list())
}

/// One policy with the statements of all, each in its text.
pub(super) fn merged(policies: &[(&str, &Value<'_>)]) -> Option<String> {
    let mut statements: Vec<String> = Vec::new();
    let mut sids: Vec<&str> = Vec::new();
    for (text, policy) in policies {
        let known = |name: &str| matches!(name, "Version" | "Statement");
        let members = policy.members()?;
        // By other rules, the same statement may say something else.
        let is_plain = is_policy(policy)
            && policy.get("Version").and_then(Value::as_str) == Some("2012-10-17")
            && members.iter().all(|member| known(&member.key.value));
        if !is_plain {
            return None;
        }
        for statement in policy.get("Statement")?.elements() {
            let mut written: Vec<String> = Vec::new();
            for member in statement.members()? {
                if member.key.value == "Sid" {
                    let sid = member.value.as_str()?;
                    // A Sid stands once in a policy, and may be left out.
                    if sids.contains(&sid) {
                        continue;
                    }
                    sids.push(sid);
                }
                let (key, value) = (member.key.span.text(text), member.value.span().text(text));
                written.push(format!("{key}: {value}"));
            }
            statements.push(format!("{{{}}}", written.joined(", ")));
        }
    }
    (policies.len() > 1).then(|| around(&format!("[{}]", statements.joined(", "))))
}

/// A policy with these statements.
pub(super) fn around(statements: &str) -> String {
    let text = format!(r#"{{"Version": "2012-10-17", "Statement": {statements}}}"#);
    json::format(&text).map_or(text, |text| text.trim_end().own())
}
