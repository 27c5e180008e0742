//! Findings as rustc tells its own: line, caret, help. Every snippet is cut out of the text first, so that a long text costs
//! no more than its findings.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level as SnippetLevel, Origin, Renderer, Snippet};
use sprinters_policy::issue_code::FindingType;
use sprinters_policy::position::Lines;
use sprinters_policy::{Decision, Finding, Location, Report as Checked};

use super::file::PolicyFile;
use crate::report::{CheckStatus, Level, Reporter};

/// Further places of one finding are only counted.
const MOST_PLACES: usize = 4;
/// A place that goes on for longer is shown by its first line.
const MOST_LINES: u32 = 8;
/// A line that is longer is cut around the place.
const LONGEST: usize = 400;
/// How much of a line that is cut stays on either side of the place.
const BESIDE: usize = 60;
/// One snippet is not shown more often.
const MOST_REPEATS: u32 = 2;

/// How a finding's type reads in a workflow.
pub(super) fn level(kind: FindingType) -> Level {
    match kind {
        FindingType::Error => Level::Error,
        FindingType::SecurityWarning | FindingType::Warning => Level::Warning,
        FindingType::Suggestion => Level::Notice,
    }
}

/// Errors before warnings, what is wrong before what follows from it. The rows of the verdict say what is missing, so that
/// it is not said here.
pub(super) fn causes_first(checked: &Checked) -> Vec<&Finding> {
    let told_by_rows = |finding: &&Finding| {
        !matches!(
            finding.issue_code.as_str(),
            "SPRINTERS_MISSING_PERMISSION" | "SPRINTERS_CONDITIONAL_PERMISSION"
        )
    };
    let all = checked.findings.iter().chain(&checked.advice);
    let mut all: Vec<&Finding> = all.filter(told_by_rows).collect();
    all.sort_by_key(|finding| finding.finding_type);
    all
}

/// The snippets of one text.
pub(super) struct Snippets<'f> {
    file: &'f PolicyFile,
    lines: Lines<'f>,
    shown: RefCell<BTreeMap<(u32, u32), u32>>,
}

/// A part of the text, and the place in it.
struct Cut {
    source: String,
    place: Range<usize>,
    whole_lines: bool,
}

impl<'f> Snippets<'f> {
    pub(super) fn new(file: &'f PolicyFile) -> Self {
        Self {
            lines: Lines::new(&file.text),
            file,
            shown: RefCell::default(),
        }
    }

    /// One finding with the lines that it is about.
    pub(super) fn finding(&self, finding: &Finding, colours: bool) -> String {
        let title = match finding.finding_type {
            FindingType::Error => SnippetLevel::ERROR,
            FindingType::SecurityWarning => SnippetLevel::WARNING.with_name("security warning"),
            FindingType::Warning => SnippetLevel::WARNING,
            FindingType::Suggestion => SnippetLevel::HELP.with_name("suggestion"),
        };
        let mut group = title
            .primary_title(&finding.finding_details)
            .id(&finding.issue_code)
            .elements(None::<Snippet<'_, annotate_snippets::Annotation<'_>>>);
        for (index, location) in finding.locations.iter().take(MOST_PLACES).enumerate() {
            let kind = if index == 0 {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            let start = location.span.start;
            let cut = self.cut(location);
            let origin = Origin::path(&self.file.name)
                .line(start.line as usize)
                .char_column(start.column as usize + 1);
            if self.is_repeated(location) {
                group = group.element(origin);
                continue;
            }
            let snippet = Snippet::source(cut.source)
                .line_start(start.line as usize)
                .annotation(kind.span(cut.place));
            group = if cut.whole_lines {
                group.element(snippet.path(&self.file.name))
            } else {
                group.element(origin).element(snippet)
            };
        }
        if let Some(more) = finding.locations.len().checked_sub(MOST_PLACES + 1) {
            let message = format!("and {} more places", more + 1);
            group = group.element(SnippetLevel::NOTE.message(message));
        }
        if !finding.learn_more_link.is_empty() {
            group = group.element(SnippetLevel::HELP.message(&finding.learn_more_link));
        }
        let renderer = if colours {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        format!("{}\n", renderer.render(&[group]))
    }

    fn is_repeated(&self, location: &Location) -> bool {
        let span = (location.span.start.offset, location.span.end.offset);
        let mut shown = self.shown.borrow_mut();
        let times = shown.entry(span).or_default();
        *times += 1;
        *times > MOST_REPEATS
    }

    fn cut(&self, location: &Location) -> Cut {
        let text = self.file.text.as_str();
        let (start, end) = (location.span.start, location.span.end);
        let from = self.lines.byte(start.offset);
        let first = self.lines.line(start.line);
        let mut to = self.lines.byte(end.offset);
        let mut tail = self.lines.line(end.line).end.max(to);
        if end.line - start.line > MOST_LINES {
            (to, tail) = (first.end.max(from), first.end.max(from));
        }
        let head = first.start.min(from);
        if tail - head <= LONGEST {
            return Cut {
                source: text[head..tail].to_owned(),
                place: from - head..to - head,
                whole_lines: true,
            };
        }
        let to = to.min(text.ceil_char_boundary(from + LONGEST));
        let head = head.max(text.floor_char_boundary(from.saturating_sub(BESIDE)));
        let tail = tail.min(text.ceil_char_boundary(to + BESIDE));
        Cut {
            source: text[head..tail].to_owned(),
            place: from - head..to - head,
            whole_lines: false,
        }
    }
}

/// The answer, what of it holds permission by permission, and how much there is to read above.
pub(super) fn verdict(file: &PolicyFile, checked: &Checked, report: &Reporter) {
    report.line(format_args!("{}: {}", file.name, checked.headline.text));
    for permission in &checked.verdict.permissions {
        let (mark, word) = match permission.decision {
            Decision::Granted => (CheckStatus::Done, "granted"),
            Decision::Conditional => (CheckStatus::Unknown, "granted under a condition"),
            Decision::Missing => (CheckStatus::Missing, "missing"),
            Decision::Denied => (CheckStatus::Missing, "denied"),
        };
        let action = &permission.action;
        if permission.decision == Decision::Granted {
            report.mark(mark, format_args!("{action:32} {word}"));
            continue;
        }
        let mut why = permission.explanation.to_string();
        match cause(checked, action) {
            Some(line) => why = format!("follows from line {line}"),
            None if permission.conditions.is_empty() => {}
            None => why = format!("{why} ({})", permission.conditions.join("; ")),
        }
        report.mark(mark, format_args!("{action:32} {word}: {why}"));
    }
    report.line(counts(checked));
}

// The line of the finding whose fix would grant the permission.
fn cause(checked: &Checked, action: &str) -> Option<u32> {
    let causes = checked.causes.iter();
    causes
        .filter(|cause| cause.action == action)
        .map(|cause| cause.line)
        .next()
}

fn counts(checked: &Checked) -> String {
    let all = causes_first(checked);
    let words = [
        (FindingType::Error, "error"),
        (FindingType::SecurityWarning, "security warning"),
        (FindingType::Warning, "warning"),
        (FindingType::Suggestion, "suggestion"),
    ];
    let counted = words.iter().filter_map(|(kind, word)| {
        let n = all.iter().filter(|f| f.finding_type == *kind).count();
        let plural = if n == 1 { "" } else { "s" };
        (n > 0).then(|| format!("{n} {word}{plural}"))
    });
    let counted: Vec<String> = counted.collect();
    if counted.is_empty() {
        "no findings".to_owned()
    } else {
        counted.join(", ")
    }
}
