//! Launching one runner for a set: through the launcher that `start` uses, with records from the set.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::{Mutex, SetOnce};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::fleet::{Member, Stage};
use super::prices;
use super::spec::SetSpec;
use crate::clients::Clients;
use crate::error::{Exit, Failure};
use crate::github::scale_sets::ScaleSets;
use crate::launch::context::{Launcher, Lookups, RateLimits};
use crate::launch::deadlines::Deadlines;
use crate::launch::prepare::Prepared;
use crate::launch::registrar::Registrar;
use crate::launch::runner::LaunchedRunner;
use crate::report::Reporter;
use crate::retry::Deadline;
use crate::teardown::{self, Leftovers, Search};
use crate::values::run::LaunchName;

/// How long prices, images and the runner program's version are as good as new.
const GOOD_FOR: Duration = Duration::from_mins(5);
/// How long an undo may take; what is left then is found by its tag.
const UNDO_WITHIN: Duration = Duration::from_mins(1);

/// What the launches of one set share.
pub(super) struct Launching {
    shared: Arc<Shared>,
    tag: String,
    /// Launches that are under way, by the beginning of their runners' names.
    under_way: Vec<String>,
}

struct Shared {
    clients: Clients,
    spec: SetSpec,
    registrar: Registrar,
    report: Arc<Reporter>,
    limits: Arc<RateLimits>,
    cancellation: CancellationToken,
    prepared: Mutex<Option<Known>>,
}

#[derive(Clone)]
struct Known {
    since: Instant,
    prepared: Arc<Prepared>,
    lookups: Arc<Lookups>,
}

/// What came of a launch.
pub(super) struct Outcome {
    launch: String,
    pub refusals: Vec<String>,
    pub result: Result<Box<LaunchedRunner>, Failure>,
    /// What may still exist of it, and could not be ended.
    pub left: Vec<String>,
}

impl Launching {
    pub(super) fn new(
        spec: &SetSpec,
        clients: &Clients,
        sets: &ScaleSets,
        (id, group): (u64, u64),
        report: Arc<Reporter>,
        limits: Arc<RateLimits>,
    ) -> Self {
        let tag = match group {
            crate::github::DEFAULT_GROUP => spec.name.clone(),
            group => format!("{group}/{}", spec.name),
        };
        let registrar = Registrar::ScaleSet {
            sets: sets.clone(),
            id,
            tag: tag.clone(),
        };
        Self {
            shared: Arc::new(Shared {
                clients: clients.clone(),
                spec: spec.clone(),
                registrar,
                report,
                limits,
                cancellation: CancellationToken::new(),
                prepared: Mutex::default(),
            }),
            tag,
            under_way: Vec::new(),
        }
    }

    /// The value of the tag `sprinters:scale-set`.
    pub(super) fn tag(&self) -> &str {
        &self.tag
    }

    /// What the names of the set's runners begin with.
    pub(super) fn names_begin(&self) -> String {
        let run = &self.shared.clients.run;
        LaunchName::beginning(run)
    }

    /// Whether a runner of that name is being launched here.
    pub(super) fn is_under_way(&self, name: &str) -> bool {
        self.under_way.iter().any(|launch| name.starts_with(launch))
    }

    /// One launch, which begins when it is first polled.
    pub(super) fn begin(
        &mut self,
        avoids_spot: bool,
    ) -> impl Future<Output = Outcome> + Send + 'static {
        let shared = self.shared.clone();
        let name = LaunchName::fresh(&shared.clients.run, SystemTime::now());
        self.under_way.push(name.as_str().to_owned());
        async move { shared.launch(name, avoids_spot).await }
    }

    /// Nothing new is launched from now on; calls that are under way are answered.
    pub(super) fn stop(&self) {
        self.shared.cancellation.cancel();
    }

    pub(super) fn ended(&mut self, outcome: &Outcome) {
        self.under_way.retain(|launch| *launch != outcome.launch);
    }

    pub(super) fn member(&self, runner: LaunchedRunner) -> Member {
        let prices = prices::of_launch(&runner);
        let candidate = &runner.candidate;
        let now = SystemTime::now();
        let spec = &self.shared.spec.start;
        let lives = spec.max_lifetime.as_duration() + spec.start_timeout.as_duration();
        Member {
            instance: runner.instance_id.clone(),
            runner: Some(runner.runner_id),
            name: Some(runner.name.clone()),
            stage: Stage::Booting,
            launched: now,
            online: None,
            expires: Some(now + lives),
            market: candidate.market,
            instance_type: candidate.instance_type.to_string(),
            zone: runner.availability_zone.clone(),
            usd_per_hour: prices.instance,
            volumes_usd_per_hour: prices.volumes,
            is_of_deleted_set: !runner.name.starts_with(&self.names_begin()),
            launch: Some(runner),
            etag: None,
        }
    }
}

impl Shared {
    async fn launch(&self, name: LaunchName, avoids_spot: bool) -> Outcome {
        let launch = name.as_str().to_owned();
        let times = Deadlines::new(self.spec.start.start_timeout.as_duration(), 1);
        let known = tokio::select! {
            known = self.prepare(times.launch_by()) => known,
            () = self.cancellation.cancelled() => Err(Launcher::given_up()),
        };
        let Known {
            prepared, lookups, ..
        } = match known {
            Ok(known) => known,
            Err(failure) => {
                return Outcome {
                    launch,
                    refusals: Vec::new(),
                    result: Err(failure),
                    left: Vec::new(),
                };
            }
        };
        let launcher = Launcher {
            lookups,
            limits: self.limits.clone(),
            is_one_of_several: true,
            avoids_spot,
            cancellation: self.cancellation.child_token(),
            registrar: SetOnce::new_with(Some(self.registrar.clone())),
            prepared: SetOnce::new_with(Some(prepared)),
            ..Launcher::new(
                self.clients.clone(),
                self.spec.start.clone(),
                self.report.clone(),
                times,
            )
        };
        let launcher = Arc::new(launcher);
        let result = launcher.clone().launch(name).await;
        let leftovers = match &result {
            Ok(runner) => launcher.journal.leftovers_except(&[runner.entry]),
            Err(_) => launcher.journal.leftovers(),
        };
        let refusals = &launcher.refusals;
        let refusals =
            std::mem::take(&mut *refusals.lock().unwrap_or_else(PoisonError::into_inner));
        Outcome {
            launch,
            refusals,
            result: result.map(Box::new),
            left: self.undo(leftovers).await,
        }
    }

    async fn undo(&self, leftovers: Leftovers) -> Vec<String> {
        if leftovers.is_empty() {
            return Vec::new();
        }
        let Clients { ec2, github, .. } = &self.clients;
        let deadline = Deadline::after(UNDO_WITHIN);
        let ended = teardown::end(ec2, github, leftovers, Search::UntilCertain, deadline);
        ended.await.left
    }

    /// Images and prices, asked for anew where they are not fresh. Launches that begin together ask once.
    async fn prepare(&self, deadline: Deadline) -> Result<Known, Failure> {
        let mut known = self.prepared.lock().await;
        if let Some(known) = &*known
            && known.since.elapsed() < GOOD_FOR
        {
            return Ok(known.clone());
        }
        let spec = &self.spec.start;
        let prepared = Prepared::fetch(&self.clients, spec, &self.report, deadline).await?;
        prepared.warn_of_skipped(&self.report);
        let fresh = Known {
            since: Instant::now(),
            prepared: Arc::new(prepared),
            lookups: Arc::default(),
        };
        if let Some(before) = &*known {
            fresh.lookups.keep_root_devices(&before.lookups);
        }
        *known = Some(fresh.clone());
        Ok(fresh)
    }
}

/// What a failed launch is called in the metrics.
pub(super) fn outcome_of(failure: &Failure) -> &'static str {
    match failure.exit {
        Exit::NoCapacity => "no_capacity",
        _ => "failed",
    }
}
