//! A GitHub App's id and private key, from the inputs.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretSlice, SecretString};

use crate::inputs::{InputError, Inputs};

/// An App, and what proves that we may speak for it.
#[derive(Clone)]
pub(crate) struct AppKey {
    /// The App's number or its client id; GitHub takes both.
    pub id: String,
    /// Where it is installed, as given: else GitHub is asked.
    pub installation: Option<u64>,
    key: PrivateKey,
    /// The token that was signed to try the key, and when: to sign another one takes as long again.
    first: Option<(SystemTime, SecretString)>,
}

/// An RSA key as DER.
#[derive(Clone)]
enum PrivateKey {
    /// `BEGIN RSA PRIVATE KEY`: what GitHub hands out.
    Pkcs1(SecretSlice<u8>),
    /// `BEGIN PRIVATE KEY`: what other tools make of it.
    Pkcs8(SecretSlice<u8>),
}

/// GitHub refuses more than ten minutes.
const VALID: Duration = Duration::from_mins(9);
/// For so long the first token is as good as a new one.
const AS_NEW: Duration = Duration::from_mins(1);
/// Clocks differ: a token from the future is refused.
const TOLERANCE: Duration = Duration::from_mins(1);

impl AppKey {
    /// Reads `github-app-id`, `github-app-private-key` and `github-app-installation-id`; `None` where neither of the first two is there.
    pub(crate) fn parse(inputs: &Inputs) -> Result<Option<Self>, InputError> {
        const ID: &str = "github-app-id";
        const KEY: &str = "github-app-private-key";
        let empty = |name: &str, other: &str| {
            InputError::new(
                name,
                &format!(
                    "it is empty while `{other}` is not; is the repository secret there? Workflows from forks and \
                     Dependabot do not get the repository's secrets"
                ),
            )
        };
        let installation = installation(inputs)?;
        let (id, pem) = match (inputs.get(ID), inputs.get(KEY)) {
            (None, None) if installation.is_some() => {
                let why = format!("it is given without `{ID}`: name the App, too, or leave it out");
                return Err(InputError::new(INSTALLATION, &why));
            }
            (None, None) => return Ok(None),
            (Some(_), None) => return Err(empty(KEY, ID)),
            (None, Some(_)) => return Err(empty(ID, KEY)),
            (Some(id), Some(pem)) => (id, pem),
        };
        if !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '.') {
            let accepted = "the App's number or client id, from its settings page";
            return Err(InputError::wrong(ID, id, accepted));
        }
        let mut app = Self {
            id: id.to_owned(),
            installation,
            key: PrivateKey::from_pem(pem).map_err(|why| InputError::new(KEY, &why))?,
            first: None,
        };
        // A key that cannot sign is reported now, before anybody is asked.
        let now = SystemTime::now();
        let jwt = app.sign(now).map_err(|why| InputError::new(KEY, why))?;
        app.first = Some((now, jwt));
        Ok(Some(app))
    }

    /// The token that says who we are, good for a few minutes.
    pub(crate) fn jwt(&self, now: SystemTime) -> Result<SecretString, &'static str> {
        match &self.first {
            Some((made, jwt)) if now.duration_since(*made).is_ok_and(|age| age < AS_NEW) => {
                Ok(jwt.clone())
            }
            _ => self.sign(now),
        }
    }

    /// <https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app>
    fn sign(&self, now: SystemTime) -> Result<SecretString, &'static str> {
        let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let claims = format!(
            r#"{{"iat":{},"exp":{},"iss":"{}"}}"#,
            now.saturating_sub(TOLERANCE).as_secs(),
            (now + VALID).as_secs(),
            self.id
        );
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let head = encode(br#"{"alg":"RS256","typ":"JWT"}"#);
        let signed = format!("{head}.{}", encode(claims.as_bytes()));
        let signature = self.key.sign(signed.as_bytes())?;
        Ok(format!("{signed}.{}", encode(&signature)).into())
    }
}

const INSTALLATION: &str = "github-app-installation-id";

fn installation(inputs: &Inputs) -> Result<Option<u64>, InputError> {
    let Some(text) = inputs.get(INSTALLATION) else {
        return Ok(None);
    };
    let accepted = "the installation's number: the last part of the address of its settings page, or what `mode: check` tells";
    match text.parse() {
        Ok(number @ 1..) => Ok(Some(number)),
        _ => Err(InputError::wrong(INSTALLATION, text, accepted)),
    }
}

/// The key is not shown.
impl fmt::Debug for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl PrivateKey {
    /// Line breaks may be missing, or be a literal `\n`, as secrets often come through other tools.
    fn from_pem(text: &str) -> Result<Self, String> {
        let text = text.replace("\\r", "").replace("\\n", "\n");
        let whole = || {
            "it is not a whole PEM file: copy everything from `-----BEGIN` to the last dash of the `END` line".to_owned()
        };
        let (_, rest) = text.split_once("-----BEGIN ").ok_or_else(whole)?;
        let (kind, rest) = rest.split_once("-----").ok_or_else(whole)?;
        let (body, _) = rest
            .split_once(&format!("-----END {kind}-----"))
            .ok_or_else(whole)?;
        let kept: String = body.split_ascii_whitespace().collect();
        let decoded = || {
            let der = BASE64_STANDARD.decode(&kept).map_err(|_| whole())?;
            Ok::<_, String>(SecretSlice::from(der))
        };
        match kind {
            _ if body.contains("ENCRYPTED") || kind.contains("ENCRYPTED") => {
                Err("the key is encrypted: pass it as GitHub gave it to you".to_owned())
            }
            "RSA PRIVATE KEY" => decoded().map(Self::Pkcs1),
            "PRIVATE KEY" => decoded().map(Self::Pkcs8),
            "PUBLIC KEY" | "RSA PUBLIC KEY" => Err(
                "this is the public key: pass the private one, which GitHub shows once, as a file"
                    .to_owned(),
            ),
            other => Err(format!(
                "a GitHub App's key is an RSA key (`BEGIN RSA PRIVATE KEY` or `BEGIN PRIVATE KEY`); this one says `BEGIN {other}`"
            )),
        }
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, &'static str> {
        use ring::{rand::SystemRandom, rsa::KeyPair, signature::RSA_PKCS1_SHA256};
        let key = match self {
            Self::Pkcs1(der) => KeyPair::from_der(der.expose_secret()),
            Self::Pkcs8(der) => KeyPair::from_pkcs8(der.expose_secret()),
        }
        .map_err(
            |_| "it is not an RSA key of 2048 bits or more: generate a new one in the App's settings",
        )?;
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(
            &RSA_PKCS1_SHA256,
            &SystemRandom::new(),
            message,
            &mut signature,
        )
        .map_err(|_| "the key cannot sign: generate a new one in the App's settings")?;
        Ok(signature)
    }
}

#[cfg(test)]
pub(crate) fn fuzzed(pem: &str) {
    if let Ok(key) = PrivateKey::from_pem(pem) {
        let _ = key.sign(b"");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(pem: &str) -> String {
        match PrivateKey::from_pem(pem) {
            Ok(PrivateKey::Pkcs1(der)) => format!("pkcs1 {:?}", der.expose_secret()),
            Ok(PrivateKey::Pkcs8(der)) => format!("pkcs8 {:?}", der.expose_secret()),
            Err(why) => why,
        }
    }

    #[test]
    fn line_breaks_come_in_every_shape() {
        let pem = "-----BEGIN RSA PRIVATE KEY-----\nAQID\nBAU=\n-----END RSA PRIVATE KEY-----\n";
        for shape in [
            pem.to_owned(),
            pem.replace('\n', "\r\n"),
            pem.replace('\n', "\\n"),
            pem.replace('\n', "\\r\\n"),
            pem.replace('\n', " "),
        ] {
            assert_eq!(kind(&shape), "pkcs1 [1, 2, 3, 4, 5]", "{shape:?}");
        }
        assert_eq!(
            kind("-----BEGIN PRIVATE KEY-----AQID-----END PRIVATE KEY-----"),
            "pkcs8 [1, 2, 3]"
        );
    }

    #[test]
    fn what_is_no_key_is_reported_and_never_shown() {
        for (pem, message) in [
            ("hush", "not a whole PEM"),
            ("-----BEGIN PRIVATE KEY-----\nhush", "not a whole PEM"),
            (
                "-----BEGIN PRIVATE KEY-----\nh*sh\n-----END PRIVATE KEY-----",
                "not a whole PEM",
            ),
            (
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nhush\n-----END ENCRYPTED PRIVATE KEY-----",
                "encrypted",
            ),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nhush\n-----END RSA PRIVATE KEY-----",
                "encrypted",
            ),
            (
                "-----BEGIN PUBLIC KEY-----\nhush\n-----END PUBLIC KEY-----",
                "public key",
            ),
            (
                "-----BEGIN EC PRIVATE KEY-----\nhush\n-----END EC PRIVATE KEY-----",
                "`BEGIN EC PRIVATE KEY`",
            ),
        ] {
            let error = kind(pem);
            assert!(
                error.contains(message) && !error.contains("hush"),
                "{error}"
            );
        }
        let no_key = PrivateKey::Pkcs8(SecretSlice::from(vec![1, 2, 3]));
        assert!(
            no_key
                .sign(b"")
                .is_err_and(|why| why.contains("not an RSA key"))
        );
    }
}
