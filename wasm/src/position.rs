//! Places in the text, counted as AWS counts them.
//!
//! Access Analyzer counts lines from 1, columns and offsets from 0. Its recorded outputs
//! are all ASCII, which leaves the unit open; we count UTF-16 code units, as a Java service
//! does and as browsers' editors do. Every character that IAM accepts in a policy
//! (up to U+00FF) is one such unit and one code point, so the choice shows only in text
//! that is refused anyway.

use serde::{Deserialize, Serialize};

/// A half-open range of bytes in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The range between two byte offsets. Texts are refused long before 4 GiB.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            start: narrow(start),
            end: narrow(end),
        }
    }

    /// Whether `other` lies inside this range.
    #[must_use]
    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The text of this range, empty if it does not fit.
    #[must_use]
    pub fn text(self, source: &str) -> &str {
        source
            .get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
}

/// A point in the text: `line` from 1, `column` and `offset` from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// UTF-16 units since the start of the line.
    pub column: u32,
    /// UTF-16 units since the start of the text.
    pub offset: u32,
}

/// Where the lines of a text begin; turns bytes into positions and back.
#[derive(Debug)]
pub struct Lines<'t> {
    text: &'t str,
    /// For each line, its first byte and its first UTF-16 unit.
    starts: Vec<(u32, u32)>,
    ascii: bool,
}

impl<'t> Lines<'t> {
    /// Indexes the lines of `text`. LF, CR and CRLF each end one line.
    #[must_use]
    pub fn new(text: &'t str) -> Self {
        let ascii = text.is_ascii();
        let bytes = text.as_bytes();
        let mut starts = vec![(0, 0)];
        let (mut units, mut counted) = (0_u32, 0_usize);
        for (at, byte) in bytes.iter().enumerate() {
            let ends = match byte {
                b'\n' => true,
                b'\r' => bytes.get(at + 1) != Some(&b'\n'),
                _ => false,
            };
            if ends {
                units += utf16_length(&text[counted..=at], ascii);
                counted = at + 1;
                starts.push((Span::new(at + 1, at + 1).start, units));
            }
        }
        Self {
            text,
            starts,
            ascii,
        }
    }

    /// The bytes of a line, counted from 1, without its line break.
    #[must_use]
    pub fn line(&self, number: u32) -> std::ops::Range<usize> {
        let start = |at: usize| self.starts.get(at).map(|(start, _)| *start as usize);
        let at = (number as usize).saturating_sub(1);
        let end = self.text.len();
        let from = start(at).unwrap_or(end);
        let to = start(at + 1).unwrap_or(end);
        let line = self.text.get(from..to).unwrap_or_default();
        from..from + line.trim_end_matches(['\n', '\r']).len()
    }

    /// The position of a byte offset.
    #[must_use]
    pub fn position(&self, byte: u32) -> Position {
        let line = self
            .starts
            .partition_point(|(start, _)| *start <= byte)
            .saturating_sub(1);
        let (start, units) = self.starts.get(line).copied().unwrap_or((0, 0));
        let slice = Span { start, end: byte }.text(self.text);
        let column = utf16_length(slice, self.ascii);
        Position {
            line: u32::try_from(line + 1).unwrap_or(u32::MAX),
            column,
            offset: units + column,
        }
    }

    /// The byte offset of a UTF-16 offset, clamped to the end of the text.
    #[must_use]
    pub fn byte(&self, offset: u32) -> usize {
        if self.ascii {
            return (offset as usize).min(self.text.len());
        }
        let line = self
            .starts
            .partition_point(|(_, units)| *units <= offset)
            .saturating_sub(1);
        let (start, mut units) = self.starts.get(line).copied().unwrap_or((0, 0));
        let rest = self.text.get(start as usize..).unwrap_or_default();
        for (at, c) in rest.char_indices() {
            if units >= offset {
                return start as usize + at;
            }
            units += if c.len_utf16() == 2 { 2 } else { 1 };
        }
        self.text.len()
    }
}

fn utf16_length(text: &str, ascii: bool) -> u32 {
    let units = if ascii {
        text.len()
    } else {
        text.chars().map(char::len_utf16).sum()
    };
    u32::try_from(units).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, byte: u32) -> (u32, u32, u32) {
        let p = Lines::new(text).position(byte);
        (p.line, p.column, p.offset)
    }

    #[test]
    fn counts_lines_from_one_and_columns_from_zero() {
        assert_eq!(at("ab\ncd", 0), (1, 0, 0));
        assert_eq!(at("ab\ncd", 3), (2, 0, 3));
        assert_eq!(at("ab\r\ncd", 5), (2, 1, 5));
        assert_eq!(at("ab\rcd", 4), (2, 1, 4));
    }

    #[test]
    fn counts_utf16_units() {
        assert_eq!(at("é\nx", 3), (2, 0, 2));
        assert_eq!(at("😀x", 4), (1, 2, 2));
        let text = "é😀\nz";
        let lines = Lines::new(text);
        for (byte, _) in text.char_indices() {
            let offset = lines.position(Span::new(byte, byte).start).offset;
            assert_eq!(lines.byte(offset), byte);
        }
    }
}
