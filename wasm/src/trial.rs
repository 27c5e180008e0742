//! Every change is tried before it is offered: none may leave the policy worse than it was.

use crate::fix::{Change, apply_spans};
use crate::issue_code::JSON_SYNTAX_ERROR;
use crate::json::{self, Parsed};
use crate::lint::Diagnostic;
use crate::policy::Policy;
use crate::verdict::{Decision, Verdict};

/// No more changes are tried, and so offered, for one text; the others come when some of these are applied.
const MOST: usize = 25;
/// Nor more bytes read again: long texts get fewer changes.
const MOST_BYTES: usize = 400_000;

/// The policy as it stands.
pub(crate) struct Trial<'t> {
    text: &'t str,
    verdict: &'t Verdict,
    // Whether some statement has a part that cannot be read, so that a conditional answer may become anything.
    in_doubt: bool,
    // How often the text departs from JSON; then the answers are guesses.
    syntax_errors: usize,
}

impl<'t> Trial<'t> {
    pub(crate) fn new(
        text: &'t str,
        verdict: &'t Verdict,
        parsed: &Parsed<'_>,
        policy: &Policy<'_, '_>,
    ) -> Self {
        Self {
            text,
            verdict,
            in_doubt: policy.statements.iter().any(|s| s.in_doubt),
            syntax_errors: parsed.errors.len(),
        }
    }

    /// Takes the changes back that would do harm. Tells which permission each of the others would grant.
    pub(crate) fn hold<'d>(
        &self,
        diagnostics: impl Iterator<Item = &'d mut Diagnostic>,
        decide: impl Fn(&str) -> Verdict,
    ) -> Vec<(usize, String)> {
        let most = (MOST_BYTES / self.text.len().max(1)).clamp(1, MOST);
        let (mut tried, mut granted) = (0, Vec::new());
        for (at, diagnostic) in diagnostics.enumerate() {
            let Some(change) = diagnostic.change.as_ref().filter(|c| !c.proven) else {
                continue;
            };
            tried += 1;
            let after = (tried <= most)
                .then(|| self.tried(diagnostic, change, &decide))
                .flatten();
            match after {
                None => diagnostic.change = None,
                Some(after) => granted.extend(self.gained(&after).map(|action| (at, action))),
            }
        }
        granted
    }

    // The verdict with the change, `None` if it does harm.
    fn tried(
        &self,
        diagnostic: &Diagnostic,
        change: &Change,
        decide: &impl Fn(&str) -> Verdict,
    ) -> Option<Verdict> {
        // Nobody knows what a variable stands for, so nothing is written in its place.
        let variables = |text: &str| text.matches("${").count();
        let replaced = change
            .edits
            .iter()
            .map(|(span, _)| variables(span.text(self.text)));
        let written = change.edits.iter().map(|(_, new)| variables(new));
        if written.sum::<usize>() < replaced.sum() {
            return None;
        }
        let text = apply_spans(self.text, &change.edits);
        if text == self.text {
            return None;
        }
        let after = decide(&text);
        let fits = if diagnostic.code == JSON_SYNTAX_ERROR && self.syntax_errors > 0 {
            // A bracket in its place may show what was hidden behind it.
            json::parse(&text).errors.len() <= self.syntax_errors
        } else {
            self.is_no_worse(&after)
        };
        fits.then_some(after)
    }

    fn gained(&self, after: &Verdict) -> impl Iterator<Item = String> {
        let pairs = self.verdict.permissions.iter().zip(&after.permissions);
        pairs
            .filter(|(before, after)| {
                before.decision != Decision::Granted && after.decision == Decision::Granted
            })
            .map(|(before, _)| before.action.clone())
    }

    /// Whether the verdict is at least as good as before.
    pub(crate) fn is_no_worse(&self, after: &Verdict) -> bool {
        let errors = |verdict: &Verdict| verdict.refused.map_or(0, |refusal| refusal.errors);
        if errors(after) > errors(self.verdict) {
            return false;
        }
        if self.syntax_errors > 0 {
            return true;
        }
        let before = &self.verdict.permissions;
        before
            .iter()
            .zip(&after.permissions)
            .all(|(before, after)| {
                after.decision <= before.decision
                    || (self.in_doubt && before.decision == Decision::Conditional)
            })
    }
}
