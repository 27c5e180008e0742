//! Calls that a set makes beside its long poll, so that no call waits for another.

use std::sync::Arc;
use std::time::Duration;

use super::census;
use super::news::News;
use super::set::Set;
use crate::github::scale_sets::{ACKNOWLEDGE, ACQUIRE, Session};
use crate::github::{DELETE, Deletion};
use crate::launch::boot_volume;
use crate::launch::runner::LaunchedRunner;
use crate::retry::{self, Deadline};
use crate::teardown;
use crate::values::network::InstanceId;
use crate::values::runner_id::RunnerId;

const PATIENCE: Duration = Duration::from_secs(30);

impl Set {
    /// Acquires what is on offer, then says that the message has been dealt with. In this order: of a listener that dies in
    /// between, the message comes again.
    pub(super) fn acknowledge(&mut self, session: &Arc<Session>, message: u64, offers: Vec<i64>) {
        let session = session.clone();
        self.errands.spawn(async move {
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
        self.errands
            .spawn(async move { News::Census(census::take(&clients, &plan).await) });
    }

    /// Ends runners without a job. The record goes first: from then on no job comes, and GitHub refuses where one just has.
    pub(super) fn end(&mut self, idle: Vec<(InstanceId, Option<RunnerId>)>) {
        for (instance, record) in idle {
            let clients = self.clients.clone();
            self.errands.spawn(async move {
                let deadline = Deadline::after(PATIENCE);
                let github = &clients.github;
                let deleted = match record {
                    None => Ok(Deletion::Gone),
                    Some(id) => retry::until(DELETE, deadline, || github.delete_runner(id)).await,
                };
                let result = match deleted {
                    Ok(Deletion::Busy) => Ok(false),
                    Ok(Deletion::Deleted | Deletion::Gone) => {
                        teardown::terminate(&clients.ec2, &instance, deadline)
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

    pub(super) fn forget_record(&mut self, id: RunnerId) {
        let github = self.clients.github.clone();
        self.errands.spawn(async move {
            let deadline = Deadline::after(PATIENCE);
            match retry::until(DELETE, deadline, || github.delete_runner(id)).await {
                Ok(_) => News::Nothing,
                Err(error) => News::Warning(error.to_string()),
            }
        });
    }

    /// Makes a root volume cheap that was fast for the boot.
    pub(super) fn bring_down(&mut self, launch: LaunchedRunner) {
        let (clients, report) = (self.clients.clone(), self.service.report.clone());
        self.errands.spawn(async move {
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
            News::Warning(text) => self.voice.warns("trouble", text),
            News::Nothing => {}
        }
    }
}
