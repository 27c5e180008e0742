//! Create, read, list and delete runners; find the runner program's download.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use http::StatusCode;
/// Where the runner program for one architecture is.
pub(crate) use octocrab::models::actions::RunnerApplicationDownload as Download;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

#[cfg(not(target_family = "wasm"))]
use super::operation::REGISTRATION;
use super::operation::{CREATE, DELETE, DOWNLOADS, LIST, LOOK};
use super::pages::Page;
use super::{Github, GithubError};
use crate::values::instance_type::Architecture;
use crate::values::runner_id::RunnerId;

/// A runner record. octocrab's insists on an id and a known type for each label, which GitHub's description leaves open: one foreign
/// runner without them would hide all others from the undo.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Runner {
    pub id: RunnerId,
    pub name: String,
    pub status: String,
    #[serde(default)]
    pub busy: bool,
}

impl Runner {
    pub(crate) fn is_online(&self) -> bool {
        self.status.eq_ignore_ascii_case("online")
    }
}

/// A runner that was just created, with the secret that lets one machine become it.
#[derive(Debug)]
pub(crate) struct JitRunner {
    pub id: RunnerId,
    pub jit_config: SecretString,
}

/// The runners that GitHub lists.
#[derive(Debug, Default)]
pub(crate) struct RunnerList {
    pub runners: Vec<Runner>,
    /// Whether it has as many as GitHub says there are: only then is somebody who is missing from it not there.
    pub is_whole: bool,
}

impl RunnerList {
    pub(crate) fn has(&self, id: RunnerId) -> bool {
        self.runners.iter().any(|runner| runner.id == id)
    }
}

/// What a look at a runner showed.
#[derive(Debug)]
pub(crate) enum Status {
    /// Nothing has changed since the answer with this `ETag`; costs no rate limit.
    Unchanged,
    Found {
        runner: Runner,
        etag: Option<String>,
    },
    /// The record is gone.
    Gone,
}

/// What came of deleting a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deletion {
    Deleted,
    /// It was not there any more, which is as good.
    Gone,
    /// It runs a job; GitHub refuses until it has noticed that the machine is gone.
    Busy,
}

/// How often a list is read that has fewer entries than GitHub says there are.
const PASSES: usize = 3;
/// After so long a list is not read once more: whoever wants it has not all the time, and can ask for single runners.
const REREAD_WITHIN: Duration = Duration::from_secs(2);

#[derive(Serialize)]
struct GenerateJitConfig<'a> {
    name: &'a str,
    runner_group_id: u64,
    labels: &'a [&'a str],
    work_folder: &'a str,
}

/// octocrab's has its runner in it, with those labels, and shows the secret to `Debug`.
#[derive(Deserialize)]
struct GeneratedJitConfig {
    runner: Runner,
    encoded_jit_config: String,
}

/// octocrab's has a time in it, which nobody asks for, and whose parsers come along.
#[cfg(not(target_family = "wasm"))]
#[derive(Deserialize)]
struct RegistrationToken {
    token: String,
}

#[derive(Deserialize)]
struct RunnerPage {
    total_count: Option<usize>,
    runners: Vec<Runner>,
}

impl Page for RunnerPage {
    type Entry = Runner;

    fn into_parts(self) -> (Option<usize>, Vec<Runner>) {
        (self.total_count, self.runners)
    }
}

#[cfg(test)]
pub(crate) fn fuzzed(body: &str) {
    let _ = serde_json::from_str::<Runner>(body);
    let _ = serde_json::from_str::<RunnerPage>(body);
    let _ = serde_json::from_str::<GeneratedJitConfig>(body);
    let _ = serde_json::from_str::<Vec<Download>>(body);
}

impl Github {
    /// `POST …/generate-jitconfig`: creates the runner's record and its secret.
    pub(crate) async fn create_jit_runner(
        &self,
        name: &str,
        labels: &[&str],
        group: u64,
    ) -> Result<JitRunner, GithubError> {
        let request = GenerateJitConfig {
            name,
            runner_group_id: group,
            labels,
            work_folder: "_work",
        };
        let path = self.path("/runners/generate-jitconfig");
        let answer = self.post(CREATE, &path, Some(&request)).await?;
        let GeneratedJitConfig {
            runner,
            encoded_jit_config,
        } = answer.json(CREATE, StatusCode::CREATED)?;
        Ok(JitRunner {
            id: runner.id,
            jit_config: encoded_jit_config.into(),
        })
    }

    /// `POST …/registration-token`: what opens the Actions service.
    #[cfg(not(target_family = "wasm"))]
    pub(super) async fn registration_token(&self) -> Result<SecretString, GithubError> {
        let path = self.path("/runners/registration-token");
        let answer = self.post(REGISTRATION, &path, None::<&()>).await?;
        let RegistrationToken { token } = answer.json(REGISTRATION, StatusCode::CREATED)?;
        Ok(token.into())
    }

    /// `GET …/downloads`: the runner program for Linux on that processor.
    pub(crate) async fn runner_download(
        &self,
        architecture: Architecture,
    ) -> Result<Option<Download>, GithubError> {
        let downloads: Vec<Download> = self
            .get(DOWNLOADS, &self.path("/runners/downloads"), None)
            .await?
            .json(DOWNLOADS, StatusCode::OK)?;
        Ok(downloads.into_iter().find(|download| {
            download.os == "linux" && download.architecture == architecture.github()
        }))
    }

    /// `GET …/{id}`, conditionally.
    pub(crate) async fn runner(
        &self,
        id: RunnerId,
        etag: Option<&str>,
    ) -> Result<Status, GithubError> {
        let answer = self.get(LOOK, &self.runner_path(id), etag).await?;
        match answer.status {
            StatusCode::NOT_MODIFIED => Ok(Status::Unchanged),
            StatusCode::NOT_FOUND => Ok(Status::Gone),
            _ => Ok(Status::Found {
                runner: answer.json(LOOK, StatusCode::OK)?,
                etag: answer.header(http::header::ETAG),
            }),
        }
    }

    /// `GET …`: every runner there, or those of that very name.
    pub(crate) async fn runners(&self, name: Option<&str>) -> Result<RunnerList, GithubError> {
        let filter = name.map_or_else(String::new, |name| format!("?name={name}"));
        let path = self.path(&format!("/runners{filter}"));
        let mut all = BTreeMap::new();
        let mut is_whole = false;
        let began = Instant::now();
        for _ in 0..PASSES {
            let list = self.pages::<RunnerPage>(LIST, &path).await?;
            let ids: BTreeSet<RunnerId> = list.entries.iter().map(|runner| runner.id).collect();
            is_whole = list.is_whole(ids.len());
            all.extend(list.entries.into_iter().map(|runner| (runner.id, runner)));
            if is_whole || began.elapsed() > REREAD_WITHIN {
                break;
            }
        }
        Ok(RunnerList {
            runners: all.into_values().collect(),
            is_whole,
        })
    }

    fn runner_path(&self, id: RunnerId) -> String {
        self.path(&format!("/runners/{id}"))
    }

    /// `DELETE …/{id}`.
    pub(crate) async fn delete_runner(&self, id: RunnerId) -> Result<Deletion, GithubError> {
        let is_first = self.deletions.ask(id);
        let answer = self.delete(DELETE, &self.runner_path(id)).await;
        let has_done_nothing = match &answer {
            Ok(answer) => answer.status == StatusCode::NOT_FOUND,
            Err(error) => !error.may_have_acted(),
        };
        if is_first && has_done_nothing {
            self.deletions.take_back(id);
        }
        let answer = answer?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(Deletion::Gone),
            StatusCode::UNPROCESSABLE_ENTITY => Ok(Deletion::Busy),
            _ => answer
                .expect(DELETE, StatusCode::NO_CONTENT)
                .map(|()| Deletion::Deleted),
        }
    }

    /// Whether the record may be gone because this program has asked for its deletion before, in a call that was perhaps given up.
    pub(crate) fn may_have_deleted(&self, id: RunnerId) -> bool {
        self.deletions.may_have_deleted(id)
    }
}
