//! The certificate authorities that the system trusts, from its one file of all.
//!
//! Most systems keep them twice, as a file and as a folder with a file for each. rustls-native-certs reads both, which takes longer
//! than all else that a start does before its first request; what a system trusts stands in either.

use rustls_pki_types::{CertificateDer, pem::PemObject};

/// In the place of the system's: rustls-native-certs reads these as OpenSSL does.
#[cfg(target_os = "linux")]
const INSTEAD: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Of these, those that can vouch for somebody are trusted.
pub(super) fn read() -> Vec<CertificateDer<'static>> {
    let bundle = file().and_then(|file| std::fs::read(file).ok());
    let found = bundle.map(|text| certificates(&text)).unwrap_or_default();
    if found.is_empty() {
        return rustls_native_certs::load_native_certs().certs;
    }
    found
}

fn certificates(text: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(text).flatten().collect()
}

#[cfg(target_os = "linux")]
fn file() -> Option<std::path::PathBuf> {
    if INSTEAD.iter().any(|name| std::env::var_os(name).is_some()) {
        return None;
    }
    openssl_probe::probe().cert_file
}

#[cfg(not(target_os = "linux"))]
fn file() -> Option<std::path::PathBuf> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_keeps_nobody_else_out() {
        let section = |body: &str| {
            format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
        };
        let text = [
            "# a comment\n",
            &section("@"),
            &section("AQID"),
            &section("BAUG"),
        ]
        .concat();
        let found = certificates(text.as_bytes());
        assert_eq!(found, [vec![1, 2, 3].into(), vec![4, 5, 6].into()]);
        // What DER cannot be a certificate is left out where the roots are made.
        let mut roots = rustls::RootCertStore::empty();
        assert_eq!(roots.add_parsable_certificates(found), (0, 2));
    }
}
