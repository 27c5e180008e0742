//! `migrate`: turn a workflow that uses another runner action, or another service's labels, into ours.
//!
//! Only what must change is changed: comments, order and layout stay as they are. What cannot be carried over is reported.

mod convert;
mod ec2_github_runner;
mod edits;
mod expression;
mod guard;
mod labels;
mod lines;
mod listen;
mod matrix;
mod runs_on;
mod secrets;
mod sprinters_label;
#[cfg(test)]
mod tests;
mod wanted;
mod workflow;

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::error::Failure;
use crate::platform::files;
use crate::report::{Reporter, diff};
use convert::{Converted, Target, convert, has_start};
use listen::Profiles;

/// The subcommand's name.
pub(crate) const NAME: &str = "migrate";
const STDIN: &str = "-";

/// Whatever is pasted: it is refused, or becomes something of which nothing is left to migrate.
#[cfg(test)]
pub(crate) fn fuzzed(text: &str) {
    let has_start = has_start(text);
    let Ok(once) = convert(text, has_start, &mut Target::Steps) else {
        return;
    };
    let twice = convert(&once.text, has_start, &mut Target::Steps).map(|twice| twice.text);
    assert_eq!(twice.as_ref(), Ok(&once.text), "from {text:?}");
}

/// What to migrate.
#[derive(Debug)]
pub(crate) struct Migration {
    files: Vec<String>,
    write: bool,
    /// Whether labels become profiles.
    is_to_listen: bool,
}

pub(crate) fn command() -> Command {
    Command::new(NAME)
        .about("Turn workflows with machulav/ec2-github-runner, RunsOn or the hosted service into ours")
        .after_help(
            "Without --write it prints a diff and changes nothing. What cannot be carried over is reported with its line.",
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
        .arg(
            Arg::new("to")
                .long("to")
                .value_name("TARGET")
                .value_parser(["steps", "listen"])
                .default_value("steps")
                .help(
                    "What labels become: `steps`, jobs that start and stop their runners, or `listen`, profiles in \
                     .github/sprinters.yml that `sprinters listen` serves",
                ),
        )
}

pub(crate) fn parse(matches: &ArgMatches) -> Migration {
    let files = matches.get_many::<String>("file");
    Migration {
        files: files
            .map(|files| files.cloned().collect())
            .unwrap_or_default(),
        write: matches.get_flag("write"),
        is_to_listen: matches
            .get_one::<String>("to")
            .is_some_and(|to| to == "listen"),
    }
}

/// Migrates each file; one that fails does not keep the others from it.
pub(crate) fn migrate(migration: &Migration, report: &Reporter) -> Result<(), Failure> {
    let mut failed: Option<Failure> = None;
    let texts: Vec<_> = migration
        .files
        .iter()
        .map(|file| (file, read_file(file)))
        .collect();
    let mut readable = texts.iter().filter_map(|(_, text)| text.as_ref().ok());
    let has_start = readable.any(|text| has_start(text));
    let mut target = if migration.is_to_listen {
        Target::Listen(Profiles::default())
    } else {
        Target::Steps
    };
    for (file, text) in texts {
        let not_read = |error| {
            Failure::local(
                &error,
                "name a workflow file, such as `.github/workflows/ci.yml`",
            )
        };
        let migrated = text.map_err(not_read).and_then(|text| {
            let converted = converted(file, &text, has_start, &mut target)?;
            hand_out(file, &text, converted, migration.write, report)
        });
        if let Err(failure) = migrated {
            failed = Some(match failed {
                None => failure,
                Some(first) => first.and(failure.what).and(failure.help.join("; ")),
            });
        }
    }
    if let Target::Listen(profiles) = &target
        && let Err(failure) = hand_out_profiles(profiles, migration, report)
    {
        failed = failed.or(Some(failure));
    }
    failed.map_or(Ok(()), Err)
}

/// A file that is there already is its owner's to edit.
fn hand_out_profiles(
    profiles: &Profiles,
    migration: &Migration,
    report: &Reporter,
) -> Result<(), Failure> {
    if profiles.is_empty() {
        return Ok(());
    }
    let first = migration.files.first().map(String::as_str);
    let path = profile_path(first.unwrap_or_default());
    let text = profiles
        .text()
        .with_context(|| format!("could not write the text of `{}`", path.display()))
        .map_err(|error| Failure::local(&error, "write the profiles by hand"))?;
    if path.symlink_metadata().is_ok() {
        let shown = path.display();
        report.aside(format!(
            "`{shown}` is there already: add to it what it lacks of\n{text}"
        ));
    } else if !migration.write {
        report.verbatim(&changes(&path.to_string_lossy(), "", &text));
    } else {
        files::create_new(&path, &text)
            .with_context(|| format!("could not write `{}`", path.display()))
            .map_err(|error| {
                let help = "check that you may create it, and that no link leads there";
                Failure::local(&error, help)
            })?;
        report.aside(format!("`{}` has the profiles", path.display()));
    }
    Ok(())
}

/// `.github/sprinters.yml` of the repository that the workflow is in.
fn profile_path(workflow: &str) -> PathBuf {
    let folder = Path::new(workflow).parent();
    let of_workflows = folder.filter(|folder| folder.ends_with(".github/workflows"));
    match of_workflows.and_then(Path::parent) {
        Some(github) => github.join("sprinters.yml"),
        None => PathBuf::from(".github/sprinters.yml"),
    }
}

fn converted(
    file: &str,
    text: &str,
    has_start: bool,
    target: &mut Target,
) -> Result<Converted, Failure> {
    convert(text, has_start, target).map_err(|error| {
        Failure::new(
            format!(
                "could not migrate `{file}`: line {}: {}",
                error.line, error.why
            ),
            "migrate it by hand; the book's page \"Coming from …\" says what becomes what",
        )
    })
}

/// Tells the notes, and writes or shows the result.
fn hand_out(
    file: &str,
    text: &str,
    converted: Converted,
    write: bool,
    report: &Reporter,
) -> Result<(), Failure> {
    let Converted {
        text: converted,
        notes,
        is_found,
    } = converted;
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
        files::replace(Path::new(file), &converted)
            .with_context(|| format!("could not write `{file}`"))
            .map_err(|error| Failure::local(&error, "name a regular file that you may change"))?;
        report.aside(format!("`{file}` is migrated"));
    } else {
        report.verbatim(&changes(file, text, &converted));
    }
    Ok(())
}

fn read_file(file: &str) -> anyhow::Result<String> {
    let read = if file == STDIN {
        files::read_bounded(std::io::stdin().lock()).and_then(|bytes| {
            String::from_utf8(bytes).map_err(|_| std::io::Error::other("it is not UTF-8"))
        })
    } else {
        files::read(Path::new(file))
    };
    read.with_context(|| format!("could not read `{file}`"))
}

fn changes(file: &str, old: &str, new: &str) -> String {
    let file = file.trim_start_matches("./");
    let before = match old {
        "" => "/dev/null".to_owned(),
        _ => format!("a/{file}"),
    };
    diff::unified((&before, old), (&format!("b/{file}"), new))
}
