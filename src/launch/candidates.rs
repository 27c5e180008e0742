//! From the ladder to a launched instance, candidate by candidate.

use std::fmt::Write;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::ec2::{Ec2Error, Next, SpotPrice};
use crate::error::{Exit, Failure};
use crate::launch::boot_volume;
use crate::launch::capacity::{self, ByRegion, CapacityLog};
use crate::launch::context::Launcher;
use crate::launch::error::LaunchError;
use crate::launch::mint::Records;
use crate::launch::plan;
use crate::launch::runner::LaunchedRunner;
use crate::report::seconds;
use crate::values::candidate::Candidate;
use crate::values::per_region::listed;
use crate::values::region::Region;
use crate::values::run::LaunchName;
use crate::values::spot::Market;
use crate::values::volume::Volumes;

/// In so long EC2 answers one candidate.
const ENOUGH: Duration = Duration::from_secs(10);

impl Launcher {
    /// Goes down the ladder until an instance is launched; where all candidates are full, again and again for as long as the launch
    /// may take.
    pub(crate) async fn launch(
        self: Arc<Self>,
        label: LaunchName,
    ) -> Result<LaunchedRunner, Failure> {
        let mut records = match Records::begin(&self, &label).await {
            Ok(records) => records,
            Err(LaunchError::Fatal(failure)) => return Err(failure),
            Err(LaunchError::DeadlineExceeded | LaunchError::Refused(_)) => {
                return Err(self.no_capacity(&CapacityLog::default()));
            }
        };
        let mut ladder = self.known(&self.prepared).await?.ladder.clone();
        let is_on_demand = |candidate: &Candidate| candidate.market == Market::OnDemand;
        if self.avoids_spot && ladder.iter().any(is_on_demand) {
            ladder.retain(is_on_demand);
        }
        let mut log = CapacityLog::default();
        let mut pause = capacity::between_passes(self.deadlines.launch_share());
        let (mut knows_zones, mut is_told) = (false, false);
        loop {
            log.begin_pass();
            if !self.has_open(&ladder, &mut log) {
                return Err(self.no_capacity(&log));
            }
            if let Some(runner) = self.try_all(&mut records, &ladder, &mut log).await? {
                return Ok(runner);
            }
            if !knows_zones && log.wants_zones() {
                knows_zones = true;
                let zones = plan::zone_by_zone(&ladder, self.zones().await);
                if let Some(runner) = self.try_all(&mut records, &zones, &mut log).await? {
                    return Ok(runner);
                }
                ladder.extend(zones);
            }
            let all_closed = self.spec.regions.is_several() && !self.has_open(&ladder, &mut log);
            if all_closed || !self.pause(pause.next(None)).await {
                return Err(self.no_capacity(&log));
            }
            if !is_told {
                is_told = true;
                self.report.line(format_args!(
                    "· every rung of the ladder is full: trying again, for {} at most",
                    seconds(self.deadlines.launch_by().left())
                ));
            }
        }
    }

    /// Whether any candidate is worth a try. Those of closed regions are reported with what closed them.
    fn has_open(&self, ladder: &[Candidate], log: &mut CapacityLog) -> bool {
        let mut open = 0;
        for candidate in ladder {
            open += usize::from(self.is_open(candidate, log));
        }
        open > 0
    }

    fn is_open(&self, candidate: &Candidate, log: &mut CapacityLog) -> bool {
        match self.lookups.closed(&candidate.region) {
            Some(error) => {
                log.note_closed(candidate, &error);
                false
            }
            None => log.is_open(candidate),
        }
    }

    /// Goes on without a region that cannot launch, where there are others: why is reported once.
    fn close(&self, candidate: &Candidate, error: &Ec2Error) {
        let region = &candidate.region;
        if self.lookups.close(region, error.clone()) {
            self.report.warning(format_args!(
                "`{region}` is skipped: {error}; {}",
                error.remedy(region)
            ));
        }
    }

    /// Tries each open candidate once; `None` where all were full.
    async fn try_all(
        &self,
        records: &mut Records<'_>,
        ladder: &[Candidate],
        log: &mut CapacityLog,
    ) -> Result<Option<LaunchedRunner>, Failure> {
        for candidate in ladder {
            if !self.is_open(candidate, log) {
                continue;
            }
            let began = Instant::now();
            match self.try_volumes(records, candidate).await {
                Ok(runner) => return Ok(Some(runner)),
                // After refusals that were heard, an answer that the end of the time cuts off says nothing new.
                Err(LaunchError::Fatal(_)) if self.is_over() && !log.is_empty() => return Ok(None),
                Err(LaunchError::Fatal(failure)) => return Err(failure),
                Err(LaunchError::DeadlineExceeded) => return Ok(None),
                Err(LaunchError::Refused(error)) if self.may_skip_region(&error) => {
                    self.close(candidate, &error);
                    log.note_closed(candidate, &error);
                }
                Err(LaunchError::Refused(error)) => match error.next() {
                    Next::SameAgain if !log.is_empty() => {
                        if !(self.is_cut_off(began) && log.has_heard(&candidate.region)) {
                            log.note(candidate, error);
                        }
                        return Ok(None);
                    }
                    Next::Final | Next::SameAgain | Next::BaselineVolume => {
                        return Err(self.launch_failure(candidate, &error));
                    }
                    Next::DropSpot => {
                        let remedy = error.remedy(&candidate.region);
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

    /// Whether the ladder goes on in other regions.
    fn may_skip_region(&self, error: &Ec2Error) -> bool {
        let ends_here = matches!(error.next(), Next::SameAgain | Next::Final);
        self.spec.regions.is_several() && ends_here && error.is_about_region() && !self.is_over()
    }

    /// One candidate, and once more with the baseline volume where the account's limits refuse the wanted one, or where EC2
    /// refuses what nobody but this program has asked for.
    async fn try_volumes(
        &self,
        records: &mut Records<'_>,
        candidate: &Candidate,
    ) -> Result<LaunchedRunner, LaunchError> {
        let image = self.known(&self.prepared).await?.image(candidate);
        let volumes = self.spec.volumes(&candidate.region);
        let root = boot_volume::for_launch(
            volumes.root.or_size(image.root_gib),
            &candidate.instance_type,
            &candidate.region,
        );
        let is_our_choice = root.is_for_boot && !volumes.root.is_for_boot;
        let volumes = Volumes { root, ..volumes };
        match (
            self.try_candidate(records, candidate, volumes).await,
            volumes.baseline(),
        ) {
            (Err(LaunchError::Refused(error)), Some(baseline))
                if error.next() == Next::BaselineVolume
                    || (is_our_choice && error.is_about_volume()) =>
            {
                self.report.warning(format_args!(
                    "{error}; trying again with the baseline volume"
                ));
                self.try_candidate(records, candidate, baseline).await
            }
            (answer, _) => answer,
        }
    }

    /// The zones that have each type: EC2 tells them only with their spot prices, for which there is a permission.
    async fn zones(&self) -> &[SpotPrice] {
        let types = &self.spec.instance_types;
        let zones = self.lookups.zones.get_or_init(|| async {
            let soon = self.deadlines.launch_by().within(Duration::from_secs(3));
            let answers = self.clients.ec2.spot_prices(types, soon).await;
            let mut zones = Vec::new();
            for (region, answer) in answers {
                match answer {
                    Ok(prices) => zones.extend(prices),
                    // Why a closed region does not answer has been reported.
                    Err(_) if self.lookups.closed(&region).is_some() => {}
                    Err(error) => self.report.warning(format_args!(
                        "the zones of `{region}` could not be tried one by one: {error}; {}",
                        error.remedy(&region)
                    )),
                }
            }
            zones
        });
        zones.await
    }

    fn is_over(&self) -> bool {
        self.deadlines.launch_by().is_over() && !self.cancellation.is_cancelled()
    }

    /// Whether the end of the time left a candidate too little of it to be heard.
    fn is_cut_off(&self, began: Instant) -> bool {
        let enough = (self.deadlines.launch_share() / 3).min(ENOUGH);
        self.is_over() && began.elapsed() < enough
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
        let ladder = self.prepared.get().map(|prepared| &prepared.ladder[..]);
        let mut regions: Vec<&Region> = Vec::new();
        for candidate in ladder.unwrap_or_default() {
            if !regions.contains(&&candidate.region) {
                regions.push(&candidate.region);
            }
        }
        let by_region = log.by_region(regions);
        let mut failure = Failure::new(
            not_launched(&by_region),
            format!("EC2's answers:\n    {}", log.table().join("\n    ")),
        );
        if by_region.is_full() {
            failure.exit = Exit::NoCapacity;
        }
        let others = by_region.others.iter();
        let remedies = others.filter_map(|(region, error)| Some(error.as_ref()?.remedy(region)));
        failure.help.extend(log.remedy());
        for remedy in remedies {
            if !failure.help.contains(&remedy) {
                failure.help.push(remedy);
            }
        }
        failure
    }
}

/// Which regions are full, and what keeps the others from a launch: they may have capacity.
fn not_launched(by_region: &ByRegion<'_>) -> String {
    let mut what = if by_region.full.is_empty() {
        "no region can launch any candidate".to_owned()
    } else {
        let full = listed(by_region.full.iter().copied());
        format!("no capacity for any candidate in {full}")
    };
    for (region, error) in &by_region.others {
        let why = error.map_or_else(|| "not asked in time".to_owned(), ToString::to_string);
        let _ = write!(what, "; `{region}`: {why}");
    }
    what
}
