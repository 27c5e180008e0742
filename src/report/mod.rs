//! Everything that leaves the program: the log, masks, annotations, outputs and the job summary.
//!
//! In a workflow the log speaks GitHub's workflow commands; at a terminal it has colours and a progress line; elsewhere it
//! is plain lines. Nothing else in the program prints.

mod annotation;
mod check_result;
mod command;
pub(crate) mod debug;
pub(crate) mod diff;
mod failed;
pub(crate) mod markdown;
pub(crate) mod mermaid;
mod stream;
mod text;

pub(crate) use annotation::{AnnotationRange, Level};
pub(crate) use check_result::{CheckResult, CheckStatus};
pub(crate) use stream::flush;
pub(crate) use text::{first_of, seconds};

use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::{Map, Value};

use anstyle::AnsiColor;

use crate::error::Failure;
use crate::inputs::Mode;

const ERROR: anstyle::Style = AnsiColor::Red.on_default().bold();
const WARNING: anstyle::Style = AnsiColor::Yellow.on_default().bold();
const HELP: anstyle::Style = AnsiColor::Cyan.on_default();
const DIM: anstyle::Style = anstyle::Style::new().dimmed();

/// Where the report goes.
#[derive(Debug)]
pub(crate) struct Reporter {
    style: Style,
    outputs: Option<PathBuf>,
    summary: Option<PathBuf>,
    /// How to run the workflow's run again.
    again: Option<failed::Again>,
    /// Every line of the log is a JSON object.
    is_json: AtomicBool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// GitHub's log: workflow commands.
    Workflow,
    /// A person at a terminal: colours, and a progress line that is written over.
    Terminal { colours: bool },
    /// A file or a pipe.
    Plain,
}

impl Reporter {
    pub(crate) fn new(environment: impl Fn(&str) -> Option<String>) -> Self {
        let style = if environment("GITHUB_ACTIONS").as_deref() == Some("true") {
            Style::Workflow
        } else if io::stdout().is_terminal() {
            Style::Terminal {
                colours: environment("NO_COLOR").is_none(),
            }
        } else {
            Style::Plain
        };
        Self {
            style,
            outputs: environment("GITHUB_OUTPUT").map(PathBuf::from),
            summary: environment("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            again: failed::Again::of(environment),
            is_json: AtomicBool::new(false),
        }
    }

    /// From now on, the log is for programs: whatever is written is one JSON object a line. Only masks stay workflow commands,
    /// which the runner takes out of the log.
    pub(crate) fn write_json(&self) {
        self.is_json.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_json(&self) -> bool {
        self.is_json.load(Ordering::Relaxed)
    }

    /// How lines are written; what is put into JSON is plain.
    fn style(&self) -> Style {
        if self.is_json() {
            Style::Plain
        } else {
            self.style
        }
    }

    /// Something that happened; its fields are for programs alone.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn event(&self, level: Level, text: &str, fields: Map<String, Value>) {
        match level {
            _ if self.is_json() => object(level, text, fields),
            Level::Notice | Level::Debug => self.line(text),
            Level::Warning | Level::Error => self.warning(text),
        }
    }

    /// Keeps a secret out of this job's log from now on. Outside of a workflow there is no log to keep it out of, and
    /// printing it would be the leak.
    pub(crate) fn mask(&self, secret: &str) {
        if self.style == Style::Workflow {
            for line in secret.lines().filter(|line| !line.trim().is_empty()) {
                stream::line(&command::line("add-mask", &[], line));
            }
        }
    }

    /// One line of the log.
    pub(crate) fn line(&self, text: impl Display) {
        if self.is_json() {
            let text = text.to_string();
            // The bullet is for people's eyes.
            let text = text.strip_prefix("· ").unwrap_or(&text);
            return object(Level::Notice, text, Map::new());
        }
        self.clear_progress();
        stream::line(&command::harmless(&text.to_string()));
    }

    /// Text for a program or a file, which gets it as it is. In a workflow whatever is not written to a file is read by the
    /// runner, and the text may be anybody's.
    pub(crate) fn verbatim(&self, text: &str) {
        self.clear_progress();
        if self.is_in_workflow() && !stream::is_saved() {
            stream::write_all(&command::harmless(text));
        } else {
            stream::write_all(text);
        }
    }

    /// Whether the runner reads what is printed.
    pub(crate) fn is_in_workflow(&self) -> bool {
        self.style == Style::Workflow
    }

    /// A line beside such text, which must not be mixed up with it.
    pub(crate) fn aside(&self, text: impl Display) {
        if self.is_json() {
            return object(Level::Notice, &text.to_string(), Map::new());
        }
        self.clear_progress();
        stream::error_line(&command::harmless(&text.to_string()));
    }

    /// A step that is done, and how long it took.
    pub(crate) fn done(&self, text: impl Display, took: Duration) {
        self.mark(
            CheckStatus::Done,
            format_args!("{text}  {}", self.dim(&seconds(took))),
        );
    }

    /// A line with a mark before it.
    pub(crate) fn mark(&self, mark: CheckStatus, text: impl Display) {
        let (sign, colour) = match mark {
            CheckStatus::Done => ("✓", AnsiColor::Green),
            CheckStatus::Missing => ("✗", AnsiColor::Red),
            CheckStatus::Unknown | CheckStatus::Unanswered => ("?", AnsiColor::Yellow),
        };
        self.line(format_args!(
            "{} {text}",
            self.painted(colour.on_default(), sign)
        ));
    }

    /// Lines that fold away in a workflow's log.
    pub(crate) fn group(&self, title: &str, lines: impl IntoIterator<Item = String>) {
        let in_workflow = self.style() == Style::Workflow;
        if in_workflow {
            stream::line(&command::line("group", &[], title));
        } else {
            self.line(self.dim(title));
        }
        for line in lines {
            self.line(format_args!("  {line}"));
        }
        if in_workflow {
            stream::line(&command::line("endgroup", &[], ""));
        }
    }

    /// Something that did not stop the work, but that someone should know.
    pub(crate) fn warning(&self, text: impl Display) {
        if self.is_json() {
            return object(Level::Warning, &text.to_string(), Map::new());
        }
        self.clear_progress();
        let text = text.to_string();
        match self.style {
            Style::Workflow => {
                stream::line(&command::line("warning", &[("title", "Sprinters")], &text));
            }
            _ => stream::error_line(&format!("{}: {text}", self.painted(WARNING, "warning"))),
        }
    }

    /// A line for whoever looks for a fault.
    fn debug(&self, text: &str) {
        match self.style() {
            _ if self.is_json() => object(Level::Debug, text, Map::new()),
            Style::Workflow => stream::line(&command::line("debug", &[], text)),
            _ => self.aside(self.dim(&format!("debug: {text}"))),
        }
    }

    /// A finding on a place in a file: GitHub shows it on that line. Elsewhere the log has said it already.
    pub(crate) fn annotation(
        &self,
        level: Level,
        title: &str,
        place: &AnnotationRange<'_>,
        text: &str,
    ) {
        if self.style() != Style::Workflow {
            return;
        }
        let name = level.name();
        let numbers =
            [place.line, place.end_line, place.column, place.end_column].map(|n| n.to_string());
        let [line, end_line, column, end_column] = &numbers;
        let mut properties = vec![
            ("file", place.file),
            ("line", line.as_str()),
            ("endLine", end_line),
        ];
        // GitHub takes columns only where the place is within one line.
        if place.line == place.end_line {
            properties.extend([("col", column.as_str()), ("endColumn", end_column)]);
        }
        properties.push(("title", title));
        stream::line(&command::line(name, &properties, text));
    }

    /// Whether text for this report may have colours of its own.
    pub(crate) fn has_colours(&self) -> bool {
        self.style() == Style::Terminal { colours: true }
    }

    /// The failure, once, with what to do; in a job's summary, too.
    pub(crate) fn failure(&self, mode: Option<Mode>, failure: &Failure) {
        let markdown = mode.and_then(|mode| failed::markdown(mode, failure, self.again.as_ref()));
        if let Some(markdown) = markdown {
            self.summary(&markdown);
        }
        if self.is_json() {
            let help = failure.help.iter().map(|line| line.as_str().into());
            let fields = Map::from_iter([("help".to_owned(), Value::Array(help.collect()))]);
            return object(Level::Error, &failure.what, fields);
        }
        self.clear_progress();
        if self.style == Style::Workflow {
            let title = match mode {
                Some(mode) => format!("Sprinters {}", mode.name()),
                None => "Sprinters".to_owned(),
            };
            let mut text = failure.what.clone();
            for help in &failure.help {
                text.push_str("\n→ ");
                text.push_str(help);
            }
            let place = failure.place.as_deref();
            let (line, column) = place.map_or_else(Default::default, |place| {
                (place.line().to_string(), place.column().to_string())
            });
            // GitHub shows it on that line of the file, too.
            let mut properties = place.map_or_else(Vec::new, |place| {
                vec![("file", place.file()), ("line", &line), ("col", &column)]
            });
            properties.push(("title", &title));
            stream::line(&command::line("error", &properties, &text));
            return;
        }
        for line in failure.what.lines() {
            stream::error_line(&format!("{}: {line}", self.painted(ERROR, "error")));
        }
        for help in &failure.help {
            stream::error_line(&format!("  {} {help}", self.painted(HELP, "help:")));
        }
    }

    /// What is being waited for: one line that is written over, at a terminal only.
    pub(crate) fn progress(&self, text: impl Display) {
        if matches!(self.style(), Style::Terminal { .. }) {
            stream::text(format!("\r\x1b[K{}", text::one_line(&text.to_string())));
        }
    }

    fn clear_progress(&self) {
        if matches!(self.style(), Style::Terminal { .. }) {
            stream::text("\r\x1b[K".to_owned());
        }
    }

    /// Whether outputs can be set: the file may be full, or not ours to write.
    pub(crate) fn try_outputs(&self) -> io::Result<()> {
        append(self.outputs.as_ref(), "")
    }

    /// Sets an output of the step.
    pub(crate) fn output(&self, name: &str, value: &str) -> io::Result<()> {
        append(self.outputs.as_ref(), &command::output(name, value))
    }

    /// Adds to the job's summary.
    pub(crate) fn summary(&self, markdown: &str) {
        if let Err(error) = append(self.summary.as_ref(), markdown) {
            self.warning(format_args!("could not write the job summary: {error}"));
        }
    }

    fn dim(&self, text: &str) -> String {
        self.painted(DIM, text)
    }

    fn painted(&self, style: anstyle::Style, text: &str) -> String {
        match self.style() {
            Style::Terminal { colours: true } => format!("{style}{text}{style:#}"),
            _ => text.to_owned(),
        }
    }
}

/// Appends to a file that GitHub named; without a name nobody reads it.
fn append(file: Option<&PathBuf>, text: &str) -> io::Result<()> {
    match file {
        Some(path) => OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)?
            .write_all(text.as_bytes()),
        None => Ok(()),
    }
}

/// A line for programs.
fn object(level: Level, text: &str, fields: Map<String, Value>) {
    let now = DateTime::from(SystemTime::now()).fmt(Format::DateTime);
    let mut object = Map::new();
    object.insert("time".to_owned(), now.unwrap_or_default().into());
    let level = match level {
        Level::Notice => "info",
        other => other.name(),
    };
    object.insert("level".to_owned(), level.into());
    object.extend(fields);
    object.insert("message".to_owned(), text.into());
    stream::line(&command::harmless_json(&Value::Object(object).to_string()));
}
