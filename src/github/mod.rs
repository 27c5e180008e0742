//! GitHub's self-hosted runner endpoints, and those of workflow runs.
//!
//! octocrab signs, sends and queues the requests; its models are used where they take every answer that GitHub's description allows.
//! Its typed calls are not: they know no enterprises and no `ETag`, take a portal's 200 for GitHub's 201, put a whole HTML page into the
//! error, and say where in a JIT config the reading failed by quoting it. So the requests are its raw ones, and `answer` reads them.

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
    LOOK_AT_ANNOTATIONS, LOOK_AT_RUN, MINT, READ_FILE, RERUN,
};
#[cfg(test)]
pub(crate) use runners::fuzzed;
pub(crate) use runners::{Deletion, Download, JitRunner, Runner, RunnerList, Status};

#[cfg(test)]
pub(crate) use runs::fuzzed as fuzzed_runs;
pub(crate) use runs::{Annotation, Job, JobId, Run};

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use octocrab::service::middleware::base_uri::BaseUriLayer;
use octocrab::service::middleware::extra_headers::ExtraHeadersLayer;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::credentials::GithubCredentials;
use crate::credentials::mask::Mask;
use crate::http::cause::{Unanswered, innermost};
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
    body: String,
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
    pub(crate) fn app(&self) -> Option<&str> {
        match &self.sign_in {
            SignIn::Token(_) => None,
            SignIn::App(app) => Some(app.id()),
        }
    }

    /// Whether `sign_out` has something to do.
    pub(crate) fn signs_out(&self) -> bool {
        matches!(self.sign_in, SignIn::App(_))
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
        let mut headers = HeaderMap::new();
        if let Some(etag) = etag.and_then(|etag| etag.parse().ok()) {
            headers.insert(http::header::IF_NONE_MATCH, etag);
        }
        let caller = self.caller().await?;
        let path = self.path(path);
        let response = caller.client._get_with_headers(path, Some(headers)).await;
        caller.answer(operation, response).await
    }

    async fn get_path(&self, operation: &'static str, path: &str) -> Result<Answer, GithubError> {
        let caller = self.caller().await?;
        let response = caller.client._get(path).await;
        caller.answer(operation, response).await
    }

    async fn post_path(&self, operation: &'static str, path: &str) -> Result<Answer, GithubError> {
        let caller = self.caller().await?;
        let response = caller.client._post(path, None::<&()>).await;
        caller.answer(operation, response).await
    }

    async fn post<B: Serialize>(
        &self,
        operation: &'static str,
        path: &str,
        body: &B,
    ) -> Result<Answer, GithubError> {
        let caller = self.caller().await?;
        let response = caller.client._post(self.path(path), Some(body)).await;
        caller.answer(operation, response).await
    }

    async fn delete(&self, operation: &'static str, path: &str) -> Result<Answer, GithubError> {
        let caller = self.caller().await?;
        let response = caller.client._delete(self.path(path), None::<&()>).await;
        caller.answer(operation, response).await
    }

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
    async fn answer<B>(
        &self,
        operation: &'static str,
        response: octocrab::Result<http::Response<B>>,
    ) -> Result<Answer, GithubError>
    where
        B: http_body_util::BodyExt<Data = bytes::Bytes>,
        B::Error: std::error::Error,
    {
        Ok(Answer {
            to_fresh_token: self.has_fresh_token,
            ..answer(operation, response).await?
        })
    }
}

async fn answer<B>(
    operation: &'static str,
    response: octocrab::Result<http::Response<B>>,
) -> Result<Answer, GithubError>
where
    B: http_body_util::BodyExt<Data = bytes::Bytes>,
    B::Error: std::error::Error,
{
    let (parts, body) = response
        .map_err(|error| GithubError::unanswered(operation, Unanswered::new(&error)))?
        .into_parts();
    let broke_off = |error: B::Error| Unanswered::sent(innermost(&error));
    let bytes = body
        .collect()
        .await
        .map_err(|error| GithubError::unanswered(operation, broke_off(error)))?
        .to_bytes();
    Ok(Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8_lossy(&bytes).into_owned(),
        to_fresh_token: false,
    })
}

impl Answer {
    /// The body of an answer with exactly the status that the API describes, or the refusal.
    fn json<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        expected: StatusCode,
    ) -> Result<T, GithubError> {
        self.expect(operation, expected)?;
        serde_json::from_str(&self.body).map_err(|error| {
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
        let refused = GithubError::refused(operation, self.status, &self.headers, &self.body);
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
