//! What a set hears from the calls that it makes beside its long poll.

use super::census::Census;
use super::job_line::JobOver;
use crate::ec2::Instance;
use crate::error::Failure;
use crate::values::network::InstanceId;

/// What an errand comes back with.
pub(super) enum News {
    Census(Result<Census, Failure>),
    /// `false`: it got a job in between, and lives on.
    Ended(InstanceId, Result<bool, String>),
    /// A runner's record could not be deleted; why, unless GitHub says that the runner has a job.
    RecordLeft(Option<String>),
    /// Instances of jobs that were over before this listener saw where they ran, as far as EC2 still shows them.
    Ran(Vec<JobOver>, Vec<Instance>),
    Warning(String),
    Nothing,
}
