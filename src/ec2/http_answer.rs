//! What EC2's and STS's answers say beside their bodies.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Headers;

/// What an answer says, if there was one.
pub(crate) trait HttpAnswer {
    fn http_status(&self) -> Option<u16>;

    fn headers(&self) -> Option<&Headers>;
}

impl<E> HttpAnswer for SdkError<E, HttpResponse> {
    fn http_status(&self) -> Option<u16> {
        self.raw_response()
            .map(|response| response.status().as_u16())
    }

    fn headers(&self) -> Option<&Headers> {
        self.raw_response().map(HttpResponse::headers)
    }
}
