//! Whom a stop ends: never a runner that a job of this run uses or still waits for. Pure.

use std::fmt;

use super::filter::StopFilter;
use crate::clients::Clients;
use crate::ec2::Instance;
use crate::github::{Job, Runner};
use crate::teardown::Record;
use crate::values::run::{self, WorkflowRun};
use crate::values::runner_id::RunnerId;

/// Why a runner is spared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum InUse {
    /// This job of the run runs on it.
    Runs(String),
    /// This job of the run asks for its label, and no runner has taken it yet.
    Waits(String),
    /// This other job of the run has launched it and has not ended, so that whoever is to use it has not even begun to wait.
    Starts(String),
    /// GitHub calls it busy; with which job is not known.
    Busy,
    /// A `bake` makes an image of it, and nobody knows that its job is over.
    Bakes,
}

impl InUse {
    /// What ends it, now or later.
    pub(super) fn way_out(&self) -> &'static str {
        match self {
            Self::Bakes => {
                "The bake ends it, or `mode: sweep` once it has expired; `instance-id` or `force: true` ends it now"
            }
            _ => "It ends itself when its job is done; `force: true` ends it now",
        }
    }
}

impl fmt::Display for InUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runs(job) => write!(f, "the job `{job}` runs on it"),
            Self::Waits(job) => write!(f, "the job `{job}` waits for it"),
            Self::Starts(job) => write!(f, "the job `{job}`, which has launched it, has not ended"),
            Self::Busy => f.write_str("GitHub says that a job runs on it"),
            Self::Bakes => f.write_str("a `bake` that may be under way has launched it"),
        }
    }
}

/// What is known of the run's runners.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    pub runners: &'a [Runner],
    /// The run's jobs, where the job's own token may read them.
    pub jobs: Option<&'a [Job]>,
    /// The job that stops.
    pub own_job: Option<u64>,
    /// The attempt of the run that it is of.
    pub own_attempt: &'a str,
    /// `force`: end what is in use, too.
    pub is_forced: bool,
    /// What is to end was named.
    pub is_named: bool,
}

impl<'a> Known<'a> {
    pub(super) fn new(
        runners: &'a [Runner],
        jobs: Option<&'a [Job]>,
        clients: &'a Clients,
        filter: &StopFilter,
    ) -> Self {
        Self {
            runners,
            jobs,
            own_job: clients.run.job_id,
            own_attempt: &clients.run.attempt,
            is_forced: filter.force,
            is_named: !filter.is_whole_run(),
        }
    }
}

impl Known<'_> {
    /// Why the instance's runner is to be spared; nothing where it is free.
    pub(super) fn in_use(&self, instance: &Instance) -> Option<InUse> {
        self.use_of(instance.runner_id(), instance.label(), instance.job_id())
            .or_else(|| self.may_bake(instance).then_some(InUse::Bakes))
    }

    /// Whether a bake may still need it. It has no runner that GitHub could call busy: only its job tells that it is over. An
    /// older attempt was over before this one began.
    fn may_bake(&self, instance: &Instance) -> bool {
        let launched_by = instance.job_id();
        let is_own = launched_by.is_some() && launched_by == self.own_job;
        let is_over = || {
            let mut jobs = self.jobs.unwrap_or_default().iter();
            jobs.any(|job| Some(job.id.0) == launched_by && job.is_completed())
        };
        let is_of_this_attempt = instance
            .attempt()
            .is_none_or(|attempt| attempt == self.own_attempt);
        instance.is_baking()
            && is_of_this_attempt
            && !(self.is_forced || self.is_named || is_own || is_over())
    }

    /// The same of a record whose instance is not here: it may be in a region where another stop looks.
    pub(super) fn in_use_elsewhere(&self, runner: &Runner) -> Option<InUse> {
        self.use_of(Some(runner.id), run::label_of(&runner.name), None)
    }

    /// Whether another job of the run may have launched a runner that has no instance here: an instance tells which job did, and
    /// a record alone does not. Where the number of the job that stops is not known, it is one of those that run.
    pub(super) fn may_be_starting(&self) -> bool {
        let jobs = self.jobs.unwrap_or_default().iter();
        let others = jobs.filter(|job| job.is_running() && Some(job.id.0) != self.own_job);
        let own = usize::from(self.own_job.is_none());
        !self.is_forced && others.count() > own
    }

    fn use_of(
        &self,
        id: Option<RunnerId>,
        label: Option<&str>,
        launched_by: Option<u64>,
    ) -> Option<InUse> {
        if self.is_forced {
            return None;
        }
        let jobs = self.jobs.unwrap_or_default();
        let ours = || {
            jobs.iter()
                .filter(|job| id.is_some_and(|id| job.ran_on(id)))
        };
        if let Some(job) = ours().find(|job| !job.is_completed()) {
            return Some(InUse::Runs(job.name.clone()));
        }
        let waits = |job: &&Job| job.is_waiting() && label.is_some_and(|label| job.asks_for(label));
        // A runner takes one job: whoever waits for the label of one that has had its job waits in vain.
        let has_had_its_job = ours().next().is_some();
        if let Some(job) = jobs.iter().find(waits).filter(|_| !has_had_its_job) {
            return Some(InUse::Waits(job.name.clone()));
        }
        let starts = |job: &&Job| Some(job.id.0) == launched_by && !job.is_completed();
        if let Some(job) = jobs
            .iter()
            .find(starts)
            .filter(|_| launched_by != self.own_job)
        {
            return Some(InUse::Starts(job.name.clone()));
        }
        // GitHub notices a little late that a job is over, which the list of jobs knows already.
        let is_busy = self
            .runners
            .iter()
            .any(|runner| Some(runner.id) == id && runner.busy);
        (is_busy && !has_had_its_job).then_some(InUse::Busy)
    }
}

/// The records that go: those of the ended instances, and for a whole run those of its runners that have no instance here and
/// that no job needs. Only a name of this run makes a record its own.
pub(super) fn records(
    run: &WorkflowRun,
    known: &Known<'_>,
    ended: &[&Instance],
    spared: &[&Instance],
    is_whole_run: bool,
) -> Vec<Record> {
    let is_of = |runner: &Runner, instances: &[&Instance]| {
        instances
            .iter()
            .any(|instance| instance.runner_id() == Some(runner.id))
    };
    let may_be_free = is_whole_run && !known.may_be_starting();
    let is_free = |runner: &Runner| may_be_free && known.in_use_elsewhere(runner).is_none();
    known
        .runners
        .iter()
        .filter(|runner| run.launched(&runner.name) && !is_of(runner, spared))
        .filter(|runner| is_of(runner, ended) || is_free(runner))
        .map(|runner| Record {
            id: runner.id,
            name: runner.name.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::{State, Usage, tags};
    use crate::github::JobId;
    use crate::values::network::InstanceId;
    use crate::values::run::LaunchName;
    use crate::values::scope::Scope;
    use std::time::SystemTime;

    fn instance(runner: u64, label: &str) -> Instance {
        Instance {
            id: InstanceId::from_ec2("i-0a"),
            state: State::Running,
            state_reason: None,
            instance_type: "m7i.large".to_owned(),
            usage: Usage::default(),
            tags: [
                (tags::RUNNER_ID.to_owned(), runner.to_string()),
                (tags::LABEL.to_owned(), label.to_owned()),
            ]
            .into(),
        }
    }

    fn runner(id: u64, busy: bool) -> Runner {
        Runner {
            id: RunnerId(id),
            name: format!("sprinters-{id}"),
            status: "online".to_owned(),
            busy,
        }
    }

    fn job(name: &str, status: &str, runner: Option<u64>, label: &str) -> Job {
        Job {
            id: JobId(1),
            name: name.to_owned(),
            status: Some(status.to_owned()),
            conclusion: None,
            runner_id: runner.map(RunnerId),
            runner_name: None,
            labels: vec![label.to_owned()],
        }
    }

    fn in_use(busy: bool, jobs: Option<&[Job]>) -> Option<InUse> {
        let known = Known {
            runners: &[runner(7, busy)],
            jobs,
            own_job: Some(9),
            own_attempt: "1",
            is_forced: false,
            is_named: false,
        };
        known.in_use(&instance(7, "mine"))
    }

    #[test]
    fn what_another_job_is_starting_is_nobody_s_to_stop() {
        let mut launched = instance(7, "mine");
        let with = |launched: &Instance, own: Option<u64>, status: &str| {
            let known = Known {
                runners: &[],
                jobs: Some(&[job("start", status, None, "ubuntu-latest")]),
                own_job: own,
                own_attempt: "1",
                is_forced: false,
                is_named: false,
            };
            known.in_use(launched)
        };
        let starts = Some(InUse::Starts("start".to_owned()));
        assert_eq!(with(&launched, Some(9), "in_progress"), None);
        let tag = (tags::JOB_ID.to_owned(), "1".to_owned());
        launched.tags.extend([tag]);
        assert_eq!(with(&launched, Some(9), "in_progress"), starts);
        assert_eq!(with(&launched, None, "in_progress"), starts);
        assert_eq!(with(&launched, Some(1), "in_progress"), None);
        assert_eq!(with(&launched, Some(9), "completed"), None);
    }

    #[test]
    fn a_bake_is_over_only_where_its_job_is() {
        let mut baking = instance(7, "mine");
        baking.tags = [
            (tags::IMAGE.to_owned(), "ci-base".to_owned()),
            (tags::RUN_ATTEMPT.to_owned(), "2".to_owned()),
            (tags::JOB_ID.to_owned(), "1".to_owned()),
        ]
        .into();
        let under_way = [job("bake", "in_progress", None, "ubuntu-latest")];
        let over = [job("bake", "completed", None, "ubuntu-latest")];
        let unknown = Known {
            runners: &[],
            jobs: None,
            own_job: Some(9),
            own_attempt: "2",
            is_forced: false,
            is_named: false,
        };
        let known = |jobs| Known { jobs, ..unknown };
        assert_eq!(unknown.in_use(&baking), Some(InUse::Bakes));
        assert_eq!(known(Some(&[])).in_use(&baking), Some(InUse::Bakes));
        let starts = Some(InUse::Starts("bake".to_owned()));
        assert_eq!(known(Some(&under_way)).in_use(&baking), starts);
        assert_eq!(known(Some(&over)).in_use(&baking), None);
        for free in [
            Known {
                own_job: Some(1),
                ..unknown
            },
            Known {
                own_attempt: "3",
                ..unknown
            },
            Known {
                is_forced: true,
                ..unknown
            },
            Known {
                is_named: true,
                ..unknown
            },
        ] {
            assert_eq!(free.in_use(&baking), None, "{free:?}");
        }
        // Where GitHub gave no number, nobody can know.
        baking.tags.remove(tags::JOB_ID);
        assert_eq!(known(Some(&over)).in_use(&baking), Some(InUse::Bakes));
        let without = Known {
            own_job: None,
            ..unknown
        };
        assert_eq!(without.in_use(&baking), Some(InUse::Bakes));
    }

    #[test]
    fn the_runs_jobs_decide_where_they_are_known() {
        let build = |status, runner| [job("build", status, runner, "MINE")];
        let runs = Some(InUse::Runs("build".to_owned()));
        let waits = Some(InUse::Waits("build".to_owned()));
        assert_eq!(in_use(true, Some(&build("in_progress", Some(7)))), runs);
        assert_eq!(in_use(false, Some(&build("queued", None))), waits);
        assert_eq!(in_use(false, Some(&build("waiting", None))), waits);
        assert_eq!(in_use(true, Some(&build("completed", Some(7)))), None);
        assert_eq!(in_use(false, Some(&[])), None);
        let others = [job("other", "queued", None, "theirs")];
        assert_eq!(in_use(false, Some(&others)), None);
    }

    #[test]
    fn a_busy_runner_is_spared_where_nobody_knows_its_job() {
        assert_eq!(in_use(true, None), Some(InUse::Busy));
        assert_eq!(in_use(true, Some(&[])), Some(InUse::Busy));
        assert_eq!(in_use(false, None), None);
    }

    #[test]
    fn a_record_without_an_instance_is_spared_as_an_instance_is() {
        let run = WorkflowRun {
            repository: "octo/app".parse().unwrap_or_else(|e| unreachable!("{e}")),
            id: "7".to_owned(),
            attempt: "1".to_owned(),
            job: "stop".to_owned(),
            job_id: None,
            scope: Scope::Organization("octo".to_owned()),
        };
        let label = LaunchName::fresh(&run, SystemTime::now());
        let named = |id: u64, busy: bool| Runner {
            name: label.runner_name(),
            ..runner(id, busy)
        };
        let runners = [named(7, false), named(8, true)];
        let gone = |jobs: Option<&[Job]>, ended: &[&Instance]| {
            let known = Known {
                runners: &runners,
                jobs,
                own_job: None,
                own_attempt: "1",
                is_forced: false,
                is_named: false,
            };
            let records = records(&run, &known, ended, &[], true);
            records.iter().map(|record| record.id.0).collect::<Vec<_>>()
        };
        assert_eq!(gone(None, &[]), [7]);
        let waits = [job("build", "queued", None, label.as_str())];
        assert_eq!(gone(Some(&waits), &[]), [] as [u64; 0]);
        // Another start may be about to launch it; of the job that stops, the number is not known here.
        let stops = job("stop", "in_progress", None, "ubuntu-latest");
        let mut starts = job("start", "in_progress", None, "ubuntu-latest");
        starts.id = JobId(2);
        assert_eq!(gone(Some(std::slice::from_ref(&stops)), &[]), [7]);
        assert_eq!(gone(Some(&[stops, starts]), &[]), [] as [u64; 0]);
        // What is ended here frees its record, whatever GitHub calls it.
        assert_eq!(gone(None, &[&instance(8, "mine")]), [7, 8]);
    }

    #[test]
    fn a_job_on_a_runner_of_github_s_says_nothing_of_ours() {
        let mut hosted = job("lint", "completed", Some(7), "ubuntu-latest");
        assert_eq!(in_use(true, Some(std::slice::from_ref(&hosted))), None);
        hosted.runner_name = Some("GitHub Actions 7".to_owned());
        assert_eq!(in_use(true, Some(&[hosted])), Some(InUse::Busy));
    }

    #[test]
    fn force_spares_nobody() {
        let jobs = [job("build", "in_progress", Some(7), "mine")];
        let known = Known {
            runners: &[runner(7, true)],
            jobs: Some(&jobs),
            own_job: None,
            own_attempt: "1",
            is_forced: true,
            is_named: false,
        };
        assert_eq!(known.in_use(&instance(7, "mine")), None);
    }
}
