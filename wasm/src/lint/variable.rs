//! Policy variables, `${key}` and `${key, 'default'}`.

use std::borrow::Cow;

use super::Lint;
use crate::fix::Change;
use crate::issue_code;
use crate::json::{Text, Value, quoted};
use crate::pattern::{find_variable, has_variable};
use crate::policy::Version;
use crate::position::Span;
use crate::text::{self, Append};

/// What is wrong with a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    MissingBrace,
    Empty,
    Space,
    MissingQuote,
}

/// One `${…}` in a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Variable<'s> {
    /// Its first byte in the string.
    pub(crate) start: usize,
    /// One past its last.
    pub(crate) end: usize,
    /// The key, or `*`, `?` or `$`.
    pub(crate) name: &'s str,
    /// The default value, without its quotes.
    pub(crate) default: Option<&'s str>,
    pub(crate) fault: Option<Fault>,
}

/// All variables of a string.
pub(crate) fn variables(text: &str) -> impl Iterator<Item = Variable<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + find_variable(text.get(from..)?)?;
        let variable = read(text, start);
        from = variable.end;
        Some(variable)
    })
}

fn read(text: &str, start: usize) -> Variable<'_> {
    let body = &text[start + 2..];
    // A default in quotes may hold a brace.
    let comma = text::has(body, b',')
        .then(|| text::place_of(body, ", '"))
        .flatten();
    let quoted = comma.and_then(|at| {
        let close = text::place_of(&body[at + 3..], "'}")?;
        (!text::has(&body[..at], b'}')).then_some(at + 3 + close + 1)
    });
    let Some(length) = quoted.or_else(|| text::find(body, b'}')) else {
        return Variable {
            start,
            end: text.len(),
            name: body,
            default: None,
            fault: Some(Fault::MissingBrace),
        };
    };
    let body = &body[..length];
    let end = start + 2 + length + 1;
    let (name, default) = match text::cut(body, b',') {
        Some((name, default)) => (name, Some(default.trim())),
        None => (body, None),
    };
    let unquoted = default.map(|d| d.strip_prefix('\'').and_then(|d| d.strip_suffix('\'')));
    let fault = if body.trim().is_empty() {
        Some(Fault::Empty)
    } else if unquoted == Some(None) {
        Some(Fault::MissingQuote)
    } else if name.contains(char::is_whitespace) {
        Some(Fault::Space)
    } else {
        None
    };
    Variable {
        start,
        end,
        name,
        default: unquoted.flatten(),
        fault,
    }
}

/// The string with `*` in place of each variable: what it may look like.
pub(crate) fn opened(text: &str) -> Cow<'_, str> {
    if !has_variable(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for variable in variables(text) {
        out.append(&text[from..variable.start]);
        out.append("*");
        from = variable.end;
    }
    out.append(&text[from..]);
    Cow::Owned(out)
}

/// Checks the variables of a string that may have some.
pub(super) fn check(lint: &mut Lint<'_, '_>, text: &Text<'_>) {
    if !has_variable(&text.value) {
        return;
    }
    let version = lint.policy.version;
    for variable in variables(&text.value) {
        let place = text.part(variable.start, variable.end).unwrap_or(text.span);
        let whole = &text.value[variable.start..variable.end];
        match variable.fault {
            Some(fault) => report(lint, text, &variable, fault, place),
            None if version == Version::V2008 => {
                let message = format!(
                    "`{whole}` is plain text under this version; write `\"Version\": \"2012-10-17\"`"
                );
                let change = new_version(lint.root);
                let code = issue_code::VARIABLE_UNSUPPORTED_IN_VERSION;
                lint.add_at(code, place, message, change);
            }
            None => {}
        }
    }
}

fn report(
    lint: &mut Lint<'_, '_>,
    text: &Text<'_>,
    variable: &Variable<'_>,
    fault: Fault,
    place: Span,
) {
    let shown = &text.value[variable.start..variable.end];
    let replace = |title: &str, new: &str| {
        let (head, tail) = (&text.value[..variable.start], &text.value[variable.end..]);
        Change::new(title, text.span, quoted(&format!("{head}{new}{tail}")))
    };
    let (code, message, change) = match fault {
        Fault::MissingBrace => (
            issue_code::MISSING_BRACE_IN_VARIABLE,
            format!("the variable `{shown}` has no closing brace; add `}}`"),
            Some(replace("Add the brace", &format!("{}}}", shown.trim_end()))),
        ),
        Fault::Empty => (
            issue_code::EMPTY_VARIABLE,
            format!("the variable `{shown}` is empty; put a key into it or remove it"),
            Some(replace("Remove it", "")),
        ),
        Fault::Space => (
            issue_code::UNSUPPORTED_SPACE_IN_VARIABLE,
            format!("the name in the variable `{shown}` has a space; remove it"),
            {
                let name: String = variable.name.split_whitespace().collect();
                let default = variable
                    .default
                    .map(|d| format!(", '{d}'"))
                    .unwrap_or_default();
                let fixed = format!("${{{name}{default}}}");
                Some(replace("Remove the space", &fixed))
            },
        ),
        Fault::MissingQuote => (
            issue_code::MISSING_QUOTE_IN_VARIABLE,
            format!("the default value in `{shown}` needs a single quote on both sides; add them"),
            shown[2..shown.len() - 1]
                .split_once(',')
                .map(|(name, default)| {
                    let default = default.trim().trim_matches('\'');
                    replace(
                        "Add the quotes",
                        &format!("${{{}, '{default}'}}", name.trim()),
                    )
                }),
        ),
    };
    lint.add_at(code, place, message, change);
}

/// Reports variables where none are replaced.
pub(super) fn unsupported(lint: &mut Lint<'_, '_>, text: &Text<'_>, element: &str) {
    for variable in variables(&text.value) {
        let place = text.part(variable.start, variable.end).unwrap_or(text.span);
        let message = format!(
            "`{}` in `{element}` is never replaced; variables work in `Resource` and in condition \
             values, remove it here",
            &text.value[variable.start..variable.end]
        );
        lint.report(issue_code::VARIABLE_UNSUPPORTED_IN_ELEMENT, place, message);
    }
}

/// The change to version 2012-10-17.
pub(crate) fn new_version(root: &Value<'_>) -> Option<Change> {
    let title = "Use version 2012-10-17";
    if let Some(value) = root.get("Version") {
        Some(Change::new(title, value.span(), "\"2012-10-17\""))
    } else {
        let at = root.members().map(|_| root.span().start as usize + 1)?;
        let text = "\n  \"Version\": \"2012-10-17\",";
        Some(Change::new(title, Span::new(at, at), text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_defaults_and_faults() {
        let one = |text| variables(text).next().unwrap();
        let v = one("a-${aws:PrincipalTag/team, 'all}'}-z");
        assert_eq!((v.name, v.default), ("aws:PrincipalTag/team", Some("all}")));
        assert_eq!(v.fault, None);
        assert_eq!(one("${*}").name, "*");
        assert_eq!(one("x${aws:username").fault, Some(Fault::MissingBrace));
        assert_eq!(one("${ }").fault, Some(Fault::Empty));
        assert_eq!(one("${aws: username}").fault, Some(Fault::Space));
        assert_eq!(one("${aws:username, 'x}").fault, Some(Fault::MissingQuote));
        assert_eq!(variables("${a}${b}").count(), 2);
        assert_eq!(opened("a/${b}/c"), "a/*/c");
    }
}
