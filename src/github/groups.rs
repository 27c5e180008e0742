//! Runner groups of organizations and enterprises.

use serde::Deserialize;

use super::operation::GROUPS;
use super::pages::Page;
use super::{Github, GithubError};

/// The group that every repository, organization and enterprise has.
pub(crate) const DEFAULT_GROUP: u64 = 1;

/// A runner group, as far as it is used: octocrab's has a dozen fields more to read.
#[derive(Debug, Deserialize)]
pub(crate) struct Group {
    pub id: u64,
    pub name: String,
}

#[derive(Deserialize)]
struct GroupPage {
    runner_groups: Vec<Group>,
}

impl Page for GroupPage {
    type Entry = Group;

    fn into_parts(self) -> (Option<usize>, Vec<Group>) {
        (None, self.runner_groups)
    }
}

#[cfg(test)]
pub(super) fn fuzzed(body: &str) {
    let _ = serde_json::from_str::<GroupPage>(body);
}

impl Github {
    /// `GET …/runner-groups`: all of them, or those that the repository or organization in `visible_to` may use.
    pub(crate) async fn runner_groups(
        &self,
        visible_to: Option<(&str, &str)>,
    ) -> Result<Vec<Group>, GithubError> {
        let filter = visible_to.map_or_else(String::new, |(kind, name)| {
            format!("?visible_to_{kind}={name}")
        });
        let path = self.path(&format!("/runner-groups{filter}"));
        Ok(self.pages::<GroupPage>(GROUPS, &path).await?.entries)
    }
}
