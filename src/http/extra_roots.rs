//! Certificate authorities that are trusted beside the system's: a company's proxy often has one of its own.
//!
//! Each tool names its file by a variable of its own, and whoever has set one expects that it holds. `SSL_CERT_FILE` and
//! `SSL_CERT_DIR` stand in the place of the system's, as with OpenSSL; `rustls-native-certs` reads those.

#[cfg(not(target_family = "wasm"))]
use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::inputs::InputError;

/// Those of Node, which runs GitHub's own actions, and of the AWS tools.
const VARIABLES: [&str; 2] = ["NODE_EXTRA_CA_CERTS", "AWS_CA_BUNDLE"];
/// Where these stand in the place of the system's, a file that is not there leaves nobody trusted.
const INSTEAD: &str = "SSL_CERT_FILE";

/// Certificates, each as DER.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExtraRoots(pub Vec<Vec<u8>>);

impl ExtraRoots {
    /// Reads the files that the environment names.
    pub(crate) fn read(environment: impl Fn(&str) -> Option<String>) -> Result<Self, InputError> {
        let mut roots = Vec::new();
        for name in VARIABLES {
            if let Some(path) = environment(name) {
                let found = certificates_of(&path).map_err(|why| wrong(name, &path, &why))?;
                roots.extend(found);
            }
        }
        match environment(INSTEAD) {
            Some(path) if std::fs::metadata(&path).is_err() => {
                let why = "a file of certificates (PEM); there is none: fix the path, or unset the variable";
                Err(InputError::wrong(INSTEAD, &path, why))
            }
            _ => Ok(Self(roots)),
        }
    }
}

fn wrong(variable: &str, path: &str, why: &anyhow::Error) -> InputError {
    InputError::wrong(
        variable,
        path,
        &format!("a file of certificates (PEM); {why:#}"),
    )
}

/// The portable build's host makes its connections, and trusts whom it will.
#[cfg(target_family = "wasm")]
#[expect(clippy::unnecessary_wraps, reason = "an operating system can refuse")]
fn certificates_of(_path: &str) -> anyhow::Result<Vec<Vec<u8>>> {
    Ok(Vec::new())
}

#[cfg(not(target_family = "wasm"))]
fn certificates_of(path: &str) -> anyhow::Result<Vec<Vec<u8>>> {
    use anyhow::{Context, ensure};
    let text = std::fs::read(path).context("it cannot be read")?;
    // One that cannot vouch for anybody is left out, as everywhere.
    let found: Vec<Vec<u8>> = CertificateDer::pem_slice_iter(&text)
        .flatten()
        .filter(|der| webpki::anchor_from_trusted_cert(der).is_ok())
        .map(|der| der.to_vec())
        .collect();
    ensure!(!found.is_empty(), "it has none");
    Ok(found)
}

/// Whether a connection failed because nobody vouches for the server: nothing was asked, and asking again is in vain.
pub(crate) fn is_untrusted(message: &str) -> bool {
    message.contains("UnknownIssuer")
}

/// What to do about a connection that failed, where its message tells.
pub(crate) fn remedy(message: &str) -> Option<&'static str> {
    is_untrusted(message).then_some(
        "the server's certificate was issued by an authority that this machine does not trust: if a proxy intercepts TLS, put the \
         proxy's certificate into a file and name that file in NODE_EXTRA_CA_CERTS",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_reported() {
        let file = std::env::temp_dir().join(format!("sprinters-roots-{}", std::process::id()));
        let path = file.display().to_string();
        std::fs::write(
            &file,
            "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n",
        )
        .expect("a file");
        let read = |variable: &str, path: &str| {
            ExtraRoots::read(|name| (name == variable).then(|| path.to_owned()))
                .map(|roots| roots.0.len())
                .map_err(|error| error.to_string())
        };
        let useless = read("AWS_CA_BUNDLE", &path);
        let missing = read("NODE_EXTRA_CA_CERTS", "/nowhere");
        std::fs::remove_file(&file).expect("its end");
        assert!(useless.is_err_and(|e| e.contains("it has none")));
        assert!(missing.is_err_and(|e| e.starts_with("variable `NODE_EXTRA_CA_CERTS`")));
        assert!(read("SSL_CERT_FILE", "/nowhere").is_err());
        assert_eq!(read("OTHER", "/nowhere"), Ok(0));
    }
}
