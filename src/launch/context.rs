//! What all launches of one call share: what they are made with, their time and their turns.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use crate::clients::Clients;
use crate::ec2::{Ec2Error, SpotPrice};
use crate::error::Failure;
use crate::github::Download;
use crate::launch::closing::Closing;
use crate::launch::deadlines::Times;
use crate::launch::journal::Ledger;
use crate::launch::prepare::Groundwork;
use crate::launch::rate_limit::Pace;
use crate::launch::spec::StartSpec;
use crate::report::Report;
use crate::retry::Deadline;
use crate::values::candidate::Candidate;

/// What all launches of one call share.
pub(crate) struct Launcher {
    pub clients: Clients,
    pub spec: StartSpec,
    pub groundwork: Groundwork,
    /// The number of the group that the runners join.
    pub runner_group: u64,
    pub ledger: Ledger,
    pub report: Arc<Report>,
    /// When an instance must be launched: the rest of `start-timeout` is for its boot.
    pub launch_by: Deadline,
    pub launch_share: Duration,
    pub closing: Closing,
    /// Where each type exists, once capacity was short in a place that nobody named.
    pub zones: OnceCell<Vec<SpotPrice>>,
    pub downloads: [OnceCell<Download>; 2],
    /// What GitHub and EC2 allow all launches of one call together.
    pub minting: Pace,
    pub launching: Pace,
    /// The image's real root device, once a launch has shown that the guess was wrong.
    pub root_device: Mutex<Option<String>>,
    /// What took time although it passed: the reason, where the time then is not enough.
    pub delay: Mutex<Option<String>>,
}

impl Launcher {
    pub(crate) fn new(
        clients: Clients,
        spec: StartSpec,
        (groundwork, runner_group): (Groundwork, u64),
        report: Arc<Report>,
        times: &Times,
    ) -> Self {
        Self {
            clients,
            spec,
            groundwork,
            runner_group,
            ledger: Ledger::default(),
            report,
            launch_by: times.launch_by,
            launch_share: times.launch_share,
            closing: Closing::default(),
            zones: OnceCell::new(),
            downloads: Default::default(),
            minting: Pace::default(),
            launching: Pace::default(),
            root_device: Mutex::default(),
            delay: Mutex::default(),
        }
    }

    /// Waits for the next try; `false` where the launch's time would be over.
    pub(crate) async fn pause(&self, wait: Duration) -> bool {
        tokio::select! {
            slept = self.launch_by.sleep(wait) => slept.is_ok(),
            () = self.closing.closed() => true,
        }
    }

    /// Waits for the next turn of that pace. Where the launch's time is over first, `go_on` says so.
    pub(crate) async fn turn(&self, pace: &Pace) {
        tokio::select! {
            () = pace.turn() => {}
            () = tokio::time::sleep_until(self.launch_by.instant()) => {}
            () = self.closing.closed() => {}
        }
    }

    /// How long one of several launches waits before it asks again: the shared pace knows, where it was a throttle.
    pub(crate) fn wait_of(&self, is_throttle: bool, wait: Duration) -> Duration {
        if is_throttle && self.spec.count > 1 {
            Duration::ZERO
        } else {
            wait
        }
    }

    pub(crate) fn given_up() -> Failure {
        Failure::new("the launch was given up", "see the error above")
    }

    pub(crate) fn launch_failure(&self, candidate: &Candidate, error: &Ec2Error) -> Failure {
        let image = self
            .groundwork
            .image(candidate.instance_type.architecture());
        self.clients.ec2_failure(error).and(format!(
            "it was the launch of {candidate} from image `{image}`"
        ))
    }

    /// Keeps what had to be waited out.
    pub(crate) fn note_delay(&self, error: &dyn std::fmt::Display) {
        let mut delay = self.delay.lock().unwrap_or_else(PoisonError::into_inner);
        *delay = Some(error.to_string());
    }
}
