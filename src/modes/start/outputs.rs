//! The outputs of a `start`.

use crate::clients::Clients;
use crate::error::Failure;
use crate::launch::runner::LaunchedRunner;
use crate::report::Reporter;

/// All of them, as `action.yml` names them.
const NAMES: [&str; 13] = [
    "label",
    "runner-id",
    "runner-name",
    "instance-id",
    "instance-type",
    "region",
    "availability-zone",
    "market",
    "instance-ids",
    "runners",
    "attempt",
    "job-id",
    "fallback",
];

/// Sets outputs of the step; of two values for one name, GitHub takes the later.
pub(super) fn write<'a>(
    outputs: impl IntoIterator<Item = (&'static str, &'a str)>,
    report: &Reporter,
) -> Result<(), Failure> {
    for (name, value) in outputs {
        debug_assert!(NAMES.contains(&name), "`{name}` would not be cleared");
        report
            .output(name, value)
            .map_err(|error| Failure::output(name, &error))?;
    }
    Ok(())
}

/// Empties them all: what they named is gone, and a job that waited for it would wait for a day.
pub(super) fn clear(report: &Reporter) -> Result<(), Failure> {
    write(NAMES.map(|name| (name, "")), report)
}

/// What was launched so far. With several runners, the single values are those of the first.
pub(super) fn write_launched(
    clients: &Clients,
    runners: &[LaunchedRunner],
    report: &Reporter,
) -> Result<(), Failure> {
    let Some(first) = runners.first() else {
        return Ok(());
    };
    let ids: Vec<&str> = runners
        .iter()
        .map(|runner| runner.instance_id.as_str())
        .collect();
    let labels: Vec<&str> = runners.iter().map(|runner| runner.label.as_str()).collect();
    let json = |list| serde_json::to_string(list).unwrap_or_default();
    let (ids, labels) = (json(&ids), json(&labels));
    let (runner_id, market) = (
        first.runner_id.to_string(),
        first.candidate.market.to_string(),
    );
    let job_id = clients.run.job_id.map(|id| id.to_string());
    write(
        [
            ("label", first.label.as_str()),
            ("runner-id", &runner_id),
            ("runner-name", &first.name),
            ("instance-id", first.instance_id.as_str()),
            ("instance-type", first.candidate.instance_type.as_str()),
            ("region", first.candidate.region.as_str()),
            (
                "availability-zone",
                first.availability_zone.as_deref().unwrap_or_default(),
            ),
            ("market", &market),
            ("instance-ids", &ids),
            ("runners", &labels),
            ("attempt", &clients.run.attempt),
            ("job-id", job_id.as_deref().unwrap_or_default()),
            ("fallback", "false"),
        ],
        report,
    )
}
