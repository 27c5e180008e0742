//! `check`: prove the set-up without launching anything.

mod permissions;
#[cfg(not(target_family = "wasm"))]
mod scale_set;
mod summary;
mod token;

use std::sync::Arc;
use std::time::Duration;

#[cfg(not(target_family = "wasm"))]
use tokio_util::sync::CancellationToken;

use crate::clients::Clients;
use crate::clients::expected_account;
use crate::error::{Exit, Failure};
#[cfg(not(target_family = "wasm"))]
use crate::inputs::Mode;
use crate::launch::journal::Journal;
use crate::launch::spec::StartSpec;
#[cfg(not(target_family = "wasm"))]
use crate::launch::undo;
use crate::platform::signals::{Cancel, budget};
use crate::report::{CheckResult, CheckStatus, Reporter};
use crate::retry::Deadline;

/// How long passing errors are waited out.
const PATIENCE: Duration = Duration::from_secs(20);

/// Checks everything that `start`, `stop` and `sweep` need, and what `listen` needs to serve the runner of that name. Tells each
/// remedy. A cancel leaves no runner record behind, as no other end does.
pub(crate) async fn check(
    clients: &Clients,
    spec: &StartSpec,
    served: Option<&str>,
    report: &Arc<Reporter>,
) -> Result<(), Failure> {
    let mut cancel = Cancel::install().map_err(|error| Failure::bug(&error))?;
    let journal = Arc::new(Journal::default());
    #[cfg(not(target_family = "wasm"))]
    undo::on_panic(
        Mode::Check,
        clients,
        &journal,
        &CancellationToken::new(),
        report,
    );
    let findings = tokio::select! {
        findings = all(clients, spec, served, &journal, report) => findings,
        signal = cancel.requested() => {
            let failure = Failure::cancelled(signal);
            let soon = Deadline::after(budget::UNDO);
            let left = token::remove(clients, &journal, soon).await.left;
            return Err(left
                .iter()
                .fold(failure, |failure, left| failure.and(format!("STILL THERE: {left}"))));
        }
    };
    for finding in &findings {
        match &finding.remedy {
            None => report.mark(finding.mark, &finding.subject),
            Some(remedy) => {
                report.mark(finding.mark, format_args!("{}: {remedy}", finding.subject));
            }
        }
    }
    report.summary(&summary::checked(&findings));
    decide(&findings)
}

/// Every result, in the order in which they are shown.
async fn all(
    clients: &Clients,
    spec: &StartSpec,
    served: Option<&str>,
    journal: &Journal,
    report: &Arc<Reporter>,
) -> Vec<CheckResult> {
    let (account, aws, github, listener) = tokio::join!(
        account(clients),
        permissions::check(clients, spec, report),
        token::check(clients, spec, journal),
        listener(clients, spec, served, report)
    );
    let rerun = token::reruns(clients, spec).await;
    account
        .into_iter()
        .chain(aws)
        .chain(github)
        .chain(listener)
        .chain(rerun)
        .collect()
}

/// A set-up that nobody could ask about is not proven.
fn decide(findings: &[CheckResult]) -> Result<(), Failure> {
    let with = |mark| {
        let subjects = findings.iter().filter(move |finding| finding.mark == mark);
        subjects
            .map(|finding| finding.subject.as_str())
            .collect::<Vec<_>>()
    };
    let (missing, unanswered) = (with(CheckStatus::Missing), with(CheckStatus::Unanswered));
    let all = findings.len();
    let mut parts = Vec::new();
    if !missing.is_empty() {
        parts.push(format!(
            "{} of {all} checks failed: {}",
            missing.len(),
            missing.join(", ")
        ));
    }
    if !unanswered.is_empty() {
        parts.push(format!(
            "{} of {all} checks got no answer: {}",
            unanswered.len(),
            unanswered.join(", ")
        ));
    }
    if parts.is_empty() {
        return Ok(());
    }
    let is_bad = |mark| matches!(mark, CheckStatus::Missing | CheckStatus::Unanswered);
    Err(Failure {
        exit: Exit::Failed,
        place: None,
        ladder: Vec::new(),
        what: parts.join("; "),
        help: findings
            .iter()
            .filter(|finding| is_bad(finding.mark))
            .filter_map(|finding| finding.remedy.clone())
            .collect(),
    })
}

#[cfg(not(target_family = "wasm"))]
async fn listener(
    clients: &Clients,
    spec: &StartSpec,
    served: Option<&str>,
    report: &Arc<Reporter>,
) -> Vec<CheckResult> {
    match served {
        Some(name) => scale_set::check(clients, name, &spec.runner_group, report).await,
        None => Vec::new(),
    }
}

/// The portable build does not listen.
#[cfg(target_family = "wasm")]
#[expect(clippy::unused_async, reason = "as the native build has it")]
async fn listener(
    _: &Clients,
    _: &StartSpec,
    _: Option<&str>,
    _: &Arc<Reporter>,
) -> Vec<CheckResult> {
    Vec::new()
}

/// Whether the credentials are of the account that `runner` names.
async fn account(clients: &Clients) -> Option<CheckResult> {
    let wanted = clients.account.as_ref()?;
    let subject = format!("AWS account `{wanted}`");
    let checked = expected_account::check(clients, Some(wanted), Deadline::after(PATIENCE)).await;
    Some(match checked {
        Ok(()) => CheckResult::fine(subject),
        Err(failure) => CheckResult::missing(subject, joined(&failure)),
    })
}

fn joined(failure: &Failure) -> String {
    let help = failure.help.join("; ");
    format!("{}; {help}", failure.what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_answer_is_not_a_missing_permission() {
        let findings = [
            CheckResult::fine("ec2:CreateTags"),
            CheckResult::missing("ec2:RunInstances", "refused"),
            CheckResult::unanswered("ec2:ModifyVolume", "EC2 has a problem"),
        ];
        let failure = decide(&findings).err();
        let what = failure.as_ref().map(|failure| failure.what.as_str());
        assert_eq!(
            what,
            Some(
                "1 of 3 checks failed: ec2:RunInstances; 1 of 3 checks got no answer: ec2:ModifyVolume"
            )
        );
        assert!(decide(&findings[..1]).is_ok());
        assert!(decide(&findings[2..]).is_err());
    }
}
