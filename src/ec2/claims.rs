//! What GitHub's OIDC token says of the job.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;

/// What an OIDC token says. None of it is secret; the token is.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Claims {
    #[serde(default)]
    pub iss: String,
    #[serde(default)]
    pub sub: String,
    #[serde(default)]
    pub aud: serde_json::Value,
}

impl Claims {
    pub(super) fn of(token: &str) -> Self {
        token
            .split('.')
            .nth(1)
            .and_then(|claims| BASE64_URL_SAFE_NO_PAD.decode(claims).ok())
            .and_then(|json| serde_json::from_slice(&json).ok())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_read_and_never_needed() {
        let claims = BASE64_URL_SAFE_NO_PAD.encode(r#"{"sub":"repo:o/r:pull_request","aud":"a"}"#);
        assert_eq!(
            Claims::of(&format!("x.{claims}.y")).sub,
            "repo:o/r:pull_request"
        );
        for broken in ["", "x", "x.y.z", "x.e30.z"] {
            assert_eq!(Claims::of(broken).sub, "", "{broken}");
        }
    }
}
