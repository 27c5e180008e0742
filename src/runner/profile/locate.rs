//! Where in the text a value or its key stands.
//!
//! The YAML reader tells no places but those of errors. So the text is read once more for each place that a message needs, and
//! the reading broken off there: that is slow, and only ever done for the values of one runner.

use std::fmt;
use std::ops::Range;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// One step from a value into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    Index(usize),
}

/// The way from the whole file to a value.
pub(super) type Path = Vec<Step>;

/// Where the value at that path is; a mapping's or list's own place is its beginning.
pub(super) fn value(text: &str, path: &[Step]) -> Option<Range<usize>> {
    find(text, path, false)
}

/// Where the last key of the path is.
pub(super) fn key(text: &str, path: &[Step]) -> Option<Range<usize>> {
    find(text, path, true)
}

/// From the beginning of one place to the end of another.
pub(super) fn between(text: &str, first: &[Step], last: &[Step]) -> Option<Range<usize>> {
    Some(value(text, first)?.start..value(text, last)?.end)
}

fn find(text: &str, path: &[Step], is_key: bool) -> Option<Range<usize>> {
    let walk = Walk { path, is_key };
    let error = walk
        .deserialize(serde_yaml::Deserializer::from_str(text))
        .err()?;
    let at = error.location()?;
    error.to_string().contains(FOUND).then_some(())?;
    let start = offset(text, at.line(), at.column());
    Some(start..end(text, start))
}

/// The byte that a line and a column, counted from 1 in characters, mean.
pub(super) fn offset(text: &str, line: usize, column: usize) -> usize {
    let mut start = 0;
    for _ in 1..line {
        match text.get(start..).and_then(|rest| rest.find('\n')) {
            Some(at) => start += at + 1,
            None => return text.len(),
        }
    }
    let rest = text.get(start..).unwrap_or_default();
    let within = rest.char_indices().nth(column.saturating_sub(1));
    within.map_or(text.len(), |(at, _)| start + at)
}

/// The end of the scalar that begins there; of anything else, the end of its first line.
fn end(text: &str, start: usize) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    let line = rest.split(['\n', '\r']).next().unwrap_or_default();
    let quote = line.chars().next().filter(|c| matches!(c, '"' | '\''));
    let length = match quote {
        Some(quote) => quoted(rest, quote).unwrap_or(line.len()),
        None => plain(line),
    };
    start + length.max(1).min(rest.len().max(1))
}

fn quoted(rest: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '\\' if quote == '"' => is_escaped = !is_escaped,
            c if c == quote && !is_escaped => return Some(at + 1),
            _ => is_escaped = false,
        }
    }
    None
}

/// A plain scalar ends before a comment, before `: `, and in a flow collection before its separators.
fn plain(line: &str) -> usize {
    let stops = [" #", ": ", ", ", "]", "}"];
    let end = stops.iter().filter_map(|stop| line.find(stop)).min();
    let scalar = line
        .get(..end.unwrap_or(line.len()))
        .unwrap_or(line)
        .trim_end();
    scalar.strip_suffix(':').unwrap_or(scalar).len()
}

/// What breaks the reading off; nobody sees it.
const FOUND: &str = "found";

#[derive(Clone, Copy)]
struct Walk<'a> {
    path: &'a [Step],
    is_key: bool,
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.path.is_empty() {
            deserializer.deserialize_any(Here)
        } else {
            deserializer.deserialize_any(self)
        }
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("something with the path's next step")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Some((Step::Index(wanted), path)) = self.path.split_first() else {
            return Err(A::Error::custom("not a key"));
        };
        for _ in 0..*wanted {
            list.next_element::<IgnoredAny>()?;
        }
        list.next_element_seed(Walk { path, ..self })?;
        Err(A::Error::custom("not there"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((Step::Key(wanted), path)) = self.path.split_first() else {
            return Err(A::Error::custom("not an index"));
        };
        let key = KeyOf {
            wanted,
            is_end: path.is_empty() && self.is_key,
        };
        while let Some(is_wanted) = map.next_key_seed(key)? {
            if is_wanted {
                map.next_value_seed(Walk { path, ..self })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Err(A::Error::custom("not there"))
    }
}

/// Compares a key, and stops at the one that is looked for.
#[derive(Clone, Copy)]
struct KeyOf<'a> {
    wanted: &'a str,
    is_end: bool,
}

impl<'de> DeserializeSeed<'de> for KeyOf<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyOf<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<bool, E> {
        match text == self.wanted {
            true if self.is_end => Err(E::custom(FOUND)),
            is_wanted => Ok(is_wanted),
        }
    }
}

/// The value itself: whatever it is, the reading ends.
struct Here;

macro_rules! found {
    ($($visit:ident($kind:ty)),*) => {
        $(fn $visit<E: Error>(self, _: $kind) -> Result<(), E> {
            Err(E::custom(FOUND))
        })*
    };
}

impl<'de> Visitor<'de> for Here {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    found!(
        visit_bool(bool),
        visit_i64(i64),
        visit_u64(u64),
        visit_f64(f64),
        visit_str(&str)
    );

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Err(E::custom(FOUND))
    }

    fn visit_none<E: Error>(self) -> Result<(), E> {
        Err(E::custom(FOUND))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom(FOUND))
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom(FOUND))
    }
}
