//! What a message changes in what is known of a set.

use std::time::{Duration, SystemTime};

use super::job_line::Ended;
use super::reconcile;
use super::set::Set;
use crate::github::scale_sets::{Event, Job, Message};
use crate::values::runner_id::RunnerId;

/// GitHub gives a job up that waited for a day.
const LONGEST_QUEUE: Duration = Duration::from_hours(25);
/// So many messages are known again when they come again.
const RECENT: usize = 64;

impl Set {
    /// Whether the message has come before: one that could not be acknowledged comes again, and again.
    pub(super) fn is_repeated(&mut self, message: u64) -> bool {
        if self.recent.contains(&message) {
            return true;
        }
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(message);
        false
    }

    /// Takes a message in; the jobs on offer that are to be acquired.
    pub(super) fn take(&mut self, message: Message) -> Vec<i64> {
        let is_newest = self.last.is_none_or(|last| message.id > last);
        if let Some(statistics) = message.statistics.filter(|_| is_newest) {
            self.jobs.note_statistics(statistics);
        }
        self.last = self.last.max(Some(message.id));
        let mut offers = Vec::new();
        for event in message.events {
            match event {
                Event::Available { request } => offers.push(request),
                Event::Assigned(job) => self.jobs.assign(job),
                Event::Started { job, runner } => self.started(job, runner),
                Event::Completed {
                    job,
                    runner,
                    result,
                } => self.completed(&job, runner, &result),
            }
        }
        self.jobs.forget_before(SystemTime::now() - LONGEST_QUEUE);
        // A job that comes while runners that are done still count against `max-runners` waits until they are seen to be gone.
        self.look_within(self.pause_of_look());
        let supply = self.fleet.supply(self.launches.len(), self.doubtful.len());
        let most = reconcile::acquirable(self.spec.limits, self.demand(), supply, self.drains);
        offers.truncate(most);
        offers
    }

    fn started(&mut self, job: Job, runner: RunnerId) {
        let waited = job
            .started
            .zip(job.queued)
            .and_then(|(started, queued)| started.duration_since(queued).ok());
        if !self.jobs.start(job, runner) {
            return;
        }
        if let Some(waited) = waited {
            self.service.metrics.started(&self.voice.set, waited);
        }
        self.fleet.started(runner, SystemTime::now());
        self.online(runner);
    }

    /// A runner has shown itself for the first time.
    pub(super) fn online(&mut self, runner: RunnerId) {
        self.trouble.online();
        let fast = self.fleet.take_fast(runner);
        if let Some(launch) = fast {
            self.bring_down(launch);
        }
    }

    fn completed(&mut self, job: &Job, runner: Option<RunnerId>, result: &str) {
        if !self.jobs.complete(job) {
            return;
        }
        let member = runner.and_then(|runner| {
            let past = || self.past.iter().find(|one| one.runner == Some(runner));
            self.fleet.of(runner).or_else(past)
        });
        let served = member.map(|member| member.launched).or(job.started);
        let hindrance = job
            .queued
            .and_then(|queued| self.hindrance.of_wait(queued, served));
        let ended = Ended {
            job,
            result,
            runner: member,
            hindrance,
        };
        self.voice.log_with("job", ended.line(), ended.fields());
        self.service.metrics.completed(&self.voice.set, result);
        if let Some(runner) = runner {
            self.fleet.finished(runner);
        }
    }
}
