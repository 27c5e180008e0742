//! The job summary of a mode that failed: the cause, what to do, what EC2 and the instance said, and how to try again.

use std::fmt::Write;

use super::markdown::{block, folded, text};
use crate::error::{Exit, Failure};
use crate::inputs::Mode;

/// How the run is run again, where it is a workflow's.
#[derive(Debug)]
pub(super) struct Again(String);

impl Again {
    /// From what GitHub tells every step. The GitHub CLI takes another server's name before the repository's.
    pub(super) fn of(environment: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let is_plain = |text: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || "-._/:".contains(c);
            !text.is_empty() && text.chars().all(fits)
        };
        let known = |name| environment(name).filter(|text| is_plain(text));
        let (repository, run) = (known("GITHUB_REPOSITORY")?, known("GITHUB_RUN_ID")?);
        let server = known("GITHUB_SERVER_URL").unwrap_or_default();
        let host = match server.strip_prefix("https://").unwrap_or_default() {
            "" | "github.com" => String::new(),
            host => format!("{host}/"),
        };
        Some(Self(format!(
            "gh run rerun {run} --failed --repo {host}{repository}"
        )))
    }
}

/// The summary; `None` for modes that write their own, whether they fail or not.
pub(super) fn markdown(mode: Mode, failure: &Failure, again: Option<&Again>) -> Option<String> {
    let title = match mode {
        Mode::Start => "no runner",
        Mode::Stop => "`stop` failed",
        Mode::Sweep => "`sweep` failed",
        Mode::Bake => "no image",
        Mode::Rerun => "`rerun` failed",
        Mode::Check | Mode::Listen | Mode::Policy => return None,
    };
    let mut markdown = format!("### Sprinters: {title}\n\n");
    cause(&mut markdown, &failure.what);
    let (long, short): (Vec<&String>, Vec<&String>) =
        failure.help.iter().partition(|help| help.contains('\n'));
    for help in short {
        let _ = writeln!(markdown, "- {}", text(help));
    }
    if !failure.help.is_empty() {
        markdown.push('\n');
    }
    if !failure.ladder.is_empty() {
        let ladder = block(failure.ladder.iter().map(String::as_str));
        markdown.push_str(&folded("The ladder, and what EC2 answered", &ladder));
    }
    for help in long {
        let (title, lines) = help.split_once('\n').unwrap_or((help, ""));
        // The ladder has them.
        if failure.ladder.is_empty() || failure.exit != Exit::NoCapacity {
            let title = super::markdown::html(title.trim_end_matches(':'));
            markdown.push_str(&folded(&title, &block(lines.lines().map(str::trim))));
        }
    }
    // The same inputs would be as wrong the next time.
    if let Some(Again(command)) = again.filter(|_| failure.exit != Exit::WrongInput) {
        let _ = write!(markdown, "Try again:\n\n```sh\n{command}\n```\n\n");
    }
    Some(markdown)
}

/// One line is a sentence; several point to a place in a text, and stay as they are.
fn cause(markdown: &mut String, what: &str) {
    if what.contains('\n') {
        let _ = writeln!(markdown, "{}", block(what.lines()));
    } else {
        let _ = writeln!(markdown, "**{}**\n", text(what));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(variables: &[(&str, &str)]) -> Option<Again> {
        Again::of(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_failed_start() {
        let again = again(&[
            ("GITHUB_REPOSITORY", "octo/repo"),
            ("GITHUB_RUN_ID", "1234"),
        ]);
        let failure = Failure::new(
            "instance `i-0a` is terminated before its runner came online: <b>Client.InternalError",
            "look at the key of the volume's encryption",
        )
        .and("the console of `i-0a` says:\n    sprinters: error: no\n    ```</details>")
        .and("nothing is left running")
        .with_ladder(vec!["on-demand m7i.large in any zone".to_owned()]);
        let shown = markdown(Mode::Start, &failure, again.as_ref()).unwrap_or_default();
        insta::assert_snapshot!(shown);
    }

    #[test]
    fn wrong_inputs_are_not_tried_again() {
        let again = again(&[
            ("GITHUB_REPOSITORY", "octo/repo"),
            ("GITHUB_RUN_ID", "1234"),
        ]);
        let wrong = crate::inputs::InputError::new("aws-region", "it is empty");
        let failure = Failure::inputs(&[wrong]);
        let shown = markdown(Mode::Stop, &failure, again.as_ref()).unwrap_or_default();
        assert_eq!(
            shown,
            "### Sprinters: `stop` failed\n\n**input `aws-region`: it is empty**\n\n"
        );
        assert!(markdown(Mode::Check, &failure, None).is_none());
    }

    #[test]
    fn the_command_names_the_server_and_nothing_that_a_shell_would_take() {
        let run = ("GITHUB_RUN_ID", "7");
        let on = |server, repository| {
            let server = ("GITHUB_SERVER_URL", server);
            again(&[run, server, ("GITHUB_REPOSITORY", repository)]).map(|Again(command)| command)
        };
        assert_eq!(
            on("https://github.example.com", "o/r").as_deref(),
            Some("gh run rerun 7 --failed --repo github.example.com/o/r")
        );
        assert_eq!(
            on("https://github.com", "o/r").as_deref(),
            Some("gh run rerun 7 --failed --repo o/r")
        );
        assert!(on("https://github.com", "o/r; x").is_none());
    }
}
