//! Revokes the App's token when the mode ends or is cancelled.

use std::time::Duration;

use crate::error::Failure;
use crate::github::Github;
use crate::platform::clock::timeout;
use crate::platform::signals::{Cancel, budget};
use crate::report::Reporter;

/// How long a sign-out may take; a token that stays ends by itself within the hour.
const SIGN_OUT: Duration = Duration::from_secs(3);

/// Runs `work`, then signs out. A cancel ends `work` where it stands, unless it hears of cancels by itself.
pub(crate) async fn signed_in(
    github: &Github,
    hears_cancel: bool,
    report: &Reporter,
    work: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    if !github.signs_out() {
        return work.await;
    }
    let mut cancel = Cancel::install().map_err(|error| Failure::bug(&error))?;
    let outcome = if hears_cancel {
        work.await
    } else {
        tokio::select! {
            outcome = work => outcome,
            signal = cancel.requested() => {
                sign_out(github, budget::SIGN_OUT, report).await;
                return Err(Failure::cancelled(signal));
            }
        }
    };
    if let Some(number) = github.looked_up_installation().filter(|_| outcome.is_ok()) {
        report.line(format_args!(
            "· `github-app-installation-id: {number}` saves the look-up of the App's installation, one round trip"
        ));
    }
    let is_cancelled = timeout(Duration::ZERO, cancel.requested()).await.is_ok();
    let within = if is_cancelled {
        budget::SIGN_OUT
    } else {
        SIGN_OUT
    };
    sign_out(github, within, report).await;
    outcome
}

async fn sign_out(github: &Github, within: Duration, report: &Reporter) {
    let left = match timeout(within, github.sign_out()).await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "GitHub did not answer in time".to_owned(),
    };
    report.line(format_args!(
        "· the installation token could not be revoked ({left}): it ends by itself within the hour"
    ));
}
