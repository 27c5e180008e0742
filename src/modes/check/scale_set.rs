//! What `listen` needs beside all that `start` does: GitHub's Actions service, and the set.

use std::sync::Arc;

use super::PATIENCE;
use crate::clients::Clients;
use crate::github::scale_sets::{FIND, FIND_GROUP, REGISTER, ScaleSetError};
use crate::github::{DEFAULT_GROUP, VISIBILITY};
use crate::report::{CheckResult, CheckStatus, Reporter};
use crate::retry::{self, Deadline};
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
    let missing = |subject: String, error: &ScaleSetError| {
        let remedy = error.remedy(&clients.run.scope);
        vec![CheckResult::missing(subject, format!("{error}; {remedy}"))]
    };
    let subject = "GitHub's Actions service, which has the scale sets".to_owned();
    if let Err(error) = retry::until(REGISTER, deadline, || sets.sign_in()).await {
        return missing(subject, &error);
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
                Err(error) => return missing(subject, &error),
            }
        }
    };
    findings.extend(
        match retry::until(FIND, deadline, || sets.find(name, group)).await {
            Ok(Some(_)) => vec![CheckResult::fine(subject)],
            Ok(None) => vec![CheckResult::fine(format!(
                "{subject}: `listen` will make it"
            ))],
            Err(error) => missing(subject, &error),
        },
    );
    findings.extend(public(clients, deadline).await);
    findings
}

/// A public repository is not a fault, but worth a word.
async fn public(clients: &Clients, deadline: Deadline) -> Option<CheckResult> {
    if !matches!(clients.run.scope, Scope::Repository(_)) {
        return None;
    }
    let github = &clients.github;
    let asked = retry::until(VISIBILITY, deadline, || github.is_public()).await;
    asked.is_ok_and(|is_public| is_public).then(|| CheckResult {
        mark: CheckStatus::Unknown,
        subject: format!("`{}` is public", clients.run.repository),
        remedy: Some(
            "anyone who opens a pull request there can run code on these runners: `listen` needs `public: true`".to_owned(),
        ),
    })
}
