//! What a message changes in what is known of a set.

use std::time::{Duration, SystemTime};

use super::fleet::{Member, adopted};
use super::job_line::{Ended, JobOver};
use super::reconcile;
use super::set::Set;
use crate::ec2::Instance;
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
                } => self.completed(job, runner, result),
            }
        }
        self.ask_where_they_ran();
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

    fn completed(&mut self, job: Job, runner: Option<RunnerId>, result: String) {
        if !self.jobs.complete(&job, runner) {
            return;
        }
        self.service.metrics.completed(&self.voice.set, &result);
        let over = JobOver {
            job,
            runner,
            result,
        };
        match runner {
            // It ended while no listener was here: EC2 is asked once for all jobs of a message.
            Some(runner) if self.member_of(runner).is_none() => self.unreported.push(over),
            Some(_) | None => self.report(&over, runner.and_then(|runner| self.member_of(runner))),
        }
        if let Some(runner) = runner {
            self.fleet.finished(runner);
        }
    }

    fn member_of(&self, runner: RunnerId) -> Option<&Member> {
        let past = || self.past.iter().find(|one| one.runner == Some(runner));
        self.fleet.of(runner).or_else(past)
    }

    /// The line of a job that is over.
    fn report(&self, over: &JobOver, member: Option<&Member>) {
        let JobOver {
            job,
            runner,
            result,
        } = over;
        let served = member.map(|member| member.launched).or(job.started);
        let hindrance = job
            .queued
            .and_then(|queued| self.hindrance.of_wait(queued, served));
        let ended = Ended {
            job,
            result,
            runner: member,
            is_unknown: runner.is_some() && member.is_none(),
            hindrance,
        };
        self.voice.log_with("job", ended.line(), ended.fields());
    }

    /// Reports the jobs whose instances EC2 was asked for.
    pub(super) fn report_late(&self, jobs: &[JobOver], instances: &[Instance]) {
        let now = SystemTime::now();
        for over in jobs {
            let of_job = |one: &&Instance| over.runner.is_some() && one.runner_id() == over.runner;
            let instance = instances.iter().find(of_job);
            let seen = instance.map(|one| adopted(one, self.price_of(one), now));
            let known = over.runner.and_then(|runner| self.member_of(runner));
            self.report(over, known.or(seen.as_ref()));
        }
    }
}
