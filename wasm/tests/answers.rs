//! What the checker says and offers, word by word: about every case of `tests/corpus` in `tests/answers.txt`, and about the
//! cases of `tests/advice.txt`, which are there for the advice and for how changes are laid out.
//!
//! An answer is the headline; the findings and the advice with their sentences; under each the change that is offered, with
//! its edits, and the permissions that it would grant. For advice also what *Fix all* leaves. A case of `tests/advice.txt` is
//! `=== NAME: FEATURE...`, the policy, `---`, the answer. `UPDATE_ANSWERS=1 cargo test` writes the answers anew; read the diff.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on may stop where it stands"
)]

use std::fs;
use std::path::Path;

use sprinters_policy::{Catalog, Checker, Feature, Finding, List, Options, Report};

const MISSING: &str = "SPRINTERS_MISSING_PERMISSION";

// The cases of a file: what stands behind `===`, and the text.
fn cases(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("=== ").skip(1).map(|case| {
        let (head, rest) = case.split_once('\n').unwrap();
        (head, rest.split_once("\n---\n").unwrap().0)
    })
}

fn checker(features: &str) -> Checker {
    let actions = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/actions.txt");
    let mut options = Options::default();
    let named = features.split_whitespace().map(Feature::named);
    options.setup.features = named.map(Option::unwrap).collect();
    Checker::new(options).with_catalog(Catalog::new(fs::read_to_string(actions).unwrap()))
}

// Compares with the file, or writes it.
fn is_written(now: &str, path: &Path) {
    if std::env::var_os("UPDATE_ANSWERS").is_some() {
        fs::write(path, now).unwrap();
    }
    let written = fs::read_to_string(path).unwrap();
    for (now, written) in now.split("=== ").zip(written.split("=== ")) {
        assert_eq!(now, written);
    }
    assert_eq!(now.len(), written.len());
}

fn told(report: &Report, list: List, findings: &[Finding]) -> String {
    let mut out = String::new();
    for (at, finding) in findings.iter().enumerate() {
        if finding.finding_details.is_empty() {
            continue;
        }
        let line = finding.locations.first().map_or(0, |l| l.span.start.line);
        out += &format!(
            "{} in line {line}: {}\n",
            finding.issue_code, finding.finding_details
        );
        let fixes = report.fixes.iter();
        for fix in fixes.filter(|fix| fix.list == list && fix.finding == at) {
            let edits = fix.edits.iter();
            let edits: String = edits
                .map(|e| format!(" {}-{} `{}`", e.start, e.end, e.new_text))
                .collect();
            out += &format!("  {}:{}\n", fix.title, edits.replace('\n', "\n  "));
        }
        let causes = report.causes.iter();
        for cause in causes.filter(|c| list == List::Findings && c.finding == at) {
            out += &format!("  from here, line {}: {}\n", cause.line, cause.action);
        }
    }
    out
}

fn answer(report: &Report) -> String {
    let mut out = format!("{}\n", report.headline.text);
    out += &told(report, List::Findings, &report.findings);
    out += &told(report, List::Advice, &report.advice);
    out
}

#[test]
fn every_case_of_the_corpus_gets_these_words_and_changes() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let checker = checker("");
    let mut paths: Vec<_> = fs::read_dir(tests.join("corpus"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let mut now = String::new();
    for path in paths {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        for (at, (head, text)) in cases(&text).enumerate() {
            let mut report = checker.check(text);
            // These cases are not about Sprinters' own permissions.
            let is_missing = |at: usize| report.advice[at].issue_code == MISSING;
            report
                .fixes
                .retain(|f| f.list == List::Findings || !is_missing(f.finding));
            for one in &mut report.advice {
                if one.issue_code == MISSING {
                    one.finding_details.clear();
                }
            }
            now += &format!("=== {name} {}: {head}\n{}", at + 1, answer(&report));
        }
    }
    is_written(&now, &tests.join("answers.txt"));
}

#[test]
fn every_advice_gets_these_words_and_changes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/advice.txt");
    let written = fs::read_to_string(&path).unwrap();
    let mut now = String::new();
    for (head, text) in cases(&written) {
        let (_, features) = head.split_once(": ").unwrap();
        let checker = checker(features);
        let fixed = checker.fix_all(text);
        let done = fixed.changes.iter();
        let done: String = done
            .map(|d| format!(" {} ({});", d.code, d.title))
            .collect();
        now += &format!(
            "=== {head}\n{text}\n---\n{}fix all:{done}\n{}\n",
            answer(&checker.check(text)),
            fixed.text
        );
    }
    is_written(&now, &path);
}
