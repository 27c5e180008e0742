//! Why one candidate did not give an instance.

use crate::ec2::Ec2Error;
use crate::error::Failure;

/// Why one candidate did not give an instance.
pub(crate) enum LaunchError {
    /// EC2 refused.
    Refused(Ec2Error),
    /// The launch's time is over, and this candidate has given no reason.
    DeadlineExceeded,
    /// Something else than the candidate is the problem.
    Fatal(Failure),
}

impl From<Failure> for LaunchError {
    fn from(failure: Failure) -> Self {
        Self::Fatal(failure)
    }
}
