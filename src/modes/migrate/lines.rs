//! The lines of a text: where an entry of a block mapping ends, and how far it is indented.

use std::ops::Range;

/// The lines of a text, without their ends.
#[derive(Debug)]
pub(super) struct Lines<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        Self {
            text,
            starts: std::iter::once(0).chain(after_breaks).collect(),
        }
    }

    /// What ends a line in this text.
    pub(super) fn end(&self) -> &'static str {
        if self.text.contains("\r\n") {
            "\r\n"
        } else {
            "\n"
        }
    }

    fn number(&self, at: usize) -> usize {
        self.starts.partition_point(|start| *start <= at).max(1) - 1
    }

    fn range(&self, number: usize) -> Range<usize> {
        let start = self.starts.get(number).copied().unwrap_or(self.text.len());
        let next = self.starts.get(number + 1).copied();
        start..next.unwrap_or(self.text.len())
    }

    fn line(&self, number: usize) -> &'t str {
        self.text.get(self.range(number)).unwrap_or_default()
    }

    /// Where the line begins that this place is on.
    pub(super) fn start(&self, at: usize) -> usize {
        self.range(self.number(at)).start
    }

    /// Where that line's characters end, before its break.
    pub(super) fn content_end(&self, at: usize) -> usize {
        let number = self.number(at);
        let line = self.line(number);
        self.range(number).start + line.trim_end_matches(['\n', '\r']).len()
    }

    /// The blanks before this place, where nothing else is before it on its line.
    pub(super) fn indent(&self, at: usize) -> Option<&'t str> {
        let before = self.text.get(self.start(at)..at)?;
        before.bytes().all(|byte| byte == b' ').then_some(before)
    }

    /// The column of a place, in bytes from 0: the same for siblings of a block mapping, even after a `- `.
    pub(super) fn column(&self, at: usize) -> usize {
        at - self.start(at)
    }

    /// The lines of a block mapping's entry: from its key to the last line that is indented further, or that is an item of the
    /// sequence below it. Blank lines and comments after it are not its own.
    pub(super) fn of_entry(&self, key_start: usize, has_items: bool) -> Range<usize> {
        let column = self.column(key_start);
        let first = self.number(key_start);
        let mut last = first;
        for number in first + 1..self.starts.len() {
            let line = self.line(number);
            let body = line.trim();
            if body.is_empty() {
                continue;
            }
            let indent = line.len() - line.trim_start_matches(' ').len();
            let is_item = has_items && indent == column && (body == "-" || body.starts_with("- "));
            if body.starts_with('#') {
                // It is inside if what comes after it is.
                continue;
            }
            if indent <= column && !is_item {
                break;
            }
            last = number;
        }
        self.range(first).start..self.range(last).end
    }

    /// Where the comment begins that stands right above a line, on lines of its own; else where the line begins.
    pub(super) fn with_comment_above(&self, at: usize) -> usize {
        let mut number = self.number(at);
        while number > 0 && self.line(number - 1).trim_start().starts_with('#') {
            number -= 1;
        }
        self.range(number).start
    }
}
