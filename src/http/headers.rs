//! What servers say in an answer's headers: how long to wait, and what time it is for them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

/// The longest wait that a server is believed to want: every limit of GitHub's and EC2's starts anew within the hour. A
/// header may name any number, and a far one must not stop the program or overflow its clock.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Looks a header up, by its name in lower case.
pub(crate) trait Headers {
    fn text(&self, name: &str) -> Option<&str>;

    fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.trim().parse().ok()
    }

    /// `Retry-After`, in seconds or as a date.
    /// <https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>
    fn retry_after(&self) -> Option<Duration> {
        if let Some(seconds) = self.number("retry-after") {
            return Some(Duration::from_secs(seconds).min(LONGEST_WAIT));
        }
        let at = http_date(self.text("retry-after")?)?;
        let wait = at.duration_since(self.server_time()).unwrap_or_default();
        Some(wait.min(LONGEST_WAIT))
    }

    /// Until the time that a header names in Unix seconds, by the server's own clock: this machine's may be wrong.
    fn until(&self, name: &str) -> Option<Duration> {
        let then = Duration::from_secs(self.number(name)?);
        let now = self.server_time().duration_since(UNIX_EPOCH);
        Some(
            then.saturating_sub(now.unwrap_or_default())
                .min(LONGEST_WAIT),
        )
    }

    /// The server's clock, by which its dates count; this machine's own where the server does not tell.
    fn server_time(&self) -> SystemTime {
        self.date().unwrap_or_else(SystemTime::now)
    }

    fn date(&self) -> Option<SystemTime> {
        http_date(self.text("date")?)
    }
}

impl Headers for http::HeaderMap {
    fn text(&self, name: &str) -> Option<&str> {
        self.get(name)?.to_str().ok()
    }
}

impl Headers for aws_smithy_runtime_api::http::Headers {
    fn text(&self, name: &str) -> Option<&str> {
        self.get(name)
    }
}

fn http_date(text: &str) -> Option<SystemTime> {
    DateTime::from_str(text.trim(), Format::HttpDate)
        .ok()?
        .try_into()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> http::HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    http::HeaderName::from_static(name),
                    http::HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn a_wait_in_seconds_or_until_a_date_of_the_server() {
        let seconds = headers(&[("retry-after", "7")]);
        assert_eq!(seconds.retry_after(), Some(Duration::from_secs(7)));
        let date = headers(&[
            ("date", "Mon, 05 Jan 2026 10:00:00 GMT"),
            ("retry-after", "Mon, 05 Jan 2026 10:00:30 GMT"),
        ]);
        assert_eq!(date.retry_after(), Some(Duration::from_secs(30)));
        assert_eq!(headers(&[("retry-after", "soon")]).retry_after(), None);
        assert_eq!(headers(&[]).retry_after(), None);
    }

    #[test]
    fn no_wait_is_longer_than_any_limit_lasts() {
        let waits = [
            headers(&[("retry-after", "18446744073709551615")]).retry_after(),
            headers(&[("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT")]).retry_after(),
            headers(&[("x-ratelimit-reset", "18446744073709551615")]).until("x-ratelimit-reset"),
            headers(&[("x-ratelimit-reset", "99999999999")]).until("x-ratelimit-reset"),
        ];
        assert_eq!(waits, [Some(LONGEST_WAIT); 4]);
        let past = headers(&[
            ("date", "Mon, 05 Jan 2026 10:00:00 GMT"),
            ("x-ratelimit-reset", "0"),
        ]);
        assert_eq!(past.until("x-ratelimit-reset"), Some(Duration::ZERO));
        assert_eq!(headers(&[("retry-after", "-1")]).retry_after(), None);
    }

    #[test]
    fn headers_of_the_sdk_say_the_same() {
        let mut headers = aws_smithy_runtime_api::http::Headers::new();
        headers.insert("retry-after", "7");
        assert_eq!(headers.text("retry-after"), Some("7"));
        assert_eq!(
            (headers.text("date"), headers.retry_after()),
            (None, Some(Duration::from_secs(7)))
        );
    }
}
