//! Create, read, list and delete runners; find the runner program's download.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use http::StatusCode;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

#[cfg(not(target_family = "wasm"))]
use super::operation::REGISTRATION;
use super::operation::{CREATE, DELETE, DOWNLOADS, LIST, LOOK};
use super::{Github, GithubError};
use crate::values::instance_type::Architecture;
use crate::values::runner_id::RunnerId;

/// A runner record.
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

/// Where the runner program for one architecture is.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Download {
    os: String,
    architecture: String,
    pub download_url: String,
    /// Hexadecimal; GitHub's description allows it to be absent.
    pub sha256_checksum: Option<String>,
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

/// The most that the API gives on one page.
pub(super) const PAGE: usize = 100;
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

#[derive(Deserialize)]
struct GeneratedJitConfig {
    runner: Runner,
    encoded_jit_config: String,
}

#[derive(Deserialize)]
struct Page {
    total_count: Option<usize>,
    runners: Vec<Runner>,
}

/// The list, read once from its first page to its last.
#[derive(Default)]
struct Pass {
    runners: BTreeMap<RunnerId, Runner>,
    /// How many GitHub said there are, on each page.
    totals: Vec<Option<usize>>,
}

impl Pass {
    /// Whether that was the last page.
    fn read(&mut self, page: Page) -> bool {
        let is_last = page.runners.len() < PAGE;
        self.totals.push(page.total_count);
        let runners = page.runners.into_iter();
        self.runners
            .extend(runners.map(|runner| (runner.id, runner)));
        is_last
    }

    /// Pages shift where a runner is deleted between two of them: whoever stood first on the next page is missed, and the
    /// one who was deleted makes up the number. So every page must tell the same number.
    fn is_whole(&self) -> bool {
        let [first, ..] = self.totals[..] else {
            return false;
        };
        self.totals.iter().all(|total| *total == first)
            && first.is_none_or(|total| self.runners.len() >= total)
    }
}

#[cfg(not(target_family = "wasm"))]
#[derive(Deserialize)]
struct RegistrationToken {
    token: String,
}

#[cfg(test)]
pub(crate) fn fuzzed(body: &str) {
    let _ = serde_json::from_str::<Runner>(body);
    let _ = serde_json::from_str::<Page>(body);
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
        let answer = self
            .post(CREATE, "/runners/generate-jitconfig", &request)
            .await?;
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
        let answer = self.post_path(REGISTRATION, &path).await?;
        let RegistrationToken { token } = answer.json(REGISTRATION, StatusCode::CREATED)?;
        Ok(token.into())
    }

    /// `GET …/downloads`: the runner program for Linux on that processor.
    pub(crate) async fn runner_download(
        &self,
        architecture: Architecture,
    ) -> Result<Option<Download>, GithubError> {
        let downloads: Vec<Download> = self
            .get(DOWNLOADS, "/runners/downloads", None)
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
        let answer = self.get(LOOK, &format!("/runners/{id}"), etag).await?;
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
        let filter = name.map_or_else(String::new, |name| format!("&name={name}"));
        let mut all = BTreeMap::new();
        let mut is_whole = false;
        let began = Instant::now();
        for _ in 0..PASSES {
            let pass = self.list_runners(&filter).await?;
            is_whole = pass.is_whole();
            all.extend(pass.runners);
            if is_whole || began.elapsed() > REREAD_WITHIN {
                break;
            }
        }
        Ok(RunnerList {
            runners: all.into_values().collect(),
            is_whole,
        })
    }

    /// Every page once.
    async fn list_runners(&self, filter: &str) -> Result<Pass, GithubError> {
        let mut pass = Pass::default();
        for page in 1.. {
            let path = format!("/runners?per_page={PAGE}&page={page}{filter}");
            let answer = self.get(LIST, &path, None).await?;
            let is_last = pass.read(answer.json(LIST, StatusCode::OK)?);
            if is_last {
                break;
            }
        }
        Ok(pass)
    }

    /// `DELETE …/{id}`.
    pub(crate) async fn delete_runner(&self, id: RunnerId) -> Result<Deletion, GithubError> {
        let answer = self.delete(DELETE, &format!("/runners/{id}")).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(Deletion::Gone),
            StatusCode::UNPROCESSABLE_ENTITY => Ok(Deletion::Busy),
            _ => answer
                .expect(DELETE, StatusCode::NO_CONTENT)
                .map(|()| Deletion::Deleted),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_whole(pages: &[(Option<usize>, std::ops::Range<u64>)]) -> bool {
        let mut pass = Pass::default();
        for (total_count, ids) in pages {
            let runner = |id| Runner {
                id: RunnerId(id),
                name: format!("runner-{id}"),
                status: "online".to_owned(),
                busy: false,
            };
            pass.read(Page {
                total_count: *total_count,
                runners: ids.clone().map(runner).collect(),
            });
        }
        pass.is_whole()
    }

    #[test]
    fn a_list_is_whole_where_every_page_tells_its_length() {
        assert!(is_whole(&[(Some(0), 0..0)]));
        assert!(is_whole(&[(Some(100), 0..100), (Some(100), 0..0)]));
        assert!(is_whole(&[(Some(150), 0..100), (Some(150), 100..150)]));
        assert!(!is_whole(&[]));
        assert!(!is_whole(&[(Some(2), 0..1)]));
        assert!(!is_whole(&[(Some(150), 0..100), (Some(150), 101..150)]));
        // One of the first page was deleted before the second was read, and 100 was missed.
        assert!(!is_whole(&[(Some(150), 0..100), (Some(149), 101..150)]));
    }
}
