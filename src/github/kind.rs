//! Why a call to GitHub failed, and what that says about the next one: of its REST API and of the Actions service alike.

use std::time::Duration;

use http::{HeaderMap, StatusCode};

use crate::http::cause::Unanswered;
use crate::http::extra_roots;
use crate::http::headers::Headers;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// No answer arrived: the call may or may not have been carried out.
    NoAnswer,
    /// The call never left this machine: no address, no connection.
    NotSent,
    /// GitHub said to slow down.
    SlowDown,
    /// A 401 to an App's new token, which not all of GitHub's servers know yet.
    FreshToken,
    /// Any other refusal.
    Status(StatusCode),
    /// An answer that is not what the API describes.
    Unreadable,
}

impl Kind {
    /// Of a response that is not a success, with the message in it.
    pub(super) fn refused(status: StatusCode, headers: &HeaderMap, message: &str) -> Self {
        if asks_to_slow_down(status, headers, message) {
            Self::SlowDown
        } else {
            Self::Status(status)
        }
    }

    /// Of an exchange that broke off.
    pub(super) fn unanswered(cause: &Unanswered) -> Self {
        if cause.was_sent {
            Self::NoAnswer
        } else {
            Self::NotSent
        }
    }

    pub(super) fn status(self) -> Option<StatusCode> {
        match self {
            Self::Status(status) => Some(status),
            _ => None,
        }
    }

    /// Whether the call may have been carried out although it failed with that message.
    pub(super) fn may_have_acted(self, message: &str) -> bool {
        match self {
            Self::NoAnswer => !extra_roots::is_untrusted(message),
            Self::Unreadable => true,
            Self::Status(status) => {
                status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT
            }
            Self::NotSent | Self::SlowDown | Self::FreshToken => false,
        }
    }

    /// Whether the same call may succeed a little later.
    pub(super) fn is_transient(self, message: &str) -> bool {
        match self {
            Self::NotSent => !extra_roots::is_untrusted(message),
            Self::SlowDown | Self::FreshToken => true,
            other => other.may_have_acted(message),
        }
    }
}

/// How long a response asks to wait.
pub(super) fn wait(headers: &HeaderMap) -> Option<Duration> {
    headers.retry_after().or_else(|| until_reset(headers))
}

/// GitHub slows callers down with 429, and with 403 where a limit's headers or message say so.
/// <https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api>
fn asks_to_slow_down(status: StatusCode, headers: &HeaderMap, message: &str) -> bool {
    match status {
        StatusCode::TOO_MANY_REQUESTS => true,
        StatusCode::FORBIDDEN => {
            let message = message.to_ascii_lowercase();
            headers.text("retry-after").is_some()
                || is_used_up(headers)
                || message.contains("rate limit")
                // Older servers' words for the same.
                || message.contains("abuse detection")
        }
        StatusCode::SERVICE_UNAVAILABLE => headers.text("retry-after").is_some(),
        _ => false,
    }
}

fn is_used_up(headers: &HeaderMap) -> bool {
    headers.number("x-ratelimit-remaining") == Some(0)
}

/// Until the hour's limit starts anew.
fn until_reset(headers: &HeaderMap) -> Option<Duration> {
    is_used_up(headers)
        .then(|| headers.until("x-ratelimit-reset"))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            )
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn what_asks_to_slow_down() {
        let slow = |status: StatusCode, pairs: &[_], message: &str| {
            Kind::refused(status, &headers(pairs), message) == Kind::SlowDown
        };
        let (forbidden, unavailable) = (StatusCode::FORBIDDEN, StatusCode::SERVICE_UNAVAILABLE);
        assert!(slow(StatusCode::TOO_MANY_REQUESTS, &[], ""));
        assert!(slow(
            forbidden,
            &[],
            "You have exceeded a secondary rate limit"
        ));
        assert!(slow(forbidden, &[("x-ratelimit-remaining", "0")], ""));
        assert!(!slow(
            forbidden,
            &[("x-ratelimit-remaining", "9")],
            "no right"
        ));
        assert!(slow(unavailable, &[("retry-after", "3")], ""));
        assert!(!slow(unavailable, &[], ""));
    }

    #[test]
    fn what_may_have_been_carried_out_passes_and_so_does_what_never_left() {
        let timeout = Kind::Status(StatusCode::REQUEST_TIMEOUT);
        for kind in [Kind::NoAnswer, Kind::Unreadable, timeout] {
            assert!(kind.may_have_acted("") && kind.is_transient(""), "{kind:?}");
        }
        for kind in [Kind::NotSent, Kind::SlowDown, Kind::FreshToken] {
            assert!(
                !kind.may_have_acted("") && kind.is_transient(""),
                "{kind:?}"
            );
        }
        assert!(!Kind::Status(StatusCode::NOT_FOUND).is_transient(""));
    }
}
