//! The policy inside the JSON: what evaluation and lint read.
//!
//! Nothing here reports: whatever does not fit is left out, and lint says so.

use crate::json::{Text, Value};
use crate::operator::Operator;
use crate::position::Span;

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

impl<'v, 't> Element<'v, 't> {
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
            statements: statements.iter().filter_map(Statement::new).collect(),
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
                    statement.action.get_or_insert(element(name == "NotAction"));
                }
                name @ ("Resource" | "NotResource") => {
                    statement
                        .resource
                        .get_or_insert(element(name == "NotResource"));
                }
                "Condition" => statement.read_conditions(&member.value),
                _ => {}
            }
        }
        Some(statement)
    }

    fn read_conditions(&mut self, value: &'v Value<'t>) {
        for block in value.members().unwrap_or_default() {
            let operator = Operator::parse(&block.key.value);
            for entry in block.value.members().unwrap_or_default() {
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
