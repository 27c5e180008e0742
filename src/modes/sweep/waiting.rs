//! Runs whose jobs wait for a runner of an older attempt begin again.

use crate::clients::Clients;
use crate::ec2::{Instance, tags};
use crate::error::Failure;
use crate::github::{Github, GithubError, LIST_JOBS, LIST_RUNS, Run};
use crate::report::{CheckStatus, Reporter};
use crate::reruns::stranded::{self, Stranded, Waiting};
use crate::reruns::{Begun, begin};
use crate::retry::{self, Deadline};
use crate::teardown;

/// Begins them again with the job's own token, where the workflow lets it; tells how many. What fails is reported and no more: to
/// sweep is worth more than this.
pub(super) async fn rerun(
    clients: &Clients,
    instances: &[Instance],
    max_attempts: u32,
    report: &Reporter,
) -> usize {
    let Some(github) = &clients.job_github else {
        return 0;
    };
    let unfinished = match unfinished(github).await {
        Ok(runs) => runs,
        Err(error) => {
            report.line(format_args!(
                "· jobs that wait for a runner of an older attempt were not looked for ({error}); give the job \
                 `permissions: {{actions: write}}`"
            ));
            return 0;
        }
    };
    let is_candidate = |run: &&Run| {
        (2..max_attempts).contains(&run.run_attempt) && run.id.to_string() != clients.run.id
    };
    let mut begun = 0;
    for run in unfinished.iter().filter(is_candidate) {
        match rerun_one(github, run, instances, report).await {
            Ok(true) => begun += 1,
            Ok(false) => {}
            Err(error) => report.warning(format_args!(
                "run {} waits for a runner of an older attempt: {error}; {}",
                run.id,
                Failure::github(&error, &clients.run.scope).help.join("; ")
            )),
        }
    }
    begun
}

/// A run of which nothing runs is `queued`; one whose other jobs have run in this attempt is `in_progress`.
async fn unfinished(github: &Github) -> Result<Vec<Run>, GithubError> {
    let deadline = Deadline::after(teardown::patience(0));
    let mut runs = Vec::new();
    for status in ["queued", "in_progress"] {
        let found = retry::until(LIST_RUNS, deadline, || github.runs_that_are(status)).await?;
        runs.extend(found);
    }
    runs.sort_by_key(|run| run.id);
    runs.dedup_by_key(|run| run.id);
    Ok(runs)
}

/// Tells whether it was begun again.
async fn rerun_one(
    github: &Github,
    run: &Run,
    instances: &[Instance],
    report: &Reporter,
) -> Result<bool, GithubError> {
    let deadline = Deadline::after(teardown::patience(0));
    let (id, attempt, number) = (run.id, run.run_attempt, run.id.to_string());
    let jobs_of =
        async |attempt| retry::until(LIST_JOBS, deadline, || github.jobs(id, attempt)).await;
    let jobs = jobs_of(attempt).await?;
    let of_run: Vec<Instance> = instances
        .iter()
        .filter(|instance| instance.tag(tags::RUN_ID) == Some(&number))
        .cloned()
        .collect();
    let mut waiting = Waiting {
        run: &number,
        attempt,
        jobs: &jobs,
        older_jobs: &[],
        instances: &of_run,
    };
    let mut older = Vec::new();
    for attempt in waiting.older_attempts() {
        older.extend(jobs_of(attempt).await?);
    }
    waiting.older_jobs = &older;
    let Some(Stranded { jobs, part }) = waiting.stranded() else {
        return Ok(false);
    };
    for (job, label) in &jobs {
        report.line(format_args!(
            "· run {id}: job `{job}` waits for `{label}`, a runner of an older attempt, which is gone"
        ));
    }
    if !stranded::cancel(github, id).await? {
        report.warning(format_args!(
            "run {id} was cancelled, because it waited for a runner of an older attempt, and has not ended yet: \
             `gh run rerun {id}` begins it again"
        ));
        return Ok(false);
    }
    let deadline = Deadline::after(teardown::patience(0));
    match begin(github, id, attempt, &part, deadline).await? {
        Begun::Now => {
            let what = part.described(attempt + 1);
            report.mark(CheckStatus::Done, format_args!("run {id}: {what}"));
            Ok(true)
        }
        Begun::BySomebodyElse => Ok(false),
    }
}
