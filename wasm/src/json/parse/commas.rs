//! Commas and brackets, where they stand and where they should.

use super::{Parser, Problem, Value};
use crate::position::Span;

impl Parser<'_> {
    #[inline(never)]
    pub(super) fn comma(&mut self, before: Option<usize>, empty: bool) -> Option<usize> {
        let span = Span::new(self.at, self.at + 1);
        if self.peek() == Some(b';') {
            self.report_edit(Problem::Semicolon, span, (span, ","));
        }
        self.at += 1;
        if empty || before.is_some() {
            self.report_edit(Problem::MissingValue, span, (span, ""));
            return before;
        }
        Some(self.at - 1)
    }

    // Whether what stands at `at` needed one before it.
    #[inline(never)]
    pub(super) fn missing_comma(&mut self, at: usize, comma: Option<usize>, empty: bool) {
        if comma.is_some() || empty {
            return;
        }
        // The comma belongs right behind the value before.
        let before = self.text[..at].trim_end().len();
        let here = Span::new(
            at,
            at + self.text[at..].chars().next().map_or(0, char::len_utf8),
        );
        self.report_edit(
            Problem::MissingComma,
            here,
            (Span::new(before, before), ","),
        );
    }

    pub(super) fn trailing_comma(&mut self, comma: Option<usize>) {
        if let Some(at) = comma {
            let edit = (Span::new(at, at + 1), "");
            self.report_edit(Problem::TrailingComma, self.here(), edit);
        }
    }

    #[inline(never)]
    pub(super) fn wrong_closer(&mut self, expected: &'static str) {
        let here = self.here();
        let gap = Span::new(self.at, self.at);
        self.report_edit(Problem::StrayBracket, here, (gap, expected));
    }

    // The closer is missing behind `last`; what stands here belongs to what is around it.
    #[inline(never)]
    pub(super) fn unclosed(&mut self, last: &Value<'_>, closer: &'static str) {
        let end = last.span().end as usize;
        let problem = if closer == "]" {
            Problem::UnclosedList
        } else {
            Problem::UnclosedObject
        };
        self.report_edit(problem, self.here(), (Span::new(end, end), closer));
    }

    // Where a strict parser stops: at the end of the text.
    #[inline(never)]
    pub(super) fn open_bracket(&mut self, missing: &'static str) {
        let end = Span::new(self.text.len(), self.text.len());
        self.report_edit(Problem::OpenBracket, end, (end, missing));
    }

    // What stands at `at` has just stood there, and is passed over.
    #[inline(never)]
    pub(super) fn doubled(&mut self, at: usize) {
        let span = Span::new(at, at + 1);
        self.report_edit(Problem::Doubled, span, (span, ""));
        self.at = at + 1;
    }

    // How many of the brackets, `open` before and those behind `from`, nothing closes; `None` if more are closed.
    #[inline(never)]
    fn left_open(&self, from: usize, mut open: usize) -> Option<usize> {
        let (mut in_string, mut escaped) = (false, false);
        for byte in self.bytes.get(from..).unwrap_or_default() {
            match byte {
                b'"' => in_string ^= !escaped,
                b'{' | b'[' if !in_string => open += 1,
                b'}' | b']' if !in_string => open = open.checked_sub(1)?,
                _ => {}
            }
            escaped = *byte == b'\\' && !escaped;
        }
        Some(open)
    }

    // Whether the rest of the text closes more than is open. Asked where an error is, so that it is asked a few times.
    pub(super) fn closes_too_much(&self) -> bool {
        self.errors.len() < self.most_errors && self.left_open(self.at, self.depth).is_none()
    }

    pub(super) fn leaves_open(&mut self) -> bool {
        let open = self
            .leaves_open
            .unwrap_or_else(|| self.left_open(0, 0).is_some_and(|n| n > 0));
        self.leaves_open = Some(open);
        open
    }

    #[inline(never)]
    pub(super) fn stray(&mut self) {
        let here = self.here();
        self.report_edit(Problem::StrayBracket, here, (here, ""));
        self.at += 1;
    }

    pub(super) fn unexpected(&mut self) {
        self.report(Problem::Character, self.here());
        self.at += self.char_length();
    }
}
