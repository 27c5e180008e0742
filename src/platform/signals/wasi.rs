//! WASI has no signals. The host owns them and writes their names to standard input, a line each, which no mode that can be
//! cancelled reads otherwise. A host that closes it never cancels.

use std::future::pending;
use std::io;

use wasip2::cli::stdin::get_stdin;
use wasip2::io::streams::InputStream;

use crate::platform::reactor;

/// The longest name of a signal is shorter than this.
const LINE: u64 = 64;

/// The host ends the process by no signal: an undo runs to its end, however often someone presses Ctrl-C.
pub(crate) struct Cancel {
    stdin: InputStream,
}

impl Cancel {
    #[expect(clippy::unnecessary_wraps, reason = "an operating system can refuse")]
    pub(crate) fn install() -> io::Result<Self> {
        Ok(Self { stdin: get_stdin() })
    }

    /// Waits for the first signal, and names it.
    pub(crate) async fn requested(&mut self) -> &'static str {
        loop {
            match self.stdin.read(LINE) {
                Ok(line) if line.is_empty() => reactor::ready(self.stdin.subscribe()).await,
                Ok(line) => return name(&line),
                Err(_) => return pending().await,
            }
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
