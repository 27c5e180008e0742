//! From the ladder to a launched instance, candidate by candidate.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use crate::ec2::{DESCRIBE_SPOT_PRICE_HISTORY, Next, SpotPrice};
use crate::error::{Exit, Failure};
use crate::launch::attempt::LaunchError;
use crate::launch::boot_volume;
use crate::launch::capacity::{self, CapacityLog};
use crate::launch::context::Launcher;
use crate::launch::plan;
use crate::launch::runner::LaunchedRunner;
use crate::report::seconds;
use crate::retry;
use crate::values::candidate::Candidate;
use crate::values::run::LaunchName;
use crate::values::spot::Market;
use crate::values::volume::Volumes;

impl Launcher {
    /// Goes down the ladder until an instance is launched; where all candidates are full, again and again for as long as the launch
    /// may take.
    pub(crate) async fn launch(
        self: Arc<Self>,
        label: LaunchName,
    ) -> Result<LaunchedRunner, Failure> {
        let mut ladder = self.prepared.ladder.clone();
        let is_on_demand = |candidate: &Candidate| candidate.market == Market::OnDemand;
        if self.avoids_spot && ladder.iter().any(is_on_demand) {
            ladder.retain(is_on_demand);
        }
        let mut log = CapacityLog::default();
        let mut pause = capacity::between_passes(self.deadlines.launch_share());
        let (mut knows_zones, mut is_told) = (false, false);
        loop {
            log.begin_pass();
            if !ladder.iter().any(|candidate| log.is_open(candidate)) {
                return Err(self.no_capacity(&log));
            }
            if let Some(runner) = self.try_all(&label, &ladder, &mut log).await? {
                return Ok(runner);
            }
            if !knows_zones && log.wants_zones() {
                knows_zones = true;
                let zones = plan::zone_by_zone(&ladder, self.zones().await);
                if let Some(runner) = self.try_all(&label, &zones, &mut log).await? {
                    return Ok(runner);
                }
                ladder.extend(zones);
            }
            if !self.pause(pause.next(None)).await {
                return Err(self.no_capacity(&log));
            }
            if !is_told {
                is_told = true;
                self.report.line(format_args!(
                    "· every rung of the ladder is full: climbing it again and again, for {} at most",
                    seconds(self.deadlines.launch_by().left())
                ));
            }
        }
    }

    /// Tries each open candidate once; `None` where all were full.
    async fn try_all(
        &self,
        label: &LaunchName,
        ladder: &[Candidate],
        log: &mut CapacityLog,
    ) -> Result<Option<LaunchedRunner>, Failure> {
        for candidate in ladder {
            if !log.is_open(candidate) {
                continue;
            }
            match self.try_volumes(label, candidate).await {
                Ok(runner) => return Ok(Some(runner)),
                // After refusals that were heard, an answer that the end of the time cuts off says nothing new.
                Err(LaunchError::Fatal(_)) if self.is_over() && !log.is_empty() => return Ok(None),
                Err(LaunchError::Fatal(failure)) => return Err(failure),
                Err(LaunchError::DeadlineExceeded) => return Ok(None),
                Err(LaunchError::Refused(error)) => match error.next() {
                    Next::SameAgain if !log.is_empty() => {
                        log.note(candidate, error);
                        return Ok(None);
                    }
                    Next::Final | Next::SameAgain | Next::BaselineVolume => {
                        return Err(self.launch_failure(candidate, &error));
                    }
                    Next::DropSpot => {
                        let remedy = error.remedy(&self.clients.region);
                        self.report
                            .warning(format_args!("no spot for this account: {error}; {remedy}"));
                        self.note_refused(candidate, &error);
                        log.note(candidate, error);
                    }
                    Next::AnotherCandidate | Next::OtherFamilyOrMarket => {
                        self.note_refused(candidate, &error);
                        log.note(candidate, error);
                    }
                },
            }
        }
        Ok(None)
    }

    /// One candidate, and once more with the baseline volume where the account's limits refuse the wanted one.
    async fn try_volumes(
        &self,
        label: &LaunchName,
        candidate: &Candidate,
    ) -> Result<LaunchedRunner, LaunchError> {
        let image = self.prepared.image(candidate.instance_type.architecture());
        let root = boot_volume::for_launch(
            self.spec.root.or_size(image.root_gib),
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
            (Err(LaunchError::Refused(error)), Some(baseline))
                if error.next() == Next::BaselineVolume =>
            {
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
        let zones = self.lookups.zones.get_or_init(|| async {
            let soon = self.deadlines.launch_by().within(Duration::from_secs(3));
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

    fn is_over(&self) -> bool {
        self.deadlines.launch_by().is_over() && !self.cancellation.is_cancelled()
    }

    fn no_capacity(&self, log: &CapacityLog) -> Failure {
        if log.is_empty() {
            let late = Failure::new(
                format!(
                    "the instance was not launched within its share of `start-timeout` ({} of {})",
                    seconds(self.deadlines.launch_share()),
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
        let mut failure = Failure::new(
            format!("no capacity for any candidate in `{region}`"),
            format!("EC2's answers:\n    {}", log.table().join("\n    ")),
        );
        failure.exit = Exit::NoCapacity;
        failure.help.extend(log.remedy(region));
        failure
    }
}
