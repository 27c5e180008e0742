//! The checks of AWS IAM Access Analyzer that an identity policy's text can decide.

mod action;
mod arn;
mod block;
mod condition;
mod key;
mod key_rules;
mod network;
mod pass_role;
mod redundant;
mod structure;
mod syntax;
mod tags;
mod value;
mod variable;

use std::borrow::Cow;

use crate::data::Catalog;
use crate::fix::Change;
use crate::issue_code::{self, Code};
use crate::json::{Problem, SyntaxError, Value};
use crate::policy::Policy;
use crate::position::Span;

pub(crate) use variable::{new_version, opened, variables};

/// After that many findings the rest says nothing new.
const MAX_FINDINGS: usize = 1_000;
/// Lists longer than that are not compared entry with entry: no policy that fits has them.
const MAX_COMPARED: usize = 1_500;

/// A finding before its places are counted.
#[derive(Clone, Debug)]
pub(crate) struct Diagnostic {
    pub(crate) code: Code,
    pub(crate) message: String,
    pub(crate) places: Vec<Span>,
    pub(crate) change: Option<Change>,
    /// Whether IAM saves no policy with it.
    pub(crate) refused: bool,
}

/// What the checks look at and where they report.
pub(crate) struct Lint<'a, 't> {
    pub(crate) text: &'t str,
    pub(crate) root: &'a Value<'t>,
    pub(crate) policy: &'a Policy<'a, 't>,
    pub(crate) catalog: Option<&'a Catalog>,
    depth: Depth,
    out: Vec<Diagnostic>,
}

/// Whether findings may have been left out.
pub(crate) fn is_full(found: &[Diagnostic]) -> bool {
    found.len() >= MAX_FINDINGS
}

impl Lint<'_, '_> {
    /// Whether no further finding would be kept.
    fn is_full(&self) -> bool {
        is_full(&self.out)
    }

    /// Whether what IAM saves all the same is not asked for.
    fn is_grammar_alone(&self) -> bool {
        self.depth == Depth::Grammar
    }

    /// Whether looking for what was meant is still worth its time.
    fn may_suggest(&self) -> bool {
        self.out.len() < 100
    }

    fn report<'m>(&mut self, code: Code, place: Span, message: impl Into<Cow<'m, str>>) {
        self.add_at(code, place, message, None);
    }

    fn report_fix<'m>(
        &mut self,
        code: Code,
        place: Span,
        message: impl Into<Cow<'m, str>>,
        change: Change,
    ) {
        self.add_at(code, place, message, Some(change));
    }

    /// As `add`, where IAM refuses this case of the check although not all of them.
    fn add_refused(&mut self, code: Code, place: Span, message: String, change: Option<Change>) {
        self.push(code, vec![place], message, change, true);
    }

    fn add_at<'m>(
        &mut self,
        code: Code,
        place: Span,
        message: impl Into<Cow<'m, str>>,
        change: Option<Change>,
    ) {
        self.add_one(code, place, message.into(), change);
    }

    // One function for all: made anew at each call, lists of one place would be a part of the page's download.
    #[inline(never)]
    fn add_one(&mut self, code: Code, place: Span, message: Cow<'_, str>, change: Option<Change>) {
        self.add(code, vec![place], message.into_owned(), change);
    }

    fn add(&mut self, code: Code, places: Vec<Span>, message: String, change: Option<Change>) {
        self.push(code, places, message, change, code.is_refused());
    }

    fn push(
        &mut self,
        code: Code,
        places: Vec<Span>,
        message: String,
        change: Option<Change>,
        refused: bool,
    ) {
        // Nobody reads more, and each one costs its way through the document.
        if !self.is_full() && (refused || !self.is_grammar_alone()) {
            self.out.push(Diagnostic {
                code,
                message,
                places,
                change,
                refused,
            });
        }
    }
}

/// Which checks to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Those that decide whether IAM saves the policy, and whatever they find on their way.
    Grammar,
    /// All.
    All,
}

/// The findings, in the order of the text.
pub(crate) fn run<'a, 't>(
    text: &'t str,
    root: &'a Value<'t>,
    policy: &'a Policy<'a, 't>,
    errors: &[SyntaxError],
    catalog: Option<&'a Catalog>,
    depth: Depth,
) -> Vec<Diagnostic> {
    let mut lint = Lint {
        text,
        root,
        policy,
        catalog,
        depth,
        out: Vec::new(),
    };
    let foreign = syntax::check(&mut lint, errors);
    if !foreign {
        structure::check(&mut lint);
        for statement in &policy.statements {
            action::check(&mut lint, statement);
            arn::check(&mut lint, statement);
            condition::check(&mut lint, statement);
        }
        if depth == Depth::All {
            for statement in &policy.statements {
                redundant::check(&mut lint, statement);
                pass_role::check(&mut lint, statement);
                tags::check(&mut lint, statement);
                key_rules::check(&mut lint, statement);
            }
            redundant::statements(&mut lint);
        }
        // Behind an error that leaves the meaning open, everything else is guesswork.
        let lost = errors
            .iter()
            .find(|e| is_guesswork(e))
            .map(|e| e.span.start);
        if let Some(lost) = lost {
            lint.out.retain(|diagnostic| {
                diagnostic.code == issue_code::JSON_SYNTAX_ERROR
                    || diagnostic.places.iter().all(|p| p.end <= lost)
            });
        }
        // Other changes would build on text that is about to change.
        if errors.iter().any(|e| e.problem != Problem::ByteOrderMark) {
            let others = lint
                .out
                .iter_mut()
                .filter(|d| d.code != issue_code::JSON_SYNTAX_ERROR);
            others.for_each(|diagnostic| diagnostic.change = None);
        }
        // What seems to be missing may stand in the part that could not be read.
        if errors.iter().any(|e| e.problem != Problem::ByteOrderMark) {
            lint.out.retain(|diagnostic| !is_absence(diagnostic.code));
        }
    }
    lint.out
        .sort_by_key(|diagnostic| diagnostic.places.first().map_or(0, |s| s.start));
    lint.out
}

fn is_guesswork(error: &SyntaxError) -> bool {
    match error.problem {
        // Where a quote would close it is known, but for other quotes than JSON's.
        Problem::OpenString => error.edit.is_none(),
        problem => matches!(
            problem,
            Problem::BareWord
                | Problem::Character
                | Problem::MissingColon
                | Problem::MissingValue
                | Problem::StrayBracket
        ),
    }
}

fn is_absence(code: Code) -> bool {
    [
        issue_code::MISSING_ACTION,
        issue_code::MISSING_EFFECT,
        issue_code::MISSING_RESOURCE,
        issue_code::MISSING_STATEMENT,
        issue_code::MISSING_VERSION,
        issue_code::POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA,
    ]
    .contains(&code)
}
