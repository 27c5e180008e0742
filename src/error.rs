//! The error that a mode ends with: what failed, on what, and what to do; and the exit code that goes with it.

use crate::ec2::Ec2Error;
use crate::github::GithubError;
use crate::inputs::{InputError, SourceSpan};
use crate::values::region::Region;
use crate::values::scope::Scope;

/// The exit codes of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 1: it failed.
    Failed,
    /// 2: an input is wrong or missing, and nothing was changed.
    WrongInput,
    /// 3: there was no capacity anywhere on the ladder.
    NoCapacity,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::WrongInput => 2,
            Self::NoCapacity => 3,
        }
    }
}

/// The end of a mode that did not reach its goal.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub exit: Exit,
    /// What failed, and on what.
    pub what: String,
    /// What to do; a line each.
    pub help: Vec<String>,
    /// The place in a file of the repository that it is about.
    pub place: Option<Box<SourceSpan>>,
    /// What a launch could be and what EC2 answered, for the job summary: the log has it already.
    pub ladder: Vec<String>,
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            exit: Exit::Failed,
            what: what.into(),
            help: vec![help.into()],
            place: None,
            ladder: Vec::new(),
        }
    }

    pub(crate) fn ec2(error: &Ec2Error, region: &Region) -> Self {
        let mut failure = Self::new(error.to_string(), error.remedy(region));
        if let Some(id) = &error.request_id {
            failure.help.push(format!("AWS request id: {id}"));
        }
        failure
    }

    pub(crate) fn github(error: &GithubError, scope: &Scope) -> Self {
        Self::new(error.to_string(), error.remedy(scope))
    }

    /// What went wrong on this machine, with its causes in one line.
    pub(crate) fn local(error: &anyhow::Error, help: impl Into<String>) -> Self {
        Self::new(format!("{error:#}"), help)
    }

    /// What no machine that works refuses.
    pub(crate) fn bug(error: &anyhow::Error) -> Self {
        Self::local(error, "report this as a bug")
    }

    /// Somebody cancelled the job.
    pub(crate) fn cancelled(signal: &str) -> Self {
        Self::new(
            format!("cancelled ({signal})"),
            "someone, or a newer run, cancelled this job",
        )
    }

    /// An output that could not be written.
    pub(crate) fn output(name: &str, error: &std::io::Error) -> Self {
        Self::new(
            format!("could not write the output `{name}`: {error}"),
            "check the file that GITHUB_OUTPUT names",
        )
    }

    /// All wrong inputs in one message.
    pub(crate) fn inputs(errors: &[InputError]) -> Self {
        let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let mut places = errors.iter().filter_map(|error| error.place.as_ref());
        Self {
            exit: Exit::WrongInput,
            what: lines.join("\n"),
            help: Vec::new(),
            place: places.find(|place| place.is_in_repository()).cloned(),
            ladder: Vec::new(),
        }
    }

    /// Adds what else the reader should know.
    pub(crate) fn and(mut self, line: impl Into<String>) -> Self {
        self.help.push(line.into());
        self
    }

    /// Behind other wrong inputs, where it is one: all are reported at once.
    pub(crate) fn after(mut self, others: &[InputError]) -> Self {
        if self.exit == Exit::WrongInput && !others.is_empty() {
            let others = Self::inputs(others).what;
            self.what = format!("{others}\n{}", self.what);
        }
        self
    }

    /// With the ladder for the job summary.
    pub(crate) fn with_ladder(self, ladder: Vec<String>) -> Self {
        Self { ladder, ..self }
    }

    /// On one line, for a log that has one for each event.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn briefly(&self) -> String {
        let lines = self.help.iter().flat_map(|help| help.lines());
        let help: Vec<&str> = lines.map(str::trim).collect();
        format!("{}; {}", self.what, help.join("; "))
    }
}
