//! `sweep`: end what outlived its `sprinters:expires` tag, for a scheduled workflow. A busy runner is never touched.

mod plan;
mod summary;
mod waiting;

use std::time::SystemTime;

use plan::{Plan, plan};

use crate::clients::Clients;
use crate::ec2::{Instance, tags};
use crate::error::Failure;
use crate::github::{DELETE, Deletion, GithubError, LIST, Runner};
use crate::report::{CheckStatus, Reporter};
use crate::retry::{self, Deadline};
use crate::teardown::{self, Record};
use crate::values::network::InstanceId;
use crate::values::runner_id::RunnerId;
use crate::values::scope::Scope;

/// Records that are deleted before their instances are terminated: the sooner these follow, the better.
const IN_ONE_BATCH: usize = 20;

/// Ends what expired in this repository.
pub(crate) async fn sweep(
    clients: &Clients,
    max_attempts: u32,
    report: &Reporter,
) -> Result<(), Failure> {
    let deadline = Deadline::after(teardown::patience(0));
    let repository = [clients.run.repository.to_string()];
    let ours = ["true".to_owned()];
    let (by_ours, by_repository) = (
        format!("tag:{}", tags::OURS),
        format!("tag:{}", tags::REPOSITORY),
    );
    let filters: [(&str, &[String]); 2] = [(&by_ours, &ours), (&by_repository, &repository)];
    // Instances before runners: whoever takes a job in between is seen as busy.
    let found = clients.ec2.find(&filters, deadline).await;
    let (instances, unseen) = clients.seen(found, report)?;
    let deadline = Deadline::after(teardown::patience(instances.len()));
    let (runners, unanswered) = runners(clients, &instances, deadline)
        .await
        .map_err(|error| {
            clients
                .github_failure(&error)
                .and("nothing was ended: without an answer from GitHub nobody knows which runners are busy")
        })?;
    let (known, unknown) = divided(instances.clone(), &unanswered);
    let plan = plan(&known, &runners, &clients.run, SystemTime::now());
    log_undecided(&plan, report);
    // A runner in a region that could not be asked is not gone.
    let reruns = match unseen {
        None => waiting::rerun(clients, &instances, max_attempts, report).await,
        Some(_) => 0,
    };
    let mut sweeping = Sweeping {
        clients,
        report,
        // Silence about one runner takes no time from the others' end.
        deadline: Deadline::after(teardown::patience(instances.len())),
        terminated: 0,
        deleted: 0,
        spared: plan.spare.len(),
        failed: None,
    };
    for (instance, error) in &unknown {
        sweeping.fail(not_ended(clients, &instance.id, error));
    }
    let swept = sweeping.carry_out(plan).await;
    report.summary(&summary::swept(
        swept.terminated,
        swept.deleted,
        swept.spared,
        reruns,
    ));
    let unseen = unseen.map(|failure| failure.and("what expired in other regions is swept"));
    match swept.failed.or(unseen) {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

fn not_ended(clients: &Clients, instance: &InstanceId, error: &GithubError) -> Failure {
    clients.github_failure(error).and(format!(
        "`{instance}` was not ended: without an answer from GitHub nobody knows whether it is busy"
    ))
}

/// Those whose runners GitHub has answered about, and the others.
fn divided(
    instances: Vec<Instance>,
    unanswered: &[(RunnerId, GithubError)],
) -> (Vec<Instance>, Vec<(Instance, &GithubError)>) {
    let (mut known, mut unknown) = (Vec::new(), Vec::new());
    for instance in instances {
        let of_it = |(id, _): &&(RunnerId, GithubError)| instance.runner_id() == Some(*id);
        match unanswered.iter().find(of_it) {
            Some((_, error)) if instance.state.is_alive() => unknown.push((instance, error)),
            _ => known.push(instance),
        }
    }
    (known, unknown)
}

/// The list, and what it lacks of the expired instances' runners: a page that shifted hides a busy one. And those about which
/// GitHub does not answer.
async fn runners(
    clients: &Clients,
    instances: &[Instance],
    deadline: Deadline,
) -> Result<(Vec<Runner>, Vec<(RunnerId, GithubError)>), GithubError> {
    let list = retry::until(LIST, deadline, || clients.github.runners(None)).await?;
    let (scope, now) = (clients.run.scope.tag(), SystemTime::now());
    let expired = instances
        .iter()
        .filter(|instance| instance.state.is_alive() && instance.scope() == scope.as_deref())
        .filter(|instance| instance.expires().is_some_and(|expires| expires <= now));
    Ok(clients.with_unlisted(list, expired, deadline).await)
}

fn log_undecided(plan: &Plan, report: &Reporter) {
    for id in &plan.unknown {
        report.warning(format_args!(
            "`{id}` has no readable tag `{}`: if it is not needed, terminate it by hand",
            tags::EXPIRES
        ));
    }
    for (id, scope) in &plan.elsewhere {
        report.warning(format_args!(
            "the runner of `{id}` registered {}: left alone; sweep with that `scope`, too",
            Scope::described_tag(scope.as_deref())
        ));
    }
    for id in &plan.spare {
        report.mark(
            CheckStatus::Unknown,
            format_args!("`{id}` has expired, but its runner is busy: spared"),
        );
    }
    if plan.end.is_empty() && plan.overdue.is_empty() && plan.delete.is_empty() {
        report.mark(CheckStatus::Done, "nothing to sweep");
    }
}

/// A sweep under way. What fails is reported at the end: the rest is swept all the same.
struct Sweeping<'a> {
    clients: &'a Clients,
    report: &'a Reporter,
    deadline: Deadline,
    terminated: usize,
    deleted: usize,
    spared: usize,
    failed: Option<Failure>,
}

impl Sweeping<'_> {
    async fn carry_out(mut self, mut plan: Plan) -> Self {
        let overdue: Vec<InstanceId> = plan.overdue.iter().map(|(id, _)| id.clone()).collect();
        self.terminate(&overdue).await;
        // The record goes first: from then on no job can be assigned, and GitHub refuses where one has just been. Its instance
        // follows at once, whatever becomes of the other batches.
        while !plan.end.is_empty() {
            let rest = plan.end.split_off(IN_ONE_BATCH.min(plan.end.len()));
            let batch = std::mem::replace(&mut plan.end, rest);
            let free = self.free(batch).await;
            self.terminate(&free).await;
        }
        let overdue = plan.overdue.into_iter().map(|(_, record)| record);
        let records: Vec<Record> = plan.delete.into_iter().chain(overdue).collect();
        for (record, deletion) in self.delete(records).await {
            match deletion {
                Ok(Deletion::Deleted | Deletion::Gone) => self.log_deleted(&record),
                Ok(Deletion::Busy) => self.report.mark(
                    CheckStatus::Unknown,
                    format_args!("GitHub calls runner record {record} busy, so it stays"),
                ),
                Err(error) => self.fail(self.clients.github_failure(&error)),
            }
        }
        self
    }

    /// Takes the records of expired instances away; the instances where no job has come in between.
    async fn free(&mut self, batch: Vec<(InstanceId, Option<Record>)>) -> Vec<InstanceId> {
        let records = batch.iter().filter_map(|(_, record)| record.clone());
        let deletions = self.delete(records.collect()).await;
        let mut free = Vec::new();
        for (instance, record) in batch {
            let deletion = deletions
                .iter()
                .find(|(deleted, _)| Some(deleted) == record.as_ref());
            match deletion {
                None | Some((_, Ok(Deletion::Gone))) => free.push(instance),
                Some((record, Ok(Deletion::Deleted))) => {
                    self.log_deleted(record);
                    free.push(instance);
                }
                Some((_, Ok(Deletion::Busy))) => {
                    self.spared += 1;
                    self.report.mark(
                        CheckStatus::Unknown,
                        format_args!(
                            "`{instance}` has expired, but its runner has just got a job: spared"
                        ),
                    );
                }
                Some((_, Err(error))) => {
                    self.fail(not_ended(self.clients, &instance, error));
                }
            }
        }
        free
    }

    async fn delete(&self, records: Vec<Record>) -> Vec<(Record, Result<Deletion, GithubError>)> {
        let (github, deadline) = (&self.clients.github, self.deadline);
        teardown::each(records, |record| async move {
            let delete = || teardown::try_delete(github, &record, deadline);
            let deletion = retry::until(DELETE, deadline, delete).await;
            (record, deletion)
        })
        .await
    }

    fn log_deleted(&mut self, record: &Record) {
        self.deleted += 1;
        self.report.mark(
            CheckStatus::Done,
            format_args!("deleted runner record {record}"),
        );
    }

    async fn terminate(&mut self, ids: &[InstanceId]) {
        for (id, outcome) in teardown::terminate_all(&self.clients.ec2, ids, self.deadline).await {
            match outcome {
                Ok(()) => {
                    self.terminated += 1;
                    self.report.mark(
                        CheckStatus::Done,
                        format_args!("terminated `{id}`, which had expired"),
                    );
                }
                Err(error) => {
                    let region = id.region().unwrap_or(&self.clients.region);
                    let failure = self.clients.failure_in(region, &error);
                    self.fail(failure.and(format!("STILL THERE: `{id}`")));
                }
            }
        }
    }

    /// The first failure gives the cause; of the others, what they left is added.
    fn fail(&mut self, failure: Failure) {
        self.failed = Some(match self.failed.take() {
            None => failure,
            Some(first) => {
                let left = failure.help.into_iter().next_back();
                first.and(format!("{}; {}", failure.what, left.unwrap_or_default()))
            }
        });
    }
}
