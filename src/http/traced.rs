//! What each request was, for debug logging: its operation, host, status and time. Neither a header nor a body is shown.

use std::time::Instant;

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use tracing::{enabled, event};

use crate::platform::OWN_EVENTS;

/// A connector that emits an event for each request.
#[derive(Clone, Debug)]
pub(super) struct Traced(pub SharedHttpConnector);

impl HttpConnector for Traced {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if !enabled!(OWN_EVENTS) {
            return self.0.call(request);
        }
        let mut sent = Sent::new(&request);
        let response = self.0.call(request);
        HttpConnectorFuture::new(async move {
            let response = response.await;
            sent.end(match &response {
                Ok(response) => response.status().as_u16().to_string(),
                Err(_) => "none".to_owned(),
            });
            response
        })
    }
}

/// A request under way.
struct Sent {
    operation: String,
    host: String,
    began: Instant,
    status: Option<String>,
}

impl Sent {
    fn new(request: &HttpRequest) -> Self {
        let uri: Option<http::Uri> = request.uri().parse().ok();
        Self {
            operation: operation(request, uri.as_ref()),
            host: uri
                .and_then(|uri| uri.host().map(str::to_owned))
                .unwrap_or_default(),
            began: Instant::now(),
            status: None,
        }
    }

    fn end(&mut self, status: String) {
        self.status = Some(status);
    }
}

/// Whoever stops waiting for the response drops it: that, too, is worth a line.
impl Drop for Sent {
    fn drop(&mut self) {
        event!(
            OWN_EVENTS,
            operation = self.operation,
            host = self.host,
            status = self.status.as_deref().unwrap_or("given up"),
            seconds = self.began.elapsed().as_secs_f64(),
            "request"
        );
    }
}

/// EC2's and STS's name for it, or the method and GitHub's path, without the query. Of anybody else's request only the method:
/// where credentials come from, the path may be the secret.
fn operation(request: &HttpRequest, uri: Option<&http::Uri>) -> String {
    if let Some(action) = request.body().bytes().and_then(action) {
        return action;
    }
    let path = uri
        .filter(|_| request.headers().get("x-github-api-version").is_some())
        .map(|uri| format!(" {}", uri.path()));
    format!("{}{}", request.method(), path.unwrap_or_default())
}

/// `Action=…`, with which a form of AWS's query protocol begins.
fn action(body: &[u8]) -> Option<String> {
    let name = body.strip_prefix(b"Action=")?.split(|byte| *byte == b'&');
    let name = std::str::from_utf8(name.into_iter().next()?).ok()?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric());
    is_name.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn named(
        uri: &str,
        header: Option<(&'static str, &'static str)>,
        body: &'static str,
    ) -> Option<String> {
        let builder = http::Request::get(uri);
        let builder = header.into_iter().fold(builder, |builder, (name, value)| {
            builder.header(name, value)
        });
        let request = builder.body(SdkBody::from(body)).ok()?;
        let request = HttpRequest::try_from(request).ok()?;
        let uri = uri.parse().ok();
        Some(operation(&request, uri.as_ref()))
    }

    #[test]
    fn an_operation_tells_no_secret() {
        let github = Some(("x-github-api-version", "2022-11-28"));
        let repository = "https://api.github.com/repos/o/r/actions/runners?name=x";
        assert_eq!(
            named(repository, github, "").as_deref(),
            Some("GET /repos/o/r/actions/runners")
        );
        assert_eq!(
            named("http://169.254.170.2/v2/credentials/secret", None, "").as_deref(),
            Some("GET")
        );
        let form = "Action=RunInstances&UserData=secret";
        let ec2 = "https://ec2.eu-central-1.amazonaws.com/";
        assert_eq!(named(ec2, None, form).as_deref(), Some("RunInstances"));
        assert_eq!(
            named(ec2, None, "Action=%0A::error::&x=y").as_deref(),
            Some("GET")
        );
    }
}
