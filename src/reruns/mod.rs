//! Running a workflow run again: which part of it, and once.

pub(crate) mod stranded;

use std::time::Duration;

use crate::github::{Github, GithubError, Job, JobId, LOOK_AT_RUN, RERUN};
use crate::platform::clock::sleep;
use crate::retry::{self, Backoff, Deadline, Decision};

/// How long GitHub may take to show an attempt whose beginning got no answer.
const SHOWN_WITHIN: Duration = Duration::from_secs(5);

/// Which part of the run runs again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// This job, and every job that needs it.
    Job(JobId, String),
    /// All of it: several jobs launched what is needed, and GitHub takes one job at a time; or nobody knows which job it was.
    All,
}

impl Part {
    /// The part that begins with these jobs; `None` stands for one that is not known.
    pub(crate) fn of(starters: &[Option<&Job>]) -> Self {
        match starters {
            [Some(job)] => Self::Job(job.id, job.name.clone()),
            _ => Self::All,
        }
    }

    /// What begins, in words.
    pub(crate) fn described(&self, attempt: u32) -> String {
        match self {
            Self::Job(_, name) => {
                format!("attempt {attempt} begins: job `{name}` and every job that needs it")
            }
            Self::All => format!("attempt {attempt} begins: every job"),
        }
    }
}

/// Who began the next attempt.
pub(crate) enum Begun {
    Now,
    BySomebodyElse,
}

/// Begins the next attempt, once. GitHub refuses while one is running, so that two of us cannot begin two; where no answer
/// came, the run itself tells whether it has begun.
pub(crate) async fn begin(
    github: &Github,
    run: u64,
    attempt: u32,
    part: &Part,
    deadline: Deadline,
) -> Result<Begun, GithubError> {
    let mut backoff = Backoff::default();
    let mut may_be_ours = false;
    loop {
        let asking = retry::attempt(RERUN, deadline, ask(github, run, part));
        let Err(error) = asking.await else {
            return Ok(Begun::Now);
        };
        may_be_ours |= error.may_have_acted();
        // A refusal may be about an attempt that is not the latest any more: one look tells. After silence it takes several.
        let looking = if error.may_have_acted() {
            deadline.within(SHOWN_WITHIN)
        } else {
            Deadline::after(Duration::ZERO)
        };
        if error.is_already_running() || is_followed(github, run, attempt, deadline, looking).await
        {
            return Ok(if may_be_ours {
                Begun::Now
            } else {
                Begun::BySomebodyElse
            });
        }
        match retry::decide(&error, &mut backoff, deadline) {
            Decision::Repeat(wait) => sleep(wait).await,
            Decision::GiveUp => return Err(error),
        }
    }
}

async fn ask(github: &Github, run: u64, part: &Part) -> Result<(), GithubError> {
    match part {
        Part::Job(id, _) => github.rerun_job(*id).await,
        Part::All => github.rerun_run(run).await,
    }
}

/// Whether another attempt has begun; looks for a while, because GitHub begins one in its own time.
async fn is_followed(
    github: &Github,
    run: u64,
    attempt: u32,
    deadline: Deadline,
    looking: Deadline,
) -> bool {
    let mut backoff = Backoff::default();
    loop {
        match retry::until(LOOK_AT_RUN, deadline, || github.workflow_run(run)).await {
            Ok(now) if now.run_attempt > attempt || !now.is_completed() => return true,
            Ok(_) if looking.sleep(backoff.next(None)).await.is_ok() => {}
            // Why it could not be begun says more than why nobody could look.
            Ok(_) | Err(_) => return false,
        }
    }
}
