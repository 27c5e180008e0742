//! The policy inside the JSON: what evaluation and lint read.
//!
//! Nothing here reports: lint says what does not fit. What cannot be read and may decide leaves the statement in doubt, so
//! that no answer is built on its silence.

use crate::fix::nearest;
use crate::json::{Text, Value};
use crate::operator::Operator;
use crate::position::Span;
use crate::text::IntoList;

/// The policy language's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `2008-10-17`, also where none is given: no variables.
    V2008,
    /// `2012-10-17`.
    V2012,
}

/// Allow or Deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Grants.
    Allow,
    /// Refuses, whatever else grants.
    Deny,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Clone, Debug)]
pub struct Element<'v, 't> {
    /// Whether it is the `Not…` form.
    pub negated: bool,
    /// The key's place.
    pub key: Span,
    /// The value as written.
    pub value: &'v Value<'t>,
}

/// The elements that decide what a statement says: a name like one of them was meant for it.
const DECIDING: [&str; 6] = [
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
];

fn is_scalar(value: &Value<'_>) -> bool {
    matches!(
        value,
        Value::String(_) | Value::Number(..) | Value::Bool(..)
    )
}

impl<'v, 't> Element<'v, 't> {
    /// Whether all of it is strings.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.value.elements().iter().all(|v| v.as_text().is_some())
    }

    /// The strings in it.
    pub fn texts(&self) -> impl Iterator<Item = &'v Text<'t>> + Clone + use<'v, 't> {
        self.value.elements().iter().filter_map(Value::as_text)
    }
}

/// One operator, key and list of values.
#[derive(Clone, Debug)]
pub struct Condition<'v, 't> {
    /// The operator as written.
    pub operator_text: &'v Text<'t>,
    /// The operator, if there is such a one.
    pub operator: Option<Operator>,
    /// The key as written.
    pub key: &'v Text<'t>,
    /// The values as written.
    pub value: &'v Value<'t>,
}

/// One statement.
#[derive(Clone, Debug)]
pub struct Statement<'v, 't> {
    /// The whole object.
    pub value: &'v Value<'t>,
    /// Its `Sid`.
    pub sid: Option<&'v Text<'t>>,
    /// Its effect, if it is a valid one.
    pub effect: Option<Effect>,
    /// `Action` or `NotAction`, the first if there are both.
    pub action: Option<Element<'v, 't>>,
    /// `Resource` or `NotResource`, the first if there are both.
    pub resource: Option<Element<'v, 't>>,
    /// All conditions, in order.
    pub conditions: Vec<Condition<'v, 't>>,
    /// Whether a part that decides is absent or cannot be read, so that nobody knows what the statement is to say.
    pub in_doubt: bool,
}

/// A policy document.
#[derive(Clone, Debug)]
pub struct Policy<'v, 't> {
    /// The language version.
    pub version: Version,
    /// The statements.
    pub statements: Vec<Statement<'v, 't>>,
}

impl<'v, 't> Policy<'v, 't> {
    /// Reads the policy in `root`.
    #[must_use]
    pub fn new(root: &'v Value<'t>) -> Self {
        let version = match root.get("Version").and_then(Value::as_str) {
            Some("2012-10-17") => Version::V2012,
            _ => Version::V2008,
        };
        let statements = root.get("Statement").map_or(&[][..], Value::elements);
        Self {
            version,
            statements: statements.iter().filter_map(Statement::new).list(),
        }
    }
}

impl<'v, 't> Statement<'v, 't> {
    fn new(value: &'v Value<'t>) -> Option<Self> {
        let members = value.members()?;
        let mut statement = Self {
            value,
            sid: None,
            effect: None,
            action: None,
            resource: None,
            conditions: Vec::new(),
            in_doubt: false,
        };
        for member in members {
            let element = |negated| Element {
                negated,
                key: member.key.span,
                value: &member.value,
            };
            match member.key.value.as_ref() {
                "Sid" => statement.sid = member.value.as_text(),
                "Effect" => {
                    statement.effect = match member.value.as_str() {
                        Some("Allow") => Some(Effect::Allow),
                        Some("Deny") => Some(Effect::Deny),
                        _ => None,
                    }
                }
                name @ ("Action" | "NotAction") => {
                    let element = element(name == "NotAction");
                    statement.in_doubt |= statement.action.is_some() || !element.is_readable();
                    statement.action.get_or_insert(element);
                }
                name @ ("Resource" | "NotResource") => {
                    let element = element(name == "NotResource");
                    statement.in_doubt |= statement.resource.is_some() || !element.is_readable();
                    statement.resource.get_or_insert(element);
                }
                "Condition" => statement.read_conditions(&member.value),
                "Principal" | "NotPrincipal" => {}
                name => statement.in_doubt |= nearest(name, DECIDING.into_iter()).is_some(),
            }
        }
        statement.in_doubt |= statement.effect.is_none()
            || statement.action.is_none()
            || statement.resource.is_none();
        Some(statement)
    }

    fn read_conditions(&mut self, value: &'v Value<'t>) {
        self.in_doubt |= value.members().is_none();
        for block in value.members().unwrap_or_default() {
            let operator = Operator::parse(&block.key.value);
            self.in_doubt |= operator.is_none() || block.value.members().is_none();
            for entry in block.value.members().unwrap_or_default() {
                self.in_doubt |= !entry.value.elements().iter().all(is_scalar);
                self.conditions.push(Condition {
                    operator_text: &block.key,
                    operator,
                    key: &entry.key,
                    value: &entry.value,
                });
            }
        }
    }
}
