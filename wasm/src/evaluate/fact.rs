//! What is known of a request, and strings whose variables are replaced by it.

use crate::lint::variables;
use crate::text::Append;

/// What a request carries for one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact<'f> {
    /// Nothing.
    Absent,
    /// Nothing, and no such request ever carries it.
    Never,
    /// These values.
    Values(Vec<&'f str>),
    /// Some value, nobody knows which.
    Present,
    /// Nobody knows whether anything.
    Unknown,
    /// Either nothing or this value.
    AbsentOr(&'f str),
    /// One of these, in one request or another.
    OneOf(Vec<&'f str>),
    /// The keys of the tags in [`tags::ALL`](crate::tags::ALL), those that are not always there perhaps, and perhaps others.
    TagKeys,
}

/// Where facts come from.
pub trait Facts {
    /// What the request carries for the key; names ignore case.
    fn fact(&self, key: &str) -> Fact<'_>;
}

/// A string with its variables replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expanded {
    /// The pattern; U+0001 stands for a literal `*`, U+0002 for a literal `?`.
    Pattern(String),
    /// A variable has no value: the string matches nothing.
    Unresolved,
    /// A variable's value is not known.
    Unknown,
}

/// Replaces the variables of `text`, which has some.
pub fn expand(text: &str, facts: &dyn Facts) -> Expanded {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for variable in variables(text) {
        out.append(&text[from..variable.start]);
        from = variable.end;
        if variable.fault.is_some() {
            return Expanded::Unresolved;
        }
        match variable.name {
            "*" => out.push('\u{1}'),
            "?" => out.push('\u{2}'),
            "$" => out.append("$"),
            key => match (facts.fact(key), variable.default) {
                (Fact::Values(values), _) if values.len() == 1 => literal(&mut out, values[0]),
                (Fact::Absent | Fact::Never, Some(default)) => literal(&mut out, default),
                (Fact::Absent | Fact::Never | Fact::Values(_), _) => return Expanded::Unresolved,
                _ => return Expanded::Unknown,
            },
        }
    }
    out.append(&text[from..]);
    Expanded::Pattern(out)
}

// A value's own wildcards are text.
fn literal(out: &mut String, value: &str) {
    out.extend(value.chars().map(|c| match c {
        '*' => '\u{1}',
        '?' => '\u{2}',
        c => c,
    }));
}
