//! JSON that remembers where everything stood.

mod format;
mod parse;
mod path;
mod quote;

use std::borrow::Cow;

pub use format::format;
pub(crate) use parse::parse_up_to;
pub use parse::{MAX_DEPTH, Parsed, Problem, SyntaxError, parse};
pub use path::{PathElement, Substring, path_to};
#[cfg(any(all(target_arch = "wasm32", target_os = "unknown"), test))]
pub(crate) use quote::quote;
pub(crate) use quote::quoted;

use crate::position::Span;

/// A string with its place, quotes included.
#[derive(Clone, Debug, PartialEq)]
pub struct Text<'t> {
    /// What the string means, escapes resolved.
    pub value: Cow<'t, str>,
    /// Where it stands, from quote to quote.
    pub span: Span,
}

impl Text<'_> {
    /// The place of `value[start..end]` in the source, exact where the string has no escapes
    /// and the whole string where it has.
    #[must_use]
    pub fn part(&self, start: usize, end: usize) -> Option<Span> {
        match self.value {
            Cow::Borrowed(_) => {
                let base = self.span.start as usize + 1;
                Some(Span::new(base + start, base + end))
            }
            Cow::Owned(_) => None,
        }
    }
}

/// One member of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Member<'t> {
    /// Its name.
    pub key: Text<'t>,
    /// Its value.
    pub value: Value<'t>,
}

/// A JSON value with its place.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'t> {
    /// `null`, and whatever could not be read.
    Null(Span),
    /// `true` or `false`.
    Bool(bool, Span),
    /// A number, as written.
    Number(&'t str, Span),
    /// A string.
    String(Text<'t>),
    /// An array.
    Array(Vec<Value<'t>>, Span),
    /// An object; members keep their order, duplicates included.
    Object(Vec<Member<'t>>, Span),
}

impl<'t> Value<'t> {
    /// Where the value stands.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Null(span)
            | Self::Bool(_, span)
            | Self::Number(_, span)
            | Self::Array(_, span)
            | Self::Object(_, span) => *span,
            Self::String(text) => text.span,
        }
    }

    /// The string, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&Text<'t>> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The string's value, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        self.as_text().map(|text| text.value.as_ref())
    }

    /// The members, if it is an object.
    #[must_use]
    pub fn members(&self) -> Option<&[Member<'t>]> {
        match self {
            Self::Object(members, _) => Some(members),
            _ => None,
        }
    }

    /// The member of that name, the last one if there are several.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value<'t>> {
        let members = self.members()?;
        members
            .iter()
            .rev()
            .find(|m| m.key.value == name)
            .map(|m| &m.value)
    }

    /// The elements of an array; any other value is its own only element.
    #[must_use]
    pub fn elements(&self) -> &[Value<'t>] {
        match self {
            Self::Array(elements, _) => elements,
            one => std::slice::from_ref(one),
        }
    }
}
