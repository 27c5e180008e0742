//! Signing in to the Actions service: a registration token from GitHub's API becomes an admin token, which is renewed before
//! it expires.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use aws_smithy_types::body::SdkBody;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::exchange::{Response, authorization, exchange};
use super::wire::{Registered, Registration};
use super::{REGISTER, ScaleSetError};
use crate::credentials::mask::Mask;
use crate::github::Github;
use crate::http::headers::Headers;
use crate::retry::Backoff;
use crate::values::scope::Scope;

const API_VERSION: &str = "6.0-preview";
/// How long one request may take, connecting included.
const REQUEST_WITHIN: Duration = Duration::from_secs(15);
/// So long before its end a token is renewed.
const RENEW_BEFORE: Duration = Duration::from_mins(1);
/// A token that does not tell when it ends.
const UNKNOWN_LIFETIME: Duration = Duration::from_mins(10);
/// GitHub refuses a fresh registration token at times: it is not known everywhere yet.
const TRIES: u32 = 4;

/// A client for the scale sets of one repository, organization or enterprise.
#[derive(Clone)]
pub(crate) struct ScaleSets {
    inner: Arc<Inner>,
}

struct Inner {
    connector: SharedHttpConnector,
    github: Github,
    /// GitHub's REST API.
    api: Uri,
    /// What the runners belong to, as GitHub's web page: `https://github.com/octo/app`.
    url: String,
    mask: Mask,
    connection: Mutex<Option<Arc<Connection>>>,
}

/// Where the service is, and the token for it.
struct Connection {
    base: String,
    token: SecretString,
    renew_at: Instant,
}

impl ScaleSets {
    pub(crate) fn new(
        connector: SharedHttpConnector,
        github: Github,
        api: Uri,
        scope: &Scope,
        mask: Mask,
    ) -> Self {
        let url = format!("{}/{}", web(&api), page(scope));
        Self {
            inner: Arc::new(Inner {
                connector,
                github,
                api,
                url,
                mask,
                connection: Mutex::default(),
            }),
        }
    }

    /// Gets the tokens that everything else needs.
    pub(crate) async fn sign_in(&self) -> Result<(), ScaleSetError> {
        self.connection(None).await.map(drop)
    }

    /// A call with the admin token, which is renewed where the service does not take it any more.
    pub(super) async fn call(
        &self,
        operation: &'static str,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Result<Response, ScaleSetError> {
        let body = body.as_deref();
        let connection = self.connection(None).await?;
        let response = self
            .ask(operation, &method, &connection, None, path, body)
            .await?;
        if response.status != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let renewed = self.connection(Some(&connection)).await?;
        self.ask(operation, &method, &renewed, None, path, body)
            .await
    }

    /// A call to the same address with another token.
    pub(super) async fn call_with(
        &self,
        operation: &'static str,
        token: &SecretString,
        path: &str,
        body: &str,
    ) -> Result<Response, ScaleSetError> {
        let connection = self.connection(None).await?;
        self.ask(
            operation,
            &Method::POST,
            &connection,
            Some(token),
            path,
            Some(body),
        )
        .await
    }

    async fn ask(
        &self,
        operation: &'static str,
        method: &Method,
        connection: &Connection,
        token: Option<&SecretString>,
        path: &str,
        body: Option<&str>,
    ) -> Result<Response, ScaleSetError> {
        let mark = if path.contains('?') { '&' } else { '?' };
        let uri = format!("{}/{path}{mark}api-version={API_VERSION}", connection.base);
        let request = Request::builder()
            .method(method)
            .uri(uri)
            .header(http::header::CONTENT_TYPE, "application/json")
            .header(
                http::header::AUTHORIZATION,
                bearer(token.unwrap_or(&connection.token), operation)?,
            )
            .body(SdkBody::from(body.unwrap_or_default()))
            .map_err(|error| unsendable(operation, &error))?;
        self.exchange(operation, request, REQUEST_WITHIN).await
    }

    /// Any request to the service, such as one to a message queue's own address.
    pub(super) async fn exchange(
        &self,
        operation: &'static str,
        request: Request<SdkBody>,
        within: Duration,
    ) -> Result<Response, ScaleSetError> {
        exchange(&self.inner.connector, operation, request, within).await
    }

    pub(super) fn mask(&self, secret: &str) {
        (self.inner.mask)(secret);
    }

    /// Whether tokens may be sent there: never in the clear where GitHub itself is asked over TLS.
    pub(super) fn is_trusted(&self, uri: &Uri) -> bool {
        match uri.scheme_str() {
            Some("https") => uri.authority().is_some(),
            Some("http") => self.inner.api.scheme_str() == Some("http"),
            _ => false,
        }
    }

    /// A connection whose token is good for a while, other than the one that was refused. Whoever asks meanwhile waits for the
    /// same one.
    async fn connection(
        &self,
        refused: Option<&Arc<Connection>>,
    ) -> Result<Arc<Connection>, ScaleSetError> {
        let mut connection = self.inner.connection.lock().await;
        if let Some(known) = &*connection
            && Instant::now() < known.renew_at
            && refused.is_none_or(|refused| !Arc::ptr_eq(refused, known))
        {
            return Ok(known.clone());
        }
        let fresh = Arc::new(self.register().await?);
        *connection = Some(fresh.clone());
        Ok(fresh)
    }

    async fn register(&self) -> Result<Connection, ScaleSetError> {
        let mut backoff = Backoff::default();
        for last in (0..TRIES).map(|n| n + 1 == TRIES) {
            match self.register_once().await {
                Err(error)
                    if !last
                        && error.operation == REGISTER
                        && matches!(error.status().map(|s| s.as_u16()), Some(401 | 403)) =>
                {
                    tokio::time::sleep(backoff.next(None)).await;
                }
                answer => return answer,
            }
        }
        Err(ScaleSetError::unreadable(
            REGISTER,
            "no tries are left".to_owned(),
        ))
    }

    async fn register_once(&self) -> Result<Connection, ScaleSetError> {
        let token = self.inner.github.registration_token().await?;
        let body = Registration {
            url: &self.inner.url,
            runner_event: "register",
        };
        let authorization = authorization("RemoteAuth", &token).ok_or_else(|| {
            unsendable(
                REGISTER,
                &"the registration token is not a valid header value",
            )
        })?;
        let api = self.inner.api.to_string();
        let request = Request::post(format!(
            "{}/actions/runner-registration",
            api.trim_end_matches('/')
        ))
        .header(http::header::CONTENT_TYPE, "application/json")
        .header(http::header::AUTHORIZATION, authorization)
        .body(SdkBody::from(json(REGISTER, &body)?))
        .map_err(|error| unsendable(REGISTER, &error))?;
        let response = self.exchange(REGISTER, request, REQUEST_WITHIN).await?;
        let Registered { url, token } = response.json(REGISTER)?;
        self.mask(&token);
        let uri: Option<Uri> = url.parse().ok();
        if !uri.is_some_and(|uri| self.is_trusted(&uri)) {
            let why = "the Actions service's address is not an HTTPS URL".to_owned();
            return Err(ScaleSetError::unreadable(REGISTER, why));
        }
        let lifetime = expiry(&token).map_or(UNKNOWN_LIFETIME, |expires| {
            // By GitHub's own clock: this machine's may be wrong.
            let now = response.headers.server_time();
            expires.duration_since(now).unwrap_or_default()
        });
        Ok(Connection {
            base: url.trim_end_matches('/').to_owned(),
            token: token.into(),
            renew_at: Instant::now() + lifetime.saturating_sub(RENEW_BEFORE),
        })
    }
}

/// A request's body.
pub(super) fn json(
    operation: &'static str,
    body: &impl Serialize,
) -> Result<String, ScaleSetError> {
    serde_json::to_string(body).map_err(|error| unsendable(operation, &error))
}

fn unsendable(operation: &'static str, error: &dyn fmt::Display) -> ScaleSetError {
    ScaleSetError::unreadable(operation, format!("the request cannot be made: {error}"))
}

pub(super) fn bearer(
    token: &SecretString,
    operation: &'static str,
) -> Result<HeaderValue, ScaleSetError> {
    authorization("Bearer", token).ok_or_else(|| {
        let why = "the token is not a valid header value".to_owned();
        ScaleSetError::unreadable(operation, why)
    })
}

/// The web pages that belong to an API: `https://api.github.com` and `https://HOST/api/v3` have the host in different places.
fn web(api: &Uri) -> String {
    let scheme = api.scheme_str().unwrap_or("https");
    let authority = api.authority().map_or("github.com", |a| a.as_str());
    let host = authority.strip_prefix("api.").unwrap_or(authority);
    format!("{scheme}://{host}")
}

/// The path of a scope's web page.
fn page(scope: &Scope) -> String {
    match scope {
        Scope::Repository(repository) => repository.to_string(),
        Scope::Organization(name) => name.clone(),
        Scope::Enterprise(slug) => format!("enterprises/{slug}"),
    }
}

/// When a JWT ends, by its claim `exp`. Nobody relies on it: a token that is refused is renewed, too.
fn expiry(token: &str) -> Option<SystemTime> {
    #[derive(Deserialize)]
    struct Claims {
        exp: u64,
    }
    let claims = token.split('.').nth(1)?.trim_end_matches('=');
    let json = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
    let Claims { exp } = serde_json::from_slice(&json).ok()?;
    UNIX_EPOCH.checked_add(Duration::from_secs(exp))
}

/// Tokens are not shown.
impl fmt::Debug for ScaleSets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScaleSets")
            .field("url", &self.inner.url)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_web_page_of_each_kind_of_server() {
        for (api, expected) in [
            ("https://api.github.com", "https://github.com"),
            ("https://ghes.example/api/v3", "https://ghes.example"),
            ("https://api.octo.ghe.com", "https://octo.ghe.com"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ] {
            assert_eq!(web(&api.parse().unwrap_or_default()), expected);
        }
        assert_eq!(
            page(&Scope::Enterprise("acme".to_owned())),
            "enterprises/acme"
        );
    }

    #[test]
    fn a_token_tells_its_end_or_it_does_not() {
        let claims = BASE64_URL_SAFE_NO_PAD.encode(r#"{"exp": 1795000000}"#);
        let expected = UNIX_EPOCH + Duration::from_secs(1_795_000_000);
        assert_eq!(expiry(&format!("x.{claims}.y")), Some(expected));
        for opaque in ["", "opaque", "a.b.c", "a.e30.c"] {
            assert_eq!(expiry(opaque), None, "{opaque}");
        }
    }
}
