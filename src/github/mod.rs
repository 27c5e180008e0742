//! GitHub's self-hosted runner endpoints, and those of workflow runs.

mod error;
mod runners;
mod runs;

pub(crate) use error::GithubError;
#[cfg(test)]
pub(crate) use runners::fuzzed;
pub(crate) use runners::{
    CREATE, DELETE, DOWNLOADS, Deletion, Download, JitRunner, LIST, LOOK, Runner, RunnerId, Status,
};

#[cfg(test)]
pub(crate) use runs::fuzzed as fuzzed_runs;
pub(crate) use runs::{Job, JobId, LIST_JOBS, LOOK_AT_RUN, RERUN, Run};

use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use octocrab::service::middleware::base_uri::BaseUriLayer;
use octocrab::service::middleware::extra_headers::ExtraHeadersLayer;
use octocrab::{AuthState, Octocrab, OctocrabBuilder};
use secrecy::SecretString;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::http_edge;
use crate::spec::run::Repository;

/// A client for one repository's runners.
#[derive(Clone)]
pub(crate) struct Github {
    crab: Octocrab,
    /// The path that every runner endpoint starts with.
    base: String,
    repository: String,
}

/// An answer as it came, before anyone judged its status.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Github {
    pub(crate) fn new(
        connector: SharedHttpConnector,
        api: &http::Uri,
        token: SecretString,
        repository: &Repository,
    ) -> Self {
        let built = OctocrabBuilder::new_empty()
            .with_service(http_edge::Service(connector))
            .with_layer(&BaseUriLayer::new(api.clone()))
            .with_layer(&ExtraHeadersLayer::new(Arc::new(headers())))
            .with_auth(AuthState::AccessToken { token })
            .build();
        let crab = match built {
            Ok(crab) => crab,
            Err(never) => match never {},
        };
        Self {
            crab,
            base: format!("/repos/{repository}/actions/runners"),
            repository: repository.to_string(),
        }
    }

    /// The repository whose runners these are, for messages.
    pub(crate) fn repository(&self) -> &str {
        &self.repository
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
        let response = self
            .crab
            ._get_with_headers(self.path(path), Some(headers))
            .await;
        self.answer(operation, response).await
    }

    async fn get_path(&self, operation: &'static str, path: &str) -> Result<Answer, GithubError> {
        let response = self.crab._get(path).await;
        self.answer(operation, response).await
    }

    async fn post_path(&self, operation: &'static str, path: &str) -> Result<Answer, GithubError> {
        let response = self.crab._post(path, None::<&()>).await;
        self.answer(operation, response).await
    }

    async fn post<B: Serialize>(
        &self,
        operation: &'static str,
        path: &str,
        body: &B,
    ) -> Result<Answer, GithubError> {
        let response = self.crab._post(self.path(path), Some(body)).await;
        self.answer(operation, response).await
    }

    async fn delete(&self, operation: &'static str, path: &str) -> Result<Answer, GithubError> {
        let response = self.crab._delete(self.path(path), None::<&()>).await;
        self.answer(operation, response).await
    }

    fn path(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    async fn answer<B>(
        &self,
        operation: &'static str,
        response: octocrab::Result<http::Response<B>>,
    ) -> Result<Answer, GithubError>
    where
        B: http_body_util::BodyExt<Data = bytes::Bytes>,
        B::Error: std::error::Error,
    {
        let no_answer = |message: String| GithubError::no_answer(operation, message);
        let (parts, body) = response
            .map_err(|error| no_answer(innermost(&error)))?
            .into_parts();
        let bytes = body
            .collect()
            .await
            .map_err(|error| no_answer(innermost(&error)))?
            .to_bytes();
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
        })
    }
}

impl Answer {
    /// The body of a success, or the refusal.
    fn json<T: DeserializeOwned>(&self, operation: &'static str) -> Result<T, GithubError> {
        self.success(operation)?;
        serde_json::from_str(&self.body).map_err(|error| {
            // Only the place: the body of a JIT config must not reach a log.
            let place = format!("line {}, column {}", error.line(), error.column());
            GithubError::unreadable(operation, place)
        })
    }

    fn success(&self, operation: &'static str) -> Result<(), GithubError> {
        if self.status.is_success() {
            Ok(())
        } else {
            Err(GithubError::refused(
                operation,
                self.status,
                &self.headers,
                &self.body,
            ))
        }
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
            HeaderValue::from_static(http_edge::USER_AGENT),
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

/// The cause at the end of a chain of errors: the only one that says something.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}
