//! The whole check of one text.

use crate::advice;
use crate::cause;
use crate::data::Catalog;
use crate::fix::Change;
use crate::headline::Headline;
use crate::issue_code;
use crate::json::{self, Parsed, Value};
use crate::lint::{self, Depth, Diagnostic};
use crate::options::Options;
use crate::paste::{self, Pasted};
use crate::policy::Policy;
use crate::position::{Lines, Span};
use crate::remedy;
use crate::report::{Cause, Edit, Finding, Fix, List, Location, Range, Report};
use crate::text::{Append, IntoList, Own};
use crate::trial::Trial;
use crate::verdict::{self, Refusal, Requests, Verdict};

/// Texts above this are not looked at: no policy is that large, and pages stay responsive.
const MAX_TEXT: usize = 4 * 1024 * 1024;

/// A checker for one set of options; checks any number of texts.
#[derive(Debug)]
pub struct Checker {
    options: Options,
    catalog: Option<Catalog>,
    requests: Requests,
}

impl Checker {
    /// A checker with the embedded tables alone.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            options,
            catalog: None,
            requests: Requests::default(),
        }
    }

    /// Adds the action names of all services.
    #[must_use]
    pub fn with_catalog(mut self, catalog: Catalog) -> Self {
        self.catalog = Some(catalog);
        self
    }

    /// What it checks for.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The verdict alone.
    #[must_use]
    pub fn verdict(&self, text: &str) -> Verdict {
        let text = readable(text);
        let parsed = json::parse(text);
        if let Some(pasted) = paste::recognize(text, &parsed) {
            return self.verdict_on(&pasted, &found_in(text, &pasted), text);
        }
        let policy = Policy::new(&parsed.root);
        let mut refusing = self.diagnostics(text, &parsed, &policy, Depth::Grammar);
        refusing.extend(advice::refusals(text, &parsed.root, self.options.target));
        self.decide(&policy)
            .with_refusal(refusal(&refusing, || Lines::new(text)))
    }

    /// The checks of Access Analyzer alone.
    #[must_use]
    pub fn lint(&self, text: &str) -> Vec<Finding> {
        let text = readable(text);
        let parsed = json::parse(text);
        let diagnostics = match paste::recognize(text, &parsed) {
            Some(pasted) => vec![found_in(text, &pasted)],
            None => self.diagnostics(text, &parsed, &Policy::new(&parsed.root), Depth::All),
        };
        if diagnostics.is_empty() {
            return Vec::new();
        }
        findings(&diagnostics, &Lines::new(text), &parsed.root)
    }

    /// Everything.
    #[must_use]
    pub fn check(&self, text: &str) -> Report {
        let text = readable(text);
        let parsed = json::parse(text);
        let lines = Lines::new(text);
        if let Some(pasted) = paste::recognize(text, &parsed) {
            let found = found_in(text, &pasted);
            let verdict = self.verdict_on(&pasted, &found, text);
            return report(
                verdict,
                None,
                &[found],
                &[],
                &lines,
                &parsed.root,
                Vec::new(),
            );
        }
        let policy = Policy::new(&parsed.root);
        let mut found = self.diagnostics(text, &parsed, &policy, Depth::All);
        let refusals = advice::refusals(text, &parsed.root, self.options.target);
        // A full list may lack what IAM refuses.
        let refusing =
            lint::is_full(&found).then(|| self.diagnostics(text, &parsed, &policy, Depth::Grammar));
        let refusing = refusing.as_ref().unwrap_or(&found).iter().chain(&refusals);
        let refused = refusal(refusing, || Lines::new(text));
        let (verdict, required) = verdict::decide(&policy, &self.options.setup, &self.requests);
        let verdict = verdict.with_refusal(refused);
        let mut advice = Vec::new();
        if parsed.root.get("Statement").is_some() {
            let context = advice::Context {
                text,
                root: &parsed.root,
                policy: &policy,
                options: &self.options,
                catalog: self.catalog.as_ref(),
                verdict: &verdict,
                required: &required,
            };
            advice = advice::run(&context, refusals);
        }
        // Other changes would build on text that is about to change.
        if !parsed.errors.is_empty() {
            for one in &mut advice {
                one.change = None;
            }
        }
        if policy.statements.is_empty()
            && let Some(refusing) = found.iter_mut().find(|d| d.refused)
            && refusing.change.is_none()
        {
            refusing.change = remedy::begin(text, &parsed.root, &self.options);
        }
        let trial = Trial::new(text, &verdict, &parsed, &policy);
        let all = found.iter_mut().chain(&mut advice);
        let granted = trial.hold(all, |text| self.verdict(text));
        let causes = cause::of(granted, &found, &verdict, &policy);
        let mended = verdict
            .refused
            .and_then(|_| trial.mended(found.iter().chain(&advice), |text| self.verdict(text)));
        report(
            verdict,
            mended.as_ref(),
            &found,
            &advice,
            &lines,
            &parsed.root,
            causes,
        )
    }

    // What the policy in the text would be worth, which IAM does not take as it is.
    fn verdict_on(&self, pasted: &Pasted, found: &Diagnostic, text: &str) -> Verdict {
        let parsed = json::parse(&pasted.policy);
        self.decide(&Policy::new(&parsed.root))
            .with_refusal(refusal([found], || Lines::new(text)))
    }

    /// Whether `after` is worth at least as much as the text that got the verdict.
    pub(crate) fn is_no_worse(&self, text: &str, verdict: &Verdict, after: &str) -> bool {
        let parsed = json::parse(text);
        let policy = Policy::new(&parsed.root);
        Trial::new(text, verdict, &parsed, &policy).is_no_worse(&self.verdict(after))
    }

    fn diagnostics<'a, 't>(
        &'a self,
        text: &'t str,
        parsed: &'a Parsed<'t>,
        policy: &'a Policy<'a, 't>,
        depth: Depth,
    ) -> Vec<Diagnostic> {
        lint::run(
            text,
            &parsed.root,
            policy,
            &parsed.errors,
            self.catalog.as_ref(),
            depth,
        )
    }

    fn decide(&self, policy: &Policy<'_, '_>) -> Verdict {
        verdict::decide(policy, &self.options.setup, &self.requests).0
    }
}

// Why IAM would not save it, from all that was found.
fn refusal<'d, 't>(
    all: impl IntoIterator<Item = &'d Diagnostic>,
    lines: impl FnOnce() -> Lines<'t>,
) -> Option<Refusal> {
    let refusing = all.into_iter().filter(|d| d.refused);
    let starts = refusing.map(|d| d.places.first().map_or(0, |place| place.start));
    let (errors, first) = starts.fold((0, u32::MAX), |(n, first), start| (n + 1, first.min(start)));
    (errors > 0).then(|| Refusal {
        errors,
        line: lines().position(first).line,
    })
}

// The whole answer from what was found; `causes` says which finding a permission follows from, `mended` what the policy is
// worth without what IAM refuses it for.
fn report(
    verdict: Verdict,
    mended: Option<&Verdict>,
    found: &[Diagnostic],
    advice: &[Diagnostic],
    lines: &Lines<'_>,
    root: &Value<'_>,
    causes: Vec<(usize, String)>,
) -> Report {
    let causes = causes.into_iter().filter_map(|(at, action)| {
        let place = found.get(at)?.places.first();
        Some(Cause {
            line: place.map_or(1, |place| lines.position(place.start).line),
            finding: at,
            action,
        })
    });
    let causes = causes.list();
    let lists = [(List::Findings, found), (List::Advice, advice)];
    let fixes = lists
        .into_iter()
        .flat_map(|(list, diagnostics)| fixes_of(list, diagnostics, lines));
    let fixes = fixes.list();
    let (found, advice) = (findings(found, lines, root), findings(advice, lines, root));
    Report {
        headline: Headline::new(&verdict, mended, &found, &advice),
        findings: found,
        verdict,
        advice,
        fixes,
        causes,
    }
}

fn findings(diagnostics: &[Diagnostic], lines: &Lines<'_>, root: &Value<'_>) -> Vec<Finding> {
    diagnostics
        .iter()
        .map(|diagnostic| finding(diagnostic, lines, root))
        .list()
}

// The one thing to say of a text that has the policy in it.
fn found_in(text: &str, pasted: &Pasted) -> Diagnostic {
    let start = text.len() - text.trim_start().len();
    let line = text[start..].lines().next().unwrap_or_default().trim_end();
    let change = Change::new(
        pasted.what.title(),
        Span::new(0, text.len()),
        &pasted.policy,
    );
    Diagnostic {
        code: if pasted.is_json {
            issue_code::MISSING_STATEMENT
        } else {
            issue_code::JSON_SYNTAX_ERROR
        },
        message: pasted.what.sentence(),
        places: vec![Span::new(start, start + line.len())],
        change: Some(change),
        refused: true,
    }
}

fn readable(text: &str) -> &str {
    if text.len() <= MAX_TEXT {
        return text;
    }
    let mut end = MAX_TEXT;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn range(span: Span, lines: &Lines<'_>) -> Range {
    Range {
        start: lines.position(span.start),
        end: lines.position(span.end),
    }
}

fn finding(diagnostic: &Diagnostic, lines: &Lines<'_>, root: &Value<'_>) -> Finding {
    // Broken text has no paths that everybody would agree on.
    let broken = diagnostic.code == issue_code::JSON_SYNTAX_ERROR;
    let location = |span: &Span| Location {
        path: if broken {
            Vec::new()
        } else {
            json::path_to(root, *span)
        },
        span: range(*span, lines),
    };
    Finding {
        finding_details: diagnostic.message.clone(),
        finding_type: diagnostic.code.kind,
        issue_code: diagnostic.code.name.own(),
        learn_more_link: diagnostic.code.learn_more_link(),
        locations: diagnostic.places.iter().map(location).list(),
    }
}

fn fixes_of<'d>(
    list: List,
    diagnostics: &'d [Diagnostic],
    lines: &'d Lines<'_>,
) -> impl Iterator<Item = Fix> + use<'d> {
    diagnostics
        .iter()
        .enumerate()
        .filter_map(move |(index, diagnostic)| {
            let change = diagnostic.change.as_ref()?;
            let mut edits: Vec<Edit> = change
                .edits
                .iter()
                .map(|(span, text)| Edit {
                    start: lines.position(span.start).offset,
                    end: lines.position(span.end).offset,
                    new_text: text.clone(),
                })
                .list();
            edits.sort_by_key(|edit| edit.start);
            Some(Fix {
                list,
                finding: index,
                title: change.title.clone(),
                edits,
            })
        })
}

/// The text with the edits applied.
#[must_use]
pub fn apply(text: &str, edits: &[Edit]) -> String {
    let lines = Lines::new(text);
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for edit in edits {
        let (start, end) = (lines.byte(edit.start), lines.byte(edit.end));
        // Edits that overlap or run backwards are not ours; leave the text as it is there.
        if start < from || end < start {
            continue;
        }
        out.append(&text[from..start]);
        out.append(&edit.new_text);
        from = end;
    }
    out.append(&text[from..]);
    out
}
