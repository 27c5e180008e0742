//! Sockets and TLS of our own: the connector of every build for an operating system.

use std::sync::OnceLock;
use std::time::Duration;

use aws_smithy_http_client::Connector as SmithyConnector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use super::CONNECT_TIMEOUT;
use crate::http::extra_roots::ExtraRoots;

/// One connector for each scheme, made when it is first needed: reading and parsing the system's roots takes longer than all
/// else that a start does before its first request.
#[derive(Debug)]
pub(super) struct Connector {
    plain: OnceLock<SmithyConnector>,
    tls: OnceLock<SmithyConnector>,
    extra_roots: ExtraRoots,
    read_timeout: Duration,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        // A proxy may itself want TLS, whatever is asked for through it.
        if request.uri().starts_with("http:") && !is_proxied_by_tls() {
            let connector = || self.with_roots(TrustStore::empty());
            self.plain.get_or_init(connector).call(request)
        } else {
            self.tls
                .get_or_init(|| self.with_roots(self.roots()))
                .call(request)
        }
    }
}

impl Connector {
    pub(super) fn new(extra_roots: ExtraRoots, read_timeout: Duration) -> Self {
        Self {
            plain: OnceLock::new(),
            tls: OnceLock::new(),
            extra_roots,
            read_timeout,
        }
    }

    /// The system's, and those that the environment names.
    fn roots(&self) -> TrustStore {
        let extra = self.extra_roots.0.iter();
        extra.fold(TrustStore::default(), |roots, pem| {
            roots.with_pem_certificate(pem.as_bytes())
        })
    }

    fn with_roots(&self, roots: TrustStore) -> SmithyConnector {
        let settings = HttpConnectorSettings::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(self.read_timeout)
            .build();
        let builder = SmithyConnector::builder()
            .connector_settings(settings)
            .proxy_config(ProxyConfig::from_env())
            .tls_provider(Provider::Rustls(CryptoMode::Ring));
        match TlsContext::builder().with_trust_store(roots).build() {
            Ok(context) => builder.tls_context(context).build(),
            // The default context trusts the system's roots.
            Err(_) => builder.build(),
        }
    }
}

fn is_proxied_by_tls() -> bool {
    ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .any(|proxy| proxy.starts_with("https:"))
}
