//! The undo after a panic, for every mode that makes anything, and the words for what came of an undo.

#[cfg(not(target_family = "wasm"))]
use std::sync::Arc;
use std::time::Duration;

#[cfg(not(target_family = "wasm"))]
use tokio_util::sync::CancellationToken;

#[cfg(not(target_family = "wasm"))]
use crate::clients::Clients;
use crate::error::Failure;
#[cfg(not(target_family = "wasm"))]
use crate::inputs::Mode;
#[cfg(not(target_family = "wasm"))]
use crate::launch::journal::Journal;
#[cfg(not(target_family = "wasm"))]
use crate::platform::executor::block_on;
#[cfg(not(target_family = "wasm"))]
use crate::platform::{environment, rescue};
#[cfg(not(target_family = "wasm"))]
use crate::report::{Reporter, flush};
use crate::report::{first_of, seconds};
#[cfg(not(target_family = "wasm"))]
use crate::retry::Deadline;
use crate::teardown::Ended;
#[cfg(not(target_family = "wasm"))]
use crate::teardown::{self, Search};

/// From now on, a panic undoes what the journal knows by then; `cancellation` is cancelled first, so that nothing new is made.
/// The portable build has no threads, and its host ends the program at once.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn on_panic(
    mode: Mode,
    clients: &Clients,
    journal: &Arc<Journal>,
    cancellation: &CancellationToken,
    report: &Arc<Reporter>,
) {
    let (clients, journal) = (clients.clone(), journal.clone());
    let (cancellation, report) = (cancellation.clone(), report.clone());
    rescue::arm(move || {
        // Without a runtime nobody can be asked; the panic itself is reported already.
        let _ = block_on(async {
            cancellation.cancel();
            let Clients { ec2, github, .. } = clients.again(environment, &report).await;
            let leftovers = journal.leftovers();
            let deadline = Deadline::after(teardown::patience(leftovers.instances.len()));
            let ended =
                teardown::end(&ec2, &github, leftovers, Search::UntilCertain, deadline).await;
            let what = Failure::new("the program stopped unexpectedly", "report this as a bug");
            report.failure(Some(mode), &described(what, &ended, Duration::ZERO));
            flush();
        });
    });
}

/// The failure, with what came of the undo.
pub(crate) fn described(failure: Failure, ended: &Ended, took: Duration) -> Failure {
    let terminated: Vec<String> = ended
        .terminated
        .iter()
        .map(|id| format!("`{id}`"))
        .collect();
    let records = match ended.deleted.len() {
        0 | 1 => "runner record deleted".to_owned(),
        several => format!("{several} runner records deleted"),
    };
    let mut failure = match (terminated.is_empty(), ended.deleted.is_empty()) {
        (true, true) => failure,
        (true, false) => failure.and(format!("undone in {}: {records}", seconds(took))),
        (false, _) => failure.and(format!(
            "undone in {}: {} terminated, {records}",
            seconds(took),
            first_of(&terminated, ", ")
        )),
    };
    if ended.left.is_empty() {
        return failure.and("nothing is left running");
    }
    for left in &ended.left {
        failure = failure.and(format!("STILL THERE: {left}"));
    }
    failure.and("end it by hand, or let `mode: sweep` do it; the instance's own timers end it at the latest")
}
