//! Runner scale sets: GitHub's Actions service, which assigns jobs to a set and makes just-in-time configurations for it.
//!
//! One [`ScaleSets`] serves all sets of a scope: they share its admin token. What belongs to one set and its one session is in
//! [`Session`].

mod error;
mod exchange;
mod queue;
mod session;
mod sign_in;
mod wire;

pub(crate) use super::operation::REGISTER;
pub(crate) use error::ScaleSetError;
pub(crate) use queue::{Event, Job, Message};
pub(crate) use session::{ACKNOWLEDGE, ACQUIRE, CLOSE, OPEN, Session};
pub(crate) use sign_in::ScaleSets;
pub(crate) use wire::{ScaleSet, Statistics};

use http::{Method, StatusCode};
use secrecy::SecretString;

use super::JitRunner;
use crate::values::runner_id::RunnerId;
use sign_in::json;
use wire::{JitConfig, JitRequest, NewLabel, NewSet, RunnerSetting};

// What is tried, in words: an error's message begins with them.
pub(crate) const FIND: &str = "look for the scale set";
pub(crate) const CREATE_SET: &str = "create the scale set";
pub(crate) const UPDATE: &str = "change the scale set's labels";
pub(crate) const DELETE_SET: &str = "delete the scale set";
pub(crate) const FIND_GROUP: &str = "look for the runner group";
pub(crate) const JIT: &str = "create a just-in-time runner of the scale set";

const SETS: &str = "_apis/runtime/runnerscalesets";

#[cfg(test)]
pub(crate) fn fuzzed(body: &str) {
    wire::fuzzed(body);
    let _ = queue::parse(body);
}

impl ScaleSets {
    /// The set of that name in a runner group.
    pub(crate) async fn find(
        &self,
        name: &str,
        group: u64,
    ) -> Result<Option<ScaleSet>, ScaleSetError> {
        let path = format!("{SETS}?runnerGroupId={group}&name={}", encoded(name));
        let answer = self.call(FIND, Method::GET, &path, None).await?;
        let sets: Vec<ScaleSet> = answer.list(FIND)?;
        // The filter is the service's; only the very name is ours.
        Ok(sets
            .into_iter()
            .find(|set| set.name.eq_ignore_ascii_case(name)))
    }

    pub(crate) async fn create(
        &self,
        labels: &[String],
        group: u64,
    ) -> Result<ScaleSet, ScaleSetError> {
        let body = description(labels, group);
        let answer = self
            .call(
                CREATE_SET,
                Method::POST,
                SETS,
                Some(json(CREATE_SET, &body)?),
            )
            .await?;
        answer.json(CREATE_SET)
    }

    /// Gives the set these labels instead of those that it has.
    pub(crate) async fn update(
        &self,
        set: &ScaleSet,
        labels: &[String],
        group: u64,
    ) -> Result<ScaleSet, ScaleSetError> {
        let path = format!("{SETS}/{}", set.id);
        let body = description(labels, group);
        let answer = self
            .call(UPDATE, Method::PATCH, &path, Some(json(UPDATE, &body)?))
            .await?;
        answer.json(UPDATE)
    }

    /// Deletes the set; one that is gone is as good.
    pub(crate) async fn delete(&self, id: u64) -> Result<(), ScaleSetError> {
        let path = format!("{SETS}/{id}");
        let answer = self.call(DELETE_SET, Method::DELETE, &path, None).await?;
        match answer.status {
            StatusCode::NOT_FOUND => Ok(()),
            _ => answer.expect(DELETE_SET, StatusCode::NO_CONTENT),
        }
    }

    /// The number of the runner group of that name.
    pub(crate) async fn group(&self, name: &str) -> Result<Option<u64>, ScaleSetError> {
        let path = format!("_apis/runtime/runnergroups/?groupName={}", encoded(name));
        let answer = self.call(FIND_GROUP, Method::GET, &path, None).await?;
        let groups: Vec<wire::Group> = answer.list(FIND_GROUP)?;
        Ok(groups
            .into_iter()
            .find(|group| group.name.eq_ignore_ascii_case(name))
            .map(|group| group.id))
    }

    /// Creates a runner's record in the set, and its secret.
    pub(crate) async fn create_jit_runner(
        &self,
        set: u64,
        name: &str,
    ) -> Result<JitRunner, ScaleSetError> {
        let path = format!("{SETS}/{set}/generatejitconfig");
        let request = JitRequest {
            name,
            work_folder: "_work",
        };
        let answer = self
            .call(JIT, Method::POST, &path, Some(json(JIT, &request)?))
            .await?;
        let JitConfig {
            runner,
            encoded_jit_config,
        } = answer.json(JIT)?;
        Ok(JitRunner {
            id: RunnerId(runner.id),
            jit_config: SecretString::from(encoded_jit_config),
        })
    }
}

/// A set goes by the first of its labels.
fn description(labels: &[String], group: u64) -> NewSet<'_> {
    let label = |name| NewLabel {
        name,
        kind: "System",
    };
    NewSet {
        name: labels.first().map_or("", String::as_str),
        runner_group_id: group,
        labels: labels.iter().map(|name| label(name)).collect(),
        // Each runner is fresh, and its program the version that GitHub names.
        runner_setting: RunnerSetting {
            disable_update: true,
        },
    }
}

/// A value of a query, percent-encoded: <https://www.rfc-editor.org/rfc/rfc3986#section-2.3>.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_a_query() {
        assert_eq!(encoded("linux-x64"), "linux-x64");
        assert_eq!(encoded("a b&c=ü"), "a%20b%26c%3D%C3%BC");
    }

    #[test]
    fn a_set_s_first_label_is_its_name() {
        let labels = ["gpu".to_owned()];
        let body = serde_json::to_string(&description(&labels, 1)).unwrap_or_default();
        assert_eq!(
            body,
            r#"{"name":"gpu","runnerGroupId":1,"labels":[{"name":"gpu","type":"System"}],"RunnerSetting":{"disableUpdate":true}}"#
        );
    }
}
