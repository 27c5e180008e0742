//! The whole check of one text.

use crate::advice;
use crate::data::Catalog;
use crate::json::{self, Parsed, Value};
use crate::lint::{self, Diagnostic};
use crate::options::Options;
use crate::policy::Policy;
use crate::position::{Lines, Span};
use crate::report::{Edit, Finding, Fix, List, Location, Range, Report};
use crate::verdict::{self, RequiredRequests, Verdict};

/// Texts above this are not looked at: no policy is that large, and pages stay responsive.
const MAX_TEXT: usize = 4 * 1024 * 1024;

/// A checker for one set of options; checks any number of texts.
#[derive(Debug)]
pub struct Checker {
    options: Options,
    required: RequiredRequests,
    catalog: Option<Catalog>,
}

impl Checker {
    /// A checker with the embedded tables alone.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let required = RequiredRequests::new(&options.setup, &verdict::Assumed::default());
        Self {
            options,
            required,
            catalog: None,
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
        let parsed = json::parse(readable(text));
        self.judge(&Policy::new(&parsed.root))
    }

    /// The checks of Access Analyzer alone.
    #[must_use]
    pub fn lint(&self, text: &str) -> Vec<Finding> {
        let text = readable(text);
        let parsed = json::parse(text);
        let policy = Policy::new(&parsed.root);
        let diagnostics = self.diagnostics(text, &parsed, &policy);
        if diagnostics.is_empty() {
            return Vec::new();
        }
        let lines = Lines::new(text);
        diagnostics
            .iter()
            .map(|diagnostic| finding(diagnostic, &lines, &parsed.root))
            .collect()
    }

    /// Everything.
    #[must_use]
    pub fn check(&self, text: &str) -> Report {
        let text = readable(text);
        let parsed = json::parse(text);
        let policy = Policy::new(&parsed.root);
        let lines = Lines::new(text);
        let findings = self.diagnostics(text, &parsed, &policy);
        let verdict = self.judge(&policy);
        let readable = parsed.root.get("Statement").is_some();
        let advice = if readable {
            let context = advice::Context {
                text,
                root: &parsed.root,
                policy: &policy,
                options: &self.options,
                catalog: self.catalog.as_ref(),
                verdict: &verdict,
            };
            advice::run(&context)
        } else {
            Vec::new()
        };
        let fixes = [(List::Findings, &findings), (List::Advice, &advice)];
        let fixes = fixes
            .into_iter()
            .flat_map(|(list, diagnostics)| fixes_of(list, diagnostics, &lines));
        Report {
            fixes: fixes.collect(),
            findings: findings
                .iter()
                .map(|d| finding(d, &lines, &parsed.root))
                .collect(),
            advice: advice
                .iter()
                .map(|d| finding(d, &lines, &parsed.root))
                .collect(),
            verdict,
        }
    }

    fn diagnostics<'a, 't>(
        &'a self,
        text: &'t str,
        parsed: &'a Parsed<'t>,
        policy: &'a Policy<'a, 't>,
    ) -> Vec<Diagnostic> {
        lint::run(
            text,
            &parsed.root,
            policy,
            &parsed.errors,
            self.catalog.as_ref(),
        )
    }

    fn judge(&self, policy: &Policy<'_, '_>) -> Verdict {
        let setup = &self.options.setup;
        let assumed = verdict::assume(policy, setup);
        if assumed == verdict::Assumed::default() {
            return verdict::judge_for(policy, &self.required, assumed);
        }
        verdict::judge_for(policy, &RequiredRequests::new(setup, &assumed), assumed)
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
    let own = diagnostic.code.name.starts_with("SPRINTERS_");
    // Broken text has no paths that everybody would agree on.
    let broken = diagnostic.code == crate::issue_code::JSON_SYNTAX_ERROR;
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
        issue_code: diagnostic.code.name.to_owned(),
        learn_more_link: if own {
            String::new()
        } else {
            diagnostic.code.learn_more_link()
        },
        locations: diagnostic.places.iter().map(location).collect(),
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
                .collect();
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
        out.push_str(&text[from..start]);
        out.push_str(&edit.new_text);
        from = end;
    }
    out.push_str(&text[from..]);
    out
}
