//! The HTTP connector: every request to EC2, GitHub and the image index goes through this connector.
//!
//! The AWS SDK takes it as its HTTP client; octocrab takes it as a tower service. So there is one connection pool, one TLS
//! stack (rustls with ring), one set of trusted roots, and the usual proxy variables hold for all: hyper's pool, and below it
//! `dial.rs` and `tls.rs`. In the portable build all that is the host's: the SDK hands its requests over through
//! aws-smithy-wasm, the connector through wstd.

pub(crate) mod cause;
#[cfg(not(target_family = "wasm"))]
mod dial;
pub(crate) mod extra_roots;
pub(crate) mod headers;
#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(not(target_family = "wasm"))]
mod system_roots;
#[cfg(not(target_family = "wasm"))]
mod tls;
mod traced;
#[cfg(target_family = "wasm")]
mod wasi;
mod whole;

use std::io::Read;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

#[cfg(not(target_family = "wasm"))]
use aws_smithy_runtime_api::client::http::http_client_fn;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpClient, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use octocrab::OctoBody;
use secrecy::{ExposeSecret, SecretString};
use tower::BoxError;

#[cfg(not(target_family = "wasm"))]
use native::Connector;
#[cfg(not(target_family = "wasm"))]
pub(crate) use tls::prepare;
use traced::Traced;
#[cfg(target_family = "wasm")]
use wasi::Connector;
use whole::Whole;

use crate::http::cause::innermost;
use crate::http::extra_roots::ExtraRoots;
use crate::http::headers::Headers;
use crate::retry::Transient;

/// A connection that is not there after this long will not come.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Neither EC2 nor GitHub thinks longer than this about any request of ours.
pub(crate) const READ_TIMEOUT: Duration = Duration::from_secs(20);
/// A long poll is answered after 50 s at the latest. Every other call of a listener has a deadline of its own.
#[cfg(not(target_family = "wasm"))]
pub(crate) const LONG_POLL_TIMEOUT: Duration = Duration::from_mins(1);

/// Builds the connector. It connects to nobody yet, and reads no certificate before somebody is to be reached by HTTPS.
pub(crate) fn connector(extra_roots: ExtraRoots, read_timeout: Duration) -> SharedHttpConnector {
    finish(SharedHttpConnector::new(Connector::new(
        extra_roots,
        read_timeout,
    )))
}

/// Takes responses whole, and tells the debug log of each.
fn finish(connector: SharedHttpConnector) -> SharedHttpConnector {
    SharedHttpConnector::new(Traced(SharedHttpConnector::new(Whole(connector))))
}

/// The connector as the AWS SDK wants it.
#[cfg(not(target_family = "wasm"))]
pub(crate) fn client(connector: &SharedHttpConnector) -> SharedHttpClient {
    let connector = connector.clone();
    http_client_fn(move |_, _| connector.clone())
}

/// What the AWS SDK has of its own for WASI.
#[cfg(target_family = "wasm")]
pub(crate) fn client(_: &SharedHttpConnector) -> SharedHttpClient {
    wasi::sdk_client(finish)
}

/// The connector as octocrab wants it.
#[derive(Clone)]
pub(crate) struct Service(pub SharedHttpConnector);

impl tower::Service<http::Request<OctoBody>> for Service {
    type Response = http::Response<SdkBody>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<OctoBody>) -> Self::Future {
        let connector = self.0.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            // Requests of ours are a few hundred bytes: to collect them costs nothing, and gives them a length.
            let bytes = body.collect().await?.to_bytes();
            send(
                &connector,
                http::Request::from_parts(parts, SdkBody::from(bytes.as_ref())),
            )
            .await
        })
    }
}

/// The largest text that is taken: the image index has a few hundred kilobytes.
const LARGEST_TEXT: u64 = 32 * 1024 * 1024;

/// Why a text could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GetError {
    #[error("HTTP {0}")]
    Status(u16, Option<Duration>),
    #[error("the server did not answer ({0})")]
    NoAnswer(String),
    #[error("the answer is unreadable: it is not text")]
    NoText,
    #[error("the answer is unreadable: it is not an index")]
    NoIndex,
}

impl Transient for GetError {
    fn timed_out(_call: &'static str, within: Duration) -> Self {
        Self::NoAnswer(format!("waited {:.1} s", within.as_secs_f64()))
    }

    fn call(&self) -> &'static str {
        "get a file"
    }

    fn is_transient(&self) -> bool {
        match self {
            Self::Status(status, _) => *status >= 500 || *status == 429,
            Self::NoAnswer(message) => !extra_roots::is_untrusted(message),
            Self::NoText | Self::NoIndex => true,
        }
    }

    fn wait(&self) -> Option<Duration> {
        match self {
            Self::Status(_, wait) => *wait,
            _ => None,
        }
    }
}

/// Gets a whole text, compressed on its way where the server can.
pub(crate) async fn get_text(
    connector: &SharedHttpConnector,
    uri: &http::Uri,
) -> Result<String, GetError> {
    get(connector, http::Request::get(uri)).await
}

/// As `get_text`, for who has that token.
pub(crate) async fn get_text_as(
    connector: &SharedHttpConnector,
    uri: &http::Uri,
    token: &SecretString,
) -> Result<String, GetError> {
    let mut bearer = http::HeaderValue::try_from(format!("Bearer {}", token.expose_secret()))
        .map_err(|_| GetError::NoAnswer("the token is not a valid header value".to_owned()))?;
    bearer.set_sensitive(true);
    let request = http::Request::get(uri).header(http::header::AUTHORIZATION, bearer);
    get(connector, request).await
}

async fn get(
    connector: &SharedHttpConnector,
    request: http::request::Builder,
) -> Result<String, GetError> {
    let no_answer = |error: BoxError| GetError::NoAnswer(innermost(error.as_ref()));
    let request = request
        .header(http::header::USER_AGENT, USER_AGENT)
        .header(http::header::ACCEPT_ENCODING, "gzip")
        .body(SdkBody::empty())
        .map_err(|error| no_answer(error.into()))?;
    let response = send(connector, request).await.map_err(no_answer)?;
    let status = response.status();
    if !status.is_success() {
        let wait = response.headers().retry_after();
        return Err(GetError::Status(status.as_u16(), wait));
    }
    let is_compressed = response
        .headers()
        .get(http::header::CONTENT_ENCODING)
        .is_some_and(|encoding| encoding == "gzip");
    let body = response.into_body().collect().await.map_err(no_answer)?;
    let bytes = body.to_bytes();
    if !is_compressed {
        return String::from_utf8(bytes.to_vec()).map_err(|_| GetError::NoText);
    }
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(bytes.as_ref())
        .take(LARGEST_TEXT)
        .read_to_string(&mut text)
        .map_err(|_| GetError::NoText)?;
    Ok(text)
}

async fn send(
    connector: &SharedHttpConnector,
    request: http::Request<SdkBody>,
) -> Result<http::Response<SdkBody>, BoxError> {
    let request = HttpRequest::try_from(request)?;
    let response = connector.call(request).await?;
    Ok(response.try_into_http1x()?)
}

/// GitHub asks every client to name itself.
pub(crate) const USER_AGENT: &str = concat!("sprinters/", env!("CARGO_PKG_VERSION"));
