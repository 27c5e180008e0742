//! A runner whose instance was launched.

use std::time::Duration;

use crate::launch::journal::AttemptId;
use crate::report::seconds;
use crate::values::candidate::Candidate;
use crate::values::network::InstanceId;
use crate::values::runner_id::RunnerId;
use crate::values::volume::Volumes;

/// A runner whose instance EC2 has launched.
#[derive(Clone, Debug)]
pub(crate) struct LaunchedRunner {
    pub entry: AttemptId,
    pub label: String,
    pub name: String,
    pub runner_id: RunnerId,
    pub instance_id: InstanceId,
    pub candidate: Candidate,
    pub volumes: Volumes,
    pub availability_zone: Option<String>,
    /// How long GitHub took to create the record.
    pub minted_in: Duration,
    /// How long EC2 took to answer `RunInstances`.
    pub launched_in: Duration,
}

/// How a launch reads in the log.
pub(crate) fn described(runner: &LaunchedRunner) -> String {
    let LaunchedRunner {
        candidate,
        availability_zone,
        instance_id,
        minted_in,
        ..
    } = runner;
    let zone = availability_zone.as_deref().unwrap_or("an unnamed zone");
    format!(
        "launched `{instance_id}`: {} {} in {zone} (JIT config {})",
        candidate.market,
        candidate.instance_type,
        seconds(*minted_in)
    )
}
