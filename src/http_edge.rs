//! The one way out: every request to EC2, GitHub and the image index goes through this connector.
//!
//! The AWS SDK takes it as its HTTP client; octocrab takes it as a tower service. So there is one connection pool, one TLS
//! stack (rustls with ring), one set of trusted roots, and the usual proxy variables hold for all.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use octocrab::OctoBody;
use tower::BoxError;

/// A connection that is not there after this long will not come.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Neither EC2 nor GitHub thinks longer than this about any request of ours.
const READ_TIMEOUT: Duration = Duration::from_secs(20);

/// Builds the connector. It connects to nobody yet.
pub(crate) fn connector() -> SharedHttpConnector {
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .build();
    let connector = Connector::builder()
        .connector_settings(settings)
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build();
    SharedHttpConnector::new(connector)
}

/// The connector as the AWS SDK wants it.
pub(crate) fn client(connector: &SharedHttpConnector) -> SharedHttpClient {
    let connector = connector.clone();
    http_client_fn(move |_, _| connector.clone())
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

/// Gets a whole text.
pub(crate) async fn get_text(
    connector: &SharedHttpConnector,
    uri: &http::Uri,
) -> Result<String, BoxError> {
    let request = http::Request::get(uri)
        .header(http::header::USER_AGENT, USER_AGENT)
        .body(SdkBody::empty())?;
    let response = send(connector, request).await?;
    if !response.status().is_success() {
        return Err(format!("HTTP {}", response.status().as_u16()).into());
    }
    let bytes = response.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(bytes.to_vec())?)
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
