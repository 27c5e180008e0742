//! The command line: every input of the table is a flag of the same name.

use std::collections::BTreeMap;

use clap::{Arg, ArgMatches, Command};

use crate::error::{Exit, Failure};
use crate::inputs::{INPUTS, InputError, ListenFlags, Mode};
use crate::modes::migrate::{self, Migration};
use crate::modes::policy::{self, Question};
use crate::report::{self, Reporter};

/// What the arguments say.
pub(crate) struct Arguments {
    pub mode: Option<Mode>,
    pub flags: BTreeMap<&'static str, String>,
    /// `policy simulate` and `policy tighten`, which take no inputs.
    pub question: Option<Question>,
    /// `migrate`, which is not a mode: it is for a person's own files.
    pub migration: Option<Migration>,
    /// What only a terminal says of `listen`.
    pub listening: ListenFlags,
}

/// Whether the log is to be JSON: asked before anything is parsed, so that what is wrong with the arguments is JSON, too.
pub(crate) fn asks_for_json(arguments: &[String]) -> bool {
    let is_flag =
        |pair: &[String]| matches!(pair, [name, value] if name == "--log" && value == "json");
    arguments
        .get(1)
        .is_some_and(|mode| mode == Mode::Listen.name())
        && (arguments.iter().any(|one| one == "--log=json") || arguments.windows(2).any(is_flag))
}

/// Parses the arguments. Prints help and ends the process where that was asked for.
pub(crate) fn parse(arguments: Vec<String>, report: &Reporter) -> Result<Arguments, InputError> {
    // The mode is checked here, so that an unknown one reads like every other wrong input.
    if let Some(word) = arguments
        .get(1)
        .filter(|word| !word.starts_with('-') && !["help", migrate::NAME].contains(&word.as_str()))
    {
        Mode::parse(word)?;
    }
    let matches = command()
        .try_get_matches_from(arguments)
        .unwrap_or_else(|error| leave(&error, report));
    let Some((name, matches)) = matches.subcommand() else {
        return Ok(Arguments {
            mode: None,
            flags: BTreeMap::new(),
            question: None,
            migration: None,
            listening: ListenFlags::default(),
        });
    };
    if name == migrate::NAME {
        return Ok(Arguments {
            mode: None,
            flags: BTreeMap::new(),
            question: None,
            migration: Some(migrate::parse(matches)),
            listening: ListenFlags::default(),
        });
    }
    let mode = Mode::parse(name)?;
    let question = matches
        .subcommand()
        .map(|(name, matches)| policy::parse_subcommand(name, matches))
        .transpose()?;
    Ok(Arguments {
        mode: Some(mode),
        flags: flags(mode, matches),
        question,
        migration: None,
        listening: listening(mode, matches),
    })
}

fn listening(mode: Mode, matches: &ArgMatches) -> ListenFlags {
    if mode != Mode::Listen {
        return ListenFlags::default();
    }
    let text = |name| matches.get_one::<String>(name).cloned();
    ListenFlags {
        log: text("log"),
        metrics: text("metrics"),
        drain: text("drain"),
    }
}

fn flags(mode: Mode, matches: &ArgMatches) -> BTreeMap<&'static str, String> {
    let mut flags: BTreeMap<_, _> = INPUTS
        .iter()
        .filter(|input| input.modes.contains(&mode))
        .filter_map(|input| Some((input.name, matches.get_one::<String>(input.name)?.clone())))
        .collect();
    if mode == Mode::Policy {
        flags.extend(policy::flags(matches));
    }
    flags
}

fn command() -> Command {
    Command::new("sprinters")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Runs GitHub Actions jobs on ephemeral EC2 instances in your own AWS account")
        .after_help(AFTER_HELP)
        .subcommands(Mode::ALL.map(subcommand))
        .subcommand(migrate::command())
}

fn subcommand(mode: Mode) -> Command {
    let about = match mode {
        Mode::Start => "Launch runners and wait until they are online",
        Mode::Stop => "Terminate what this workflow run started, and remove its runner records",
        Mode::Check => "Prove credentials, permissions and token without launching anything",
        Mode::Sweep => "Terminate what outlived its `sprinters:expires` tag; never a busy runner",
        Mode::Bake => "Make an image with the runner, Docker and what `setup` installs",
        Mode::Rerun => "Run a workflow run again that failed because AWS reclaimed an instance",
        Mode::Listen => {
            "Serve scale sets: launch a runner for each job that names one in its `runs-on`"
        }
        Mode::Policy => {
            "Check IAM policies: do they let Sprinters work, and what is wrong with them"
        }
    };
    let inputs = INPUTS.iter().filter(|input| input.modes.contains(&mode));
    let command = Command::new(mode.name())
        .about(about)
        .after_help(AFTER_HELP)
        .args(inputs.map(|input| {
            let mut help = input.help.to_owned();
            if let Some(default) = input.default {
                help = format!("{help} [default: {default}]");
            }
            if !input.environment.is_empty() {
                help = format!("{help} [env: {}]", input.environment.join(", "));
            }
            if input.secret && input.environment.is_empty() {
                help = format!(
                    "{help} [better: {}]",
                    input.name.to_uppercase().replace('-', "_")
                );
            }
            Arg::new(input.name)
                .long(input.name)
                .value_name(input.value)
                .help(help)
        }));
    match mode {
        Mode::Policy => policy::command(command),
        Mode::Listen => command.args(
            LISTENING
                .map(|(name, value, help)| Arg::new(name).long(name).value_name(value).help(help)),
        ),
        _ => command,
    }
}

/// The flags of [`ListenFlags`].
const LISTENING: [(&str, &str, &str); 3] = [
    (
        "log",
        "STYLE",
        "How the log is written, `text` or `json` [default: text]",
    ),
    (
        "metrics",
        "ADDRESS",
        "Where Prometheus finds `/metrics`, and others `/healthz`, such as `127.0.0.1:9464`",
    ),
    (
        "drain",
        "NAME",
        "Take this runner out of service: it gets no new jobs, and its scale set is deleted once the last one is over",
    ),
];

const AFTER_HELP: &str = "\
A flag is visible to everyone on the machine: pass secrets in the environment variables that are named beside them.
In a workflow the inputs arrive as one JSON object in SPRINTERS_INPUTS. \
At a terminal, GITHUB_REPOSITORY=owner/name tells where the runner belongs.

Try it:
  export GITHUB_REPOSITORY=octo/repo SPRINTERS_TOKEN=github_pat_… AWS_PROFILE=ci
  sprinters check --aws-region eu-central-1
  sprinters start --aws-region eu-central-1 --instance-type m7i.xlarge --spot auto
  sprinters stop  --aws-region eu-central-1

Exit codes: 0 done, 1 failed, 2 an input is wrong, 3 no capacity anywhere on the ladder.";

/// Shows the help, or what is wrong with the arguments, and ends.
fn leave(error: &clap::Error, report: &Reporter) -> ! {
    if error.use_stderr() && report.is_json() {
        report.failure(Some(Mode::Listen), &usage(error));
        report::flush();
    } else {
        // Nobody can be told that the terminal is gone.
        let _ = error.print();
    }
    let code: u8 = if error.use_stderr() { 2 } else { 0 };
    #[cfg(target_family = "wasm")]
    crate::platform::reactor::exit(code);
    std::process::exit(code.into())
}

/// The same for programs: clap's first paragraph without its title, and the rest as help.
fn usage(error: &clap::Error) -> Failure {
    let text = error.to_string();
    let mut paragraphs = text.split("\n\n").map(str::trim);
    let what = paragraphs.next().unwrap_or_default();
    Failure {
        exit: Exit::WrongInput,
        what: what.strip_prefix("error: ").unwrap_or(what).to_owned(),
        help: paragraphs.map(str::to_owned).collect(),
        place: None,
        ladder: Vec::new(),
    }
}

/// The help of the whole program, for an invocation that says nothing.
pub(crate) fn help() -> String {
    command().render_help().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn the_help_teaches() {
        insta::assert_snapshot!("help", help());
        let start = subcommand(Mode::Start).render_help();
        insta::assert_snapshot!("help_of_start", start);
    }

    #[test]
    fn a_misspelt_mode_gets_a_suggestion() {
        let report = Reporter::new(|_| None);
        let error = parse(vec!["sprinters".to_owned(), "strat".to_owned()], &report)
            .err()
            .map(|error| error.to_string());
        assert_eq!(
            error.as_deref(),
            Some(
                "input `mode` is `strat`; accepted: `start`, `stop`, `check`, `sweep`, `rerun`, `listen`, `bake` or `policy`; did you mean `start`?"
            )
        );
    }

    #[test]
    fn json_is_asked_for_before_anything_is_parsed() {
        let asks = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            asks_for_json(&words)
        };
        assert!(asks("sprinters listen --log json"));
        assert!(asks("sprinters listen --nonsense --log=json"));
        assert!(!asks("sprinters listen --log text"));
        assert!(!asks("sprinters start --log json"));
        let error = command().try_get_matches_from(["sprinters", "listen", "--nonsense"]);
        let failure = error.err().map(|error| usage(&error));
        assert_eq!(
            failure.map(|failure| failure.what).as_deref(),
            Some("unexpected argument '--nonsense' found")
        );
    }
}
