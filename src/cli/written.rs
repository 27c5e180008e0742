//! What is written from the command line itself: completions for a shell, and manual pages.

use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::Shell;

use crate::error::{Exit, Failure};

pub(super) const COMPLETIONS: &str = "completions";
pub(super) const MAN: &str = "man";

pub(super) fn commands() -> [Command; 2] {
    [
        Command::new(COMPLETIONS)
            .about("Print what makes a shell complete the commands and flags")
            .after_help(
                "Try it:\n  sprinters completions bash >~/.local/share/bash-completion/completions/sprinters\n  \
                 sprinters completions zsh >\"${fpath[1]}/_sprinters\"\n  \
                 sprinters completions fish >~/.config/fish/completions/sprinters.fish",
            )
            // Without a shell: which there are.
            .arg_required_else_help(true)
            .arg(
                Arg::new("SHELL")
                    .help("The shell")
                    .required(true)
                    .value_parser(value_parser!(Shell)),
            ),
        Command::new(MAN)
            .about("Print a manual page")
            .after_help("Try it:\n  sprinters man | man -l -\n  sprinters man start >sprinters-start.1")
            .arg(Arg::new("COMMAND").help("The command that it is about [default: all of them]")),
    ]
}

/// The completions or the page; `None` where another command was asked for.
pub(super) fn write(
    name: &str,
    matches: &ArgMatches,
    program: fn() -> Command,
) -> Option<Result<String, Failure>> {
    match name {
        COMPLETIONS => {
            let shell = *matches.get_one::<Shell>("SHELL")?;
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut program(), "sprinters", &mut text);
            Some(Ok(String::from_utf8_lossy(&text).into_owned()))
        }
        MAN => Some(page(matches.get_one::<String>("COMMAND"), program())),
        _ => None,
    }
}

fn page(wanted: Option<&String>, mut program: Command) -> Result<String, Failure> {
    program.build();
    let command = match wanted {
        None => program,
        Some(name) => match program.find_subcommand(name) {
            Some(command) => command
                .clone()
                .display_name(format!("sprinters-{name}"))
                .bin_name(format!("sprinters {name}")),
            None => return Err(super::no_such_command(name)),
        },
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut text)
        .map_err(|error| Failure {
            exit: Exit::Failed,
            ..Failure::new(
                format!("cannot write the page: {error}"),
                "report this as a bug",
            )
        })?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
