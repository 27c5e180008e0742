//! A cancel. GitHub sends SIGINT, 7.5 seconds later SIGTERM, 2.5 seconds later SIGKILL.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long an undo may take after a cancel: GitHub's 7.5 seconds, less some room for the last answer.
pub(crate) const UNDO_WITHIN: Duration = Duration::from_millis(6_800);

/// From its creation on, no signal ends the process: an undo runs to its end, however often someone presses Ctrl-C.
pub(crate) struct Cancel {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Cancel {
    pub(crate) fn install() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the first signal, and names it.
    pub(crate) async fn requested(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.hangup.recv() => "SIGHUP",
        }
    }
}
