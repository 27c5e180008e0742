//! A JSON parser that goes on after an error.
//!
//! It accepts exactly RFC 8259 without an error and reads as much as it can of anything
//! else: missing and extra commas, comments, single quotes, bare words, open strings and
//! brackets. Every deviation is one [`SyntaxError`] where a strict parser would stop.

mod commas;
mod problem;
mod space;
mod strings;
mod words;

use std::borrow::Cow;

pub use problem::{Problem, SyntaxError};

use super::{Member, Text, Value};
use crate::position::Span;
use crate::text::IntoList;

/// Deeper nesting is skipped: a policy needs six levels.
pub const MAX_DEPTH: usize = 64;
/// After that many errors the rest says nothing new.
const MAX_ERRORS: usize = 20;

/// The value that was read, and what was wrong with the text.
#[derive(Debug)]
pub struct Parsed<'t> {
    /// The value; `Null` if there was none.
    pub root: Value<'t>,
    /// The errors, in the order of the text.
    pub errors: Vec<SyntaxError>,
}

/// Reads `text`, whatever it is.
#[must_use]
pub fn parse(text: &str) -> Parsed<'_> {
    parse_up_to(text, MAX_ERRORS)
}

/// As [`parse`], with so many errors at most.
pub(crate) fn parse_up_to(text: &str, most_errors: usize) -> Parsed<'_> {
    let mut parser = Parser {
        text,
        bytes: text.as_bytes(),
        at: 0,
        depth: 0,
        leaves_open: None,
        most_errors,
        errors: Vec::new(),
    };
    let root = parser.document();
    Parsed {
        root,
        errors: parser.errors,
    }
}

struct Parser<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    depth: usize,
    // Whether the text opens more than it closes, once that was asked.
    leaves_open: Option<bool>,
    most_errors: usize,
    errors: Vec<SyntaxError>,
}

impl<'t> Parser<'t> {
    fn document(&mut self) -> Value<'t> {
        if self.text.starts_with('\u{feff}') {
            self.at = '\u{feff}'.len_utf8();
            let span = Span::new(0, self.at);
            self.report_edit(Problem::ByteOrderMark, span, (span, ""));
        }
        self.space();
        if self.at >= self.bytes.len() {
            self.report(Problem::Empty, Span::new(0, 0));
            return Value::Null(Span::new(0, self.text.len()));
        }
        let root = self
            .member_value()
            .unwrap_or_else(|| Value::Null(Span::new(self.at, self.at)));
        self.space();
        if self.at < self.bytes.len() {
            let rest = Span::new(self.at, self.text.len());
            let stray = matches!(self.bytes[self.at], b'}' | b']');
            let problem = if stray {
                Problem::StrayBracket
            } else {
                Problem::TrailingText
            };
            let shown = Span::new(self.at, self.at + self.char_length());
            if stray && self.text[self.at + 1..].trim().is_empty() {
                self.report_edit(problem, shown, (rest, ""));
            } else {
                self.report(problem, shown);
            }
        }
        root
    }

    fn value(&mut self) -> Option<Value<'t>> {
        let start = self.at;
        match self.peek()? {
            b'{' => Some(self.nested(Self::object)),
            b'[' => Some(self.nested(Self::array)),
            b'"' => Some(Value::String(self.string(1, "\""))),
            b'\'' | b'`' => Some(Value::String(self.misquoted())),
            b',' | b';' | b':' | b'}' | b']' => None,
            _ if self.typographic_quote() => Some(Value::String(self.misquoted())),
            byte => {
                if let Some(text) = self.half_quoted() {
                    return Some(Value::String(text));
                }
                if matches!(byte, b'-' | b'0'..=b'9') {
                    return Some(self.number());
                }
                let word = self.word();
                let span = Span::new(start, self.at);
                Some(match word {
                    "true" => Value::Bool(true, span),
                    "false" => Value::Bool(false, span),
                    "null" => Value::Null(span),
                    _ => self.bare_word(word, span),
                })
            }
        }
    }

    // Python's and YAML's words become what they meant; any other word a string.
    fn bare_word(&mut self, word: &'t str, span: Span) -> Value<'t> {
        let (value, edit) = match word {
            "True" | "TRUE" => (Value::Bool(true, span), Some((span, "true"))),
            "False" | "FALSE" => (Value::Bool(false, span), Some((span, "false"))),
            "None" | "NULL" | "undefined" => (Value::Null(span), Some((span, "null"))),
            _ => (
                Value::String(Text {
                    value: Cow::Borrowed(word),
                    span,
                }),
                None,
            ),
        };
        self.push(SyntaxError {
            problem: Problem::BareWord,
            span,
            edit,
        });
        value
    }

    fn nested(&mut self, read: fn(&mut Self) -> Value<'t>) -> Value<'t> {
        if self.depth >= MAX_DEPTH {
            let start = self.at;
            self.report(Problem::TooDeep, Span::new(start, start + 1));
            self.skip_balanced();
            return Value::Null(Span::new(start, self.at));
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn array(&mut self) -> Value<'t> {
        let start = self.at;
        self.at += 1;
        self.space();
        if self.peek() == Some(b'[') && self.leaves_open() {
            self.doubled(self.at);
        }
        self.elements(start, Vec::new(), None)
    }

    // An array from `start`, whose first elements and the comma behind them are read.
    #[inline(never)]
    fn elements(
        &mut self,
        start: usize,
        mut elements: Vec<Value<'t>>,
        mut comma: Option<usize>,
    ) -> Value<'t> {
        loop {
            self.space();
            let Some(byte) = self.peek() else {
                self.open_bracket("]");
                break;
            };
            match byte {
                b']' => {
                    self.trailing_comma(comma);
                    self.at += 1;
                    break;
                }
                b'}' if self.depth > 1 && !self.closes_too_much() => {
                    self.wrong_closer("]");
                    break;
                }
                b'}' => self.stray(),
                b',' | b';' => comma = self.comma(comma, elements.is_empty()),
                b':' => self.unexpected(),
                _ => {
                    let at = self.at;
                    let value = self.value();
                    if self.is_name(value.as_ref())
                        && let Some(last) = elements.last()
                        && (last.members().is_none() || !self.closes_too_much())
                    {
                        // The next member of the object that the array is in.
                        self.unclosed(last, "]");
                        self.at = comma.unwrap_or(at);
                        break;
                    }
                    self.missing_comma(at, comma, elements.is_empty());
                    comma = None;
                    match value {
                        Some(value) => elements.push(self.opened(value)),
                        None => self.unexpected(),
                    }
                }
            }
        }
        Value::Array(elements, Span::new(start, self.at))
    }

    fn object(&mut self) -> Value<'t> {
        let start = self.at;
        self.at += 1;
        self.members(start)
    }

    // An object from `start`, which is open.
    #[inline(never)]
    fn members(&mut self, start: usize) -> Value<'t> {
        let mut members: Vec<Member<'t>> = Vec::new();
        let mut comma: Option<usize> = None;
        loop {
            self.space();
            let Some(byte) = self.peek() else {
                self.open_bracket("}");
                break;
            };
            match byte {
                b'}' => {
                    self.trailing_comma(comma);
                    self.at += 1;
                    break;
                }
                b']' if let Some(last) = members.last_mut().filter(|_| comma.is_none())
                    && !matches!(last.value, Value::Array(..))
                    && self.closes_too_much() =>
                {
                    last.value = self.list_of(&mut last.value, None, None);
                }
                b']' if self.depth > 1 && !self.closes_too_much() => {
                    self.wrong_closer("}");
                    break;
                }
                b']' => self.stray(),
                b',' | b';' => comma = self.comma(comma, members.is_empty()),
                b'{' if let (Some(last), Some(at)) = (members.last_mut(), comma.take()) => {
                    if last.value.members().is_some() && self.closes_too_much() {
                        last.value = self.list_of(&mut last.value, None, Some(at));
                    } else {
                        // The next object of the list that this one is in.
                        self.unclosed(&last.value, "}");
                        self.at = at;
                        break;
                    }
                }
                b'{' if members.is_empty() => self.doubled(self.at),
                b':' | b'{' | b'[' => self.unexpected(),
                _ => {
                    let at = self.at;
                    let key = self.key();
                    let after = self.at;
                    self.space();
                    if matches!(self.peek(), Some(b',' | b']'))
                        && comma.take().is_some()
                        && let Some(last) =
                            members.last_mut().filter(|m| m.value.as_text().is_some())
                    {
                        last.value = self.list_of(&mut last.value, Some(Value::String(key)), None);
                        continue;
                    }
                    self.missing_comma(at, comma, members.is_empty());
                    comma = None;
                    let value = self.value_of(after);
                    members.push(Member { key, value });
                }
            }
        }
        self.duplicate_keys(&members);
        Value::Object(members, Span::new(start, self.at))
    }

    fn duplicate_keys(&mut self, members: &[Member<'t>]) {
        if members.len() <= 16 {
            for (at, member) in members.iter().enumerate() {
                if members[..at]
                    .iter()
                    .any(|m| m.key.value == member.key.value)
                {
                    self.report(Problem::DuplicateKey, member.key.span);
                }
            }
            return;
        }
        // A pasted megabyte can be one object: sort instead of comparing each with each.
        let mut keys: Vec<_> = members.iter().map(|m| (&m.key.value, m.key.span)).list();
        keys.sort_unstable_by(|a, b| a.0.cmp(b.0).then(a.1.start.cmp(&b.1.start)));
        for pair in keys.windows(2) {
            if pair[0].0 == pair[1].0 {
                self.report(Problem::DuplicateKey, pair[1].1);
            }
        }
    }

    // What the name that ends at `after` stands for.
    #[inline(never)]
    fn value_of(&mut self, after: usize) -> Value<'t> {
        if self.peek() == Some(b':') {
            self.at += 1;
            self.space();
            if self.peek() == Some(b':') {
                self.doubled(self.at);
            }
        } else {
            if matches!(self.peek(), Some(b',' | b'}' | b']') | None) {
                self.report(Problem::MissingValue, self.here());
                return Value::Null(Span::new(after, after));
            }
            if self.peek() == Some(b'=') {
                let span = Span::new(self.at, self.at + 1);
                self.report_edit(Problem::MissingColon, span, (span, ":"));
                self.at += 1;
            } else {
                let gap = Span::new(after, after);
                self.report_edit(Problem::MissingColon, self.here(), (gap, ":"));
            }
        }
        self.space();
        let at = self.at;
        self.member_value().unwrap_or_else(|| {
            self.report(Problem::MissingValue, self.here());
            Value::Null(Span::new(at, at))
        })
    }

    fn member_value(&mut self) -> Option<Value<'t>> {
        let value = self.value()?;
        Some(self.opened(value))
    }

    // The value itself, or the object whose first name it is.
    fn opened(&mut self, value: Value<'t>) -> Value<'t> {
        if !self.is_name(Some(&value)) || self.depth >= MAX_DEPTH {
            return value;
        }
        self.bare_object(value.span().start as usize)
    }

    // An object from `start` on, which nothing opens.
    #[cold]
    #[inline(never)]
    fn bare_object(&mut self, start: usize) -> Value<'t> {
        let gap = Span::new(start, start);
        self.report_edit(Problem::UnopenedObject, self.here(), (gap, "{"));
        self.at = start;
        self.nested(|parser| parser.members(parser.at))
    }

    // A string in quotes that a colon follows.
    fn is_name(&mut self, value: Option<&Value<'t>>) -> bool {
        let is_quoted = |text: &Text<'t>| text.span.text(self.text).ends_with('"');
        if !value.and_then(Value::as_text).is_some_and(is_quoted) {
            return false;
        }
        self.space();
        self.peek() == Some(b':')
    }

    // A list that nothing opens: `first`, which was read as a value, `second`, and what follows.
    #[cold]
    #[inline(never)]
    fn list_of(
        &mut self,
        first: &mut Value<'t>,
        second: Option<Value<'t>>,
        comma: Option<usize>,
    ) -> Value<'t> {
        let start = first.span().start as usize;
        let gap = Span::new(start, start);
        self.report_edit(Problem::UnopenedList, self.here(), (gap, "["));
        let mut elements = vec![std::mem::replace(first, Value::Null(gap))];
        elements.extend(second);
        self.elements(start, elements, comma)
    }

    fn key(&mut self) -> Text<'t> {
        match self.peek() {
            Some(b'"') => self.string(1, "\""),
            Some(b'\'' | b'`') => self.misquoted(),
            _ if self.typographic_quote() => self.misquoted(),
            _ => {
                if let Some(text) = self.half_quoted() {
                    return text;
                }
                let start = self.at;
                let word = self.word();
                let span = Span::new(start, self.at);
                self.report(Problem::BareWord, span);
                Text {
                    value: Cow::Borrowed(word),
                    span,
                }
            }
        }
    }

    // Past a whole nested value, brackets in strings not counted, without recursion.
    fn skip_balanced(&mut self) {
        let mut open = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    let before = self.errors.len();
                    self.string(1, "\"");
                    self.errors.truncate(before);
                    continue;
                }
                b'{' | b'[' => open += 1,
                b'}' | b']' => open -= 1,
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                break;
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn here(&self) -> Span {
        Span::new(self.at, self.at + self.char_length())
    }

    fn char_length(&self) -> usize {
        self.text
            .get(self.at..)
            .and_then(|rest| rest.chars().next())
            .map_or(0, char::len_utf8)
    }

    fn report(&mut self, problem: Problem, span: Span) {
        self.push(SyntaxError {
            problem,
            span,
            edit: None,
        });
    }

    fn report_edit(&mut self, problem: Problem, span: Span, edit: (Span, &'static str)) {
        self.push(SyntaxError {
            problem,
            span,
            edit: Some(edit),
        });
    }

    fn push(&mut self, error: SyntaxError) {
        if self.errors.len() < self.most_errors {
            // A name that stands twice is found at the end of its object.
            let later = self.errors.iter().rev();
            let later = later.take_while(|e| e.span.start > error.span.start);
            self.errors.insert(self.errors.len() - later.count(), error);
        }
    }
}
