//! JSON laid out anew: two spaces for each level, strings and numbers as they were written.

use super::{Member, Value, parse};
use crate::position::Span;
use crate::text::Append;

/// The text laid out anew, `None` where it is not JSON.
#[must_use]
pub fn format(text: &str) -> Option<String> {
    let parsed = parse(text);
    if !parsed.errors.is_empty() {
        return None;
    }
    let mut out = String::with_capacity(text.len() * 2);
    write(&mut out, text, &parsed.root, 0);
    out.append("\n");
    Some(out)
}

fn write(out: &mut String, text: &str, value: &Value<'_>, depth: usize) {
    match value {
        Value::Array(elements, _) if !elements.is_empty() => {
            let each = |out: &mut String, at: usize| write(out, text, &elements[at], depth + 1);
            nested(out, ('[', ']'), elements.len(), depth, &each);
        }
        Value::Object(members, _) if !members.is_empty() => {
            let each = |out: &mut String, at: usize| member(out, text, &members[at], depth + 1);
            nested(out, ('{', '}'), members.len(), depth, &each);
        }
        Value::Array(..) => out.append("[]"),
        Value::Object(..) => out.append("{}"),
        other => copy(out, text, other.span()),
    }
}

fn copy(out: &mut String, text: &str, span: Span) {
    out.append(span.text(text));
}

fn member(out: &mut String, text: &str, member: &Member<'_>, depth: usize) {
    copy(out, text, member.key.span);
    out.append(": ");
    write(out, text, &member.value, depth);
}

fn nested(
    out: &mut String,
    (open, close): (char, char),
    count: usize,
    depth: usize,
    each: &dyn Fn(&mut String, usize),
) {
    let line = |out: &mut String, depth: usize| {
        out.append("\n");
        for _ in 0..depth {
            out.append("  ");
        }
    };
    out.push(open);
    for at in 0..count {
        if at > 0 {
            out.append(",");
        }
        line(out, depth + 1);
        each(out, at);
    }
    line(out, depth);
    out.push(close);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lays_out_and_keeps_what_was_written() {
        let text = r#"{"a":[],"b":[1.0e2,{"c":"\u00e9"}],"d":{}}"#;
        let laid_out = "{\n  \"a\": [],\n  \"b\": [\n    1.0e2,\n    {\n      \"c\": \"\\u00e9\"\n    }\n  ],\n  \"d\": {}\n}\n";
        assert_eq!(format(text).as_deref(), Some(laid_out));
        assert_eq!(format(laid_out).as_deref(), Some(laid_out));
        assert_eq!(format("{,}"), None);
    }
}
