//! A JSON parser that goes on after an error.
//!
//! It accepts exactly RFC 8259 without an error and reads as much as it can of anything
//! else: missing and extra commas, comments, single quotes, bare words, open strings and
//! brackets. Every deviation is one [`SyntaxError`] where a strict parser would stop.

use std::borrow::Cow;

use super::{Member, Text, Value};
use crate::position::Span;

/// Deeper nesting is skipped: a policy needs six levels.
pub const MAX_DEPTH: usize = 64;
/// After that many errors the rest says nothing new.
const MAX_ERRORS: usize = 20;

/// What is wrong with the JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Nothing but white space.
    Empty,
    /// U+FEFF before the text.
    ByteOrderMark,
    /// A comma that nothing follows.
    TrailingComma,
    /// Two values without a comma between them.
    MissingComma,
    /// A key without its colon.
    MissingColon,
    /// A key or an element without a value.
    MissingValue,
    /// A comment: JSON has none.
    Comment,
    /// A string in single or typographic quotes.
    Quotes,
    /// A word without quotes.
    BareWord,
    /// A string that its line does not end.
    OpenString,
    /// An array or an object that nothing closes.
    OpenBracket,
    /// A bracket that closes nothing, or another bracket than it should.
    StrayBracket,
    /// A control character inside a string.
    ControlCharacter,
    /// A backslash that escapes nothing JSON knows.
    Escape,
    /// Half of a surrogate pair.
    LoneSurrogate,
    /// A number that JSON would write otherwise.
    Number,
    /// A character that belongs nowhere outside strings.
    Character,
    /// Nested deeper than [`MAX_DEPTH`].
    TooDeep,
    /// A key that the object has already.
    DuplicateKey,
    /// More text after the value.
    TrailingText,
}

/// One deviation from JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// What it is.
    pub problem: Problem,
    /// Where a strict parser stops.
    pub span: Span,
    /// The edit that fixes it: what to put in place of which bytes.
    pub edit: Option<(Span, &'static str)>,
}

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
    let mut parser = Parser {
        text,
        bytes: text.as_bytes(),
        at: 0,
        depth: 0,
        errors: Vec::new(),
    };
    let root = parser.document();
    let mut errors = parser.errors;
    errors.sort_by_key(|e| e.span.start);
    Parsed { root, errors }
}

struct Parser<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    depth: usize,
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
            .value()
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
            b'-' | b'0'..=b'9' => Some(self.number()),
            b'\'' | b'`' => Some(Value::String(self.misquoted())),
            b',' | b':' | b'}' | b']' => None,
            _ if self.typographic_quote() => Some(Value::String(self.misquoted())),
            _ => {
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
        let mut elements = Vec::new();
        let mut comma: Option<usize> = None;
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
                b'}' if self.depth > 1 => {
                    self.wrong_closer("]");
                    break;
                }
                b'}' => self.stray(),
                b',' => comma = self.comma(comma, elements.is_empty()),
                b':' => self.unexpected(),
                _ => {
                    self.missing_comma(comma, elements.is_empty());
                    comma = None;
                    match self.value() {
                        Some(value) => elements.push(value),
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
                b']' if self.depth > 1 => {
                    self.wrong_closer("}");
                    break;
                }
                b']' => self.stray(),
                b',' => comma = self.comma(comma, members.is_empty()),
                b':' | b'{' | b'[' => self.unexpected(),
                _ => {
                    self.missing_comma(comma, members.is_empty());
                    comma = None;
                    members.push(self.member());
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
        let mut keys: Vec<_> = members.iter().map(|m| (&m.key.value, m.key.span)).collect();
        keys.sort_by(|a, b| a.0.cmp(b.0).then(a.1.start.cmp(&b.1.start)));
        for pair in keys.windows(2) {
            if pair[0].0 == pair[1].0 {
                self.report(Problem::DuplicateKey, pair[1].1);
            }
        }
    }

    fn member(&mut self) -> Member<'t> {
        let key = self.key();
        let after = self.at;
        self.space();
        if self.peek() == Some(b':') {
            self.at += 1;
        } else {
            if matches!(self.peek(), Some(b',' | b'}' | b']') | None) {
                self.report(Problem::MissingValue, self.here());
                return Member {
                    key,
                    value: Value::Null(Span::new(after, after)),
                };
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
        let value = self.value().unwrap_or_else(|| {
            self.report(Problem::MissingValue, self.here());
            Value::Null(Span::new(at, at))
        });
        Member { key, value }
    }

    fn key(&mut self) -> Text<'t> {
        match self.peek() {
            Some(b'"') => self.string(1, "\""),
            Some(b'\'' | b'`') => self.misquoted(),
            _ if self.typographic_quote() => self.misquoted(),
            _ => {
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

    // A string between quotes of `open` bytes and `close`.
    fn string(&mut self, open: usize, close: &str) -> Text<'t> {
        let start = self.at;
        self.at += open;
        let body = self.at;
        let mut owned: Option<String> = None;
        let mut copied = body;
        let end = loop {
            if close == "\"" {
                let plain = |b: &u8| *b != b'"' && *b != b'\\' && *b >= 0x20;
                let rest = self.bytes.get(self.at..).unwrap_or_default();
                self.at += rest.iter().take_while(|b| plain(b)).count();
            }
            let Some(byte) = self.peek() else {
                self.report(Problem::OpenString, Span::new(start, start + open));
                break self.at;
            };
            if byte == close.as_bytes()[0] && self.text[self.at..].starts_with(close) {
                self.at += close.len();
                break self.at - close.len();
            }
            match byte {
                b'\n' | b'\r' => {
                    let gap = Span::new(self.at, self.at);
                    self.report_edit(
                        Problem::OpenString,
                        Span::new(start, start + open),
                        (gap, "\""),
                    );
                    break self.at;
                }
                b'\\' => {
                    let out = owned.get_or_insert_default();
                    out.push_str(&self.text[copied..self.at]);
                    let c = self.escape();
                    owned.get_or_insert_default().extend(c);
                    copied = self.at;
                }
                0..=0x1f => {
                    self.report(Problem::ControlCharacter, Span::new(self.at, self.at + 1));
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        };
        let value = match owned {
            Some(mut out) => {
                out.push_str(&self.text[copied.min(end)..end]);
                Cow::Owned(out)
            }
            None => Cow::Borrowed(&self.text[body..end]),
        };
        Text {
            value,
            span: Span::new(start, self.at),
        }
    }

    // One escape; `None` where it stands for nothing.
    fn escape(&mut self) -> Option<char> {
        let start = self.at;
        let Some(byte) = self.bytes.get(start + 1).copied() else {
            self.at += 1;
            return None;
        };
        self.at += 2;
        let simple = match byte {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(start),
            _ => {
                self.at = start + 1;
                self.report(Problem::Escape, Span::new(start, start + 1));
                return None;
            }
        };
        Some(simple)
    }

    fn unicode_escape(&mut self, start: usize) -> Option<char> {
        let Some(first) = self.hex4() else {
            self.report(Problem::Escape, Span::new(start, self.at));
            return None;
        };
        if let Some(c) = char::from_u32(first) {
            return Some(c);
        }
        let high = (0xD800..0xDC00).contains(&first);
        if high && self.text[self.at..].starts_with("\\u") {
            let back = self.at;
            self.at += 2;
            match self.hex4() {
                Some(low) if (0xDC00..0xE000).contains(&low) => {
                    return char::from_u32(0x10000 + ((first - 0xD800) << 10) + (low - 0xDC00));
                }
                _ => self.at = back,
            }
        }
        self.report(Problem::LoneSurrogate, Span::new(start, self.at));
        Some('\u{fffd}')
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.bytes.get(self.at..self.at + 4)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let value = u32::from_str_radix(&self.text[self.at..self.at + 4], 16).ok()?;
        self.at += 4;
        Some(value)
    }

    fn misquoted(&mut self) -> Text<'t> {
        let start = self.at;
        let open = self.char_length();
        let close = match &self.text[start..start + open] {
            "“" | "”" | "„" => "”",
            "‘" | "’" => "’",
            "`" => "`",
            _ => "'",
        };
        let before = self.errors.len();
        let text = self.string(open, close);
        let open_ended = !self.text[start + open..self.at].ends_with(close);
        self.errors.truncate(before);
        // What it has swallowed up to the end of its line, nobody knows.
        let problem = if open_ended {
            Problem::OpenString
        } else {
            Problem::Quotes
        };
        self.report(problem, text.span);
        text
    }

    fn typographic_quote(&self) -> bool {
        self.text[self.at..].starts_with(['“', '”', '„', '‘', '’'])
    }

    fn number(&mut self) -> Value<'t> {
        let start = self.at;
        while matches!(
            self.peek(),
            Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z')
        ) {
            self.at += 1;
        }
        let span = Span::new(start, self.at);
        let text = &self.text[start..self.at];
        if !is_number(text) {
            self.report(Problem::Number, span);
        }
        Value::Number(text, span)
    }

    // At least one character, up to white space or punctuation.
    fn word(&mut self) -> &'t str {
        let start = self.at;
        self.at += self.char_length();
        while let Some(byte) = self.peek() {
            if byte.is_ascii_whitespace() || b",:{}[]\"=".contains(&byte) {
                break;
            }
            self.at += 1;
        }
        &self.text[start..self.at]
    }

    // White space and comments. JSON's white space is four characters; others look like it.
    fn space(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                b'/' | b'#' => {
                    if !self.comment() {
                        break;
                    }
                }
                0..=0x1f => self.odd_space(1),
                0x80.. => {
                    let length = self.char_length();
                    let c = self.text[self.at..].chars().next().unwrap_or('x');
                    if !c.is_whitespace() && !matches!(c, '\u{200b}' | '\u{feff}' | '\u{2060}') {
                        break;
                    }
                    self.odd_space(length);
                }
                _ => break,
            }
        }
    }

    fn odd_space(&mut self, length: usize) {
        let span = Span::new(self.at, self.at + length);
        self.report_edit(Problem::Character, span, (span, " "));
        self.at += length;
    }

    fn comment(&mut self) -> bool {
        let start = self.at;
        let rest = &self.text[start..];
        let length = if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |at| at + 2)
        } else if rest.starts_with("//") || rest.starts_with('#') {
            rest.find(['\n', '\r']).unwrap_or(rest.len())
        } else {
            return false;
        };
        self.at += length;
        let span = Span::new(start, self.at);
        self.report_edit(Problem::Comment, span, (span, ""));
        true
    }

    fn comma(&mut self, before: Option<usize>, empty: bool) -> Option<usize> {
        let span = Span::new(self.at, self.at + 1);
        self.at += 1;
        if empty || before.is_some() {
            self.report_edit(Problem::MissingValue, span, (span, ""));
            return before;
        }
        Some(self.at - 1)
    }

    fn missing_comma(&mut self, comma: Option<usize>, empty: bool) {
        if comma.is_some() || empty {
            return;
        }
        // The comma belongs right behind the value before.
        let before = self.text[..self.at].trim_end().len();
        self.report_edit(
            Problem::MissingComma,
            self.here(),
            (Span::new(before, before), ","),
        );
    }

    fn trailing_comma(&mut self, comma: Option<usize>) {
        if let Some(at) = comma {
            let edit = (Span::new(at, at + 1), "");
            self.report_edit(Problem::TrailingComma, self.here(), edit);
        }
    }

    fn wrong_closer(&mut self, expected: &'static str) {
        let here = self.here();
        let gap = Span::new(self.at, self.at);
        self.report_edit(Problem::StrayBracket, here, (gap, expected));
    }

    // Where a strict parser stops: at the end of the text.
    fn open_bracket(&mut self, missing: &'static str) {
        let end = Span::new(self.text.len(), self.text.len());
        self.report_edit(Problem::OpenBracket, end, (end, missing));
    }

    fn stray(&mut self) {
        let here = self.here();
        self.report_edit(Problem::StrayBracket, here, (here, ""));
        self.at += 1;
    }

    fn unexpected(&mut self) {
        self.report(Problem::Character, self.here());
        self.at += self.char_length();
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
        if self.errors.len() < MAX_ERRORS {
            self.errors.push(error);
        }
    }
}

// RFC 8259's number.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)))
}
