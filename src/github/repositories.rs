//! What GitHub says of a repository.

use http::StatusCode;
use serde::Deserialize;

use super::{Github, GithubError};

/// What is tried, in words: an error's message begins with it.
pub(crate) const VISIBILITY: &str = "ask whether the repository is public";

#[derive(Deserialize)]
struct Repository {
    private: bool,
}

impl Github {
    /// Whether everybody may see the repository, and so open a pull request.
    pub(crate) async fn is_public(&self) -> Result<bool, GithubError> {
        let path = format!("/repos/{}", self.repository);
        let answer = self.get_path(VISIBILITY, &path).await?;
        let Repository { private } = answer.json(VISIBILITY, StatusCode::OK)?;
        Ok(!private)
    }
}
