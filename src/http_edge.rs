//! The one way out: every request to EC2, GitHub and the image index goes through this connector.
//!
//! The AWS SDK takes it as its HTTP client; octocrab takes it as a tower service. So there is one connection pool, one TLS
//! stack (rustls with ring), one set of trusted roots, and the usual proxy variables hold for all.

use std::io::Read;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use octocrab::OctoBody;
use secrecy::{ExposeSecret, SecretString};
use tower::BoxError;

use crate::answer_headers::Headers;
use crate::extra_roots::{self, ExtraRoots};
use crate::github::innermost;
use crate::retry::Passing;

/// A connection that is not there after this long will not come.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Neither EC2 nor GitHub thinks longer than this about any request of ours.
const READ_TIMEOUT: Duration = Duration::from_secs(20);

/// Builds the connector. It connects to nobody yet, and reads no certificate before somebody is to be reached by HTTPS.
pub(crate) fn connector(extra_roots: ExtraRoots) -> SharedHttpConnector {
    SharedHttpConnector::new(Edge {
        extra_roots,
        ..Edge::default()
    })
}

/// One connector for each scheme, made when it is first needed: reading and parsing the system's roots takes longer than all
/// else that a start does before its first request.
#[derive(Debug, Default)]
struct Edge {
    plain: OnceLock<Connector>,
    tls: OnceLock<Connector>,
    extra_roots: ExtraRoots,
}

impl HttpConnector for Edge {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        // A proxy may itself want TLS, whatever is asked for through it.
        if request.uri().starts_with("http:") && !is_proxied_by_tls() {
            let connector = || with_roots(TrustStore::empty());
            self.plain.get_or_init(connector).call(request)
        } else {
            self.tls
                .get_or_init(|| with_roots(self.roots()))
                .call(request)
        }
    }
}

impl Edge {
    /// The system's, and those that the environment names.
    fn roots(&self) -> TrustStore {
        let extra = self.extra_roots.0.iter();
        extra.fold(TrustStore::default(), |roots, pem| {
            roots.with_pem_certificate(pem.as_bytes())
        })
    }
}

fn with_roots(roots: TrustStore) -> Connector {
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .build();
    let builder = Connector::builder()
        .connector_settings(settings)
        .proxy_config(ProxyConfig::from_env())
        .tls_provider(Provider::Rustls(CryptoMode::Ring));
    match TlsContext::builder().with_trust_store(roots).build() {
        Ok(context) => builder.tls_context(context).build(),
        // The default context trusts the system's roots.
        Err(_) => builder.build(),
    }
}

fn is_proxied_by_tls() -> bool {
    ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .any(|proxy| proxy.starts_with("https:"))
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

/// The largest text that is taken: the image index has a few hundred kilobytes.
const LARGEST_TEXT: u64 = 32 * 1024 * 1024;

/// Why a text could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GetError {
    #[error("HTTP {0}")]
    Status(u16, Option<Duration>),
    #[error("the server did not answer ({0})")]
    NoAnswer(String),
    #[error("the answer is unreadable: it is no text")]
    NoText,
    #[error("the answer is unreadable: it is no index")]
    NoIndex,
}

impl Passing for GetError {
    fn silence(_call: &'static str, within: Duration) -> Self {
        Self::NoAnswer(format!("nothing for {:.1} s", within.as_secs_f64()))
    }

    fn is_passing(&self) -> bool {
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
        .map_err(|_| GetError::NoAnswer("the token is none".to_owned()))?;
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
