//! What a `start` hands out where it cannot have a runner: a label that is always served.

use std::fmt;
use std::str::FromStr;

use crate::error::{Exit, Failure};
use crate::inputs::{InputError, Inputs, Problems};
use crate::report::Reporter;
use crate::report::markdown::{block, code};
use crate::values::label::Label;
use crate::values::list;
use crate::values::runner;

use super::outputs;

/// What a run may fall back for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// No capacity anywhere on the ladder.
    Capacity,
    /// A run that gets no secrets.
    Secrets,
    /// Any other failure that was undone.
    Error,
}

impl FromStr for Cause {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "capacity" => Ok(Self::Capacity),
            "secrets" => Ok(Self::Secrets),
            "error" => Ok(Self::Error),
            _ => Err("any of `capacity`, `secrets`, `error`".to_owned()),
        }
    }
}

impl Cause {
    /// Without `fallback-on`. Any other error is more likely a mistake that somebody should see.
    const DEFAULT: [Self; 2] = [Self::Capacity, Self::Secrets];

    /// What a failure that left nothing behind can be fallen back for; a wrong input stays one.
    pub(super) fn of(failure: &Failure) -> Option<Self> {
        match failure.exit {
            Exit::NoCapacity => Some(Self::Capacity),
            Exit::Failed => Some(Self::Error),
            Exit::WrongInput => None,
        }
    }
}

/// The label, what it is for, and how many are wanted.
#[derive(Clone, Debug)]
pub(crate) struct Fallback {
    label: Label,
    causes: Vec<Cause>,
    count: u16,
}

impl Fallback {
    /// `None` where the inputs ask for no fallback.
    pub(crate) fn parse(inputs: &Inputs, problems: &mut Problems) -> Option<Self> {
        let causes = problems.optional(inputs, "fallback-on", list::parse);
        if causes.is_some() && inputs.get("fallback").is_none() {
            let why = "it is given without `fallback`; name the label to fall back to, such as `ubuntu-latest`";
            problems.push(InputError::new("fallback-on", why));
        }
        let label = problems.optional(inputs, "fallback", |text| {
            if text.contains([',', '\n']) {
                return Err("one label, such as `ubuntu-latest`".to_owned());
            }
            text.parse()
        })?;
        Some(Self {
            label,
            causes: causes.unwrap_or_else(|| Cause::DEFAULT.to_vec()),
            // What is wrong with it is reported where the launch is specified.
            count: inputs
                .get("count")
                .and_then(|text| runner::count(text).ok())
                .unwrap_or(1),
        })
    }

    pub(crate) fn is_for(&self, cause: Cause) -> bool {
        self.causes.contains(&cause)
    }

    /// Writes the outputs, a warning and a summary.
    pub(crate) fn hand_out(
        &self,
        attempt: &str,
        why: &dyn fmt::Display,
        details: &[String],
        report: &Reporter,
    ) -> Result<(), Failure> {
        let labels = vec![self.label.as_str(); usize::from(self.count)];
        let runners = serde_json::to_string(&labels).unwrap_or_default();
        outputs::write(
            [
                ("label", self.label.as_str()),
                ("runners", &runners),
                ("attempt", attempt),
                ("fallback", "true"),
            ],
            report,
        )?;
        report.warning(format_args!(
            "{why}; jobs get the label `{}` instead (`fallback`)",
            self.label
        ));
        if !details.is_empty() {
            report.group("Why", details.iter().cloned());
        }
        report.summary(&self.markdown(why, details));
        Ok(())
    }

    fn markdown(&self, why: &dyn fmt::Display, details: &[String]) -> String {
        let label = code(self.label.as_str());
        let mut text = format!("### Sprinters: no runner, fallback {label}\n\n");
        let why = why.to_string();
        let lines = std::iter::once(&why).chain(details);
        text.push_str(&block(lines.flat_map(|line| line.lines())));
        text.push('\n');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(values: &[(&'static str, &str)]) -> Result<Option<Fallback>, Vec<String>> {
        let flags = values
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        let (_, inputs) = Inputs::gather(flags.collect(), None, |_| None).unwrap_or_default();
        let mut problems = Problems::default();
        let fallback = Fallback::parse(&inputs, &mut problems);
        let errors: Vec<_> = problems
            .into_errors()
            .iter()
            .map(ToString::to_string)
            .collect();
        if errors.is_empty() {
            Ok(fallback)
        } else {
            Err(errors)
        }
    }

    #[test]
    fn an_error_is_not_fallen_back_for_unless_asked() {
        let default = parse(&[("fallback", "ubuntu-latest")]);
        assert!(default.is_ok_and(|f| f.is_some_and(|f| {
            f.is_for(Cause::Capacity) && f.is_for(Cause::Secrets) && !f.is_for(Cause::Error)
        })));
        let only = parse(&[("fallback", "ubuntu-latest"), ("fallback-on", "error")]);
        assert!(only.is_ok_and(|f| {
            f.is_some_and(|f| f.is_for(Cause::Error) && !f.is_for(Cause::Capacity))
        }));
        assert!(parse(&[]).is_ok_and(|f| f.is_none()));
    }

    #[test]
    fn wrong_ones_are_reported() {
        for values in [
            &[("fallback-on", "error")][..],
            &[("fallback", "a, b")],
            &[("fallback", "x"), ("fallback-on", "always")],
        ] {
            assert!(
                parse(values).is_err_and(|errors| errors.len() == 1),
                "{values:?}"
            );
        }
    }
}
