//! GitHub's self-hosted runner endpoints, and those of workflow runs.
//!
//! octocrab signs, queues and sends the requests with its typed verbs, and its error has the headers of a refusal; its models are used
//! where they take every answer that GitHub's description allows. What it reads an answer into is our [`Answer`], which keeps the exact
//! status, the `ETag`, and to itself what a JIT config says. `ARCHITECTURE.md` says of each of its calls for a single endpoint why it
//! is not used.

mod app;
mod contents;
mod deletions;
mod error;
mod groups;
mod kind;
mod operation;
mod pages;
#[cfg(not(target_family = "wasm"))]
mod repositories;
mod runners;
mod runs;
#[cfg(not(target_family = "wasm"))]
pub(crate) mod scale_sets;

pub(crate) use app::Purpose;
#[cfg(test)]
pub(crate) use app::fuzzed as fuzzed_sign_in;
#[cfg(test)]
pub(crate) use contents::fuzzed as fuzzed_contents;
pub(crate) use error::GithubError;
pub(crate) use groups::{DEFAULT_GROUP, Group};
#[cfg(not(target_family = "wasm"))]
pub(crate) use operation::VISIBILITY;
pub(crate) use operation::{
    CANCEL, CREATE, DELETE, DOWNLOADS, GROUPS, LIST, LIST_JOBS, LIST_RUNS, LOOK,
    LOOK_AT_ANNOTATIONS, LOOK_AT_RUN, MINT, MINT_FOR, READ_FILE, RERUN,
};
#[cfg(test)]
pub(crate) use runners::fuzzed;
pub(crate) use runners::{Deletion, Download, JitRunner, Runner, RunnerList, Status};

#[cfg(test)]
pub(crate) use runs::fuzzed as fuzzed_runs;
pub(crate) use runs::{Annotation, Job, JobId, Run};

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use http::header::IF_NONE_MATCH;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body_util::BodyExt;
use octocrab::service::middleware::base_uri::BaseUriLayer;
use octocrab::service::middleware::extra_headers::ExtraHeadersLayer;
use octocrab::{AuthState, FromResponse, Octocrab, OctocrabBuilder};
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::credentials::GithubCredentials;
use crate::credentials::app_key::AppKey;
use crate::credentials::mask::Mask;
use crate::http::cause::Unanswered;
use crate::http::headers::Headers;
use crate::http::{Service, USER_AGENT};
use crate::values::repository::Repository;
use crate::values::run::WorkflowRun;
use app::{App, Installation};
use deletions::Deletions;

/// A client for the runners of one repository, organization or enterprise.
#[derive(Clone)]
pub(crate) struct Github {
    sign_in: SignIn,
    /// The path that every runner endpoint starts with.
    base: String,
    /// Whose runs these are.
    repository: Repository,
    deletions: Deletions,
}

/// Who asks.
#[derive(Clone)]
enum SignIn {
    Token(Octocrab),
    App(Arc<App>),
}

/// A client, and whether its token is so young that not all of GitHub knows it yet.
struct Caller {
    client: Octocrab,
    has_fresh_token: bool,
}

/// An answer as it came, before anyone checked its status.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    /// The body, or the message of a refusal.
    text: String,
    to_fresh_token: bool,
}

impl Github {
    pub(crate) fn new(
        connector: SharedHttpConnector,
        api: &http::Uri,
        credentials: GithubCredentials,
        run: &WorkflowRun,
        purpose: Purpose,
        mask: Mask,
    ) -> Self {
        let sign_in = match credentials {
            GithubCredentials::Token(token) => SignIn::Token(client(connector, api, token)),
            GithubCredentials::App(key) => SignIn::App(Arc::new(App::new(
                connector,
                api.clone(),
                key,
                Installation::of(run, purpose),
                mask,
            ))),
        };
        Self {
            sign_in,
            base: format!("/{}/actions", run.scope.path()),
            repository: run.repository.clone(),
            deletions: Deletions::default(),
        }
    }

    /// Gets the token that everything else needs, where there is one to get.
    pub(crate) async fn sign_in(&self) -> Result<(), GithubError> {
        self.caller().await.map(drop)
    }

    /// The App that signs in, if it is one.
    pub(crate) fn app(&self) -> Option<&AppKey> {
        match &self.sign_in {
            SignIn::Token(_) => None,
            SignIn::App(app) => Some(app.key()),
        }
    }

    /// The number of the App's installation, where GitHub had to be asked for it.
    pub(crate) fn looked_up_installation(&self) -> Option<u64> {
        match &self.sign_in {
            SignIn::Token(_) => None,
            SignIn::App(app) => app.looked_up(),
        }
    }

    /// Whether `sign_out` has something to do.
    pub(crate) fn signs_out(&self) -> bool {
        matches!(self.sign_in, SignIn::App(_))
    }

    /// Opens a second connection while an App signs in on the first: with its token, two requests leave together.
    pub(crate) fn ping(&self) -> Option<http::Uri> {
        match &self.sign_in {
            SignIn::Token(_) => None,
            SignIn::App(app) => app.rate_limit(),
        }
    }

    /// Revokes what `sign_in` got. Nothing can be asked after it.
    pub(crate) async fn sign_out(&self) -> Result<(), GithubError> {
        match &self.sign_in {
            SignIn::Token(_) => Ok(()),
            SignIn::App(app) => app.sign_out().await,
        }
    }

    async fn caller(&self) -> Result<Caller, GithubError> {
        match &self.sign_in {
            SignIn::Token(client) => Ok(Caller {
                client: client.clone(),
                has_fresh_token: false,
            }),
            SignIn::App(app) => app.caller().await,
        }
    }

    async fn get(
        &self,
        operation: &'static str,
        path: &str,
        etag: Option<&str>,
    ) -> Result<Answer, GithubError> {
        let etag = etag.and_then(|etag| etag.parse().ok());
        let headers = etag.map(|etag| HeaderMap::from_iter([(IF_NONE_MATCH, etag)]));
        let caller = self.caller().await?;
        let answer = caller.client.get_with_headers(path, None::<&()>, headers);
        caller.answer(operation, answer.await)
    }

    async fn post<B: Serialize>(
        &self,
        operation: &'static str,
        path: &str,
        body: Option<&B>,
    ) -> Result<Answer, GithubError> {
        let caller = self.caller().await?;
        let answer = caller.client.post(path, body).await;
        caller.answer(operation, answer)
    }

    async fn delete(&self, operation: &'static str, path: &str) -> Result<Answer, GithubError> {
        let caller = self.caller().await?;
        let answer = caller.client.delete(path, None::<&()>).await;
        caller.answer(operation, answer)
    }

    /// Of the repository, organization or enterprise.
    fn path(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

/// A client that asks with that token.
fn client(connector: SharedHttpConnector, api: &http::Uri, token: SecretString) -> Octocrab {
    let builder = OctocrabBuilder::new_empty().with_service(Service(connector));
    // Otherwise its queue of requests is a task of tokio's runtime, which is not there.
    #[cfg(target_family = "wasm")]
    let builder = builder.with_executor(Box::new(|queue| wstd::runtime::spawn(queue).detach()));
    let built = builder
        .with_layer(&BaseUriLayer::new(api.clone()))
        .with_layer(&ExtraHeadersLayer::new(Arc::new(headers())))
        .with_auth(AuthState::AccessToken { token })
        .build();
    match built {
        Ok(client) => client,
        Err(never) => match never {},
    }
}

impl Caller {
    fn answer(
        &self,
        operation: &'static str,
        answer: octocrab::Result<Answer>,
    ) -> Result<Answer, GithubError> {
        Ok(Answer {
            to_fresh_token: self.has_fresh_token,
            ..answered(operation, answer)?
        })
    }
}

/// An answer, be it a refusal; an error where there is none.
fn answered(
    operation: &'static str,
    answer: octocrab::Result<Answer>,
) -> Result<Answer, GithubError> {
    match answer {
        Ok(answer) => Ok(answer),
        Err(octocrab::Error::GitHub { source, .. }) => Ok(Answer::from(*source)),
        Err(error) => {
            let cause = Unanswered::new(&error);
            Err(GithubError::unanswered(operation, cause))
        }
    }
}

impl FromResponse for Answer {
    async fn from_response<B>(response: http::Response<B>) -> octocrab::Result<Self>
    where
        B: BodyExt<Data = bytes::Bytes, Error = octocrab::Error> + Send,
    {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await?.to_bytes();
        Ok(Self {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
            to_fresh_token: false,
        })
    }
}

/// A refusal. Its message is the whole body where that is a page, or JSON without a message: a log has no use for it.
impl From<octocrab::GitHubError> for Answer {
    fn from(refusal: octocrab::GitHubError) -> Self {
        let headers = refusal.headers.unwrap_or_default();
        let is_json = headers
            .text("content-type")
            .is_some_and(|kind| kind.contains("json"));
        let is_message = is_json && !refusal.message.starts_with(['{', '[', '"', '<']);
        Self {
            status: refusal.status_code,
            text: if is_message {
                refusal.message
            } else {
                String::new()
            },
            headers,
            to_fresh_token: false,
        }
    }
}

impl Answer {
    /// The body of an answer with exactly the status that the API describes, or the refusal.
    fn json<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        expected: StatusCode,
    ) -> Result<T, GithubError> {
        self.expect(operation, expected)?;
        serde_json::from_str(&self.text).map_err(|error| {
            // Only the place: the body of a JIT config must not reach a log.
            let place = format!("line {}, column {}", error.line(), error.column());
            GithubError::unreadable(operation, place)
        })
    }

    /// Exactly the status that the API describes. Any other success is not GitHub's: a captive portal's page comes with 200.
    fn expect(&self, operation: &'static str, expected: StatusCode) -> Result<(), GithubError> {
        if self.status == expected {
            return Ok(());
        }
        if self.status.is_success() {
            return Err(GithubError::unexpected(operation, self.status));
        }
        let refused = GithubError::refused(operation, self.status, &self.headers, &self.text);
        // Here alone is decided what such a 401 means; the error then passes like any other that does.
        if self.to_fresh_token && self.status == StatusCode::UNAUTHORIZED {
            return Err(refused.of_fresh_token());
        }
        Err(refused)
    }

    fn header(&self, name: http::HeaderName) -> Option<String> {
        Some(self.headers.get(name)?.to_str().ok()?.to_owned())
    }
}

/// What GitHub wants to see on every request.
fn headers() -> Vec<(HeaderName, HeaderValue)> {
    vec![
        (
            http::header::USER_AGENT,
            HeaderValue::from_static(USER_AGENT),
        ),
        (
            http::header::ACCEPT,
            HeaderValue::from_static("application/vnd.github+json"),
        ),
        (
            HeaderName::from_static("x-github-api-version"),
            HeaderValue::from_static("2022-11-28"),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    async fn refused(status: u16, kind: &'static str, body: &'static str) -> String {
        let body = Full::from(body).map_err(|never| match never {}).boxed();
        let mut response = http::Response::new(body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
        let headers = response.headers_mut();
        headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static(kind));
        let refusal = octocrab::map_github_error(response).await.map(drop);
        let never = |()| unreachable!("a refusal is an error");
        let error = answered(LIST, refusal.map(never))
            .and_then(|answer| answer.expect(LIST, StatusCode::OK));
        error.map_or_else(|error| error.to_string(), |()| "accepted".to_owned())
    }

    #[tokio::test]
    async fn a_refusal_says_github_s_message_and_shows_no_page() {
        let tell = |status: &str| format!("could not {LIST}: GitHub answered {status}");
        let json = "application/json; charset=utf-8";
        for (status, kind, body, told) in [
            (404, json, r#"{"message": "Not Found"}"#, "404 `Not Found`"),
            (403, json, r#"{"error": "x"}"#, "403 `Forbidden`"),
            (502, json, "<html>bad gateway</html>", "502 `Bad Gateway`"),
            (502, "text/html", "<html>x</html>", "502 `Bad Gateway`"),
            (
                503,
                "text/plain",
                "no upstream",
                "503 `Service Unavailable`",
            ),
        ] {
            assert_eq!(refused(status, kind, body).await, tell(told), "{body}");
        }
    }
}
