//! Workflow runs: read one with its jobs, and run it again.

use http::StatusCode;
use serde::Deserialize;

use super::operation::{CANCEL, LIST_JOBS, LIST_RUNS, LOOK_AT_ANNOTATIONS, LOOK_AT_RUN, RERUN};
use super::pages::{PAGE, Page};
use super::{Github, GithubError};
use crate::values::run;
use crate::values::runner_id::RunnerId;

/// A workflow run, as its latest attempt stands. octocrab's insists on a name, a branch, a status and a head commit, all of which may be
/// null, and on two whole repositories.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Run {
    pub id: u64,
    #[serde(default = "first")]
    pub run_attempt: u32,
    pub status: Option<String>,
    pub conclusion: Option<String>,
    /// Where people look at it.
    pub html_url: String,
}

fn first() -> u32 {
    1
}

impl Run {
    pub(crate) fn is_completed(&self) -> bool {
        self.status.as_deref() == Some("completed")
    }
}

/// GitHub's number for one job in one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub(crate) struct JobId(pub u64);

/// One job of one attempt. octocrab's knows neither the status `requested` nor any that is yet to come, and would fail the whole list
/// for it; it insists on a branch and a workflow's name, which may be null.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Job {
    pub id: JobId,
    /// What people see: the `name` of the workflow file, or the key there.
    pub name: String,
    pub status: Option<String>,
    pub conclusion: Option<String>,
    /// Who ran it; `None` where nobody has.
    pub runner_id: Option<RunnerId>,
    #[serde(default)]
    pub runner_name: Option<String>,
    /// What its `runs-on` asks for.
    #[serde(default)]
    pub labels: Vec<String>,
}

impl Job {
    pub(crate) fn is_completed(&self) -> bool {
        self.status.as_deref() == Some("completed")
    }

    pub(crate) fn is_running(&self) -> bool {
        self.status.as_deref() == Some("in_progress")
    }

    /// Whether no runner has taken it yet: `queued`, `waiting`, `pending`, `requested`.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.is_completed() && !self.is_running()
    }

    /// Whether that runner of ours ran it. GitHub's own runners have numbers, too, and other names.
    pub(crate) fn ran_on(&self, runner: RunnerId) -> bool {
        let name = self.runner_name.as_deref();
        self.runner_id == Some(runner) && name.is_none_or(run::is_like_ours)
    }

    pub(crate) fn asks_for(&self, label: &str) -> bool {
        self.labels
            .iter()
            .any(|asked| asked.eq_ignore_ascii_case(label))
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.conclusion.as_deref() == Some("failure")
    }
}

/// What GitHub, or one of its steps, remarks on a job.
#[derive(Debug, Deserialize)]
pub(crate) struct Annotation {
    pub title: Option<String>,
    pub message: Option<String>,
}

#[derive(Deserialize)]
struct JobPage {
    total_count: Option<usize>,
    jobs: Vec<Job>,
}

impl Page for JobPage {
    type Entry = Job;

    fn into_parts(self) -> (Option<usize>, Vec<Job>) {
        (self.total_count, self.jobs)
    }
}

#[derive(Deserialize)]
struct RunPage {
    workflow_runs: Vec<Run>,
}

#[cfg(test)]
pub(crate) fn fuzzed(body: &str) {
    let _ = serde_json::from_str::<Run>(body);
    let _ = serde_json::from_str::<JobPage>(body);
    let _ = serde_json::from_str::<RunPage>(body);
    let _ = serde_json::from_str::<Vec<Annotation>>(body);
}

impl Github {
    /// `GET …/actions/runs/{id}`.
    pub(crate) async fn workflow_run(&self, id: u64) -> Result<Run, GithubError> {
        let path = self.actions(&format!("/runs/{id}"));
        self.get(LOOK_AT_RUN, &path, None)
            .await?
            .json(LOOK_AT_RUN, StatusCode::OK)
    }

    /// `GET …/actions/runs?status=…`: the newest hundred, which is more than a repository has at a time.
    pub(crate) async fn runs_that_are(&self, status: &str) -> Result<Vec<Run>, GithubError> {
        let path = self.actions(&format!("/runs?status={status}&per_page={PAGE}"));
        let answer = self.get(LIST_RUNS, &path, None).await?;
        let RunPage { workflow_runs } = answer.json(LIST_RUNS, StatusCode::OK)?;
        Ok(workflow_runs)
    }

    /// `POST …/actions/runs/{id}/cancel`.
    pub(crate) async fn cancel_run(&self, id: u64) -> Result<(), GithubError> {
        let path = self.actions(&format!("/runs/{id}/cancel"));
        let answer = self.post(CANCEL, &path, None::<&()>).await?;
        answer.expect(CANCEL, StatusCode::ACCEPTED)
    }

    /// `GET …/actions/runs/{id}/attempts/{attempt}/jobs`: all of them, or an error. Who is missing from a list would be taken for
    /// somebody who needs no runner.
    pub(crate) async fn jobs(&self, run: u64, attempt: u32) -> Result<Vec<Job>, GithubError> {
        let path = self.actions(&format!("/runs/{run}/attempts/{attempt}/jobs"));
        let list = self.pages::<JobPage>(LIST_JOBS, &path).await?;
        match list.total() {
            Some(total) if list.entries.len() < total => {
                let why = format!("it lists {} of {total} jobs", list.entries.len());
                Err(GithubError::unreadable(LIST_JOBS, why))
            }
            _ => Ok(list.entries),
        }
    }

    /// `GET …/check-runs/{id}/annotations`: a job's check run has the job's number.
    pub(crate) async fn annotations(&self, job: JobId) -> Result<Vec<Annotation>, GithubError> {
        let path = format!(
            "/repos/{}/check-runs/{}/annotations?per_page={PAGE}",
            self.repository, job.0
        );
        let answer = self.get(LOOK_AT_ANNOTATIONS, &path, None).await?;
        answer.json(LOOK_AT_ANNOTATIONS, StatusCode::OK)
    }

    /// `POST …/actions/jobs/{id}/rerun`: that job, and every job that needs it.
    pub(crate) async fn rerun_job(&self, job: JobId) -> Result<(), GithubError> {
        self.rerun(&format!("/jobs/{}/rerun", job.0)).await
    }

    /// `POST …/actions/runs/{id}/rerun`: all of its jobs.
    pub(crate) async fn rerun_run(&self, run: u64) -> Result<(), GithubError> {
        self.rerun(&format!("/runs/{run}/rerun")).await
    }

    async fn rerun(&self, path: &str) -> Result<(), GithubError> {
        let answer = self.post(RERUN, &self.actions(path), None::<&()>).await?;
        answer.expect(RERUN, StatusCode::CREATED)
    }

    fn actions(&self, path: &str) -> String {
        format!("/repos/{}/actions{path}", self.repository)
    }
}

impl GithubError {
    /// Whether GitHub would run it again if it were not running: so the token may.
    pub(crate) fn is_already_running(&self) -> bool {
        self.status() == Some(http::StatusCode::FORBIDDEN)
            && self.message.contains("already running")
    }

    /// Whether a run could not be cancelled because it has ended.
    pub(crate) fn is_over_already(&self) -> bool {
        self.operation == CANCEL && self.status() == Some(StatusCode::CONFLICT)
    }
}
