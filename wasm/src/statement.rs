//! Statements that the checker writes, in the style of the text around them.

use crate::json::{Value, quoted};
use crate::position::Span;
use crate::text::{self, Append, IntoList, Own};

/// A statement that allows something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Statement {
    /// Its `Sid`, left out if empty.
    pub(crate) sid: &'static str,
    pub(crate) actions: Vec<&'static str>,
    pub(crate) resources: Vec<String>,
    /// Keys and values of `StringEquals`.
    pub(crate) equals: Vec<(String, Vec<String>)>,
}

/// How a text is laid out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    /// The line break before each member, nothing where all stands on one line.
    line: &'static str,
    /// What a statement's own line begins with.
    base: String,
    /// One step further in.
    step: String,
    /// What follows a colon, and a comma on one line.
    gap: &'static str,
}

impl Style {
    /// Two spaces for each level.
    pub(crate) fn pretty() -> Self {
        Self {
            line: "\n",
            base: "    ".own(),
            step: "  ".own(),
            gap: " ",
        }
    }

    /// The style of the statement `like`.
    pub(crate) fn of(text: &str, like: &Value<'_>) -> Self {
        let indent = |at: u32| {
            let before = text.get(..at as usize).unwrap_or_default();
            let line = before.rfind(['\n', '\r']).map(|end| &before[end + 1..]);
            line.filter(|line| line.bytes().all(|b| b == b' ' || b == b'\t'))
        };
        let body = like.span().text(text);
        let gap = if ["\":\"", "\":[", "\":{"]
            .iter()
            .any(|part| text::contains(body, part))
        {
            ""
        } else {
            " "
        };
        let member = like.members().and_then(<[_]>::first);
        let inner = member.and_then(|m| indent(m.key.span.start));
        match inner {
            None => Self {
                line: "",
                base: String::new(),
                step: String::new(),
                gap,
            },
            Some(inner) => {
                // A brace may stand at the end of a line, behind `"Statement": [`.
                let base = indent(like.span().start);
                let base = base
                    .or_else(|| inner.strip_suffix("  "))
                    .unwrap_or_default();
                Self {
                    line: if text::contains(text, "\r\n") {
                        "\r\n"
                    } else {
                        "\n"
                    },
                    base: base.own(),
                    step: inner
                        .strip_prefix(base)
                        .filter(|s| !s.is_empty())
                        .unwrap_or("  ")
                        .own(),
                    gap,
                }
            }
        }
    }

    /// The same without line breaks.
    pub(crate) fn on_one_line(&self) -> Self {
        Self {
            line: "",
            ..self.clone()
        }
    }

    fn break_line(&self, out: &mut String, depth: usize) {
        if self.line.is_empty() {
            return;
        }
        out.append(self.line);
        out.append(&self.base);
        for _ in 0..depth {
            out.append(&self.step);
        }
    }

    fn comma(&self, out: &mut String, depth: usize) {
        out.append(",");
        if self.line.is_empty() {
            out.append(self.gap);
        }
        self.break_line(out, depth);
    }

    fn key(&self, out: &mut String, name: &str) {
        out.append(&quoted(name));
        out.append(":");
        out.append(self.gap);
    }

    // One value as a string, several as a list.
    pub(crate) fn values<T: AsRef<str>>(&self, out: &mut String, values: &[T], depth: usize) {
        if let [one] = values {
            out.append(&quoted(one.as_ref()));
            return;
        }
        out.append("[");
        for (at, value) in values.iter().enumerate() {
            if at == 0 {
                self.break_line(out, depth + 1);
            } else {
                self.comma(out, depth + 1);
            }
            out.append(&quoted(value.as_ref()));
        }
        self.break_line(out, depth);
        out.append("]");
    }

    fn equals(&self, out: &mut String, equals: &[(String, Vec<String>)], depth: usize) {
        out.append("{");
        for (at, (key, values)) in equals.iter().enumerate() {
            if at == 0 {
                self.break_line(out, depth + 1);
            } else {
                self.comma(out, depth + 1);
            }
            self.key(out, key);
            self.values(out, values, depth + 1);
        }
        self.break_line(out, depth);
        out.append("}");
    }

    /// The value of a `Condition` with `StringEquals` alone, inside a statement.
    pub(crate) fn condition(&self, out: &mut String, equals: &[(String, Vec<String>)]) {
        out.append("{");
        self.break_line(out, 2);
        self.key(out, "StringEquals");
        self.equals(out, equals, 2);
        self.break_line(out, 1);
        out.append("}");
    }

    /// A further member of a statement, with the comma before it.
    pub(crate) fn member(&self, name: &str, write: impl FnOnce(&mut String)) -> String {
        let mut out = String::new();
        self.comma(&mut out, 1);
        self.key(&mut out, name);
        write(&mut out);
        out
    }

    /// A further element of the list of statements, with the comma before it.
    pub(crate) fn element(&self, text: &str) -> String {
        let mut out = String::new();
        self.comma(&mut out, 0);
        out.append(text);
        out
    }
}

/// The statement, beginning with its brace.
pub(crate) fn render(statement: &Statement, style: &Style) -> String {
    let mut out = String::from("{");
    style.break_line(&mut out, 1);
    if !statement.sid.is_empty() {
        style.key(&mut out, "Sid");
        out.append(&quoted(statement.sid));
        style.comma(&mut out, 1);
    }
    style.key(&mut out, "Effect");
    out.append("\"Allow\"");
    out.append(&style.member("Action", |out| style.values(out, &statement.actions, 1)));
    out.append(&style.member("Resource", |out| style.values(out, &statement.resources, 1)));
    if !statement.equals.is_empty() {
        let condition = |out: &mut String| style.condition(out, &statement.equals);
        out.append(&style.member("Condition", condition));
    }
    style.break_line(&mut out, 0);
    out.append("}");
    out
}

/// The edits that put statements behind the last one, `None` if the policy has none.
pub(crate) fn append(
    text: &str,
    root: &Value<'_>,
    new: &[Statement],
) -> Option<Vec<(Span, String)>> {
    let list = root.get("Statement")?;
    let last = list
        .elements()
        .iter()
        .rev()
        .find(|s| s.members().is_some())?;
    let style = Style::of(text, last);
    let sids: Vec<&str> = list
        .elements()
        .iter()
        .filter_map(|s| s.get("Sid")?.as_str())
        .list();
    let written = |statement: &Statement| {
        let mut statement = statement.clone();
        // Where no other statement has a `Sid`, or one has this one, it goes without.
        if sids.is_empty() || sids.contains(&statement.sid) {
            statement.sid = "";
        }
        style.element(&render(&statement, &style))
    };
    let added: String = new.iter().map(written).collect();
    let end = list.elements().last()?.span().end;
    let at = |place: u32| Span {
        start: place,
        end: place,
    };
    Some(if matches!(list, Value::Array(..)) {
        vec![(at(end), added)]
    } else {
        // A statement alone becomes the first of a list.
        let start = list.span().start;
        vec![(at(start), "[".own()), (at(end), format!("{added}]"))]
    })
}
