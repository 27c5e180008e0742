//! One file of the repository, as of one commit.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde::Deserialize;

use super::operation::READ_FILE;
use super::{Github, GithubError};

/// GitHub's answer about a file; of a folder it is a list.
#[derive(Deserialize)]
struct Contents {
    encoding: String,
    content: String,
}

impl Github {
    /// `GET /repos/{owner}/{repo}/contents/{path}`; without a commit the default branch's.
    pub(crate) async fn file(
        &self,
        path: &str,
        commit: Option<&str>,
    ) -> Result<String, GithubError> {
        let at = commit.map_or_else(String::new, |commit| format!("?ref={commit}"));
        let path = format!("/repos/{}/contents/{path}{at}", self.repository);
        let contents: Contents = self
            .get(READ_FILE, &path, None)
            .await?
            .json(READ_FILE, StatusCode::OK)?;
        let unreadable = |why: &str| GithubError::unreadable(READ_FILE, why.to_owned());
        if contents.encoding != "base64" {
            return Err(unreadable("the file is too large"));
        }
        // It comes in lines.
        let packed: String = contents.content.split_ascii_whitespace().collect();
        let bytes = STANDARD
            .decode(packed)
            .map_err(|_| unreadable("it is not base64"))?;
        String::from_utf8(bytes).map_err(|_| unreadable("the file is not UTF-8"))
    }
}

#[cfg(test)]
pub(crate) fn fuzzed(body: &str) {
    let _ = serde_json::from_str::<Contents>(body);
}
