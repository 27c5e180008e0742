//! stdout and stderr behind a thread of their own: a pipe that nobody reads holds up neither a deadline nor a signal.

use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

/// How long the end of the program waits for its last lines to be read.
const LAST_LINES: Duration = Duration::from_secs(2);

enum Message {
    Out(String),
    Err(String),
    /// Everything before it is written.
    Done(Sender<()>),
}

/// A line on stdout.
pub(super) fn line(text: &str) {
    send(Message::Out(format!("{text}\n")));
}

/// Text on stdout, as it is.
pub(super) fn text(text: String) {
    send(Message::Out(text));
}

/// A line on stderr.
pub(super) fn error_line(text: &str) {
    send(Message::Err(format!("{text}\n")));
}

/// Text for a program that reads it at its own pace: returns once it is written, after all that came before it.
pub(super) fn write_all(text: &str) {
    wait(None);
    // A pipe that is closed early is its reader's will.
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

/// Whether stdout is a file, which nobody takes for a log.
#[cfg(unix)]
pub(super) fn is_saved() -> bool {
    use std::os::fd::AsFd;
    let stdout = io::stdout().as_fd().try_clone_to_owned();
    let metadata = stdout.and_then(|stdout| std::fs::File::from(stdout).metadata());
    metadata.is_ok_and(|metadata| metadata.is_file())
}

/// What stdout is, WASI does not tell.
#[cfg(not(unix))]
pub(super) fn is_saved() -> bool {
    false
}

/// Waits until the last lines are written, or for as long as that is worth.
pub(crate) fn flush() {
    wait(Some(LAST_LINES));
}

fn wait(most: Option<Duration>) {
    let (done, written) = mpsc::channel();
    send(Message::Done(done));
    // Either answer means that there is nothing to wait for any more.
    let _ = match most {
        Some(most) => written.recv_timeout(most).is_ok(),
        None => written.recv().is_ok(),
    };
}

fn send(message: Message) {
    static WRITER: OnceLock<Option<Sender<Message>>> = OnceLock::new();
    let unsent = match WRITER.get_or_init(start) {
        Some(writer) => writer.send(message).err().map(|unsent| unsent.0),
        None => Some(message),
    };
    if let Some(message) = unsent {
        write(message);
    }
}

/// The writer; none where there are no threads, as under WASI.
fn start() -> Option<Sender<Message>> {
    let (sender, messages) = mpsc::channel();
    let writer = std::thread::Builder::new().name("log".to_owned());
    let run = move || messages.into_iter().for_each(write);
    let spawned = (!cfg!(target_family = "wasm")).then(|| writer.spawn(run));
    spawned?.ok().map(|_| sender)
}

/// A broken pipe must not keep the work from being undone, so a failure to print is not one of the work.
fn write(message: Message) {
    let _ = match message {
        Message::Out(text) => {
            let mut out = io::stdout().lock();
            out.write_all(text.as_bytes()).and_then(|()| out.flush())
        }
        Message::Err(text) => io::stderr().lock().write_all(text.as_bytes()),
        Message::Done(done) => {
            let _ = done.send(());
            Ok(())
        }
    };
}
