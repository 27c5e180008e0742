//! From the ladder to a running instance, rung by rung.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OnceCell;

use crate::boot_volume;
use crate::clients::Clients;
use crate::climb::{self, Climb};
use crate::closing::Closing;
use crate::ec2::{DESCRIBE_SPOT_PRICE_HISTORY, Ec2Error, Next, SpotPrice};
use crate::failure::{Exit, Failure};
use crate::github::Download;
use crate::groundwork::Groundwork;
use crate::ledger::{Entry, Ledger};
use crate::pace::Pace;
use crate::plan::{self, Candidate};
use crate::report::{Report, seconds};
use crate::retry::{self, Deadline};
use crate::rung::Rung;
use crate::spec::network::InstanceId;
use crate::spec::run::LaunchName;
use crate::spec::runner_id::RunnerId;
use crate::spec::start::StartSpec;
use crate::spec::volume::Volumes;
use crate::times::Times;

/// A runner whose instance EC2 has launched.
#[derive(Clone, Debug)]
pub(crate) struct LaunchedRunner {
    pub entry: Entry,
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

    /// Climbs the ladder until an instance is launched; where all rungs are full, again and again for as long as the launch
    /// may take.
    pub(crate) async fn launch(
        self: Arc<Self>,
        label: LaunchName,
    ) -> Result<LaunchedRunner, Failure> {
        let mut ladder = self.groundwork.ladder.clone();
        let mut climb = Climb::default();
        let mut pause = climb::between_sweeps(self.launch_share);
        let mut knows_zones = false;
        loop {
            climb.begin_sweep();
            if !ladder.iter().any(|candidate| climb.is_open(candidate)) {
                return Err(self.no_capacity(&climb));
            }
            if let Some(runner) = self.sweep(&label, &ladder, &mut climb).await? {
                return Ok(runner);
            }
            if !knows_zones && climb.wants_zones() {
                knows_zones = true;
                let zones = plan::zone_by_zone(&ladder, self.zones().await);
                if let Some(runner) = self.sweep(&label, &zones, &mut climb).await? {
                    return Ok(runner);
                }
                ladder.extend(zones);
            }
            if !self.pause(pause.next(None)).await {
                return Err(self.no_capacity(&climb));
            }
            self.report
                .line("· every rung of the ladder is full: climbing it again");
        }
    }

    /// Tries each open rung once; `None` where all were full.
    async fn sweep(
        &self,
        label: &LaunchName,
        ladder: &[Candidate],
        climb: &mut Climb,
    ) -> Result<Option<LaunchedRunner>, Failure> {
        for candidate in ladder {
            if !climb.is_open(candidate) {
                continue;
            }
            match self.try_volumes(label, candidate).await {
                Ok(runner) => return Ok(Some(runner)),
                // After refusals that were heard, an answer that the end of the time cuts off says nothing new.
                Err(Rung::Ended(_)) if self.is_over() && !climb.is_empty() => return Ok(None),
                Err(Rung::Ended(failure)) => return Err(failure),
                Err(Rung::Late) => return Ok(None),
                Err(Rung::Refused(error)) => match error.next() {
                    Next::SameAgain if !climb.is_empty() => {
                        climb.note(candidate, error);
                        return Ok(None);
                    }
                    Next::Final | Next::SameAgain | Next::BaselineVolume => {
                        return Err(self.launch_failure(candidate, &error));
                    }
                    Next::DropSpot => {
                        let remedy = error.remedy(&self.clients.region);
                        self.report
                            .warning(format_args!("no spot for this account: {error}; {remedy}"));
                        climb.note(candidate, error);
                    }
                    Next::AnotherCandidate | Next::OtherFamilyOrMarket => {
                        let code = error.code().unwrap_or_default();
                        self.report.line(format_args!("· {candidate}: {code}"));
                        climb.note(candidate, error);
                    }
                },
            }
        }
        Ok(None)
    }

    /// One rung, and once more with the baseline volume where the account's limits refuse the wanted one.
    async fn try_volumes(
        &self,
        label: &LaunchName,
        candidate: &Candidate,
    ) -> Result<LaunchedRunner, Rung> {
        let root = boot_volume::for_launch(
            self.spec.root,
            &candidate.instance_type,
            &self.clients.region,
        );
        let volumes = Volumes {
            root,
            ..self.spec.volumes()
        };
        match (
            self.try_candidate(label, candidate, volumes).await,
            volumes.baseline(),
        ) {
            (Err(Rung::Refused(error)), Some(baseline)) if error.next() == Next::BaselineVolume => {
                self.report.warning(format_args!(
                    "{error}; trying again with the baseline volume"
                ));
                self.try_candidate(label, candidate, baseline).await
            }
            (answer, _) => answer,
        }
    }

    /// The zones that have each type: EC2 tells them only with their spot prices, for which there is a permission.
    async fn zones(&self) -> &[SpotPrice] {
        let types = &self.spec.instance_types;
        let zones = self.zones.get_or_init(|| async {
            let soon = self.launch_by.within(Duration::from_secs(3));
            let ec2 = &self.clients.ec2;
            let answer = retry::until(DESCRIBE_SPOT_PRICE_HISTORY, soon, || ec2.spot_prices(types));
            answer.await.unwrap_or_else(|error| {
                self.report.warning(format_args!(
                    "the zones could not be tried one by one: {error}; {}",
                    error.remedy(&self.clients.region)
                ));
                Vec::new()
            })
        });
        zones.await
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

    /// Nothing new once everything is being undone, or when the time is over: then what failed last is the reason.
    pub(crate) fn go_on(&self, last: impl FnOnce() -> Option<Failure>) -> Result<(), Rung> {
        if self.closing.is_closed() {
            return Err(Self::given_up().into());
        }
        if !self.launch_by.is_over() {
            return Ok(());
        }
        Err(last().map_or(Rung::Late, Rung::Ended))
    }

    fn is_over(&self) -> bool {
        self.launch_by.is_over() && !self.closing.is_closed()
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

    fn no_capacity(&self, climb: &Climb) -> Failure {
        if climb.is_empty() {
            let late = Failure::new(
                format!(
                    "the instance was not launched within its share of `start-timeout` ({} of {})",
                    seconds(self.launch_share),
                    self.spec.start_timeout
                ),
                "run the job again, or set a longer `start-timeout`",
            );
            let delay = self.delay.lock().unwrap_or_else(PoisonError::into_inner);
            return match &*delay {
                Some(delay) => late.and(format!("the time went into this: {delay}")),
                None => late,
            };
        }
        let region = &self.clients.region;
        let mut failure = Failure {
            exit: Exit::NoCapacity,
            place: None,
            what: format!("no capacity for any candidate in `{region}`"),
            help: climb.table(),
        };
        failure.help.extend(climb.remedy(region));
        failure
    }
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
