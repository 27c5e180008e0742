//! `sweep`: end what outlived its `sprinters:expires` tag, for a scheduled workflow. A busy runner is never touched.

mod summary;
mod waiting;

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::clients::Clients;
use crate::ec2::{Instance, tags};
use crate::error::Failure;
use crate::github::{DELETE, Deletion, GithubError, LIST, Runner};
use crate::report::{CheckStatus, Reporter};
use crate::retry::{self, Deadline};
use crate::teardown::{self, Record};
use crate::values::network::InstanceId;
use crate::values::run::{self, WorkflowRun};
use crate::values::runner_id::RunnerId;
use crate::values::scope::Scope;

/// GitHub is known to call some runners busy for ever. Their lifetime was over when they expired, and this is beyond it.
const BUSY_FOR_EVER: Duration = Duration::from_hours(1);
/// Records that are deleted before their instances are terminated: the sooner these follow, the better.
const IN_ONE_BATCH: usize = 20;
/// A JIT config lives about an hour: an offline runner that is older has no future.
const RECORD_LIFETIME: Duration = Duration::from_mins(65);

/// What to do with each instance and record. Pure, so that the rules can be read and tested in one place.
#[derive(Debug, Default, PartialEq, Eq)]
struct Plan {
    /// Expired, with the runner record that goes first.
    end: Vec<(InstanceId, Option<Record>)>,
    /// Expired so long ago that no job can be running there, whatever GitHub says: the instance goes first.
    overdue: Vec<(InstanceId, Record)>,
    /// Records whose instance is gone.
    delete: Vec<Record>,
    /// Expired, but a job runs on it.
    spare: Vec<InstanceId>,
    /// Without a readable `sprinters:expires`: nobody can tell.
    unknown: Vec<InstanceId>,
    /// Its runner registered in another scope, where this sweep does not look: whether it is busy is not known.
    elsewhere: Vec<(InstanceId, Option<String>)>,
}

fn plan(instances: &[Instance], runners: &[Runner], run: &WorkflowRun, now: SystemTime) -> Plan {
    let scope = run.scope.tag();
    let by_id: BTreeMap<RunnerId, &Runner> =
        runners.iter().map(|runner| (runner.id, runner)).collect();
    let mut plan = Plan::default();
    let mut needed = Vec::new();
    for instance in instances
        .iter()
        .filter(|instance| instance.state.is_alive())
    {
        if instance.scope() != scope.as_deref() {
            let there = instance.scope().map(str::to_owned);
            plan.elsewhere.push((instance.id.clone(), there));
            continue;
        }
        // A tag may name any number: only a name of this repository makes the record its own. Where the number is a stranger's,
        // the instance's own name tells whether its runner works.
        let is_ours = |runner: &&Runner| run.may_touch(&runner.name);
        let numbered = instance.runner_id().and_then(|id| by_id.get(&id).copied());
        let named = || {
            runners
                .iter()
                .find(|one| Some(one.name.as_str()) == instance.runner_name())
        };
        let runner = numbered.filter(is_ours).or_else(|| named().filter(is_ours));
        match instance.expires() {
            None => plan.unknown.push(instance.id.clone()),
            Some(expires) if expires > now => {}
            Some(expires) => {
                let id = instance.id.clone();
                match runner {
                    Some(busy) if busy.busy && expires + BUSY_FOR_EVER <= now => {
                        plan.overdue.push((id, record(busy)));
                    }
                    Some(busy) if busy.busy => plan.spare.push(id),
                    ours => plan.end.push((id, ours.map(record))),
                }
            }
        }
        needed.extend(instance.runner_id());
        needed.extend(runner.map(|runner| runner.id));
    }
    // A young record may belong to a launch that is under way.
    let is_abandoned = |runner: &&Runner| {
        !runner.is_online()
            && !runner.busy
            && !needed.contains(&runner.id)
            && run.may_touch(&runner.name)
            && run::age(&runner.name, now).is_some_and(|age| age > RECORD_LIFETIME)
    };
    let abandoned = runners.iter().filter(is_abandoned);
    plan.delete.extend(abandoned.map(record));
    plan
}

fn record(runner: &Runner) -> Record {
    Record {
        id: runner.id,
        name: runner.name.clone(),
    }
}

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
        let deadline = self.deadline;
        teardown::each(records, |record| {
            let github = self.clients.github.clone();
            async move {
                let delete = || teardown::try_delete(&github, &record, deadline);
                let deletion = retry::until(DELETE, deadline, delete).await;
                (record, deletion)
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::State;
    use crate::values::repository::Repository;
    use std::time::UNIX_EPOCH;

    const NOW: u64 = 1_795_000_000;

    fn instance(id: &str, runner: u64, expires: &str) -> Instance {
        Instance {
            id: InstanceId::from_ec2(id),
            state: State::Running,
            state_reason: None,
            instance_type: "m7i.large".to_owned(),
            usage: crate::ec2::Usage::default(),
            tags: [
                (tags::RUNNER_ID, runner.to_string()),
                (tags::EXPIRES, expires.to_owned()),
            ]
            .map(|(key, value)| (key.to_owned(), value))
            .into(),
        }
    }

    fn runner(id: u64, name: &str, status: &str, busy: bool) -> Runner {
        Runner {
            id: RunnerId(id),
            name: name.to_owned(),
            status: status.to_owned(),
            busy,
        }
    }

    #[test]
    fn the_rules() {
        let now = UNIX_EPOCH + Duration::from_secs(NOW);
        let repository: Repository = "octo/app".parse().expect("a repository");
        let name = |age: u64| {
            let digits = "0123456789abcdefghijklmnopqrstuvwxyz".as_bytes();
            let mut stamp = String::new();
            let mut rest = NOW - age;
            while rest > 0 {
                stamp.insert(
                    0,
                    char::from(digits[usize::try_from(rest % 36).unwrap_or_default()]),
                );
                rest /= 36;
            }
            format!("sprinters-1-1-{stamp}abcd-wxyz{}", repository.short_hash())
        };
        let named = name(89_999);
        let (past, future) = ("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
        let instances = [
            instance("i-idle", 1, past),
            instance("i-busy", 2, past),
            instance("i-fresh", 3, future),
            instance("i-strange", 4, "soon"),
            instance("i-recordless", 99, past),
            instance("i-strangers", 8, past),
            instance("i-just-expired", 9, "2026-11-18T10:26:40Z"),
            Instance {
                tags: [
                    (tags::RUNNER_ID, "8"),
                    (tags::NAME, named.as_str()),
                    (tags::EXPIRES, "2026-11-18T10:26:40Z"),
                ]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
                ..instance("i-misnumbered", 8, past)
            },
            Instance {
                tags: [
                    (tags::RUNNER_ID, "1"),
                    (tags::EXPIRES, past),
                    (tags::SCOPE, "orgs/octo"),
                ]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
                ..instance("i-elsewhere", 1, past)
            },
            Instance {
                state: State::Terminated,
                ..instance("i-ended", 5, past)
            },
        ];
        let runners = [
            runner(1, &name(90_000), "offline", false),
            runner(2, &name(90_000), "online", true),
            runner(3, &name(90_000), "offline", false),
            runner(5, &name(90_000), "offline", false),
            runner(6, &name(60), "offline", false),
            runner(7, &name(90_000), "online", false),
            runner(8, "somebody-elses", "offline", true),
            runner(9, &name(90_000), "online", true),
            runner(10, &named, "online", true),
        ];
        let run = WorkflowRun {
            scope: Scope::Repository(repository.clone()),
            repository,
            id: "1".to_owned(),
            attempt: "1".to_owned(),
            job: "sweep".to_owned(),
            job_id: None,
        };
        let ids = |ids: &[&str]| {
            ids.iter()
                .map(|id| InstanceId::from_ec2(id))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            plan(&instances, &runners, &run, now),
            Plan {
                elsewhere: vec![(
                    InstanceId::from_ec2("i-elsewhere"),
                    Some("orgs/octo".to_owned())
                )],
                end: vec![
                    (InstanceId::from_ec2("i-idle"), Some(record(&runners[0]))),
                    (InstanceId::from_ec2("i-recordless"), None),
                    (InstanceId::from_ec2("i-strangers"), None),
                ],
                overdue: vec![(InstanceId::from_ec2("i-busy"), record(&runners[1]))],
                delete: vec![record(&runners[3])],
                spare: ids(&["i-just-expired", "i-misnumbered"]),
                unknown: ids(&["i-strange"]),
            }
        );
    }
}
