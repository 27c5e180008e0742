//! One operator of a `Condition` with its keys: what `condition`, `key` and `value` look at.

use crate::fix::Change;
use crate::json::{Member, Text, quoted};
use crate::operator::Operator;
use crate::pattern::same_name;
use crate::policy::Effect;
use crate::text;

/// One operator with its keys.
pub(super) struct Block<'b, 't> {
    pub(super) name: &'b Text<'t>,
    pub(super) operator: Option<Operator>,
    pub(super) keys: &'b [Member<'t>],
    pub(super) effect: Option<Effect>,
    /// The whole condition.
    pub(super) all: &'b [Member<'t>],
}

impl Block<'_, '_> {
    /// Another operator for this block, if nothing else depends on the old one.
    pub(super) fn renamed(&self, name: &str) -> Option<Change> {
        let free = !self.all.iter().any(|b| same_name(&b.key.value, name));
        (self.keys.len() == 1 && free)
            .then(|| Change::new(format!("Use {name}"), self.name.span, quoted(name)))
    }

    /// The operator's name with another base, qualifier and suffix kept.
    pub(super) fn with_base(&self, base: &str) -> String {
        let qualifier = text::cut(&self.name.value, b':').map_or("", |(q, _)| q);
        let colon = if qualifier.is_empty() { "" } else { ":" };
        let if_exists = self.operator.is_some_and(|op| op.if_exists);
        let suffix = if if_exists { "IfExists" } else { "" };
        format!("{qualifier}{colon}{base}{suffix}")
    }
}
