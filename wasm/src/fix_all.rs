//! All changes, one after another, until nothing is left to change.

use crate::check::{Checker, apply};
use crate::issue_code::sprinters;
use crate::report::{Edit, Fix, List, Report};
use crate::text::{IntoList, Own};

/// A text can need several rounds: one change uncovers what the next is for.
const MOST_ROUNDS: usize = 60;
/// What all rounds together may read.
const MOST_BYTES: usize = 20_000_000;

/// A text after all changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fixed {
    /// The new text.
    pub text: String,
    /// The codes of the findings that were fixed and what was done about each, in order.
    pub changes: Vec<Done>,
}

/// One change that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The finding's code.
    pub code: String,
    /// The change's title.
    pub title: String,
}

impl Checker {
    /// Applies every change that is offered and takes nothing away that somebody may need: permissions that Sprinters does
    /// not need stay.
    #[must_use]
    pub fn fix_all(&self, text: &str) -> Fixed {
        let mut fixed = Fixed {
            text: text.own(),
            changes: Vec::new(),
        };
        let rounds = (MOST_BYTES / text.len().max(1)).clamp(1, MOST_ROUNDS);
        for _ in 0..rounds {
            let report = self.check(&fixed.text);
            let mut wanted: Vec<&Fix> =
                report.fixes.iter().filter(|f| is_wanted(&report, f)).list();
            // What is missing may only be misspelt: findings come before advice.
            if wanted.iter().any(|fix| fix.list == List::Findings) {
                wanted.retain(|fix| fix.list == List::Findings);
            }
            let Some((text, made)) = self.round(&fixed.text, &report, &wanted) else {
                break;
            };
            fixed.text = text;
            fixed.changes.extend(made.into_iter().map(|fix| Done {
                code: code(&report, fix).own(),
                title: fix.title.clone(),
            }));
        }
        fixed
    }

    // As many changes at once as do not touch each other; one alone where together they do harm.
    fn round<'r>(
        &self,
        text: &str,
        report: &Report,
        wanted: &[&'r Fix],
    ) -> Option<(String, Vec<&'r Fix>)> {
        let first = wanted.first()?;
        let (edits, made) = apart(wanted);
        let together = apply(text, &edits);
        if made.len() > 1 && self.is_no_worse(text, &report.verdict, &together) {
            return Some((together, made));
        }
        let alone = apply(text, &first.edits);
        (alone != text).then(|| (alone, vec![*first]))
    }
}

fn code<'r>(report: &'r Report, fix: &Fix) -> &'r str {
    let list = match fix.list {
        List::Findings => &report.findings,
        List::Advice => &report.advice,
    };
    list.get(fix.finding).map_or("", |f| f.issue_code.as_str())
}

fn is_wanted(report: &Report, fix: &Fix) -> bool {
    let keeps = [
        sprinters::UNNEEDED_PERMISSION,
        sprinters::WHOLE_SERVICE,
        sprinters::ADMINISTRATOR_ACCESS,
    ];
    keeps.iter().all(|kept| code(report, fix) != kept.name)
}

fn apart<'r>(wanted: &[&'r Fix]) -> (Vec<Edit>, Vec<&'r Fix>) {
    let mut edits: Vec<Edit> = Vec::new();
    let mut made = Vec::new();
    for fix in wanted {
        let free = |edit: &Edit| {
            let clear = |other: &Edit| edit.end < other.start || other.end < edit.start;
            edits.iter().all(clear)
        };
        if fix.edits.iter().all(free) {
            edits.extend(fix.edits.iter().cloned());
            made.push(*fix);
        }
    }
    edits.sort_by_key(|edit| edit.start);
    (edits, made)
}
