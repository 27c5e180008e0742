//! Which of a run's runners a `stop` ends.

use crate::inputs::{Inputs, Problems};
use crate::values::label::Label;
use crate::values::list;
use crate::values::network::InstanceId;

/// What `stop` is narrowed to; nothing means all of this run's runners.
#[derive(Debug, Default)]
pub(crate) struct StopFilter {
    pub labels: Vec<Label>,
    pub instances: Vec<InstanceId>,
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
        }
    }
}
