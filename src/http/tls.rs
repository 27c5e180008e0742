//! Whom TLS trusts and what it speaks: rustls on ring.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};

use rustls::crypto::ring::{self, cipher_suite as suite};
use rustls::crypto::{CryptoProvider, KeyProvider};
use rustls::pki_types::PrivateKeyDer;
use rustls::sign::SigningKey;
use rustls::{ClientConfig, Error, RootCertStore, SupportedCipherSuite};

use super::extra_roots::ExtraRoots;
use super::system_roots;

/// AES in hardware, which every machine of ours and every server of AWS's and GitHub's has.
static SUITES: [SupportedCipherSuite; 6] = [
    suite::TLS13_AES_128_GCM_SHA256,
    suite::TLS13_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
];

/// Nobody asks a client of ours for a certificate. ring's own would bring along every way to sign one.
#[derive(Debug)]
struct NoClientKey;

impl KeyProvider for NoClientKey {
    fn load_private_key(&self, _: PrivateKeyDer<'static>) -> Result<Arc<dyn SigningKey>, Error> {
        Err(Error::General("clients have no certificate".to_owned()))
    }
}

type Config = Result<Arc<ClientConfig>, Error>;

/// What connections by TLS are made with; made when the first one is: what never asks by HTTPS needs no roots.
#[derive(Debug)]
pub(super) struct Tls {
    extra_roots: ExtraRoots,
    config: OnceLock<Config>,
}

impl Tls {
    pub(super) fn new(extra_roots: ExtraRoots) -> Self {
        Self {
            extra_roots,
            config: OnceLock::new(),
        }
    }

    pub(super) fn config(&self) -> Config {
        let make = || prepared(&self.extra_roots).unwrap_or_else(|| config(&self.extra_roots));
        self.config.get_or_init(make).clone()
    }
}

/// What a thread of its own makes while inputs are parsed.
static AHEAD: Mutex<Option<JoinHandle<Option<Ahead>>>> = Mutex::new(None);

struct Ahead {
    extra_roots: ExtraRoots,
    config: Config,
}

/// Begins to read whom TLS trusts: to parse a system's hundred roots takes as long as the inputs do. Where GitHub is reached
/// without TLS, nobody may need it.
pub(crate) fn prepare(environment: fn(&str) -> Option<String>) {
    if environment("GITHUB_API_URL").is_some_and(|url| url.starts_with("http:")) {
        return;
    }
    let work = move || {
        // What is wrong about them is told with all other inputs.
        let extra_roots = ExtraRoots::read(environment).ok()?;
        Some(Ahead {
            config: config(&extra_roots),
            extra_roots,
        })
    };
    // Without a thread, it is made when it is needed.
    let thread = thread::Builder::new().name("tls".to_owned()).spawn(work);
    *AHEAD.lock().unwrap_or_else(PoisonError::into_inner) = thread.ok();
}

/// The one that was begun, where it is what is wanted.
fn prepared(extra_roots: &ExtraRoots) -> Option<Config> {
    let begun = AHEAD.lock().unwrap_or_else(PoisonError::into_inner).take();
    let ahead = begun?.join().ok().flatten()?;
    (ahead.extra_roots == *extra_roots).then_some(ahead.config)
}

fn config(extra: &ExtraRoots) -> Config {
    let provider = CryptoProvider {
        cipher_suites: SUITES.to_vec(),
        key_provider: &NoClientKey,
        ..ring::default_provider()
    };
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(system_roots::read());
    roots.add_parsable_certificates(extra.0.iter().map(|der| der.as_slice().into()));
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_of_tls_have_suites_and_http_1_is_asked_for() {
        let config = Tls::new(ExtraRoots::default()).config().unwrap();
        let versions = config.crypto_provider().cipher_suites.iter();
        let of_1_3 = versions.filter(|suite| suite.tls13().is_some()).count();
        assert_eq!((of_1_3, SUITES.len()), (2, 6));
        assert_eq!(config.alpn_protocols, [b"http/1.1"]);
    }
}
