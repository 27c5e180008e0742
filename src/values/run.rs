//! Which workflow run this is, and the names that come from it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::base36::{DIGITS, base36, letters, secret_letters};
use super::repository::Repository;
use super::scope::Scope;

/// The workflow run that an instance belongs to. At a terminal, where there is none, the id is [`LOCAL`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WorkflowRun {
    pub repository: Repository,
    pub id: String,
    pub attempt: String,
    pub job: String,
    /// GitHub's number for the job that runs this step, where `action.yml` knows it: with it the job can be run again.
    pub job_id: Option<u64>,
    /// Where its runners register.
    pub scope: Scope,
}

/// What stands in a run's id and its job's key at a terminal. Everybody at a terminal shares it, so that it names nobody's launch.
pub(crate) const LOCAL: &str = "local";

/// What starts the name of every runner of ours.
const PREFIX: &str = "sprinters-";

/// Whoever guesses a label can send a job to the runner: 62 bits, and a name has room for no more.
const SECRET_LETTERS: usize = 12;

/// The name of a launch: its time is inside, so that a later sweep can tell how old a runner record is.
/// Every launch has its own, so that concurrent runs never take each other's runners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LaunchName {
    name: String,
    /// The repository's.
    short_hash: String,
}

impl LaunchName {
    /// A fresh name for a launch of this run.
    pub(crate) fn fresh(run: &WorkflowRun, now: SystemTime) -> Self {
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Self {
            name: format!(
                "{PREFIX}{}-{}-{}{}",
                run.id,
                run.attempt,
                base36(seconds),
                secret_letters(SECRET_LETTERS)
            ),
            short_hash: run.repository.short_hash(),
        }
    }

    /// What the names of all launches of this run begin with.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn beginning(run: &WorkflowRun) -> String {
        format!("{PREFIX}{}-{}-", run.id, run.attempt)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.name
    }

    /// A fresh runner name under this launch: GitHub refuses a name twice, so each attempt needs its own.
    pub(crate) fn runner_name(&self) -> String {
        format!("{}-{}{}", self.name, letters(4), self.short_hash)
    }
}

impl WorkflowRun {
    /// Whether it is none: somebody at a terminal.
    pub(crate) fn is_local(&self) -> bool {
        self.id == LOCAL
    }

    /// Whether GitHub runs this for the first time.
    pub(crate) fn is_first_attempt(&self) -> bool {
        self.attempt == "1"
    }

    /// Whether a runner of that name was launched by this run (any attempt).
    pub(crate) fn launched(&self, runner_name: &str) -> bool {
        runner_name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.strip_prefix(self.id.as_str()))
            .is_some_and(|rest| rest.starts_with('-'))
            && self.may_touch(runner_name)
    }

    /// Whether a runner of that name is this repository's to end: only a name that we gave says so.
    pub(crate) fn may_touch(&self, runner_name: &str) -> bool {
        runner_name.starts_with(PREFIX) && runner_name.ends_with(&self.repository.short_hash())
    }
}

/// The label of the launch that a runner of that name is of.
pub(crate) fn label_of(runner_name: &str) -> Option<&str> {
    let (label, _) = runner_name.rsplit_once('-')?;
    label.starts_with(PREFIX).then_some(label)
}

/// The attempt of that run whose launch a label is of; `None` where it is of another run, or not one of ours.
pub(crate) fn attempt_of_label(label: &str, run: &str) -> Option<u32> {
    let label = label.to_ascii_lowercase();
    let rest = label.strip_prefix(PREFIX)?.strip_prefix(run)?;
    let (attempt, _) = rest.strip_prefix('-')?.split_once('-')?;
    attempt.parse().ok()
}

/// Whether a name is made as ours are; whose it is, is another question.
pub(crate) fn is_like_ours(name: &str) -> bool {
    name.starts_with(PREFIX) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// How long ago a runner of that name was launched; `None` where the name is not one of ours.
pub(crate) fn age(runner_name: &str, now: SystemTime) -> Option<Duration> {
    let stamp = runner_name.strip_prefix(PREFIX)?.rsplit('-').nth(1)?;
    let seconds = u64::from_str_radix(stamp.get(..DIGITS)?, 36).ok()?;
    let launched = UNIX_EPOCH + Duration::from_secs(seconds);
    // A name from the future is as good as new: clocks of two machines differ a little.
    (seconds > 0).then(|| now.duration_since(launched).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository(name: &str) -> Repository {
        name.parse().unwrap_or_else(|e| unreachable!("{e}"))
    }

    fn run(id: &str) -> WorkflowRun {
        WorkflowRun {
            repository: repository("octo/repo"),
            id: id.to_owned(),
            attempt: "2".to_owned(),
            job: "start".to_owned(),
            job_id: None,
            scope: Scope::Repository(repository("octo/repo")),
        }
    }

    #[test]
    fn the_name_tells_whose_it_is() {
        let mut here = run("7");
        let name = LaunchName::fresh(&here, SystemTime::now()).runner_name();
        let mut there = WorkflowRun {
            repository: repository("octo/other"),
            ..run("7")
        };
        assert!(here.launched(&name) && !there.launched(&name));
        here.scope = Scope::Organization("octo".to_owned());
        there.scope = here.scope.clone();
        assert!(here.launched(&name) && here.may_touch(&name));
        assert!(!there.launched(&name) && !there.may_touch(&name));
        // GitHub ignores the case of names.
        here.repository = repository("Octo/Repo");
        assert!(here.launched(&name));
    }

    #[test]
    fn names_fit_github_and_tell_their_age() {
        let now = UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        let run = run("12345678901234");
        let launch = LaunchName::fresh(&run, now);
        let name = launch.runner_name();
        assert!(name.len() <= 64, "{name}");
        assert!(run.launched(&name));
        assert!(!self::run("1234").launched(&name));
        assert_eq!(
            age(&name, now + Duration::from_secs(90)),
            Some(Duration::from_secs(90))
        );
        assert_eq!(
            age(&name, now - Duration::from_secs(90)),
            Some(Duration::ZERO)
        );
        assert_ne!(launch.runner_name(), name);
        assert_eq!(label_of(&name), Some(launch.as_str()));
        assert_eq!(label_of("my-runner"), None);
    }

    #[test]
    fn a_name_is_nothing_but_a_name() {
        let name = LaunchName::fresh(&run("7"), SystemTime::now()).runner_name();
        assert!(is_like_ours(&name));
        for other in [
            "my-runner",
            "sprinters-7&page=2",
            "sprinters-7\n",
            "sprinters-é",
        ] {
            assert!(!is_like_ours(other), "{other}");
        }
    }

    #[test]
    fn names_of_others_have_no_age() {
        for name in [
            "my-runner",
            "sprinters-",
            "sprinters-1-1",
            "sprinters-1-1-abc-x",
            "sprinters-a b-c!d!e!-f",
        ] {
            assert_eq!(age(name, SystemTime::now()), None, "{name}");
        }
    }

    #[test]
    fn repositories() {
        assert!("octo-org/some.repo_1".parse::<Repository>().is_ok());
        for text in ["", "octo", "octo/", "/repo", "a/b/c", "octo/re po"] {
            assert!(text.parse::<Repository>().is_err(), "{text}");
        }
    }
}
