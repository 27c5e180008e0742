//! The command line: every input of the table is a flag of the same name.

mod help;
#[cfg(not(target_family = "wasm"))]
mod written;

use std::collections::BTreeMap;

use clap::{Arg, ArgMatches, Command};

use crate::error::{Exit, Failure};
use crate::inputs::{INPUTS, ListenFlags, Mode};
use crate::modes::migrate::{self, Migration};
use crate::modes::policy::{self, Question};
use crate::modes::setup::{self, Wanted};
use crate::report::{self, Reporter};
use crate::values::list::closest;

/// What the arguments say.
#[derive(Default)]
pub(crate) struct Arguments {
    pub mode: Option<Mode>,
    pub flags: BTreeMap<&'static str, String>,
    /// What a person asks for, and a workflow does not: it takes no inputs.
    pub command: Option<ByHand>,
    /// What only a terminal says of `listen`.
    pub listening: ListenFlags,
}

/// A command that is not a mode.
pub(crate) enum ByHand {
    /// `policy simulate` and `policy tighten`.
    Policy(Question),
    Migrate(Migration),
    Setup(Box<Wanted>),
    /// Completions or a manual page.
    #[cfg(not(target_family = "wasm"))]
    Print(String),
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
pub(crate) fn parse(arguments: Vec<String>, report: &Reporter) -> Result<Arguments, Failure> {
    // As a step of a workflow: to make the command line of all modes would take longer than to read the inputs.
    if arguments.len() <= 1 {
        return Ok(Arguments::default());
    }
    let program = command();
    if let Some(word) = arguments.get(1).filter(|word| !word.starts_with('-'))
        && word != "help"
        && program.find_subcommand(word).is_none()
    {
        return Err(no_such_command(word));
    }
    let matches = program
        .try_get_matches_from(arguments)
        .unwrap_or_else(|error| leave(&error, report));
    let Some((name, matches)) = matches.subcommand() else {
        return Ok(Arguments::default());
    };
    if let Some(command) = by_hand(name, matches) {
        return Ok(Arguments {
            command: Some(command?),
            ..Arguments::default()
        });
    }
    let mode = Mode::parse(name).map_err(|error| Failure::inputs(&[error]))?;
    Ok(Arguments {
        mode: Some(mode),
        flags: flags(mode, matches),
        command: None,
        listening: listening(mode, matches),
    })
}

/// `None` for a mode.
fn by_hand(name: &str, matches: &ArgMatches) -> Option<Result<ByHand, Failure>> {
    #[cfg(not(target_family = "wasm"))]
    if let Some(text) = written::write(name, matches, command) {
        return Some(text.map(ByHand::Print));
    }
    let wrong = |errors: Vec<_>| Failure::inputs(&errors);
    match name {
        migrate::NAME => Some(Ok(ByHand::Migrate(migrate::parse(matches)))),
        setup::NAME => Some(
            setup::parse(matches)
                .map(|wanted| ByHand::Setup(Box::new(wanted)))
                .map_err(wrong),
        ),
        _ => {
            let (name, matches) = matches.subcommand()?;
            let question = policy::parse_subcommand(name, matches);
            Some(question.map(ByHand::Policy).map_err(wrong))
        }
    }
}

/// What is wrong with the first word, and all that it could be.
fn no_such_command(word: &str) -> Failure {
    let program = command();
    let names: Vec<&str> = program.get_subcommands().map(Command::get_name).collect();
    let width = names
        .iter()
        .map(|name| name.len())
        .max()
        .unwrap_or_default();
    let listed: Vec<String> = program
        .get_subcommands()
        .map(|command| {
            let about = command.get_about().map(ToString::to_string);
            format!(
                "{:width$}  {}",
                command.get_name(),
                about.unwrap_or_default()
            )
        })
        .collect();
    let shown: String = word.chars().take(60).collect();
    let near =
        closest(word, &names).map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    Failure {
        exit: Exit::WrongInput,
        ..Failure::new(
            format!("`{shown}` is not a command{near}"),
            format!("the commands are:\n    {}", listed.join("\n    ")),
        )
    }
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
    let program = Command::new("sprinters")
        .version(VERSION)
        .about("Runs GitHub Actions jobs on ephemeral EC2 instances in your own AWS account")
        .after_help(help::AFTER)
        .subcommand(setup::command())
        .subcommands(Mode::ALL.map(subcommand))
        .subcommand(migrate::command());
    #[cfg(not(target_family = "wasm"))]
    let program = program.subcommands(written::commands());
    program
}

/// The version, what it was built from, and for what. `.ci/build` and `.ci/portable` say the former: the hash of every source. A commit
/// it cannot be, for the commit holds the very program.
const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (sources ",
    env!("SPRINTERS_SOURCES"),
    ", ",
    env!("SPRINTERS_TARGET"),
    ")"
);

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
    // Its flags are made only where it is the one that is asked for, or all of them: together they are half the time of a short command.
    let command = Command::new(mode.name()).about(about).defer(|command| {
        match Mode::parse(command.get_name()) {
            Ok(mode) => with_flags(mode, command),
            Err(_) => command,
        }
    });
    match mode {
        Mode::Policy => command.subcommands(policy::questions()),
        _ => command,
    }
}

fn with_flags(mode: Mode, command: Command) -> Command {
    let command = command
        .after_help(help::after(mode))
        .args(help::grouped(mode).map(|(heading, input)| {
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
                .help_heading(heading)
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
        "Address to serve `/metrics` (for Prometheus) and `/healthz` at, such as `127.0.0.1:9464`",
    ),
    (
        "drain",
        "NAME",
        "Take this runner out of service: it gets no new jobs, and its scale set is deleted once the last one is over",
    ),
];

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
    crate::platform::wasi::exit(code);
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
    fn a_wrong_command_gets_the_list_and_the_nearest() {
        let report = Reporter::new(|_| None);
        let wrong = |word: &str| {
            let arguments = ["sprinters", word].map(str::to_owned).to_vec();
            let failure = parse(arguments, &report).err();
            failure.map(|failure| (failure.exit, failure.what, failure.help.join("\n")))
        };
        let (exit, what, help) =
            wrong("strat").unwrap_or((Exit::Failed, String::new(), String::new()));
        assert_eq!(exit, Exit::WrongInput);
        assert_eq!(what, "`strat` is not a command; did you mean `start`?");
        for command in command().get_subcommands() {
            assert!(
                help.contains(&format!("\n    {} ", command.get_name())),
                "{help}"
            );
        }
        let (_, what, _) = wrong("bananas").unwrap_or((Exit::Failed, String::new(), String::new()));
        assert_eq!(what, "`bananas` is not a command");
    }

    #[test]
    fn a_page_for_each_command_and_completions_for_each_shell() {
        let report = Reporter::new(|_| None);
        let text = |words: &[&str]| {
            let arguments = ["sprinters"]
                .iter()
                .chain(words)
                .map(|word| (*word).to_owned());
            match parse(arguments.collect(), &report) {
                Ok(Arguments {
                    command: Some(ByHand::Print(text)),
                    ..
                }) => text,
                _ => String::new(),
            }
        };
        assert!(text(&["man"]).contains("sprinters\\-listen"));
        for command in command().get_subcommands() {
            let name = command.get_name();
            assert!(text(&["man", name]).contains(".SH NAME"), "{name}");
        }
        for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
            let completions = text(&["completions", shell]);
            assert!(
                completions.contains("instance-type") && completions.contains("tighten"),
                "{shell}"
            );
        }
    }

    #[test]
    fn the_version_tells_what_it_was_built_from() {
        assert!(VERSION.starts_with(concat!(env!("CARGO_PKG_VERSION"), " (sources ")));
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
