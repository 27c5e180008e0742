//! What the GitHub token may do: create runners, and run a run again.

use std::time::{Duration, SystemTime};

use http::StatusCode;

use super::{PATIENCE, joined};
use crate::clients::Clients;
use crate::github::{CREATE, DEFAULT_GROUP, GithubError, JobId, MINT, RERUN};
use crate::launch::journal::Journal;
use crate::launch::runner_group;
use crate::launch::spec::StartSpec;
#[cfg(debug_assertions)]
use crate::platform::rescue;
use crate::report::{CheckResult, CheckStatus};
use crate::retry::{self, Backoff, Deadline, Decision};
use crate::teardown::{self, Ended, Record, Search};
use crate::values::run::LaunchName;
use crate::values::scope::{RunnerGroup, Scope};
use crate::values::spot::Spot;

/// How long the record that proves the token's right may take to be deleted.
const REMOVAL: Duration = Duration::from_secs(20);

/// The token's right to create runners: one is created and deleted again, because a read-only token can list them as well.
pub(super) async fn check(
    clients: &Clients,
    spec: &StartSpec,
    journal: &Journal,
) -> Vec<CheckResult> {
    let github = &clients.github;
    let scope = &clients.run.scope;
    let mut findings = Vec::new();
    if let Some(app) = github.app() {
        let subject = format!(
            "GitHub App `{}` is installed in {scope} and may manage its runners",
            app.id
        );
        match retry::until(MINT, Deadline::after(PATIENCE), || github.sign_in()).await {
            Ok(()) => findings.push(CheckResult::fine(subject)),
            Err(error) => return vec![refused(subject, &error, scope)],
        }
    }
    let mut group = DEFAULT_GROUP;
    if spec.runner_group != RunnerGroup::Default {
        let subject = format!("runner group `{}`", spec.runner_group);
        match runner_group::resolve(clients, &spec.runner_group, Deadline::after(PATIENCE)).await {
            Ok(id) => {
                group = id;
                findings.push(CheckResult::fine(subject));
            }
            Err(failure) => findings.push(CheckResult::missing(subject, joined(&failure))),
        }
    }
    let subject = match github.app() {
        Some(_) => format!("its installation token may create runners in {scope}"),
        None => format!("GitHub token may create runners in {scope}"),
    };
    let created = create(clients, group, journal).await;
    #[cfg(debug_assertions)]
    rescue::panic_for_a_test();
    let removed = remove(clients, journal, Deadline::after(REMOVAL)).await;
    findings.push(match created {
        Err(error) => refused(subject, &error, scope),
        Ok(()) => CheckResult::fine(subject),
    });
    if !removed.left.is_empty() {
        findings.push(CheckResult::missing(
            "the runner record of this check is deleted again",
            format!(
                "STILL THERE: {}; delete it by hand",
                removed.left.join("; ")
            ),
        ));
    }
    findings
}

/// Creates a record, as a launch does: with fresh names, until GitHub has decided.
async fn create(clients: &Clients, group: u64, journal: &Journal) -> Result<(), GithubError> {
    let label = LaunchName::fresh(&clients.run, SystemTime::now());
    let deadline = Deadline::after(PATIENCE);
    let mut backoff = Backoff::default();
    loop {
        let name = label.runner_name();
        let entry = journal.asking_for_record(&name);
        let labels = [name.as_str()];
        let asking = clients.github.create_jit_runner(&name, &labels, group);
        let error = match retry::attempt(CREATE, deadline, asking).await {
            Ok(jit) => {
                journal.record_exists(entry, Record { id: jit.id, name });
                return Ok(());
            }
            Err(error) => error,
        };
        journal.record_failed(entry, &error);
        let is_taken = error.status() == Some(StatusCode::CONFLICT);
        let decision = match retry::decide(&error, &mut backoff, deadline) {
            Decision::GiveUp if is_taken => Decision::Repeat(backoff.next(None)),
            decision => decision,
        };
        match decision {
            Decision::Repeat(wait) if deadline.sleep(wait).await.is_ok() => {}
            _ => return Err(error),
        }
    }
}

/// Deletes every record that was created, or may have been.
pub(super) async fn remove(clients: &Clients, journal: &Journal, deadline: Deadline) -> Ended {
    let Clients { ec2, github, .. } = clients;
    teardown::end(ec2, github, journal.leftovers(), Search::Briefly, deadline).await
}

/// A refusal, unless it is one that passes.
fn refused(subject: String, error: &GithubError, scope: &Scope) -> CheckResult {
    let remedy = format!("{error}; {}", error.remedy(scope));
    if error.is_transient() {
        CheckResult::unanswered(subject, remedy)
    } else {
        CheckResult::missing(subject, remedy)
    }
}

/// The token's right to run a run again, where `spot: rerun` is chosen. The workflow with `mode: rerun` brings a token of its
/// own, so that this one's lack of the right is not a fault. It is asked to run this very job again, which GitHub refuses in
/// any case, because the job is running.
pub(super) async fn reruns(clients: &Clients, spec: &StartSpec) -> Option<CheckResult> {
    if spec.spot != Spot::Rerun {
        return None;
    }
    let github = &clients.github;
    let subject = format!(
        "GitHub token may rerun runs of `{}`",
        clients.run.repository
    );
    let answer = match clients.run.job_id {
        Some(id) => {
            let deadline = Deadline::after(PATIENCE);
            retry::until(RERUN, deadline, || github.rerun_job(JobId(id)))
                .await
                .err()
        }
        None => None,
    };
    if answer.is_some_and(|error| error.is_already_running()) {
        return Some(CheckResult::fine(subject));
    }
    Some(CheckResult {
        mark: CheckStatus::Unknown,
        subject,
        remedy: Some(
            "not this one. The job with `mode: rerun` needs `permissions: {actions: write, checks: read}` and \
             `github-token: ${{ github.token }}`; without it nobody reruns what AWS reclaims"
                .to_owned(),
        ),
    })
}
