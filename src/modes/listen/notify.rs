//! systemd: tells that the service is ready, what it does, and that it is alive.

use std::time::Duration;

use sd_notify::NotifyState;

/// Every failure here means the same: systemd is not there, or does not listen.
fn notify(states: &[NotifyState<'_>]) {
    let _ = sd_notify::notify(states);
}

pub(super) fn ready(status: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
}

pub(super) fn stopping() {
    notify(&[NotifyState::Stopping]);
}

pub(super) fn alive() {
    notify(&[NotifyState::Watchdog]);
}

/// How often to say that the service is alive: twice in the time that systemd waits.
pub(super) fn interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|waits| waits / 2)
}
