//! Unix's own signals.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// From its creation on, no signal ends the process: an undo runs to its end, however often someone presses Ctrl-C.
pub(crate) struct Cancel {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Cancel {
    pub(crate) fn install() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("could not listen for a cancel");
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
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
