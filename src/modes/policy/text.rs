//! Findings as rustc tells its own: line, caret, help.

use annotate_snippets::{AnnotationKind, Level as SnippetLevel, Renderer, Snippet};
use sprinters_policy::code::FindingType;
use sprinters_policy::position::Lines;
use sprinters_policy::{Decision, Finding, Verdict};

use super::file::PolicyFile;
use crate::report::{CheckStatus, Level, Reporter};

/// How a finding's type reads in a workflow.
pub(super) fn level(kind: FindingType) -> Level {
    match kind {
        FindingType::Error => Level::Error,
        FindingType::SecurityWarning | FindingType::Warning => Level::Warning,
        FindingType::Suggestion => Level::Notice,
    }
}

/// One finding with the lines that it is about.
pub(super) fn finding(file: &PolicyFile, finding: &Finding, colours: bool) -> String {
    let title = match finding.finding_type {
        FindingType::Error => SnippetLevel::ERROR,
        FindingType::SecurityWarning => SnippetLevel::WARNING.with_name("security warning"),
        FindingType::Warning => SnippetLevel::WARNING,
        FindingType::Suggestion => SnippetLevel::HELP.with_name("suggestion"),
    };
    let lines = Lines::new(&file.text);
    let mut snippet = Snippet::source(&file.text).path(&file.name);
    for (index, location) in finding.locations.iter().enumerate() {
        let range = lines.byte(location.span.start.offset)..lines.byte(location.span.end.offset);
        let kind = if index == 0 {
            AnnotationKind::Primary
        } else {
            AnnotationKind::Context
        };
        snippet = snippet.annotation(kind.span(range));
    }
    let mut group = title
        .primary_title(&finding.finding_details)
        .id(&finding.issue_code)
        .element(snippet);
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

/// Permission by permission: what is granted, and what follows where it is not.
pub(super) fn verdict(file: &PolicyFile, verdict: &Verdict, report: &Reporter) {
    let worst = verdict.permissions.iter().map(|p| p.decision).max();
    let can = match worst.unwrap_or(Decision::Granted) {
        Decision::Granted => "Sprinters can work with this policy",
        Decision::Conditional => {
            "whether Sprinters can work with this policy depends on conditions"
        }
        Decision::Missing | Decision::Denied => "Sprinters cannot work with this policy",
    };
    report.line(format_args!("{}: {can}", file.name));
    for permission in &verdict.permissions {
        let (mark, word) = match permission.decision {
            Decision::Granted => (CheckStatus::Done, "granted"),
            Decision::Conditional => (CheckStatus::Unknown, "granted under a condition"),
            Decision::Missing => (CheckStatus::Missing, "missing"),
            Decision::Denied => (CheckStatus::Missing, "denied"),
        };
        if permission.decision == Decision::Granted {
            report.mark(mark, format_args!("{:32} {word}", permission.action));
        } else {
            report.mark(
                mark,
                format_args!(
                    "{:32} {word}: {}",
                    permission.action, permission.explanation
                ),
            );
        }
    }
}
