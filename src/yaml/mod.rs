//! YAML as a tree whose every node knows its place in the text, read in one pass.
//!
//! Profile files, tags and workflows are all read here: a message can point at a value, and an edit can touch it alone.
//! What is written goes through [`write`].

mod build;
#[cfg(test)]
mod tests;
pub(crate) mod write;

use std::borrow::Cow;
use std::ops::Range;

pub(crate) use saphyr_parser::ScalarStyle;

/// A node, with the bytes that it covers.
///
/// Of block mappings and sequences only the start is exact: where one ends is a matter of lines.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub span: Range<usize>,
    /// From 1.
    pub line: usize,
    pub kind: Kind,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// The text as YAML reads it, without quotes and escapes.
    Scalar {
        value: String,
        style: ScalarStyle,
    },
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
    /// Refers to another node, which `Rules` did not ask to put in its place.
    Alias,
}

/// A key of a mapping and its value.
pub(crate) type Entry = (Node, Node);

/// A node as a value, where its style does not matter.
#[derive(Debug)]
pub(crate) enum Value<'n> {
    Null,
    Scalar(Cow<'n, str>),
    Sequence(&'n [Node]),
    Mapping(&'n [Entry]),
}

/// How a text is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// How deep collections may be nested: deeper ones would exhaust the stack.
    pub deepest: usize,
    /// How many nodes there may be, those that aliases repeat included.
    pub most: usize,
    /// Whether the text is only data: aliases are replaced by what they refer to, each key stands once in its mapping, and
    /// there are neither tags nor merge keys. Otherwise the tree is what is written, for edits.
    pub is_data: bool,
}

/// Why a text with a merge key cannot be read as data.
pub(crate) const MERGE_KEY: &str = "there are no merge keys (`<<`) here";

/// What keeps a text from being read, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub why: String,
    /// In bytes.
    pub at: usize,
    /// From 1.
    pub line: usize,
}

impl Node {
    /// The document; `None` where there is nothing in it.
    pub(crate) fn parse(text: &str, rules: Rules) -> Result<Option<Self>, Unreadable> {
        build::document(text, rules)
    }

    pub(crate) fn value(&self) -> Value<'_> {
        match &self.kind {
            Kind::Scalar { value, style } => match style {
                ScalarStyle::Plain => plain(value),
                _ => Value::Scalar(Cow::Borrowed(value)),
            },
            Kind::Sequence(items) => Value::Sequence(items),
            Kind::Mapping(entries) => Value::Mapping(entries),
            Kind::Alias => Value::Null,
        }
    }

    /// A scalar that is not null, as the text of an input.
    pub(crate) fn text(&self) -> Option<Cow<'_, str>> {
        match self.value() {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.value(), Value::Null)
    }

    /// A scalar as it is read, null and flags included.
    pub(crate) fn scalar(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { value, .. } => Some(value),
            _ => None,
        }
    }

    pub(crate) fn sequence(&self) -> Option<&[Self]> {
        match &self.kind {
            Kind::Sequence(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn mapping(&self) -> Option<&[Entry]> {
        match &self.kind {
            Kind::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// The entries of a mapping; none of anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        self.mapping().unwrap_or_default()
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries()
            .iter()
            .find(|(name, _)| name.scalar() == Some(key))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|(_, value)| value)
    }

    /// Whether it is a scalar on one line, plain or quoted: such a one can be replaced as it stands.
    pub(crate) fn is_simple(&self, text: &str) -> bool {
        let Some(source) = text.get(self.span.clone()) else {
            return false;
        };
        match &self.kind {
            Kind::Scalar { value, style } => match style {
                ScalarStyle::Plain => source == value && !value.is_empty(),
                ScalarStyle::SingleQuoted => is_quoted(source, '\''),
                ScalarStyle::DoubleQuoted => is_quoted(source, '"'),
                ScalarStyle::Literal | ScalarStyle::Folded => false,
            },
            _ => false,
        }
    }

    /// Whether it is a mapping or sequence in braces or brackets.
    pub(crate) fn is_flow(&self, text: &str) -> bool {
        let source = text.get(self.span.clone()).unwrap_or_default();
        match self.kind {
            Kind::Mapping(_) => source.starts_with('{') && source.ends_with('}'),
            Kind::Sequence(_) => source.starts_with('[') && source.ends_with(']'),
            _ => false,
        }
    }
}

/// YAML's core schema, as far as it matters where every scalar becomes a text: null, and one spelling of each flag.
fn plain(value: &str) -> Value<'_> {
    match value {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "True" | "TRUE" => Value::Scalar(Cow::Borrowed("true")),
        "False" | "FALSE" => Value::Scalar(Cow::Borrowed("false")),
        // `1.10` is not 1.1: a number is what is written.
        other => Value::Scalar(Cow::Borrowed(other)),
    }
}

fn is_quoted(source: &str, quote: char) -> bool {
    source.len() >= 2
        && source.starts_with(quote)
        && source.ends_with(quote)
        && !source.contains('\n')
}
