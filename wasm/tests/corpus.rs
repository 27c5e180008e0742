//! One case for each check, bad and good side by side: `tests/corpus/*.txt`.
//!
//! A case is `=== bad CODE` or `=== ok CODE`, the policy, `---`, and the findings as
//! `CODE line:column-line:column @start-end path`. A bad case has its code among them, a good
//! one has not. `UPDATE_CORPUS=1 cargo test` writes the findings anew; read the diff.

#![expect(
    clippy::expect_used,
    clippy::format_collect,
    reason = "a test that cannot go on may stop where it stands"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use sprinters_policy::json::PathElement;
use sprinters_policy::report::Location;
use sprinters_policy::{Catalog, Checker, Finding, Options, apply, issue_code};

struct Case {
    good: bool,
    code: String,
    text: String,
    expected: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn checker() -> Checker {
    let actions = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/actions.txt");
    let actions = fs::read_to_string(actions).expect("the action names are in the repository");
    Checker::new(Options::default()).with_catalog(Catalog::new(actions))
}

fn read(path: &Path) -> Vec<Case> {
    let text = fs::read_to_string(path).expect("a readable corpus file");
    let cases = text.split("=== ").skip(1);
    cases
        .map(|case| {
            let (head, rest) = case.split_once('\n').expect("a title line");
            let (text, expected) = rest.split_once("\n---\n").expect("a line of three dashes");
            let (kind, code) = head.split_once(' ').expect("bad or ok, and a code");
            assert!(kind == "bad" || kind == "ok", "{head}");
            Case {
                good: kind == "ok",
                code: code.to_owned(),
                text: text.to_owned(),
                expected: expected.to_owned(),
            }
        })
        .collect()
}

fn files() -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder())
        .expect("the corpus folder")
        .map(|entry| entry.expect("a folder entry").path())
        .collect();
    files.sort();
    assert!(files.len() >= 9, "the corpus is whole");
    files
}

fn line(finding: &Finding) -> String {
    let place = |location: &Location| {
        let (start, end) = (location.span.start, location.span.end);
        let step = |element: &PathElement| match element {
            PathElement::Index(index) => format!(".{index}"),
            PathElement::Key(key) => format!(".{key}#"),
            PathElement::Value(value) => format!(".{value}"),
            PathElement::Substring(part) => format!(".[{}+{}]", part.start, part.length),
        };
        let path: String = location.path.iter().map(step).collect();
        format!(
            "{}:{}-{}:{} @{}-{} {}",
            start.line,
            start.column,
            end.line,
            end.column,
            start.offset,
            end.offset,
            if path.is_empty() { "." } else { &path },
        )
    };
    let places: Vec<_> = finding.locations.iter().map(place).collect();
    format!("{} {}\n", finding.issue_code, places.join(" | "))
}

#[test]
fn every_case_gives_exactly_its_findings() {
    let (checker, update) = (checker(), std::env::var_os("UPDATE_CORPUS").is_some());
    let mut wrong = String::new();
    for path in files() {
        let mut written = String::new();
        for case in read(&path) {
            let findings = checker.lint(&case.text);
            let lines: String = findings.iter().map(line).collect();
            let has = findings.iter().any(|f| f.issue_code == case.code);
            let kind = if case.good { "ok" } else { "bad" };
            if has == case.good || (lines != case.expected && !update) {
                let details: String = findings
                    .iter()
                    .map(|f| format!("  {}\n", f.finding_details))
                    .collect();
                wrong += &format!(
                    "{}: {kind} {}\n{}\ngot\n{lines}{details}expected\n{}\n",
                    path.display(),
                    case.code,
                    case.text,
                    case.expected
                );
            }
            written += &format!("=== {kind} {}\n{}\n---\n{lines}", case.code, case.text);
        }
        if update {
            fs::write(&path, written).expect("a writable corpus file");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_check_has_a_bad_and_a_good_case() {
    let mut seen = BTreeSet::new();
    for case in files().iter().flat_map(|path| read(path)) {
        seen.insert((case.code, case.good));
    }
    let lacking: Vec<_> = issue_code::ALL
        .iter()
        // Identity policies require unique Sids, so the recommendation is for other policies.
        .filter(|code| code.name != "UNIQUE_SIDS_RECOMMENDED")
        .flat_map(|code| [(code.name, true), (code.name, false)])
        .filter(|(name, good)| !seen.contains(&((*name).to_owned(), *good)))
        .collect();
    assert!(lacking.is_empty(), "{lacking:?}");
}

#[test]
fn every_span_is_the_text_that_its_path_names() {
    let checker = checker();
    for case in files().iter().flat_map(|path| read(path)) {
        let units: Vec<u16> = case.text.encode_utf16().collect();
        for finding in checker.lint(&case.text) {
            for location in &finding.locations {
                let (start, end) = (location.span.start, location.span.end);
                let slice = units.get(start.offset as usize..end.offset as usize);
                let text = String::from_utf16_lossy(slice.expect("a span inside the text"));
                match location.path.last() {
                    Some(PathElement::Key(key)) => assert_eq!(
                        text.trim_matches(['"', '\'', '“', '”']),
                        *key,
                        "{}",
                        case.text
                    ),
                    Some(PathElement::Substring(part)) => {
                        assert_eq!(u32::try_from(text.len()), Ok(part.length), "{text}");
                    }
                    _ => {}
                }
                let before = String::from_utf16_lossy(&units[..start.offset as usize]);
                assert_eq!(start.line as usize, before.matches('\n').count() + 1);
                let column = before
                    .rsplit('\n')
                    .next()
                    .unwrap_or_default()
                    .encode_utf16()
                    .count();
                assert_eq!(start.column as usize, column);
            }
        }
    }
}

#[test]
fn every_fix_removes_its_finding() {
    let checker = checker();
    let mut fixed = 0;
    for case in files().iter().flat_map(|path| read(path)) {
        let report = checker.check(&case.text);
        for fix in &report.fixes {
            let list = |report: &sprinters_policy::Report| match fix.list {
                sprinters_policy::List::Findings => report.findings.clone(),
                sprinters_policy::List::Advice => report.advice.clone(),
            };
            let before = list(&report);
            let finding = &before[fix.finding];
            let text = apply(&case.text, &fix.edits);
            let after = list(&checker.check(&text));
            let count = |all: &[Finding]| {
                all.iter()
                    .filter(|f| f.issue_code == finding.issue_code)
                    .count()
            };
            assert!(
                count(&after) < count(&before),
                "{} ({}) stays:\n{}\n{text}",
                finding.issue_code,
                fix.title,
                case.text
            );
            fixed += 1;
        }
    }
    assert!(fixed > 60, "only {fixed} fixes were tried");
}
