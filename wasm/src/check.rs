//! The whole check of one text.

use crate::advice;
use crate::data::Catalog;
use crate::json::{self, Parsed, Value};
use crate::lint::{self, Draft};
use crate::options::Options;
use crate::policy::Policy;
use crate::position::{Lines, Span};
use crate::report::{Edit, Finding, Fix, List, Location, Range, Report};
use crate::verdict::{self, Sprinters, Verdict};

/// Texts above this are not looked at: no policy is that large, and pages stay responsive.
const MAX_TEXT: usize = 4 * 1024 * 1024;

/// A checker for one set of options; checks any number of texts.
#[derive(Debug)]
pub struct Checker {
    options: Options,
    sprinters: Sprinters,
    catalog: Option<Catalog>,
}

impl Checker {
    /// A checker with the embedded tables alone.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let sprinters = Sprinters::new(&options.setup, &verdict::Assumed::default());
        Self {
            options,
            sprinters,
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
        let drafts = self.drafts(text, &parsed, &policy);
        if drafts.is_empty() {
            return Vec::new();
        }
        let lines = Lines::new(text);
        drafts
            .iter()
            .map(|draft| finding(draft, &lines, &parsed.root))
            .collect()
    }

    /// Everything.
    #[must_use]
    pub fn check(&self, text: &str) -> Report {
        let text = readable(text);
        let parsed = json::parse(text);
        let policy = Policy::new(&parsed.root);
        let lines = Lines::new(text);
        let findings = self.drafts(text, &parsed, &policy);
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
            .flat_map(|(list, drafts)| fixes_of(list, drafts, &lines));
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

    fn drafts<'a, 't>(
        &'a self,
        text: &'t str,
        parsed: &'a Parsed<'t>,
        policy: &'a Policy<'a, 't>,
    ) -> Vec<Draft> {
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
            return verdict::judge_for(policy, &self.sprinters, assumed);
        }
        verdict::judge_for(policy, &Sprinters::new(setup, &assumed), assumed)
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

fn finding(draft: &Draft, lines: &Lines<'_>, root: &Value<'_>) -> Finding {
    let own = draft.code.name.starts_with("SPRINTERS_");
    // Broken text has no paths that everybody would agree on.
    let broken = draft.code == crate::code::JSON_SYNTAX_ERROR;
    let location = |span: &Span| Location {
        path: if broken {
            Vec::new()
        } else {
            json::path_to(root, *span)
        },
        span: range(*span, lines),
    };
    Finding {
        finding_details: draft.message.clone(),
        finding_type: draft.code.kind,
        issue_code: draft.code.name.to_owned(),
        learn_more_link: if own {
            String::new()
        } else {
            draft.code.learn_more_link()
        },
        locations: draft.places.iter().map(location).collect(),
    }
}

fn fixes_of<'d>(
    list: List,
    drafts: &'d [Draft],
    lines: &'d Lines<'_>,
) -> impl Iterator<Item = Fix> + use<'d> {
    drafts.iter().enumerate().filter_map(move |(index, draft)| {
        let change = draft.change.as_ref()?;
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
