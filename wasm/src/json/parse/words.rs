//! Numbers, and words without quotes.

use super::{Parser, Problem};
use crate::json::Value;
use crate::position::Span;
use crate::text::{self, is_digits};

impl<'t> Parser<'t> {
    pub(super) fn number(&mut self) -> Value<'t> {
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
    pub(super) fn word(&mut self) -> &'t str {
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
}

// RFC 8259's number.
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text::cut_at_any(text, b"eE") {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match text::cut(mantissa, b'.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    is_digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(is_digits)
        && exponent.is_none_or(|e| is_digits(e.strip_prefix(['+', '-']).unwrap_or(e)))
}
