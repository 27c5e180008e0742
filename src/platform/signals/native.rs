//! Unix's own signals.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

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
