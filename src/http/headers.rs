//! What servers say in an answer's headers: how long to wait, and what time it is for them.

use std::time::{Duration, SystemTime};

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

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
            return Some(Duration::from_secs(seconds));
        }
        let at = http_date(self.text("retry-after")?)?;
        Some(at.duration_since(self.server_time()).unwrap_or_default())
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
}
