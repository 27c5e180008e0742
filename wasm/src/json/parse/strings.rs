//! Strings and their escapes, in whatever quotes.

use std::borrow::Cow;

use super::{Parser, Problem};
use crate::json::Text;
use crate::position::Span;
use crate::swar::{below, equal, place};
use crate::text::{self, Append, Own};

// Behind a string's last quote.
fn may_follow(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b",:]}".contains(&byte)
}

// How many bytes come before the first that means something in a string: a quote, a backslash or a control character.
fn plain(bytes: &[u8]) -> usize {
    let (eights, rest) = bytes.as_chunks::<8>();
    for (at, eight) in eights.iter().enumerate() {
        let found = below(*eight, 0x20) | equal(*eight, b'"') | equal(*eight, b'\\');
        if found != 0 {
            return at * 8 + place(found);
        }
    }
    let plain = |byte: &&u8| !matches!(byte, b'"' | b'\\' | 0..0x20);
    eights.len() * 8 + rest.iter().take_while(plain).count()
}

impl<'t> Parser<'t> {
    // A string between quotes of `open` bytes and `close`.
    pub(super) fn string(&mut self, open: usize, close: &str) -> Text<'t> {
        let start = self.at;
        self.at += open;
        let body = self.at;
        let mut owned: Option<String> = None;
        let mut copied = body;
        let end = loop {
            if close == "\"" {
                self.at += plain(self.bytes.get(self.at..).unwrap_or_default());
            }
            let Some(byte) = self.peek() else {
                let end = self.last_meant(body, owned.is_none());
                if end < self.at {
                    break self.closed_at(start, open, end);
                }
                self.open_bracket("\"");
                break end;
            };
            let closes = || close.len() == 1 || self.text[self.at..].starts_with(close);
            if byte == close.as_bytes()[0] && closes() {
                let (here, next) = (self.at, self.bytes.get(self.at + close.len()));
                if close == "\"" && next.is_some_and(|b| !may_follow(*b)) {
                    let end = self.last_meant(body, owned.is_none());
                    if end < here {
                        // That is where the next string begins.
                        break self.closed_at(start, open, end);
                    }
                    if here == body && next != Some(&b'"') {
                        self.doubled(start);
                        return self.string(open, close);
                    }
                    let behind = self.bytes.get(here + 2);
                    if next == Some(&b'"') && behind.is_none_or(|b| may_follow(*b)) {
                        self.doubled(here + 1);
                        break here;
                    }
                }
                self.at += close.len();
                break here;
            }
            match byte {
                b'\n' | b'\r' => {
                    let end = self.last_meant(body, owned.is_none());
                    break self.closed_at(start, open, end);
                }
                b'\\' => {
                    let out = owned.get_or_insert_default();
                    out.append(&self.text[copied..self.at]);
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
                out.append(&self.text[copied.min(end)..end]);
                Cow::Owned(out)
            }
            None => Cow::Borrowed(&self.text[body..end]),
        };
        Text {
            value,
            span: Span::new(start, self.at),
        }
    }

    // Where a string ends that lacks its last quote: before the punctuation that it has swallowed.
    #[cold]
    #[inline(never)]
    fn last_meant(&self, body: usize, is_plain: bool) -> usize {
        let mut end = self.at;
        if !is_plain {
            return end;
        }
        // A brace may belong to a variable.
        let has_variable = text::contains(&self.text[body..end], "${");
        let swallowed: &[u8] = if has_variable {
            b" \t,:{[]"
        } else {
            b" \t,:{}[]"
        };
        while end > body && swallowed.contains(&self.bytes[end - 1]) {
            end -= 1;
        }
        end
    }

    #[cold]
    #[inline(never)]
    fn closed_at(&mut self, start: usize, open: usize, end: usize) -> usize {
        let edit = (Span::new(end, end), "\"");
        self.report_edit(Problem::OpenString, Span::new(start, start + open), edit);
        self.at = end;
        end
    }

    // A string without its first quote: the last one stands on the same line, before what may follow a string.
    #[inline(never)]
    pub(super) fn half_quoted(&mut self) -> Option<Text<'t>> {
        let start = self.at;
        let rest = self.bytes.get(start..)?;
        let ends = |b: &u8| *b == b'"' || b.is_ascii_whitespace() || b",[]".contains(b);
        let length = rest.iter().position(ends)?;
        let read = self.text.get(start..start + length)?;
        let is_last = rest[length] == b'"' && rest.get(length + 1).is_none_or(|b| may_follow(*b));
        // A brace in it belongs to a variable.
        if !is_last || (text::contains(read, "}") && !text::contains(read, "${")) {
            return None;
        }
        let end = start + length;
        let span = Span::new(start, end + 1);
        self.at = end + 1;
        self.report_edit(
            Problem::UnopenedString,
            span,
            (Span::new(start, start), "\""),
        );
        let value = Cow::Owned(read.own());
        Some(Text { value, span })
    }

    // One escape; `None` where it stands for nothing.
    pub(super) fn escape(&mut self) -> Option<char> {
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

    pub(super) fn unicode_escape(&mut self, start: usize) -> Option<char> {
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

    pub(super) fn hex4(&mut self) -> Option<u32> {
        let digits = self.bytes.get(self.at..self.at + 4)?;
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let value = u32::from_str_radix(&self.text[self.at..self.at + 4], 16).ok()?;
        self.at += 4;
        Some(value)
    }

    pub(super) fn misquoted(&mut self) -> Text<'t> {
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

    pub(super) fn typographic_quote(&self) -> bool {
        self.text[self.at..].starts_with(['“', '”', '„', '‘', '’'])
    }
}
