//! What GitHub says of a repository.

use http::StatusCode;
use serde::Deserialize;

use super::operation::VISIBILITY;
use super::{Github, GithubError};

#[derive(Deserialize)]
struct Repository {
    private: bool,
}

impl Github {
    /// Whether everybody may see the repository, and so open a pull request.
    pub(crate) async fn is_public(&self) -> Result<bool, GithubError> {
        let path = format!("/repos/{}", self.repository);
        let answer = self.get(VISIBILITY, &path, None).await?;
        let Repository { private } = answer.json(VISIBILITY, StatusCode::OK)?;
        Ok(!private)
    }
}
