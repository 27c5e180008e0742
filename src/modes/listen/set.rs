//! One scale set: what is known of its jobs and runners, and what every piece of news changes in that.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::distrust::Distrust;
use super::fleet::{Fleet, Member};
use super::hindrance::Hindrance;
use super::job_line::JobOver;
use super::jobs::Jobs;
use super::launching::{Launching, Outcome};
use super::metrics::Standing;
use super::news::News;
use super::reconcile::{self, Decision, Demand, Limits};
use super::service::{Service, Voice};
use super::spec::SetSpec;
use super::trouble::{self, Trouble};
use crate::clients::Clients;
use crate::github::scale_sets::ScaleSets;
use crate::launch::context::RateLimits;
use crate::retry::Backoff;
use crate::teardown::Record;
use crate::values::network::InstanceId;
use crate::values::run::WorkflowRun;
use crate::values::runner_id::RunnerId;

/// One scale set that is served.
pub(super) struct Set {
    pub service: Arc<Service>,
    pub voice: Voice,
    pub spec: SetSpec,
    pub clients: Clients,
    pub sets: ScaleSets,
    /// The number that GitHub gave it.
    pub id: u64,
    pub group: u64,
    pub drains: bool,
    pub launching: Launching,
    limits: Arc<RateLimits>,
    /// Nothing new is begun from then on.
    pub stop: CancellationToken,
    pub launches: JoinSet<Outcome>,
    pub errands: JoinSet<News>,
    pub jobs: Jobs,
    pub fleet: Fleet,
    pub distrust: Distrust,
    pub trouble: Trouble,
    /// The pauses while there is no session.
    pub session_backoff: Backoff,
    /// The last message's number.
    pub last: Option<u64>,
    /// The numbers of messages that have come lately.
    pub recent: VecDeque<u64>,
    /// Launches that spot reclaimed before their job: so many next ones go on-demand.
    pub on_demand_next: usize,
    pub next_census: Instant,
    pub is_looking: bool,
    /// The first look has been taken: what lives is known.
    pub has_looked: bool,
    pub doubtful: Vec<Doubtful>,
    /// When a record could not be deleted: the next look finds it in the list of all.
    pub record_left: Option<Instant>,
    /// Instances that are being ended from here.
    pub ending: Vec<InstanceId>,
    /// Runners that are gone.
    pub past: VecDeque<Member>,
    /// Jobs that are over, and that ran where nobody here has looked.
    pub unreported: Vec<JobOver>,
    /// Runners that took their job with them, and since when.
    pub lost: Vec<(Instant, RunnerId)>,
    /// What keeps jobs waiting.
    pub hindrance: Hindrance,
    /// Since when more jobs are said to wait than runners have taken.
    pub excess_since: Option<Instant>,
}

/// A runner's record without an instance: of a launch that may be under way, by a listener that is gone.
pub(super) struct Doubtful {
    pub record: Record,
    pub until: Instant,
}

impl Set {
    pub(super) fn new(
        service: Arc<Service>,
        voice: Voice,
        spec: SetSpec,
        (clients, sets): (Clients, ScaleSets),
        (id, group): (u64, u64),
        drains: bool,
        limits: Arc<RateLimits>,
    ) -> Self {
        let report = service.report.clone();
        let numbers = (id, group);
        let launching = Launching::new(&spec, &clients, &sets, numbers, report, limits.clone());
        Self {
            voice,
            spec,
            clients,
            sets,
            id,
            group,
            drains,
            launching,
            limits,
            stop: service.stop.child_token(),
            service,
            launches: JoinSet::new(),
            errands: JoinSet::new(),
            jobs: Jobs::default(),
            fleet: Fleet::default(),
            distrust: Distrust::default(),
            trouble: Trouble::default(),
            session_backoff: trouble::session_backoff(),
            last: None,
            on_demand_next: 0,
            next_census: Instant::now(),
            is_looking: false,
            has_looked: false,
            doubtful: Vec::new(),
            record_left: None,
            ending: Vec::new(),
            past: VecDeque::new(),
            unreported: Vec::new(),
            lost: Vec::new(),
            hindrance: Hindrance::default(),
            excess_since: None,
            recent: VecDeque::new(),
        }
    }

    pub(super) fn demand(&self) -> Demand {
        self.jobs
            .demand(|runner| self.fleet.has(runner), self.distrust.amount())
    }

    /// What to launch now. Nothing before it is known what lives.
    pub(super) fn decide(&mut self) -> Decision {
        let demand = self.demand();
        let supply = self.fleet.supply(self.launches.len(), self.doubtful.len());
        let mut decision = reconcile::decide(self.spec.limits, demand, supply, self.drains);
        let standing = Standing {
            wanted: decision.wanted,
            live: supply.alive(),
            busy: supply.busy,
            usd_per_hour: self.fleet.usd_per_hour(),
        };
        self.service.metrics.stands(&self.voice.set, standing);
        if let Some(line) = self.service.overview.changed(&self.voice.set, standing) {
            self.voice.report.progress(line);
        }
        let excess = demand.assigned > demand.lost + supply.busy;
        self.excess_since = excess.then(|| self.excess_since.unwrap_or_else(Instant::now));
        if !excess {
            self.distrust.reset();
        }
        let max = decision.is_at_max.then_some(self.spec.limits.max);
        self.hindrance.note_max(max, SystemTime::now());
        if !self.has_looked || self.stop.is_cancelled() {
            decision.launch = 0;
        }
        let most = self.trouble.most(Instant::now());
        decision.launch = decision
            .launch
            .min(most.saturating_sub(self.launches.len().min(most)));
        decision
    }

    pub(super) fn hinder(&mut self, why: String) {
        self.hindrance.note(why, SystemTime::now());
    }

    /// Somebody deleted the set, and it has been made again: what was known of jobs and runners belongs to the other one.
    pub(super) fn is_made_again(&mut self, id: u64) {
        self.id = id;
        let run = WorkflowRun {
            attempt: id.to_string(),
            ..self.clients.run.clone()
        };
        self.clients.run = run;
        self.launching = Launching::new(
            &self.spec,
            &self.clients,
            &self.sets,
            (id, self.group),
            self.service.report.clone(),
            self.limits.clone(),
        );
        self.jobs = Jobs::default();
        self.last = None;
        // Whose the runners are that live is looked at before any is launched.
        self.has_looked = false;
        self.next_census = Instant::now();
    }

    /// What is said when the session begins.
    pub(super) fn greeting(&self) -> String {
        let Limits { min, max } = self.spec.limits;
        let name = &self.spec.name;
        let assigned = match self.jobs.assigned_count() {
            1 => "1 assigned job".to_owned(),
            count => format!("{count} assigned jobs"),
        };
        if self.drains {
            return format!(
                "out of service: no new jobs with `runs-on: {name}`; GitHub counts {assigned}, which are served"
            );
        }
        let waiting = match min {
            0 => String::new(),
            some => format!(", {some} of them waiting for jobs"),
        };
        let runners = match max {
            1 => "1 runner".to_owned(),
            most => format!("{most} runners"),
        };
        format!(
            "serving jobs with `runs-on: {name}`, at most {runners}{waiting}; GitHub counts {assigned}"
        )
    }

    /// When there is something to do even if nobody says anything.
    pub(super) fn next_wake(&self) -> Instant {
        let look = (!self.is_looking).then_some(self.next_census);
        let now = Instant::now();
        let retry = self.trouble.retry_at().filter(|at| *at > now);
        let trust = self.distrust.until();
        [look, retry, trust]
            .into_iter()
            .flatten()
            .min()
            .unwrap_or(now + Duration::from_hours(1))
    }

    /// Whether a set that is drained has nothing left to serve.
    pub(super) fn is_drained(&self) -> bool {
        let demand = self.demand();
        self.has_looked
            && demand.assigned == 0
            && demand.waiting == 0
            && self.fleet.is_empty()
            && self.launches.is_empty()
            && self.doubtful.is_empty()
    }
}
