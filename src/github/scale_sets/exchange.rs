//! One request to the Actions service and its response: in time, not too large, readable.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::BodyExt;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use tower::BoxError;

use super::ScaleSetError;
use super::wire::Found;
use crate::http::USER_AGENT;
use crate::http::cause::Unanswered;

/// A response whose status nobody has checked yet.
pub(super) struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    body: String,
}

impl Response {
    /// Exactly the status that is the service's. A captive portal's page comes with 200, too.
    pub(super) fn expect(
        &self,
        operation: &'static str,
        expected: StatusCode,
    ) -> Result<(), ScaleSetError> {
        if self.status == expected {
            return Ok(());
        }
        if self.status.is_success() {
            let status = format!("HTTP {}", self.status.as_u16());
            return Err(ScaleSetError::unreadable(operation, status));
        }
        Err(ScaleSetError::refused(
            operation,
            self.status,
            &self.headers,
            &self.body,
        ))
    }

    /// The body of a success, or the refusal.
    pub(super) fn json<T: DeserializeOwned>(
        &self,
        operation: &'static str,
    ) -> Result<T, ScaleSetError> {
        self.expect(operation, StatusCode::OK)?;
        serde_json::from_str(&self.body).map_err(|error| {
            // Only the place: tokens and JIT configs must not reach a log.
            let place = format!("line {}, column {}", error.line(), error.column());
            ScaleSetError::unreadable(operation, place)
        })
    }

    /// The entries of a list. One that is shorter than it says is not believed: what is missing from it would be made again.
    pub(super) fn list<T: DeserializeOwned>(
        &self,
        operation: &'static str,
    ) -> Result<Vec<T>, ScaleSetError> {
        let Found { count, value } = self.json(operation)?;
        if value.len() < count {
            let why = format!("it lists {} of {count}", value.len());
            return Err(ScaleSetError::unreadable(operation, why));
        }
        Ok(value)
    }

    pub(super) fn text(&self) -> &str {
        &self.body
    }
}

/// `Authorization`, which no log shows.
pub(super) fn authorization(scheme: &str, token: &SecretString) -> Option<HeaderValue> {
    let text = format!("{scheme} {}", token.expose_secret());
    let mut value = HeaderValue::try_from(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Sends a request and reads the whole response, both within that time.
pub(super) async fn exchange(
    connector: &SharedHttpConnector,
    operation: &'static str,
    request: Request<SdkBody>,
    within: Duration,
) -> Result<Response, ScaleSetError> {
    tokio::time::timeout(within, send(connector, request))
        .await
        .map_err(|_| {
            let message = format!("waited {:.0} s", within.as_secs_f64());
            ScaleSetError::unanswered(operation, Unanswered::sent(message))
        })?
        .map_err(|error| ScaleSetError::unanswered(operation, Unanswered::new(error.as_ref())))
}

async fn send(
    connector: &SharedHttpConnector,
    mut request: Request<SdkBody>,
) -> Result<Response, BoxError> {
    let headers = request.headers_mut();
    headers.insert(
        http::header::USER_AGENT,
        HeaderValue::from_static(USER_AGENT),
    );
    headers
        .entry(http::header::ACCEPT)
        .or_insert(HeaderValue::from_static("application/json"));
    let request = HttpRequest::try_from(request)?;
    let response = connector.call(request).await?.try_into_http1x()?;
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await?.to_bytes();
    let text = String::from_utf8_lossy(&bytes);
    Ok(Response {
        status: parts.status,
        headers: parts.headers,
        // The service begins some answers with a byte order mark, which is not JSON.
        body: text.strip_prefix('\u{feff}').unwrap_or(&text).to_owned(),
    })
}
