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
