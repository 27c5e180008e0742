//! Calls that a set makes beside its long poll, so that no call waits for another.

use std::sync::Arc;
use std::time::Duration;

use super::census;
use super::news::News;
use super::set::Set;
use crate::github::scale_sets::{ACKNOWLEDGE, ACQUIRE, Session};
use crate::github::{DELETE, Deletion, Github, GithubError, LIST};
use crate::launch::boot_volume;
use crate::launch::runner::LaunchedRunner;
use crate::platform::executor::spawn;
use crate::retry::{self, Deadline};
use crate::teardown::{self, Record};
use crate::values::network::InstanceId;
use crate::values::run::WorkflowRun;
use crate::values::runner_id::RunnerId;

const PATIENCE: Duration = Duration::from_secs(30);

/// An instance that is to be ended, and what its tags say of its runner.
pub(super) struct Due {
    pub instance: InstanceId,
    pub runner: Option<RunnerId>,
    pub name: Option<String>,
}

/// The records that this set may delete.
struct Records {
    github: Github,
    run: WorkflowRun,
    /// What the names of the set's runners begin with.
    names_begin: String,
}

impl Records {
    /// Deletes the record of that number, which comes from a tag that anybody may write: a stranger's stays, and the one of the
    /// instance's own name goes. One try, for a busy runner keeps its record.
    async fn delete(
        &self,
        id: RunnerId,
        name: Option<&str>,
        deadline: Deadline,
    ) -> Result<Deletion, GithubError> {
        let is_ours = |name: &str| self.run.may_touch(name) || name.starts_with(&self.names_begin);
        let mut found = teardown::find_runner(&self.github, id, name, deadline).await?;
        if let Some(name) = name
            && found.as_ref().is_some_and(|other| !is_ours(&other.name))
        {
            let look = || self.github.runners(Some(name));
            let named = retry::until(LIST, deadline, look).await?.runners;
            found = named.into_iter().find(|runner| runner.name == name);
        }
        let Some(runner) = found.filter(|runner| is_ours(&runner.name)) else {
            return Ok(Deletion::Gone);
        };
        let record = Record {
            id: runner.id,
            name: runner.name,
        };
        let delete = || teardown::try_delete(&self.github, &record, deadline);
        retry::until(DELETE, deadline, delete).await
    }
}

impl Set {
    fn begin(&mut self, errand: impl Future<Output = News> + Send + 'static) {
        spawn(&mut self.errands, errand);
    }

    /// Acquires what is on offer, then says that the message has been dealt with. In this order: of a listener that dies in
    /// between, the message comes again.
    pub(super) fn acknowledge(&mut self, session: &Arc<Session>, message: u64, offers: Vec<i64>) {
        let session = session.clone();
        self.begin(async move {
            let deadline = Deadline::after(PATIENCE);
            if !offers.is_empty() {
                let acquired = retry::until(ACQUIRE, deadline, || session.acquire(&offers)).await;
                if let Err(error) = acquired {
                    return News::Warning(format!("{error}; GitHub offers the jobs again"));
                }
            }
            let done = retry::until(ACKNOWLEDGE, deadline, || session.acknowledge(message)).await;
            match done {
                Ok(()) => News::Nothing,
                Err(error) => News::Warning(format!("{error}; the message comes again")),
            }
        });
    }

    pub(super) fn look(&mut self) {
        self.is_looking = true;
        let (clients, plan) = (self.clients.clone(), self.plan_census());
        self.begin(async move { News::Census(census::take(&clients, &plan).await) });
    }

    /// Looks for the instances of jobs that were over before they were seen. What EC2 does not tell is said to be unknown.
    pub(super) fn ask_where_they_ran(&mut self) {
        if self.unreported.is_empty() {
            return;
        }
        let jobs = std::mem::take(&mut self.unreported);
        let (clients, tag) = (self.clients.clone(), self.tag());
        self.begin(async move {
            let runners: Vec<RunnerId> = jobs.iter().filter_map(|over| over.runner).collect();
            let found = census::of_runners(&clients, &tag, &runners).await;
            News::Ran(jobs, found.unwrap_or_default())
        });
    }

    /// Ends runners without a job. The record goes first: from then on no job comes, and GitHub refuses where one just has.
    pub(super) fn end(&mut self, idle: Vec<Due>) {
        for due in idle {
            let (records, ec2) = (self.records(), self.clients.ec2.clone());
            self.begin(async move {
                let deadline = Deadline::after(PATIENCE);
                let Due {
                    instance,
                    runner,
                    name,
                } = due;
                let deleted = match runner {
                    None => Ok(Deletion::Gone),
                    Some(id) => records.delete(id, name.as_deref(), deadline).await,
                };
                let result = match deleted {
                    Ok(Deletion::Busy) => Ok(false),
                    Ok(Deletion::Deleted | Deletion::Gone) => {
                        teardown::terminate(&ec2, &instance, deadline)
                            .await
                            .map(|()| true)
                            .map_err(|error| error.to_string())
                    }
                    Err(error) => Err(error.to_string()),
                };
                News::Ended(instance, result)
            });
        }
    }

    pub(super) fn forget_record(&mut self, id: RunnerId, name: Option<String>) {
        let records = self.records();
        self.begin(async move {
            let deadline = Deadline::after(PATIENCE);
            match records.delete(id, name.as_deref(), deadline).await {
                Ok(Deletion::Busy) => News::RecordLeft(None),
                Ok(_) => News::Nothing,
                Err(error) => News::RecordLeft(Some(error.to_string())),
            }
        });
    }

    fn records(&self) -> Records {
        Records {
            github: self.clients.github.clone(),
            run: self.clients.run.clone(),
            names_begin: self.launching.names_begin(),
        }
    }

    /// Makes a root volume cheap that was fast for the boot.
    pub(super) fn bring_down(&mut self, launch: LaunchedRunner) {
        let (clients, report) = (self.clients.clone(), self.service.report.clone());
        self.begin(async move {
            boot_volume::bring_down(&clients, &[launch], &report).await;
            News::Nothing
        });
    }

    pub(super) fn hear(&mut self, news: News) {
        match news {
            News::Census(Ok(census)) => {
                self.is_looking = false;
                let due = self.see(census);
                self.next_census = tokio::time::Instant::now() + self.pause_of_look();
                self.end(due);
            }
            News::Census(Err(failure)) => {
                self.is_looking = false;
                self.next_census = tokio::time::Instant::now() + PATIENCE;
                self.voice.warns("trouble", failure.briefly());
            }
            News::Ended(instance, result) => self.ended(&instance, result),
            News::RecordLeft(why) => {
                self.record_left = Some(tokio::time::Instant::now());
                self.look_within(self.pause_of_look());
                if let Some(why) = why {
                    self.voice.warns("trouble", why);
                }
            }
            News::Ran(jobs, instances) => self.report_late(&jobs, &instances),
            News::Warning(text) => self.voice.warns("trouble", text),
            News::Nothing => {}
        }
    }
}
