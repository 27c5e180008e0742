//! Changes to a text, collected first and carried out together, so that places stay what they are meanwhile.

use std::ops::Range;

/// Edits of one text, and what its owner should know.
#[derive(Debug, Default)]
pub(super) struct Edits {
    changes: Vec<(Range<usize>, String)>,
    pub notes: Vec<Note>,
}

/// Something that could not be carried over, or that is different now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Note {
    /// In the text as it was; from 1.
    pub line: usize,
    pub text: String,
}

impl Edits {
    pub(super) fn replace(&mut self, range: Range<usize>, with: impl Into<String>) {
        self.changes.push((range, with.into()));
    }

    pub(super) fn insert(&mut self, at: usize, text: impl Into<String>) {
        self.replace(at..at, text);
    }

    /// Another text where one was replaced already.
    pub(super) fn replace_again(&mut self, range: Range<usize>, with: impl Into<String>) {
        self.drop_within(range.clone());
        self.replace(range, with);
    }

    /// Forgets what was to be changed within that range.
    pub(super) fn drop_within(&mut self, range: Range<usize>) {
        self.changes
            .retain(|(one, _)| one.start < range.start || one.end > range.end);
    }

    pub(super) fn note(&mut self, line: usize, text: impl Into<String>) {
        self.notes.push(Note {
            line,
            text: text.into(),
        });
    }

    /// The text with all changes. Of two that overlap, the one that begins first holds.
    pub(super) fn apply(mut self, text: &str) -> (String, Vec<Note>) {
        // Stable: what is inserted at one place stays in order.
        self.changes.sort_by_key(|(range, _)| range.start);
        let mut result = String::with_capacity(text.len());
        let mut done = 0;
        for (range, with) in &self.changes {
            let Some(kept) = text.get(done..range.start) else {
                continue;
            };
            if text.get(range.clone()).is_none() {
                continue;
            }
            result.push_str(kept);
            result.push_str(with);
            done = range.end;
        }
        result.push_str(text.get(done..).unwrap_or_default());
        self.notes.sort();
        self.notes.dedup();
        (result, self.notes)
    }
}
