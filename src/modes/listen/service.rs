//! What all sets of a listener share.

use std::sync::Arc;

use serde_json::{Map, Value};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::health::Health;
use super::metrics::Metrics;
use super::overview::Overview;
use crate::report::{Level, Reporter};

/// Launches under way at a time, over all sets: enough to hide the round trips.
const LAUNCHES_AT_ONCE: usize = 32;

/// The listener, as its sets see it.
pub(super) struct Service {
    pub report: Arc<Reporter>,
    pub metrics: Metrics,
    pub health: Health,
    pub overview: Overview,
    pub turns: Arc<Semaphore>,
    /// Nothing new is begun from then on.
    pub stop: CancellationToken,
    /// Who holds the sessions, for whoever meets one.
    pub owner: String,
}

impl Service {
    pub(super) fn new<'a>(
        report: Arc<Reporter>,
        sets: impl Iterator<Item = &'a str>,
        owner: String,
    ) -> Self {
        Self {
            report,
            metrics: Metrics::new(),
            health: Health::of(sets),
            overview: Overview::default(),
            turns: Arc::new(Semaphore::new(LAUNCHES_AT_ONCE)),
            stop: CancellationToken::new(),
            owner,
        }
    }

    /// The set is not served from here any more, while others may be.
    pub(super) fn forget(&self, set: &str) {
        self.metrics.forget(set);
        self.health.forget(set);
        self.overview.forget(set);
    }
}

/// One set's voice in the log.
#[derive(Clone)]
pub(super) struct Voice {
    pub report: Arc<Reporter>,
    pub set: String,
}

impl Voice {
    pub(super) fn log(&self, event: &str, text: impl std::fmt::Display) {
        self.log_with(event, text, Map::new());
    }

    pub(super) fn log_with(
        &self,
        event: &str,
        text: impl std::fmt::Display,
        fields: Map<String, Value>,
    ) {
        self.put(Level::Notice, event, text, fields);
    }

    pub(super) fn warns(&self, event: &str, text: impl std::fmt::Display) {
        self.put(Level::Warning, event, text, Map::new());
    }

    fn put(
        &self,
        level: Level,
        event: &str,
        text: impl std::fmt::Display,
        mut fields: Map<String, Value>,
    ) {
        fields.insert("event".to_owned(), event.into());
        fields.insert("set".to_owned(), self.set.as_str().into());
        let text = format!("{}: {text}", self.set);
        self.report.event(level, &text, fields);
    }
}
