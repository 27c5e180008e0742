//! What the Actions service sends and takes, as JSON.

use serde::{Deserialize, Deserializer, Serialize};

/// A list with its count.
#[derive(Deserialize)]
#[serde(bound(deserialize = "T: Deserialize<'de>"))]
pub(super) struct Found<T> {
    #[serde(default)]
    pub count: usize,
    #[serde(default = "Vec::new", deserialize_with = "null_is_empty")]
    pub value: Vec<T>,
}

/// The service writes `null` for an empty list at times.
fn null_is_empty<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A runner scale set.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ScaleSet {
    pub id: u64,
    #[serde(default)]
    pub name: String,
    #[serde(default = "Vec::new", deserialize_with = "null_is_empty")]
    labels: Vec<Label>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
struct Label {
    #[serde(default)]
    name: String,
}

impl ScaleSet {
    /// Whether it has these labels and no others; GitHub ignores their case.
    pub(crate) fn has_labels(&self, labels: &[String]) -> bool {
        let is_there = |label: &String| {
            let mut own = self.labels.iter();
            own.any(|own| own.name.eq_ignore_ascii_case(label))
        };
        self.labels.len() == labels.len() && labels.iter().all(is_there)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewSet<'a> {
    pub name: &'a str,
    pub runner_group_id: u64,
    pub labels: Vec<NewLabel<'a>>,
    #[serde(rename = "RunnerSetting")]
    pub runner_setting: RunnerSetting,
}

#[derive(Serialize)]
pub(super) struct NewLabel<'a> {
    pub name: &'a str,
    #[serde(rename = "type")]
    pub kind: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunnerSetting {
    pub disable_update: bool,
}

#[derive(Deserialize)]
pub(super) struct Group {
    pub id: u64,
    #[serde(default)]
    pub name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct JitRequest<'a> {
    pub name: &'a str,
    pub work_folder: &'a str,
}

#[derive(Deserialize)]
pub(super) struct JitConfig {
    pub runner: JitRunnerReference,
    #[serde(rename = "encodedJITConfig")]
    pub encoded_jit_config: String,
}

#[derive(Deserialize)]
pub(super) struct JitRunnerReference {
    pub id: u64,
}

#[derive(Serialize)]
pub(super) struct Registration<'a> {
    pub url: &'a str,
    pub runner_event: &'a str,
}

#[derive(Deserialize)]
pub(super) struct Registered {
    pub url: String,
    pub token: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewSession<'a> {
    pub owner_name: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OpenSession {
    pub session_id: String,
    pub message_queue_url: String,
    pub message_queue_access_token: String,
    #[serde(default)]
    pub statistics: Option<Statistics>,
}

#[derive(Deserialize)]
pub(super) struct Acquired {
    #[serde(default = "Vec::new", deserialize_with = "null_is_empty")]
    pub value: Vec<i64>,
}

/// The service's own count of a set's jobs. It can be wrong, in both directions.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Statistics {
    total_assigned_jobs: i64,
}

impl Statistics {
    /// Jobs that wait for a runner of this set, and those that run on one.
    pub(crate) fn assigned(self) -> usize {
        count(self.total_assigned_jobs)
    }

    #[cfg(test)]
    pub(crate) fn of(assigned: i64) -> Self {
        Self {
            total_assigned_jobs: assigned,
        }
    }
}

fn count(number: i64) -> usize {
    usize::try_from(number).unwrap_or_default()
}

/// What a refusal says.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Refusal {
    pub type_name: Option<String>,
    pub message: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RawMessage {
    pub message_id: u64,
    #[serde(default)]
    pub message_type: String,
    #[serde(default)]
    pub body: Option<String>,
    #[serde(default)]
    pub statistics: Option<Statistics>,
}

#[cfg(test)]
pub(super) fn fuzzed(body: &str) {
    let _ = serde_json::from_str::<Found<ScaleSet>>(body);
    let _ = serde_json::from_str::<Found<Group>>(body);
    let _ = serde_json::from_str::<JitConfig>(body);
    let _ = serde_json::from_str::<Registered>(body);
    let _ = serde_json::from_str::<OpenSession>(body);
    let _ = serde_json::from_str::<Acquired>(body);
    let _ = serde_json::from_str::<Refusal>(body);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_without_labels_is_readable() {
        let set: Result<ScaleSet, _> =
            serde_json::from_str(r#"{"id": 7, "name": "gpu", "labels": null, "createdOn": ""}"#);
        assert!(set.is_ok_and(|set| set.id == 7 && !set.has_labels(&["gpu".to_owned()])));
        let set: Result<ScaleSet, _> =
            serde_json::from_str(r#"{"id": 7, "labels": [{"name": "GPU", "type": "System"}]}"#);
        assert!(set.is_ok_and(|set| set.has_labels(&["gpu".to_owned()])));
    }

    #[test]
    fn counts_below_zero_are_none() {
        assert_eq!(Statistics::of(-3).assigned(), 0);
    }
}
