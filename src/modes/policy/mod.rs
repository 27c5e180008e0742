//! `policy`: checks IAM policies with the same engine as the book's page. Asks nobody.

mod arguments;
mod catalog;
mod change;
mod facts;
mod file;
mod sarif;
mod simulate;
mod text;

pub(crate) use arguments::{PolicySpec, Question, command, flags, parse_subcommand, questions};

use sprinters_policy::{Checker, Report as Checked};

use crate::error::Failure;
use crate::inputs::InputError;
use crate::modes::policy::file::PolicyFile;
use crate::report::{AnnotationRange, Reporter};
use arguments::{Change, Format};

/// One checked file.
struct Result {
    file: PolicyFile,
    checked: Checked,
}

impl Result {
    /// Whether Sprinters can work with it and nothing in it is an error. What depends on an account or a subnet passes.
    fn passes(&self) -> bool {
        self.checked.headline.passes() && !self.checked.has_errors()
    }

    /// Whether it grants all that is required, whatever it is asked with.
    fn grants(&self) -> bool {
        self.checked.verdict.granted
    }
}

/// Checks every file, and fails if one of them does not pass.
pub(crate) fn check(spec: &PolicySpec, report: &Reporter) -> std::result::Result<(), Failure> {
    let (files, unreadable) = file::read_all(&spec.files);
    let mut checker = Checker::new(spec.options.clone());
    if files.iter().any(|file| catalog::is_needed(&file.text)) {
        checker = checker.with_catalog(catalog::load());
    }
    if spec.change != Change::None {
        let changed = change::apply(&checker, &files, spec.change, report);
        return and_unreadable(changed, &unreadable);
    }
    let results: Vec<Result> = files
        .into_iter()
        .map(|file| Result {
            checked: checker.check(&file.text),
            file,
        })
        .collect();
    match spec.format {
        Format::Text => {
            for result in &results {
                log_findings(result, report);
            }
        }
        Format::Json => report.line(json(&results)),
        Format::Sarif => report.line(sarif::render(&results)),
    }
    let granted = unreadable.is_empty() && results.iter().all(Result::grants);
    report
        .output("granted", &granted.to_string())
        .map_err(|error| Failure::output("granted", &error))?;
    and_unreadable(all_pass(&results), &unreadable)
}

fn all_pass(results: &[Result]) -> std::result::Result<(), Failure> {
    let failed: Vec<String> = results
        .iter()
        .filter(|result| !result.passes())
        .map(|result| format!("`{}`", result.file.name))
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        format!("the policy does not fit: {}", failed.join(", ")),
        "each finding above says what to change; `sprinters policy tighten` prints a policy that fits",
    ))
}

/// A file that cannot be read is a wrong input; what came of the others is reported with it.
fn and_unreadable(
    outcome: std::result::Result<(), Failure>,
    unreadable: &[InputError],
) -> std::result::Result<(), Failure> {
    if unreadable.is_empty() {
        return outcome;
    }
    let mut failure = Failure::inputs(unreadable);
    if let Err(other) = outcome {
        failure.what = format!("{}\n{}", failure.what, other.what);
        failure.help = other.help;
    }
    Err(failure)
}

/// Answers `simulate` and `tighten`, whose answer is the output.
pub(crate) fn answer(question: &Question, report: &Reporter) -> std::result::Result<(), Failure> {
    match question {
        Question::Tighten(setup) => {
            report.line(sprinters_policy::tighten(setup).trim_end());
            Ok(())
        }
        Question::Simulate(simulation) => simulate::answer(simulation, report),
    }
}

/// Annotations beyond this many are not shown for one step, so that the first must be the causes.
/// <https://docs.github.com/actions/reference/limits>
const MOST_ANNOTATIONS: usize = 10;

/// The findings as a person reads them, and in a workflow as annotations on the lines: causes first.
fn log_findings(result: &Result, report: &Reporter) {
    let snippets = text::Snippets::new(&result.file);
    let all = text::causes_first(&result.checked);
    for (at, finding) in all.iter().enumerate() {
        report.line(snippets.finding(finding, report.has_colours()));
        if at >= MOST_ANNOTATIONS {
            continue;
        }
        if let Some(location) = finding.locations.first() {
            let place = AnnotationRange {
                file: &result.file.name,
                line: location.span.start.line,
                column: location.span.start.column + 1,
                end_line: location.span.end.line,
                end_column: location.span.end.column + 1,
            };
            report.annotation(
                text::level(finding.finding_type),
                &finding.issue_code,
                &place,
                &finding.finding_details,
            );
        }
    }
    text::verdict(&result.file, &result.checked, report);
}

/// One report as `aws accessanalyzer validate-policy` prints it; several as a list with each file's name.
fn json(results: &[Result]) -> String {
    let one = |result: &Result| serde_json::to_value(&result.checked).unwrap_or_default();
    let value = match results {
        [only] => one(only),
        several => several
            .iter()
            .map(|result| {
                let mut value = one(result);
                if let Some(object) = value.as_object_mut() {
                    object.insert("file".to_owned(), result.file.name.clone().into());
                }
                value
            })
            .collect(),
    };
    serde_json::to_string_pretty(&value).unwrap_or_default()
}
