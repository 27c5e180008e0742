//! The HTTP status and headers of EC2's and STS's responses.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Headers;

/// Status and headers, if there was a response.
pub(crate) trait ResponseParts {
    fn http_status(&self) -> Option<u16>;

    fn headers(&self) -> Option<&Headers>;
}

impl<E> ResponseParts for SdkError<E, HttpResponse> {
    fn http_status(&self) -> Option<u16> {
        self.raw_response()
            .map(|response| response.status().as_u16())
    }

    fn headers(&self) -> Option<&Headers> {
        self.raw_response().map(HttpResponse::headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;

    #[test]
    fn only_a_response_has_a_status_and_headers() {
        let mut response = HttpResponse::new(
            StatusCode::try_from(503).expect("a status"),
            SdkBody::empty(),
        );
        response.headers_mut().insert("retry-after", "7");
        let answered = SdkError::service_error((), response);
        assert_eq!(answered.http_status(), Some(503));
        let wait = answered
            .headers()
            .and_then(|headers| headers.get("retry-after"));
        assert_eq!(wait, Some("7"));
        let lost: SdkError<(), HttpResponse> = SdkError::timeout_error("late");
        assert!(lost.http_status().is_none() && lost.headers().is_none());
    }
}
