//! Commas and brackets, where they stand and where they should.

use super::{Parser, Problem};
use crate::position::Span;

impl Parser<'_> {
    pub(super) fn comma(&mut self, before: Option<usize>, empty: bool) -> Option<usize> {
        let span = Span::new(self.at, self.at + 1);
        self.at += 1;
        if empty || before.is_some() {
            self.report_edit(Problem::MissingValue, span, (span, ""));
            return before;
        }
        Some(self.at - 1)
    }

    pub(super) fn missing_comma(&mut self, comma: Option<usize>, empty: bool) {
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

    pub(super) fn trailing_comma(&mut self, comma: Option<usize>) {
        if let Some(at) = comma {
            let edit = (Span::new(at, at + 1), "");
            self.report_edit(Problem::TrailingComma, self.here(), edit);
        }
    }

    pub(super) fn wrong_closer(&mut self, expected: &'static str) {
        let here = self.here();
        let gap = Span::new(self.at, self.at);
        self.report_edit(Problem::StrayBracket, here, (gap, expected));
    }

    // Where a strict parser stops: at the end of the text.
    pub(super) fn open_bracket(&mut self, missing: &'static str) {
        let end = Span::new(self.text.len(), self.text.len());
        self.report_edit(Problem::OpenBracket, end, (end, missing));
    }

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
