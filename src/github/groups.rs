//! Runner groups of organizations and enterprises.

use http::StatusCode;
use serde::Deserialize;

use super::operation::GROUPS;
use super::runners::PAGE;
use super::{Github, GithubError};

/// The group that every repository, organization and enterprise has.
pub(crate) const DEFAULT_GROUP: u64 = 1;

/// A runner group.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Group {
    pub id: u64,
    pub name: String,
}

#[derive(Deserialize)]
struct Page {
    runner_groups: Vec<Group>,
}

#[cfg(test)]
pub(super) fn fuzzed(body: &str) {
    let _ = serde_json::from_str::<Page>(body);
}

impl Github {
    /// `GET …/runner-groups`: all of them, or those that the repository or organization in `visible_to` may use.
    pub(crate) async fn runner_groups(
        &self,
        visible_to: Option<(&str, &str)>,
    ) -> Result<Vec<Group>, GithubError> {
        let filter = visible_to.map_or_else(String::new, |(kind, name)| {
            format!("&visible_to_{kind}={name}")
        });
        let mut all = Vec::new();
        for page in 1.. {
            let path = format!("/runner-groups?per_page={PAGE}&page={page}{filter}");
            let Page { runner_groups } = self
                .get(GROUPS, &path, None)
                .await?
                .json(GROUPS, StatusCode::OK)?;
            let is_last = runner_groups.len() < PAGE;
            all.extend(runner_groups);
            if is_last {
                break;
            }
        }
        Ok(all)
    }
}
