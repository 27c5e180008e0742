//! The metrics that Prometheus reads.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// From a queue that is served at once to one that waits for capacity.
const WAITS: [f64; 12] = [
    5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 300.0, 900.0, 3600.0,
];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfSet {
    set: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfOutcome {
    set: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfCode {
    set: String,
    code: String,
}

/// All sets' metrics.
pub(super) struct Metrics {
    registry: Registry,
    wanted: Family<OfSet, Gauge>,
    live: Family<OfSet, Gauge>,
    busy: Family<OfSet, Gauge>,
    session: Family<OfSet, Gauge>,
    usd_per_hour: Family<OfSet, Gauge<f64, AtomicU64>>,
    launches: Family<OfOutcome, Counter>,
    refusals: Family<OfCode, Counter>,
    jobs: Family<OfOutcome, Counter>,
    waited: Family<OfSet, Histogram>,
}

/// How a set stands.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Standing {
    pub wanted: usize,
    pub live: usize,
    pub busy: usize,
    pub usd_per_hour: f64,
}

impl Metrics {
    pub(super) fn new() -> Self {
        let mut registry = Registry::with_prefix("sprinters");
        let metrics = Self {
            wanted: Family::default(),
            live: Family::default(),
            busy: Family::default(),
            session: Family::default(),
            usd_per_hour: Family::default(),
            launches: Family::default(),
            refusals: Family::default(),
            jobs: Family::default(),
            waited: Family::new_with_constructor(|| Histogram::new(WAITS)),
            registry: Registry::default(),
        };
        let Self {
            wanted,
            live,
            busy,
            session,
            usd_per_hour,
            launches,
            refusals,
            jobs,
            waited,
            ..
        } = &metrics;
        registry.register(
            "runners_wanted",
            "Runners that there should be",
            wanted.clone(),
        );
        registry.register(
            "runners_live",
            "Runners that live or are being launched",
            live.clone(),
        );
        registry.register("runners_busy", "Runners that have a job", busy.clone());
        registry.register(
            "session",
            "Whether this listener serves the set (1) or waits (0)",
            session.clone(),
        );
        registry.register(
            "usd_per_hour",
            "What the runners that live cost an hour with their volumes, as far as the prices are known",
            usd_per_hour.clone(),
        );
        registry.register("launches", "Launches by outcome", launches.clone());
        registry.register("refusals", "What EC2 refused, by code", refusals.clone());
        registry.register("jobs", "Jobs that are over, by result", jobs.clone());
        registry.register_with_unit(
            "job_wait",
            "From the time a job was queued until a runner started it",
            Unit::Seconds,
            waited.clone(),
        );
        Self {
            registry,
            ..metrics
        }
    }

    pub(super) fn stands(&self, set: &str, standing: Standing) {
        let gauge = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let of = of_set(set);
        self.wanted.get_or_create(&of).set(gauge(standing.wanted));
        self.live.get_or_create(&of).set(gauge(standing.live));
        self.busy.get_or_create(&of).set(gauge(standing.busy));
        self.usd_per_hour
            .get_or_create(&of)
            .set(standing.usd_per_hour);
    }

    pub(super) fn holds_session(&self, set: &str, holds: bool) {
        self.session.get_or_create(&of_set(set)).set(holds.into());
    }

    /// How things stood does not count for a set that is not served any more; what was counted stays.
    pub(super) fn forget(&self, set: &str) {
        let of = of_set(set);
        for gauge in [&self.wanted, &self.live, &self.busy] {
            gauge.remove(&of);
        }
        self.usd_per_hour.remove(&of);
    }

    /// `launched`, `no_capacity` or `failed`.
    pub(super) fn launch(&self, set: &str, outcome: &'static str) {
        self.launches.get_or_create(&of_outcome(set, outcome)).inc();
    }

    pub(super) fn refusal(&self, set: &str, code: &str) {
        let of = OfCode {
            set: set.to_owned(),
            code: code.to_owned(),
        };
        self.refusals.get_or_create(&of).inc();
    }

    pub(super) fn started(&self, set: &str, waited: Duration) {
        let histogram = self.waited.get_or_create(&of_set(set));
        histogram.observe(waited.as_secs_f64());
    }

    pub(super) fn completed(&self, set: &str, result: &str) {
        // GitHub's own words; whatever else it may say one day must not become a label each.
        let known = ["succeeded", "failed", "canceled", "skipped", "abandoned"];
        let result = known
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(result))
            .unwrap_or("other");
        self.jobs.get_or_create(&of_outcome(set, result)).inc();
    }

    /// In the text format of `OpenMetrics`.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // A `String` takes whatever is written to it.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

fn of_set(set: &str) -> OfSet {
    OfSet {
        set: set.to_owned(),
    }
}

fn of_outcome(set: &str, outcome: &'static str) -> OfOutcome {
    OfOutcome {
        set: set.to_owned(),
        outcome,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reported() {
        let metrics = Metrics::new();
        let standing = Standing {
            wanted: 3,
            live: 2,
            busy: 1,
            usd_per_hour: 0.25,
        };
        metrics.stands("linux-x64", standing);
        metrics.launch("linux-x64", "launched");
        metrics.refusal("linux-x64", "VcpuLimitExceeded");
        metrics.started("linux-x64", Duration::from_secs(41));
        metrics.completed("linux-x64", "Succeeded");
        metrics.completed("linux-x64", "a \" new one");
        let text = metrics.text();
        for line in [
            "sprinters_runners_wanted{set=\"linux-x64\"} 3",
            "sprinters_usd_per_hour{set=\"linux-x64\"} 0.25",
            "sprinters_launches_total{set=\"linux-x64\",outcome=\"launched\"} 1",
            "sprinters_refusals_total{set=\"linux-x64\",code=\"VcpuLimitExceeded\"} 1",
            "sprinters_job_wait_seconds_bucket{le=\"45.0\",set=\"linux-x64\"} 1",
            "sprinters_jobs_total{set=\"linux-x64\",outcome=\"other\"} 1",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        metrics.forget("linux-x64");
        let text = metrics.text();
        assert!(!text.contains("runners_wanted{") && text.contains("launches_total{"));
    }
}
