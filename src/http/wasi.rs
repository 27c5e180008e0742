//! The host's HTTP, `wasi:http`: the AWS SDK reaches it through aws-smithy-wasm, octocrab and everybody else through wstd's
//! client, on which that stands.
//!
//! The host keeps the connections, the time between bytes, the proxies and the roots of trust.

use std::error::Error;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_wasm::wasi::WasiHttpClientBuilder;
use http_body_util::BodyExt;
use wstd::http::{Body, Client};

use super::CONNECT_TIMEOUT;
use crate::http::cause::{HostError, innermost};
use crate::http::extra_roots::ExtraRoots;

/// wstd's client, for all that is not the AWS SDK.
#[derive(Debug)]
pub(super) struct Connector(Client);

impl Connector {
    /// Whom it trusts is the host's matter.
    pub(super) fn new(_: ExtraRoots, read_timeout: Duration) -> Self {
        let mut client = Client::new();
        client.set_connect_timeout(CONNECT_TIMEOUT);
        client.set_first_byte_timeout(read_timeout);
        Self(client)
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let client = self.0.clone();
        HttpConnectorFuture::new(async move { exchange(&client, request).await })
    }
}

async fn exchange(client: &Client, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let unfit = |error| ConnectorError::user(error);
    let request = request
        .try_into_http1x()
        .map_err(|error| unfit(error.into()))?;
    let (parts, body) = request.into_parts();
    let body = Body::from(body.collect().await.map_err(unfit)?.to_bytes());
    let response = client
        .send(http::Request::from_parts(parts, body))
        .await
        .map_err(|error| unanswered(error.as_ref()))?;
    let (parts, mut body) = response.into_parts();
    let bytes = body
        .bytes_contents()
        .await
        .map_err(|error| unanswered(error.as_ref()))?;
    let response = http::Response::from_parts(parts, SdkBody::from(bytes));
    HttpResponse::try_from(response).map_err(|error| unfit(error.into()))
}

/// aws-smithy-wasm's client; `finish` wraps each of its connectors.
pub(super) fn sdk_client(
    finish: fn(SharedHttpConnector) -> SharedHttpConnector,
) -> SharedHttpClient {
    SharedHttpClient::new(SdkClient {
        inner: WasiHttpClientBuilder::new().build(),
        finish,
    })
}

#[derive(Debug)]
struct SdkClient {
    inner: SharedHttpClient,
    finish: fn(SharedHttpConnector) -> SharedHttpConnector,
}

impl HttpClient for SdkClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let connector = self.inner.http_connector(settings, components);
        (self.finish)(SharedHttpConnector::new(Classified(connector)))
    }
}

/// aws-smithy-wasm calls every failure the client's own; what failed stands in its text.
#[derive(Debug)]
struct Classified(SharedHttpConnector);

impl HttpConnector for Classified {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let response = self.0.call(request);
        HttpConnectorFuture::new(async move { response.await.map_err(|error| unanswered(&error)) })
    }
}

/// The failure by the name of its code in `wasi:http`, with which the text of the innermost cause begins: the code itself is
/// hidden inside an `anyhow::Error` that became a box.
fn unanswered(error: &(dyn Error + 'static)) -> ConnectorError {
    let text = innermost(error);
    let code = text.strip_prefix("ErrorCode::").unwrap_or(&text);
    let end = code.find(|c: char| !c.is_ascii_alphanumeric());
    let (message, never_left) = match end.map_or(code, |end| &code[..end]) {
        "ConnectionTimeout" => return ConnectorError::timeout(never_sent("no connection in time")),
        "ConnectionReadTimeout" | "HttpResponseTimeout" => {
            return ConnectorError::timeout("no answer in time".into());
        }
        "HttpRequestDenied" => {
            let why = "the portable program may not reach this address";
            return ConnectorError::user(why.into());
        }
        "ConnectionRefused" => ("the connection was refused", true),
        "DnsError" => ("the host's name has no address", true),
        "DestinationUnavailable" => ("the host, or the proxy before it, is not reached", true),
        // In rustls's words, as in every other build.
        "TlsCertificateError" => ("invalid peer certificate: UnknownIssuer", true),
        "TlsProtocolError" => ("no TLS connection could be made", true),
        "ConnectionTerminated" => ("the connection was closed", false),
        "HttpResponseBodySize" => ("the answer is too large", false),
        _ => (text.as_str(), false),
    };
    let error = HostError {
        message: message.to_owned(),
        never_left,
    };
    ConnectorError::io(error.into())
}

fn never_sent(message: &str) -> Box<HostError> {
    Box::new(HostError {
        message: message.to_owned(),
        never_left: true,
    })
}
