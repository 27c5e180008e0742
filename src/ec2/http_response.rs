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
