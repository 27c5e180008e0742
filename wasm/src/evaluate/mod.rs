//! What a policy says to one request. Every answer has three values: where a request leaves
//! something open, so may the answer.

mod condition;
mod fact;
mod resource;

pub use condition::holds;
pub use fact::{Expanded, Fact, Facts, expand};
pub use resource::Target;

use crate::pattern::matches_ignoring_case;
use crate::policy::{Effect, Policy, Statement, Version};

/// Yes, no, or not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tri {
    /// Certainly.
    True,
    /// Certainly not.
    False,
    /// It depends on what the request leaves open.
    Unknown,
}

impl Tri {
    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::True, Self::True) => Self::True,
            _ => Self::Unknown,
        }
    }

    /// At least one.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        !(!self).and(!other)
    }
}

impl std::ops::Not for Tri {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }
}

impl From<bool> for Tri {
    fn from(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }
}

/// One request.
pub struct Request<'r> {
    /// Service and action.
    pub action: &'r str,
    /// What it touches.
    pub target: &'r Target,
    /// What else it carries.
    pub facts: &'r dyn Facts,
}

/// Whether the statement's `Action` or `NotAction` names the action.
#[must_use]
pub fn names_action(statement: &Statement<'_, '_>, action: &str) -> bool {
    let Some(element) = &statement.action else {
        return statement.in_doubt;
    };
    let hit = element
        .texts()
        .any(|text| matches_ignoring_case(&text.value, action));
    hit != element.negated || (statement.in_doubt && !element.is_readable())
}

/// Whether the statement's `Resource` or `NotResource` covers the target.
#[must_use]
pub fn names_resource(
    statement: &Statement<'_, '_>,
    version: Version,
    request: &Request<'_>,
) -> Tri {
    let Some(element) = &statement.resource else {
        return Tri::Unknown;
    };
    let mut hit = Tri::False;
    if statement.in_doubt && !element.is_readable() {
        hit = Tri::Unknown;
    }
    for text in element.texts() {
        hit = hit.or(request.target.matched(&text.value, version, request.facts));
        if hit == Tri::True {
            break;
        }
    }
    if element.negated { !hit } else { hit }
}

/// Whether the statement applies to the request.
#[must_use]
pub fn applies(statement: &Statement<'_, '_>, version: Version, request: &Request<'_>) -> Tri {
    if !names_action(statement, request.action) {
        return Tri::False;
    }
    let mut all = names_resource(statement, version, request);
    for condition in &statement.conditions {
        if all == Tri::False {
            break;
        }
        all = all.and(holds(condition, version, request.facts));
    }
    if statement.in_doubt {
        all.and(Tri::Unknown)
    } else {
        all
    }
}

/// The answer to one request and the statements that make it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Some Allow applies.
    pub allowed: Tri,
    /// Some Deny applies.
    pub denied: Tri,
    /// The statements that apply or may apply, with what they say.
    pub statements: Vec<(usize, Effect, Tri)>,
}

/// Asks the whole policy.
#[must_use]
pub fn evaluate(policy: &Policy<'_, '_>, request: &Request<'_>) -> Answer {
    let mut answer = Answer {
        allowed: Tri::False,
        denied: Tri::False,
        statements: Vec::new(),
    };
    for (index, statement) in policy.statements.iter().enumerate() {
        let hit = applies(statement, policy.version, request);
        if hit == Tri::False {
            continue;
        }
        let effect = statement.effect.unwrap_or(Effect::Allow);
        answer.statements.push((index, effect, hit));
        if statement.effect != Some(Effect::Deny) {
            answer.allowed = answer.allowed.or(hit);
        }
        if statement.effect != Some(Effect::Allow) {
            answer.denied = answer.denied.or(hit);
        }
    }
    answer
}
