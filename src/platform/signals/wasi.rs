//! WASI has no signals. The host owns them and writes their names to standard input, a line each, which no mode that can be
//! cancelled reads otherwise. A host that closes it never cancels.

use std::future::pending;

use wasip2::cli::stdin::get_stdin;
use wstd::io::AsyncInputStream;

/// The longest name of a signal is shorter than this.
const LINE: usize = 64;

/// The host ends the process by no signal: an undo runs to its end, however often someone presses Ctrl-C.
pub(crate) struct Cancel {
    stdin: AsyncInputStream,
}

impl Cancel {
    #[expect(clippy::unnecessary_wraps, reason = "an operating system can refuse")]
    pub(crate) fn install() -> anyhow::Result<Self> {
        let stdin = AsyncInputStream::new(get_stdin());
        Ok(Self { stdin })
    }

    /// Waits for the first signal, and names it.
    pub(crate) async fn requested(&mut self) -> &'static str {
        let mut line = [0; LINE];
        match self.stdin.read(&mut line).await {
            Ok(length @ 1..) => name(line.get(..length).unwrap_or_default()),
            Ok(0) | Err(_) => pending().await,
        }
    }
}

fn name(line: &[u8]) -> &'static str {
    match line.split(|byte| *byte == b'\n').next() {
        Some(b"SIGTERM") => "SIGTERM",
        Some(b"SIGHUP") => "SIGHUP",
        _ => "SIGINT",
    }
}
