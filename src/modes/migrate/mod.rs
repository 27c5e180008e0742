//! `migrate`: turn a workflow that uses another runner action, or another service's labels, into ours.
//!
//! Only what must change is changed: comments, order and layout stay as they are. What cannot be carried over is told.

mod convert;
mod ec2_github_runner;
mod edits;
mod labels;
mod lines;
mod runs_on;
mod sprinters_label;
#[cfg(test)]
mod tests;
mod wanted;
mod workflow;

use std::io::Read;

use clap::{Arg, ArgAction, ArgMatches, Command};
use similar::TextDiff;

use crate::error::Failure;
use crate::report::Reporter;
use convert::{Converted, convert};

/// The subcommand's name.
pub(crate) const NAME: &str = "migrate";
const STDIN: &str = "-";

/// Whatever is pasted: it is refused, or becomes something of which nothing is left to migrate.
#[cfg(test)]
pub(crate) fn fuzzed(text: &str) {
    let Ok(once) = convert(text) else { return };
    let twice = convert(&once.text).map(|twice| twice.text);
    assert_eq!(twice.as_ref(), Ok(&once.text), "from {text:?}");
}

/// What to migrate.
#[derive(Debug)]
pub(crate) struct Migration {
    files: Vec<String>,
    write: bool,
}

pub(crate) fn command() -> Command {
    Command::new(NAME)
        .about("Turn workflows with machulav/ec2-github-runner, RunsOn or the hosted service into ours")
        .after_help(
            "Without --write it prints a diff and changes nothing. What cannot be carried over is told with its line.",
        )
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .required(true)
                .num_args(1..)
                .help("Workflow files, such as .github/workflows/ci.yml; `-` is standard input"),
        )
        .arg(
            Arg::new("write")
                .long("write")
                .action(ArgAction::SetTrue)
                .help("Change the files; of standard input, print the result instead of a diff"),
        )
}

pub(crate) fn parse(matches: &ArgMatches) -> Migration {
    let files = matches.get_many::<String>("file");
    Migration {
        files: files
            .map(|files| files.cloned().collect())
            .unwrap_or_default(),
        write: matches.get_flag("write"),
    }
}

/// Migrates each file; one that fails does not keep the others from it.
pub(crate) fn migrate(migration: &Migration, report: &Reporter) -> Result<(), Failure> {
    let mut failed: Option<Failure> = None;
    for file in &migration.files {
        if let Err(failure) = migrate_file(file, migration.write, report) {
            failed = Some(match failed {
                None => failure,
                Some(first) => first.and(failure.what).and(failure.help.join("; ")),
            });
        }
    }
    failed.map_or(Ok(()), Err)
}

fn migrate_file(file: &str, write: bool, report: &Reporter) -> Result<(), Failure> {
    let text = read(file)?;
    let Converted {
        text: converted,
        notes,
        is_found,
    } = convert(&text).map_err(|error| {
        Failure::new(
            format!(
                "could not migrate `{file}`: line {}: {}",
                error.line, error.why
            ),
            "migrate it by hand; the book's page \"Coming from …\" says what becomes what",
        )
    })?;
    for note in &notes {
        report.warning(format_args!("{file}:{}: {}", note.line, note.text));
    }
    if file == STDIN && write {
        report.verbatim(&converted);
    } else if converted == text {
        report.aside(if is_found {
            format!("`{file}` needs a hand: nothing was changed")
        } else {
            format!("`{file}` has nothing to migrate")
        });
    } else if write {
        std::fs::write(file, converted).map_err(|error| {
            Failure::new(
                format!("could not write `{file}`: {error}"),
                "check that you may change it",
            )
        })?;
        report.aside(format!("`{file}` is migrated"));
    } else {
        report.verbatim(&diff(file, &text, &converted));
    }
    Ok(())
}

fn read(file: &str) -> Result<String, Failure> {
    let read = if file == STDIN {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    read.map_err(|error| {
        Failure::new(
            format!("could not read `{file}`: {error}"),
            "name a workflow file, such as `.github/workflows/ci.yml`",
        )
    })
}

/// As `diff -u`, so that `git apply` takes it.
fn diff(file: &str, old: &str, new: &str) -> String {
    let file = file.trim_start_matches("./");
    TextDiff::from_lines(old, new)
        .unified_diff()
        .header(&format!("a/{file}"), &format!("b/{file}"))
        .to_string()
}
