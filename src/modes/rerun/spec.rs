//! Which workflow run may have to run again, and how often.

use crate::inputs::{InputError, Inputs, Problems};

/// What `rerun` is asked to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RerunSpec {
    pub run: u64,
    /// The attempt that has just ended, where an event tells it; else the latest.
    pub attempt: Option<u32>,
    /// No attempt is started beyond this one.
    pub max_attempts: u32,
}

const MAX_ATTEMPTS: u32 = 3;
/// GitHub itself runs nothing more often again.
/// <https://docs.github.com/en/actions/how-tos/manage-workflow-runs/re-run-workflows-and-jobs>
const MOST_ATTEMPTS: u32 = 51;

impl RerunSpec {
    /// `event` is the content of the file that `GITHUB_EVENT_PATH` names.
    pub(crate) fn parse(
        inputs: &Inputs,
        event: Option<&str>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let max_attempts = max_attempts(inputs, problems);
        let ended = event.and_then(ended_run);
        let run = match inputs.get("run-id") {
            Some(_) => problems.optional(inputs, "run-id", run_id)?,
            None => problems.collect(ended.map(|(run, _)| run).ok_or_else(|| {
                let why = "it is empty, and no `workflow_run` event names it; run this in a workflow with \
                           `on: workflow_run`, or pass the run's number";
                InputError::new("run-id", why)
            }))?,
        };
        Some(Self {
            run,
            attempt: ended
                .filter(|(ended, _)| *ended == run)
                .map(|(_, attempt)| attempt),
            max_attempts,
        })
    }
}

fn run_id(text: &str) -> Result<u64, String> {
    text.parse()
        .ok()
        .filter(|id| *id > 0)
        .ok_or_else(|| "a workflow run's number, such as `1234567890`".to_owned())
}

/// Which attempt of a run is the last that is begun.
pub(crate) fn max_attempts(inputs: &Inputs, problems: &mut Problems) -> u32 {
    let parse = |text: &str| {
        text.parse()
            .ok()
            .filter(|most| (1..=MOST_ATTEMPTS).contains(most))
            .ok_or_else(|| format!("a number from 1 to {MOST_ATTEMPTS}"))
    };
    problems
        .optional(inputs, "max-attempts", parse)
        .unwrap_or(MAX_ATTEMPTS)
}

/// The run and the attempt that a `workflow_run` event is about.
fn ended_run(event: &str) -> Option<(u64, u32)> {
    let event: serde_json::Value = serde_json::from_str(event).ok()?;
    let run = event.get("workflow_run")?;
    let attempt = run
        .get("run_attempt")
        .and_then(serde_json::Value::as_u64)
        .unwrap_or(1);
    Some((run.get("id")?.as_u64()?, attempt.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(values: &[(&'static str, &str)], event: &str) -> Result<RerunSpec, String> {
        let flags = values
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        let (_, inputs) = Inputs::gather(flags, None, |_| None).unwrap_or_default();
        let mut problems = Problems::default();
        let spec = RerunSpec::parse(&inputs, Some(event), &mut problems);
        match (spec, problems.into_errors().first()) {
            (Some(spec), None) => Ok(spec),
            (_, error) => Err(error.map(ToString::to_string).unwrap_or_default()),
        }
    }

    const EVENT: &str =
        r#"{"action": "completed", "workflow_run": {"id": 30433642, "run_attempt": 2}}"#;

    #[test]
    fn the_event_tells_run_and_attempt() {
        let spec = RerunSpec {
            run: 30_433_642,
            attempt: Some(2),
            max_attempts: 3,
        };
        assert_eq!(parse(&[], EVENT), Ok(spec.clone()));
        assert_eq!(parse(&[("run-id", "30433642")], EVENT), Ok(spec.clone()));
        let another = parse(&[("run-id", "7"), ("max-attempts", "5")], EVENT);
        let expected = RerunSpec {
            run: 7,
            attempt: None,
            max_attempts: 5,
        };
        assert_eq!(another, Ok(expected));
    }

    #[test]
    fn wrong_ones_are_reported() {
        for event in ["", "{}", "[]", r#"{"workflow_run": {"id": "x"}}"#] {
            assert!(parse(&[], event).is_err_and(|error| error.contains("`on: workflow_run`")));
        }
        for (name, value) in [
            ("run-id", "0"),
            ("run-id", "-1"),
            ("run-id", "latest"),
            ("max-attempts", "0"),
            ("max-attempts", "52"),
            ("max-attempts", "many"),
        ] {
            assert!(parse(&[(name, value)], EVENT).is_err_and(|error| error.contains(name)));
        }
    }
}
