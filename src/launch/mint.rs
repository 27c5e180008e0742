//! Minting: a runner's record, and the secret that lets one machine become it.

use std::time::Duration;

use tokio::time::Instant;

use crate::github::{CREATE, GithubError, JitRunner, MINT};
use crate::launch::context::Launcher;
use crate::launch::error::LaunchError;
use crate::launch::journal::AttemptId;
use crate::launch::registrar::Registrar;
use crate::retry::{self, Backoff, Decision, decide};
use crate::teardown::Record;
use crate::values::run::LaunchName;

/// A record that GitHub has created.
pub(crate) struct Minted {
    pub entry: AttemptId,
    pub name: String,
    pub jit: JitRunner,
    /// How long GitHub took.
    pub took: Duration,
}

/// The records of one launch: each candidate takes a fresh one.
pub(crate) struct Records<'a> {
    label: &'a LaunchName,
    /// Minted while the candidates were looked up.
    ahead: Option<Minted>,
}

impl<'a> Records<'a> {
    /// Mints the first while the candidates are still looked up: whatever the first one will be, it needs a record. Its secret is good
    /// for an hour, and where no candidate comes, the journal undoes the record.
    pub(crate) async fn begin(
        launcher: &Launcher,
        label: &'a LaunchName,
    ) -> Result<Self, LaunchError> {
        let ahead = if launcher.prepared.initialized() {
            None
        } else {
            Some(launcher.mint(label).await?)
        };
        Ok(Self { label, ahead })
    }

    pub(crate) fn label(&self) -> &'a LaunchName {
        self.label
    }

    pub(crate) async fn take(&mut self, launcher: &Launcher) -> Result<Minted, LaunchError> {
        match self.ahead.take() {
            Some(minted) => Ok(minted),
            None => launcher.mint(self.label).await,
        }
    }
}

impl Launcher {
    /// Creates the runner's record. A name is used once: where an answer was lost, the old name may exist.
    async fn mint(&self, label: &LaunchName) -> Result<Minted, LaunchError> {
        let registrar = self.known(&self.registrar).await?;
        let began = Instant::now();
        let mut backoff = Backoff::default();
        let mut last = None;
        loop {
            self.turn(&self.limits.minting).await;
            self.go_on(|| {
                last.as_ref()
                    .map(|error| self.clients.github_failure(error))
            })?;
            let name = label.runner_name();
            let entry = self.journal.asking_for_record(&name);
            match self.ask_for_record(registrar, label, &name).await {
                Ok(jit) => {
                    self.limits.minting.on_success();
                    self.report
                        .mask(secrecy::ExposeSecret::expose_secret(&jit.jit_config));
                    let record = Record {
                        id: jit.id,
                        name: name.clone(),
                    };
                    self.journal.record_exists(entry, record);
                    return Ok(Minted {
                        entry,
                        name,
                        jit,
                        took: began.elapsed(),
                    });
                }
                Err(error) if self.may_mint_again(entry, &error, &mut backoff).await => {
                    self.note_delay(&error);
                    last = Some(error);
                }
                Err(error) => {
                    let earlier = last.filter(|_| self.deadlines.launch_by().is_over());
                    let error = earlier.unwrap_or(error);
                    return Err(self.clients.github_failure(&error).into());
                }
            }
        }
    }

    async fn ask_for_record(
        &self,
        registrar: &Registrar,
        label: &LaunchName,
        name: &str,
    ) -> Result<JitRunner, GithubError> {
        let by = self.deadlines.launch_by();
        retry::attempt(MINT, by, registrar.sign_in(&self.clients)).await?;
        let answer = registrar.create(&self.clients, &self.spec, label, name);
        retry::attempt(CREATE, by, answer).await
    }

    /// Notes a record that was refused, and waits for the next try; `false` where there is none.
    async fn may_mint_again(
        &self,
        entry: AttemptId,
        error: &GithubError,
        backoff: &mut Backoff,
    ) -> bool {
        if error.is_throttle() {
            self.deadlines.on_throttle();
            self.limits.minting.on_throttle(Instant::now(), error.wait);
        }
        self.journal.record_failed(entry, error);
        let is_taken = error.status() == Some(http::StatusCode::CONFLICT);
        let verdict = if is_taken {
            Decision::Repeat(backoff.next(None))
        } else {
            decide(error, backoff, self.deadlines.launch_by())
        };
        match verdict {
            Decision::Repeat(wait) => self.pause(self.wait_of(error.is_throttle(), wait)).await,
            Decision::GiveUp => false,
        }
    }
}
