//! A policy as JavaScript, JSON5 or Python writes an object: other quotes, names without quotes, comments.

use super::around::braced;
use super::{Pasted, What, is_policy};
use crate::json::{self, Problem, Value, quoted};
use crate::text::Append;

/// The policy as JSON, where its notation is all that is wrong with it.
pub(super) fn rewritten(text: &str) -> Option<Pasted> {
    let parsed = json::parse_up_to(text, text.len());
    let is_notation = |problem| {
        use Problem::{BareWord, ByteOrderMark, Comment, Quotes, TrailingComma};
        matches!(
            problem,
            BareWord | ByteOrderMark | Comment | Quotes | TrailingComma
        )
    };
    if !parsed.errors.iter().all(|error| is_notation(error.problem)) || !is_policy(&parsed.root) {
        return None;
    }
    // One string in other quotes is a slip, and has a finding of its own.
    let mut members = parsed.root.members()?.iter();
    let statement = members.find(|member| member.key.value == "Statement")?;
    if statement.key.span.text(text).starts_with('"') {
        return None;
    }
    let mut policy = String::new();
    write(&mut policy, &parsed.root);
    Some(Pasted {
        what: What::Program,
        policy: json::format(&policy)?.trim_end().into(),
        is_json: false,
    })
}

// The same behind a name and an equals sign.
pub(super) fn assigned(text: &str) -> Option<String> {
    rewritten(&braced(text)?).map(|pasted| pasted.policy)
}

fn write(out: &mut String, value: &Value<'_>) {
    match value {
        Value::Null(_) => out.append("null"),
        Value::Bool(value, _) => out.append(if *value { "true" } else { "false" }),
        Value::Number(text, _) => out.append(text),
        Value::String(text) => out.append(&quoted(&text.value)),
        Value::Array(elements, _) => {
            out.append("[");
            for (at, element) in elements.iter().enumerate() {
                separate(out, at);
                write(out, element);
            }
            out.append("]");
        }
        Value::Object(members, _) => {
            out.append("{");
            for (at, member) in members.iter().enumerate() {
                separate(out, at);
                out.append(&quoted(&member.key.value));
                out.append(":");
                write(out, &member.value);
            }
            out.append("}");
        }
    }
}

fn separate(out: &mut String, at: usize) {
    if at > 0 {
        out.append(",");
    }
}
