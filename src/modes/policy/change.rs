//! `--fix` and `--diff`: every change that the findings offer, applied or shown.

use std::path::Path;

use anyhow::Context;
use sprinters_policy::{Checker, Done, Fixed};

use super::arguments::Change;
use super::file::{PolicyFile, STDIN};
use crate::error::{Exit, Failure};
use crate::platform::files;
use crate::report::{Reporter, diff};

/// Changes the files or says how; fails if one of them does not pass even then.
pub(super) fn apply(
    checker: &Checker,
    files: &[PolicyFile],
    change: Change,
    report: &Reporter,
) -> Result<(), Failure> {
    let mut failed = Vec::new();
    for file in files {
        let fixed = checker.fix_all(&file.text);
        if change == Change::Diff {
            report.verbatim(&changes(&file.name, &file.text, &fixed.text));
        } else {
            write(file, &fixed, report)?;
        }
        let after = checker.check(&fixed.text);
        report.aside(format_args!("{}: {}", file.name, after.headline.text));
        if !after.headline.passes() || after.has_errors() {
            failed.push(format!("`{}`", file.name));
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure {
        exit: Exit::Failed,
        place: None,
        ladder: Vec::new(),
        what: format!(
            "the policy does not fit, even with every fix: {}",
            failed.join(", ")
        ),
        help: vec!["`sprinters policy` without `--fix` says what else to change".to_owned()],
    })
}

fn write(file: &PolicyFile, fixed: &Fixed, report: &Reporter) -> Result<(), Failure> {
    if file.name == STDIN {
        report.verbatim(&fixed.text);
    } else if fixed.text != file.text {
        files::replace(Path::new(&file.name), &fixed.text)
            .with_context(|| format!("cannot write `{}`", file.name))
            .map_err(|error| {
                let help = "name a regular file that you may change, or use `--diff`";
                Failure::local(&error, help)
            })?;
    }
    let mut left: Vec<&Done> = fixed.changes.iter().collect();
    while let Some(&first) = left.first() {
        let before = left.len();
        left.retain(|done| *done != first);
        let times = match before - left.len() {
            1 => String::new(),
            n => format!(", {n} times"),
        };
        let (name, Done { title, code }) = (&file.name, first);
        report.aside(format_args!("{name}: {title} ({code}){times}"));
    }
    Ok(())
}

fn changes(name: &str, before: &str, after: &str) -> String {
    let path = name.trim_start_matches('/');
    let (old, new) = (format!("a/{path}"), format!("b/{path}"));
    diff::unified((&old, before), (&new, after))
}
