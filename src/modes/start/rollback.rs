//! Undoing a start that failed or was cancelled, and what lost answers have left beside one that succeeded.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Tasks;
use crate::clients::Clients;
use crate::error::Failure;
use crate::launch::context::Launcher;
use crate::launch::journal::AttemptId;
use crate::launch::runner::LaunchedRunner;
use crate::launch::undo;
use crate::platform::clock::timeout_at;
use crate::platform::executor::spawn;
use crate::platform::signals::budget;
use crate::retry::Deadline;
use crate::teardown::{self, Ended, Leftovers, Search};

/// How long calls that are under way may take to answer where nobody is waiting to kill the process.
const SETTLE: Duration = Duration::from_secs(15);

/// How much time an undo has.
pub(super) struct Rollback {
    settle: Duration,
    search: Search,
    deadline: Deadline,
}

impl Rollback {
    /// Within what GitHub leaves a cancelled step.
    pub(super) fn after_cancel() -> Self {
        Self {
            settle: budget::SETTLE,
            search: Search::Briefly,
            deadline: Deadline::after(budget::UNDO),
        }
    }

    /// By then, or as long as so many take to end.
    pub(super) fn patient(launcher: &Launcher, by: Deadline) -> Self {
        let count = usize::from(launcher.spec.count);
        // What stays silent is only looked for once the launches under way have had their time.
        let least = SETTLE + Search::UntilCertain.duration();
        let deadline = if count > 1 || by.left() < least {
            Deadline::after(teardown::patience(count))
        } else {
            by.within(teardown::patience(count))
        };
        Self {
            settle: SETTLE,
            search: Search::UntilCertain,
            deadline,
        }
    }

    /// What is known is ended at once. Launches that are under way get the time to say what they made, and that is ended as
    /// soon as they do; what stays silent is looked for by name and token then. Tells, too, whether nothing is left.
    pub(super) async fn run(
        self,
        launcher: &Launcher,
        tasks: Tasks,
        failure: Failure,
    ) -> (Failure, bool) {
        let began = Instant::now();
        launcher.cancellation.cancel();
        launcher.report.line("· undoing what was launched");
        let known = launcher.journal.known();
        let (first, (late, seen)) = tokio::join!(
            self.end(launcher, known.clone()),
            self.end_late(launcher, tasks, known.clone())
        );
        // What could not be ended once is not tried twice: only what came up since.
        let rest = launcher.journal.leftovers().without(&known).without(&seen);
        let ended = first.and(late).and(self.end(launcher, rest).await);
        let is_clean = ended.left.is_empty();
        (undo::described(failure, &ended, began.elapsed()), is_clean)
    }

    async fn end(&self, launcher: &Launcher, leftovers: Leftovers) -> Ended {
        let Clients { ec2, github, .. } = &launcher.clients;
        let ended = teardown::end(ec2, github, leftovers, self.search, self.deadline).await;
        launcher.journal.forget(&ended);
        ended
    }

    /// Waits for the launches that are under way, ends what each has made at once, and gives up the rest.
    async fn end_late(
        &self,
        launcher: &Launcher,
        mut tasks: Tasks,
        known: Leftovers,
    ) -> (Ended, Leftovers) {
        let until = Instant::now() + self.settle.min(self.deadline.left() / 2);
        let Clients { ec2, github, .. } = &launcher.clients;
        let mut seen = Leftovers::default();
        let mut ending = JoinSet::new();
        while let Ok(Some(_)) = timeout_at(until, tasks.join_next()).await {
            let fresh = launcher.journal.known().without(&known).without(&seen);
            if fresh.is_empty() {
                continue;
            }
            seen = seen.and(fresh.clone());
            let (ec2, github) = (ec2.clone(), github.clone());
            let (search, deadline) = (self.search, self.deadline);
            spawn(&mut ending, async move {
                teardown::end(&ec2, &github, fresh, search, deadline).await
            });
        }
        tasks.shutdown().await;
        let mut ended = Ended::default();
        while let Some(one) = ending.join_next().await {
            ended = ended.and(one.unwrap_or_default());
        }
        (ended, seen)
    }
}

/// Attempts whose answer was lost may have left something behind although a later one succeeded.
pub(super) async fn end_strays(
    launcher: &Launcher,
    runners: &[LaunchedRunner],
) -> Result<(), Failure> {
    let kept: Vec<AttemptId> = runners.iter().map(|runner| runner.entry).collect();
    let strays = launcher.journal.leftovers_except(&kept);
    if strays.is_empty() {
        return Ok(());
    }
    let Clients { ec2, github, .. } = &launcher.clients;
    let search = Search::UntilCertain;
    // Not shortened by `start-timeout`: a start that succeeds has no instance beside its own.
    let deadline = Deadline::after(search.duration() + SETTLE);
    let ended = teardown::end(ec2, github, strays, search, deadline).await;
    if ended.left.is_empty() {
        // An undo that comes later has nothing to look for.
        launcher.journal.settle_except(&kept);
        return Ok(());
    }
    Err(Failure::new(
        format!(
            "attempts whose answer was lost left something behind: {}",
            ended.left.join("; ")
        ),
        "everything else is undone; end what is named here by hand, or run `mode: sweep`",
    ))
}
