//! Sockets and TLS of our own: the connector of every build for an operating system.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use aws_smithy_http_client::Connector as SmithyConnector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use super::{CONNECT_TIMEOUT, READ_TIMEOUT};
use crate::http::extra_roots::ExtraRoots;
use crate::http::system_roots;

/// One connector for each scheme, made when it is first needed: what never asks by HTTPS needs no roots.
#[derive(Debug)]
pub(super) struct Connector {
    plain: OnceLock<SmithyConnector>,
    tls: OnceLock<SmithyConnector>,
    extra_roots: ExtraRoots,
    read_timeout: Duration,
}

/// The connector that a thread of its own makes while inputs are parsed.
static AHEAD: Mutex<Option<JoinHandle<Option<Ahead>>>> = Mutex::new(None);

struct Ahead {
    tls: SmithyConnector,
    extra_roots: ExtraRoots,
}

/// Begins to make the connector for HTTPS: to parse a system's hundred roots takes as long as the inputs do. Where GitHub is reached
/// without TLS, nobody may need it.
pub(crate) fn prepare(environment: fn(&str) -> Option<String>) {
    if environment("GITHUB_API_URL").is_some_and(|url| url.starts_with("http:")) {
        return;
    }
    let work = move || {
        // What is wrong about them is told with all other inputs.
        let extra_roots = ExtraRoots::read(environment).ok()?;
        Some(Ahead {
            tls: connector(roots(&extra_roots), READ_TIMEOUT),
            extra_roots,
        })
    };
    // Without a thread, it is made when it is needed.
    let thread = thread::Builder::new().name("tls".to_owned()).spawn(work);
    *AHEAD.lock().unwrap_or_else(PoisonError::into_inner) = thread.ok();
}

/// The one that was begun, where it is what is wanted. It is taken once: whoever comes later may live in another runtime.
fn prepared(extra_roots: &ExtraRoots, read_timeout: Duration) -> Option<SmithyConnector> {
    let begun = AHEAD.lock().unwrap_or_else(PoisonError::into_inner).take();
    let ahead = begun?.join().ok().flatten()?;
    let fits = read_timeout == READ_TIMEOUT && ahead.extra_roots == *extra_roots;
    fits.then_some(ahead.tls)
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        // A proxy may itself want TLS, whatever is asked for through it.
        if request.uri().starts_with("http:") && !is_proxied_by_tls() {
            let make = || connector(TrustStore::empty(), self.read_timeout);
            self.plain.get_or_init(make).call(request)
        } else {
            self.tls.get_or_init(|| self.tls()).call(request)
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

    fn tls(&self) -> SmithyConnector {
        prepared(&self.extra_roots, self.read_timeout)
            .unwrap_or_else(|| connector(roots(&self.extra_roots), self.read_timeout))
    }
}

/// The system's, and those that the environment names.
fn roots(extra: &ExtraRoots) -> TrustStore {
    let system = match system_roots::bundle() {
        Some(pem) => TrustStore::empty().with_pem_certificate(pem),
        None => TrustStore::default(),
    };
    extra.0.iter().fold(system, |roots, pem| {
        roots.with_pem_certificate(pem.as_bytes())
    })
}

fn connector(roots: TrustStore, read_timeout: Duration) -> SmithyConnector {
    let settings = HttpConnectorSettings::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(read_timeout)
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

fn is_proxied_by_tls() -> bool {
    ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .any(|proxy| proxy.starts_with("https:"))
}
