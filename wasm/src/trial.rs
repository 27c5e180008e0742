//! Every change is tried before it is offered: none may leave the policy worse than it was.

use crate::fix::{Change, apply_spans};
use crate::issue_code::JSON_SYNTAX_ERROR;
use crate::json::{self, Parsed};
use crate::lint::Diagnostic;
use crate::policy::Policy;
use crate::text;
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
        let variables = |text: &str| text::places_of(text, "${", usize::MAX).len();
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

    /// What the policy is worth once all that IAM refuses it for is changed as offered; `None` where that does not mend it.
    pub(crate) fn mended<'d>(
        &self,
        all: impl Iterator<Item = &'d Diagnostic>,
        decide: impl Fn(&str) -> Verdict,
    ) -> Option<Verdict> {
        let mut edits = Vec::new();
        for diagnostic in all.filter(|d| d.refused) {
            edits.extend_from_slice(&diagnostic.change.as_ref()?.edits);
        }
        let after = decide(&apply_spans(self.text, &edits));
        after.refused.is_none().then_some(after)
    }

    fn gained(&self, after: &Verdict) -> impl Iterator<Item = String> {
        let pairs = self.verdict.permissions.iter().zip(&after.permissions);
        pairs
            .filter(|(before, after)| {
                before.decision != Decision::Granted && after.decision == Decision::Granted
            })
            .map(|(before, _)| String::from(before.action.as_ref()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue_code::INVALID_ACTION;
    use crate::position::Span;
    use crate::verdict::{Permission, Refusal};

    fn verdict(errors: usize, decision: Decision) -> Verdict {
        Verdict {
            granted: false,
            refused: (errors > 0).then_some(Refusal { errors, line: 1 }),
            assumed: crate::verdict::Assumed::default(),
            permissions: vec![Permission {
                action: "ec2:RunInstances".into(),
                decision,
                explanation: "".into(),
                statements: Vec::new(),
                conditions: Vec::new(),
                resources: Vec::new(),
            }],
        }
    }

    #[test]
    fn no_worse_is_no_more_errors_and_no_permission_less() {
        use Decision::{Conditional, Denied, Granted, Missing};
        let is_no_worse = |before, after, in_doubt, syntax_errors| {
            let trial = Trial {
                text: "",
                verdict: &before,
                in_doubt,
                syntax_errors,
            };
            trial.is_no_worse(&after)
        };
        for (before, after, plain, in_doubt, broken) in [
            ((0, Granted), (0, Granted), true, true, true),
            ((0, Granted), (0, Conditional), false, false, true),
            ((0, Conditional), (0, Missing), false, true, true),
            ((0, Conditional), (0, Granted), true, true, true),
            ((0, Missing), (0, Denied), false, false, true),
            ((0, Denied), (0, Granted), true, true, true),
            ((1, Missing), (1, Missing), true, true, true),
            ((1, Missing), (0, Denied), false, false, true),
            ((1, Missing), (2, Granted), false, false, false),
            ((0, Missing), (1, Granted), false, false, false),
        ] {
            let ask = |in_doubt, syntax_errors| {
                let (before, after) = (verdict(before.0, before.1), verdict(after.0, after.1));
                is_no_worse(before, after, in_doubt, syntax_errors)
            };
            let found = (ask(false, 0), ask(true, 0), ask(false, 1));
            assert_eq!(found, (plain, in_doubt, broken), "{before:?} {after:?}");
        }
    }

    // Whether the change stays, and what it is said to grant.
    fn held(
        text: &str,
        code: crate::issue_code::Code,
        new: (Span, &str),
        after: &Verdict,
    ) -> (bool, usize) {
        let before = verdict(0, Decision::Conditional);
        let parsed = json::parse(text);
        let trial = Trial::new(text, &before, &parsed, &Policy::new(&parsed.root));
        let change = Change::new("", new.0, new.1);
        let mut one = Diagnostic {
            code,
            places: Vec::new(),
            message: String::new(),
            change: Some(change),
            refused: false,
        };
        let granted = trial.hold(std::iter::once(&mut one), |_| after.clone());
        (one.change.is_some(), granted.len())
    }

    #[test]
    fn a_change_stays_that_does_no_harm() {
        let (better, same, worse) = (
            verdict(0, Decision::Granted),
            verdict(0, Decision::Conditional),
            verdict(0, Decision::Missing),
        );
        let first = Span::new(1, 2);
        for (text, code, new, after, expected) in [
            ("[1]", INVALID_ACTION, "2", &better, (true, 1)),
            ("[1]", INVALID_ACTION, "2", &same, (true, 0)),
            ("[1]", INVALID_ACTION, "2", &worse, (false, 0)),
            ("[1]", JSON_SYNTAX_ERROR, "2", &worse, (false, 0)),
            // Nothing would change.
            ("[1]", INVALID_ACTION, "1", &better, (false, 0)),
            // Where the text is broken, as many errors may stay, and no more.
            ("[1 2]", JSON_SYNTAX_ERROR, "3", &worse, (true, 0)),
            ("[1 2]", JSON_SYNTAX_ERROR, "3 4", &better, (false, 0)),
            ("[1 2]", INVALID_ACTION, "3 4", &worse, (true, 0)),
        ] {
            let found = held(text, code, (first, new), after);
            assert_eq!(found, expected, "{text} {new}");
        }
        // A variable may not be lost.
        let text = "[\"${aws:username}\"]";
        let whole = Span::new(1, text.len() - 1);
        assert!(!held(text, INVALID_ACTION, (whole, "\"a\""), &better).0);
        assert!(held(text, INVALID_ACTION, (whole, "\"${a}\""), &better).0);
        assert!(held(text, INVALID_ACTION, (whole, "\"${a}${b}\""), &better).0);
    }
}
