//! What launches share: what they are made with, their time and their turns.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OnceCell, SetOnce};
use tokio_util::sync::CancellationToken;

use crate::clients::Clients;
use crate::ec2::{Ec2Error, SpotPrice};
use crate::error::Failure;
use crate::github::{DOWNLOADS, Download};
use crate::launch::capacity::CapacityLog;
use crate::launch::deadlines::Deadlines;
use crate::launch::journal::Journal;
use crate::launch::prepare::Prepared;
use crate::launch::rate_limit::RateLimiter;
use crate::launch::registrar::Registrar;
use crate::launch::spec::StartSpec;
use crate::platform::clock::sleep_until;
use crate::report::Reporter;
use crate::retry::{self, Deadline};
use crate::values::candidate::Candidate;
use crate::values::instance_type::Architecture;
use crate::values::region::Region;

/// How long a region that does not answer is waited for where there are others.
const REGION_PATIENCE: Duration = Duration::from_secs(20);

/// What launches look up when they need it, once for all of them.
#[derive(Default)]
pub(crate) struct Lookups {
    /// Where each type exists, once capacity was short in a place that nobody named.
    pub zones: OnceCell<Vec<SpotPrice>>,
    pub downloads: [OnceCell<Download>; 2],
    /// By image: its real root device, once a launch has shown that the guess was wrong.
    pub root_devices: Mutex<BTreeMap<String, String>>,
    /// Regions that no launch tries any more, because they are not the only ones: what closed them.
    closed: Mutex<BTreeMap<Region, Ec2Error>>,
}

impl Lookups {
    /// The runner program for that processor.
    pub(crate) async fn download(
        &self,
        clients: &Clients,
        architecture: Architecture,
        deadline: Deadline,
    ) -> Result<&Download, Failure> {
        let [x64, arm64] = &self.downloads;
        let cell = match architecture {
            Architecture::X64 => x64,
            Architecture::Arm64 => arm64,
        };
        cell.get_or_try_init(|| async {
            retry::until(DOWNLOADS, deadline, || {
                clients.github.runner_download(architecture)
            })
            .await
            .map_err(|error| clients.github_failure(&error))?
            .ok_or_else(|| no_program(architecture))
        })
        .await
    }

    /// What an image calls its root device does not change.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn keep_root_devices(&self, before: &Self) {
        let known = before
            .root_devices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        *self
            .root_devices
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// What closed the region, where something has.
    pub(crate) fn closed(&self, region: &Region) -> Option<Ec2Error> {
        let closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed.get(region).cloned()
    }

    /// Stops trying the region; whether that is new.
    pub(crate) fn close(&self, region: &Region, error: Ec2Error) -> bool {
        let mut closed = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        closed.insert(region.clone(), error).is_none()
    }
}

fn no_program(architecture: Architecture) -> Failure {
    Failure::new(
        format!("GitHub offers no runner program for Linux on {architecture}"),
        "use an image that has the runner, and name its folder with `runner-home`",
    )
}

/// What GitHub and EC2 allow all launches together.
#[derive(Debug, Default)]
pub(crate) struct RateLimits {
    pub minting: RateLimiter,
    pub launching: RateLimiter,
}

/// What the launches of one call share.
pub(crate) struct Launcher {
    pub clients: Clients,
    pub spec: Arc<StartSpec>,
    /// What makes the runners' records. Where a name must be looked up for it, the launches wait for that.
    pub registrar: SetOnce<Registrar>,
    /// What instances are launched from, and in which order. Records are minted while it is still looked up.
    pub prepared: SetOnce<Arc<Prepared>>,
    pub journal: Arc<Journal>,
    pub report: Arc<Reporter>,
    pub deadlines: Deadlines,
    /// Cancelled once everything is to be undone: nothing new may be made from then on, and whoever waits stops waiting.
    pub cancellation: CancellationToken,
    pub lookups: Arc<Lookups>,
    pub limits: Arc<RateLimits>,
    /// Others launch at the same time: whoever is throttled waits for the shared rate alone.
    pub is_one_of_several: bool,
    /// Spot has just been reclaimed: on-demand is what this launch asks for, where it may.
    pub avoids_spot: bool,
    /// What took time although it passed: the reason, where the time then is not enough.
    pub delay: Mutex<Option<String>>,
    /// The codes of EC2's refusals.
    pub refusals: Mutex<Vec<String>>,
    /// What EC2 refused to all launches of this call.
    pub refused: Mutex<CapacityLog>,
}

impl Launcher {
    pub(crate) fn new(
        clients: Clients,
        spec: Arc<StartSpec>,
        report: Arc<Reporter>,
        deadlines: Deadlines,
    ) -> Self {
        Self {
            clients,
            is_one_of_several: spec.count > 1,
            spec,
            registrar: SetOnce::new(),
            prepared: SetOnce::new(),
            journal: Arc::default(),
            report,
            deadlines,
            cancellation: CancellationToken::new(),
            lookups: Arc::default(),
            limits: Arc::default(),
            avoids_spot: false,
            delay: Mutex::default(),
            refusals: Mutex::default(),
            refused: Mutex::default(),
        }
    }

    /// Waits for what is looked up beside the launches.
    pub(crate) async fn known<'a, T>(&self, fact: &'a SetOnce<T>) -> Result<&'a T, Failure> {
        tokio::select! {
            biased;
            fact = fact.wait() => Ok(fact),
            () = self.cancellation.cancelled() => Err(Self::given_up()),
        }
    }

    /// Waits for the next try; `false` where the launch's time would be over.
    pub(crate) async fn pause(&self, wait: Duration) -> bool {
        tokio::select! {
            slept = self.deadlines.launch_by().sleep(wait) => slept.is_ok(),
            () = self.cancellation.cancelled() => true,
        }
    }

    /// Waits for the next turn of that pace. Where the launch's time is over first, `go_on` says so.
    pub(crate) async fn turn(&self, limiter: &RateLimiter) {
        tokio::select! {
            () = limiter.acquire() => {}
            () = sleep_until(self.deadlines.launch_by().instant()) => {}
            () = self.cancellation.cancelled() => {}
        }
    }

    /// How long one of several launches waits before it asks again: the shared pace knows, where it was a throttle.
    pub(crate) fn wait_of(&self, is_throttle: bool, wait: Duration) -> Duration {
        if is_throttle && self.is_one_of_several {
            Duration::ZERO
        } else {
            wait
        }
    }

    pub(crate) fn given_up() -> Failure {
        Failure::new("the launch was given up", "see the error above")
    }

    /// Until when one candidate may be asked for. Where another region may launch, one that does not answer is not waited for.
    pub(crate) fn candidate_by(&self) -> Deadline {
        let by = self.deadlines.launch_by();
        let regions = u32::try_from(self.spec.regions.regions().count()).unwrap_or(u32::MAX);
        if regions > 1 {
            by.within(REGION_PATIENCE.min(self.deadlines.launch_share() / (regions + 1)))
        } else {
            by
        }
    }

    pub(crate) fn launch_failure(&self, candidate: &Candidate, error: &Ec2Error) -> Failure {
        let failure = Failure::ec2(error, &candidate.region);
        match self
            .prepared
            .get()
            .map(|prepared| prepared.image(candidate))
        {
            Some(image) => failure.and(format!(
                "it was the launch of {candidate} from image `{}`",
                image.id
            )),
            None => failure,
        }
    }

    pub(crate) fn note_refusal(&self, error: &Ec2Error) {
        if let Some(code) = error.code() {
            let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
            refusals.push(code.to_owned());
        }
    }

    /// Keeps that EC2 refused a candidate; the log has a line for it once, however many launches hear it how often.
    pub(crate) fn note_refused(&self, candidate: &Candidate, error: &Ec2Error) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.note(candidate, error.clone()) {
            let code = error.code().unwrap_or_default();
            self.report.line(format_args!("· {candidate}: {code}"));
        }
    }

    /// The ladder with EC2's answers so far; none before it is known.
    pub(crate) fn ladder(&self) -> Vec<String> {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        let planned = self.prepared.get().map(|prepared| &prepared.ladder[..]);
        refused.ladder(planned.unwrap_or_default())
    }

    /// What EC2 refused so far, and whether spot was among it.
    pub(crate) fn refusals_so_far(&self) -> (Vec<String>, bool) {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        (refused.table(), refused.has_refused_spot())
    }

    /// Keeps what had to be waited out.
    pub(crate) fn note_delay(&self, error: &dyn std::fmt::Display) {
        let mut delay = self.delay.lock().unwrap_or_else(PoisonError::into_inner);
        *delay = Some(error.to_string());
    }
}
