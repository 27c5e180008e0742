//! What `listen` needs beside all that `start` does: GitHub's Actions service, and the set.

use std::sync::Arc;

use super::PATIENCE;
use crate::clients::Clients;
use crate::github::scale_sets::{FIND, FIND_GROUP, REGISTER, ScaleSetError};
use crate::github::{DEFAULT_GROUP, VISIBILITY};
use crate::report::{CheckResult, CheckStatus, Reporter};
use crate::retry::{self, Deadline, Transient};
use crate::values::scope::{RunnerGroup, Scope};

/// Checks what a listener would do first, without making or changing anything.
pub(super) async fn check(
    clients: &Clients,
    name: &str,
    group: &RunnerGroup,
    report: &Arc<Reporter>,
) -> Vec<CheckResult> {
    let deadline = Deadline::after(PATIENCE);
    let sets = clients.scale_sets(report);
    let subject = "GitHub's Actions service, which has the scale sets".to_owned();
    if let Err(error) = retry::until(REGISTER, deadline, || sets.sign_in()).await {
        return vec![refused(clients, subject, &error)];
    }
    let mut findings = vec![CheckResult::fine(subject)];
    let subject = format!("scale set `{name}`");
    let group = match group {
        RunnerGroup::Default => DEFAULT_GROUP,
        RunnerGroup::Id(id) => *id,
        RunnerGroup::Name(group) => {
            match retry::until(FIND_GROUP, deadline, || sets.group(group)).await {
                Ok(Some(id)) => id,
                // The group has a line of its own, which says so.
                Ok(None) => return findings,
                Err(error) => {
                    findings.push(refused(clients, subject, &error));
                    return findings;
                }
            }
        }
    };
    findings.push(
        match retry::until(FIND, deadline, || sets.find(name, group)).await {
            Ok(Some(_)) => CheckResult::fine(subject),
            Ok(None) => CheckResult::fine(format!("{subject}: `listen` will make it")),
            Err(error) => refused(clients, subject, &error),
        },
    );
    findings.extend(visibility(clients, deadline).await);
    findings
}

/// A refusal, unless it is one that passes.
fn refused(clients: &Clients, subject: String, error: &ScaleSetError) -> CheckResult {
    let remedy = format!("{error}; {}", error.remedy(&clients.run.scope));
    if error.is_transient() {
        CheckResult::unanswered(subject, remedy)
    } else {
        CheckResult::missing(subject, remedy)
    }
}

/// A public repository is not a fault, but worth a word. `listen` does not begin before it knows.
async fn visibility(clients: &Clients, deadline: Deadline) -> Option<CheckResult> {
    if !matches!(clients.run.scope, Scope::Repository(_)) {
        return None;
    }
    let github = &clients.github;
    let repository = &clients.run.repository;
    match retry::until(VISIBILITY, deadline, || github.is_public()).await {
        Ok(false) => None,
        Ok(true) => Some(CheckResult {
            mark: CheckStatus::Unknown,
            subject: format!("`{repository}` is public"),
            remedy: Some(
                "anyone who opens a pull request there can run code on these runners: `listen` needs `public: true`".to_owned(),
            ),
        }),
        Err(error) => {
            let subject = format!("whether `{repository}` is public");
            Some(refused(clients, subject, &error.into()))
        }
    }
}
