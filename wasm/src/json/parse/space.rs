//! White space and comments.

use super::{Parser, Problem};
use crate::position::Span;
use crate::swar;
use crate::text;

impl Parser<'_> {
    // White space and comments. JSON's white space is four characters; others look like it.
    pub(super) fn space(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' => self.at += swar::blanks(&self.bytes[self.at..]),
                b'\t' | b'\n' | b'\r' => self.at += 1,
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

    pub(super) fn odd_space(&mut self, length: usize) {
        let span = Span::new(self.at, self.at + length);
        self.report_edit(Problem::Character, span, (span, " "));
        self.at += length;
    }

    pub(super) fn comment(&mut self) -> bool {
        let start = self.at;
        let rest = &self.text[start..];
        let length = if rest.starts_with("/*") {
            text::place_of(rest, "*/").map_or(rest.len(), |at| at + 2)
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
}
