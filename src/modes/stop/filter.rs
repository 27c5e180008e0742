//! Which of a run's runners a `stop` is about.

use crate::ec2::Instance;
use crate::inputs::{Inputs, Problems};
use crate::values::group::Group;
use crate::values::label::Label;
use crate::values::list;
use crate::values::network::InstanceId;
use crate::values::switch;

/// What `stop` is narrowed to; nothing means all of this run's runners.
#[derive(Debug, Default)]
pub(crate) struct StopFilter {
    pub labels: Vec<Label>,
    pub instances: Vec<InstanceId>,
    pub group: Option<Group>,
    /// End what is in use, too.
    pub force: bool,
}

impl StopFilter {
    pub(crate) fn parse(inputs: &Inputs, problems: &mut Problems) -> Self {
        Self {
            labels: problems
                .optional(inputs, "label", list::parse)
                .unwrap_or_default(),
            instances: problems
                .optional(inputs, "instance-id", list::parse)
                .unwrap_or_default(),
            group: problems.optional(inputs, "group", str::parse),
            force: problems
                .optional(inputs, "force", switch::parse)
                .unwrap_or_default(),
        }
    }

    /// Whether nothing narrows it.
    pub(crate) fn is_whole_run(&self) -> bool {
        self.labels.is_empty() && self.instances.is_empty() && self.group.is_none()
    }

    /// What was named, in words, and belongs to none of these instances.
    pub(crate) fn without_match(&self, instances: &[Instance]) -> Vec<String> {
        let has = |fits: &dyn Fn(&Instance) -> bool| instances.iter().any(fits);
        let labels = self
            .labels
            .iter()
            .filter(|label| !has(&|one| one.label() == Some(label.as_str())))
            .map(|label| format!("the label `{label}`"));
        let ids = self
            .instances
            .iter()
            .filter(|id| !has(&|one| one.id.as_str() == id.as_str()))
            .map(|id| format!("the id `{id}`"));
        let group = self
            .group
            .iter()
            .filter(|_| instances.is_empty())
            .map(|group| format!("the group `{group}`"));
        labels.chain(ids).chain(group).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ec2::{State, Usage, tags};
    use std::collections::BTreeMap;

    fn filter(json: &str) -> (StopFilter, usize) {
        let gathered = Inputs::gather(BTreeMap::new(), Some(json), |_| None);
        let (_, inputs) = gathered.unwrap_or_else(|error| unreachable!("{error}"));
        let mut problems = Problems::default();
        let filter = StopFilter::parse(&inputs, &mut problems);
        (filter, problems.into_errors().len())
    }

    fn instance(id: &str, label: &str) -> Instance {
        Instance {
            id: InstanceId::from_ec2(id),
            state: State::Running,
            state_reason: None,
            instance_type: "m7i.large".to_owned(),
            usage: Usage::default(),
            tags: [(tags::LABEL.to_owned(), label.to_owned())].into(),
        }
    }

    #[test]
    fn nothing_given_is_the_whole_run() {
        let (whole, wrong) = filter("{}");
        assert!(whole.is_whole_run() && !whole.force && wrong == 0);
        assert!(filter(r#"{"force": "true"}"#).0.is_whole_run());
        for json in [
            r#"{"label": "sprinters-o-r-1-1"}"#,
            r#"{"instance-id": "i-0123456789abcdef0"}"#,
            r#"{"group": "blue"}"#,
        ] {
            let (narrow, wrong) = filter(json);
            assert!(!narrow.is_whole_run() && wrong == 0, "{json}");
        }
        assert!(filter(r#"{"force": "true"}"#).0.force);
        assert_eq!(filter(r#"{"force": "perhaps", "instance-id": "x"}"#).1, 2);
    }

    #[test]
    fn what_was_named_and_is_not_there_is_told() {
        let named = r#"{"label": "one, two", "instance-id": "i-0123456789abcdef0, i-0123456789abcdef1", "group": "blue"}"#;
        let (filter, wrong) = filter(named);
        assert_eq!(wrong, 0);
        let there = [instance("i-0123456789abcdef1", "two")];
        assert_eq!(
            filter.without_match(&there),
            ["the label `one`", "the id `i-0123456789abcdef0`"]
        );
        assert_eq!(filter.without_match(&[]).len(), 5);
    }
}
