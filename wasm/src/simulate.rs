//! `aws iam simulate-custom-policy`'s question, answered in its shape.

use crate::pattern::same_name;
use serde::{Deserialize, Serialize};

use crate::evaluate::{self, Fact, Facts, Request, Target, Tri};
use crate::issue_code::POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA;
use crate::json::{self, Parsed};
use crate::lint::{self, Depth, Diagnostic};
use crate::policy::{Effect, Policy, Statement};
use crate::position::Lines;
use crate::text::{IntoList, Own};

/// The question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Simulation {
    /// The policies' texts.
    pub policy_input_list: Vec<String>,
    /// Policies that bound what the others grant.
    #[serde(rename = "PermissionsBoundaryPolicyInputList")]
    pub permissions_boundary: Vec<String>,
    /// The actions to ask for.
    pub action_names: Vec<String>,
    /// The resources to ask for; `*` if there are none.
    pub resource_arns: Vec<String>,
    /// What the requests carry.
    pub context_entries: Vec<ContextEntry>,
}

/// One key of the requests' context.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContextEntry {
    /// The key.
    pub context_key_name: String,
    /// Its values.
    pub context_key_values: Vec<String>,
    /// Its type, such as `string` or `dateList`; the operators decide how values are read.
    pub context_key_type: String,
}

/// The answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SimulationResult {
    /// One for each action and resource.
    pub evaluation_results: Vec<EvaluationResult>,
    /// Never: all answers are here.
    pub is_truncated: bool,
}

/// `EvalDecision`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EvalDecision {
    /// A statement allows it and none denies it.
    Allowed,
    /// A statement denies it.
    ExplicitDeny,
    /// No statement allows it.
    ImplicitDeny,
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct EvaluationResult {
    /// The action.
    pub eval_action_name: String,
    /// The resource.
    pub eval_resource_name: String,
    /// The answer.
    pub eval_decision: EvalDecision,
    /// The statements that make it: only the denying ones if there are some.
    pub matched_statements: Vec<MatchedStatement>,
    /// The keys that the policies ask for and the question does not give.
    pub missing_context_values: Vec<String>,
    /// What a boundary says, where there is one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub permissions_boundary_decision_detail: Option<BoundaryDetail>,
}

/// What the permissions boundary says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BoundaryDetail {
    /// Whether it lets the action through.
    pub allowed_by_permissions_boundary: bool,
}

/// A statement that takes part in the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct MatchedStatement {
    /// `PolicyInputList.1`, counted from 1.
    pub source_policy_id: String,
    /// `IAM Policy`.
    pub source_policy_type: String,
    /// Behind its opening brace, as IAM counts.
    pub start_position: StatementPosition,
    /// Behind its closing brace.
    pub end_position: StatementPosition,
}

/// A place as IAM counts: line and column from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct StatementPosition {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// A policy that IAM would refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Which one, as in `PolicyInputList.1`.
    pub policy: String,
    /// What is wrong with it.
    pub details: String,
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` is not a policy: {}", self.policy, self.details)
    }
}

impl std::error::Error for Unreadable {}

struct Entries<'e>(&'e [ContextEntry]);

impl Facts for Entries<'_> {
    fn fact(&self, key: &str) -> Fact<'_> {
        let same = |e: &&ContextEntry| same_name(&e.context_key_name, key);
        match self.0.iter().find(same) {
            Some(entry) => Fact::Values(entry.context_key_values.iter().map(String::as_str).list()),
            None => Fact::Absent,
        }
    }
}

/// Answers the question.
///
/// # Errors
/// If IAM would refuse one of the policies.
pub fn simulate(simulation: &Simulation) -> Result<SimulationResult, Unreadable> {
    let inputs = parse_all("PolicyInputList", &simulation.policy_input_list)?;
    let boundary = parse_all(
        "PermissionsBoundaryPolicyInputList",
        &simulation.permissions_boundary,
    )?;
    let facts = Entries(&simulation.context_entries);
    let star = ["*".own()];
    let resources: &[String] = match simulation.resource_arns.as_slice() {
        [] => &star,
        some => some,
    };
    let mut results = Vec::new();
    for action in &simulation.action_names {
        for resource in resources {
            let target = Target::known(resource.as_str());
            let request = Request {
                action,
                target: &target,
                facts: &facts,
            };
            results.push(answer(&inputs, &boundary, &request, resource));
        }
    }
    Ok(SimulationResult {
        evaluation_results: results,
        is_truncated: false,
    })
}

struct Input<'t> {
    id: String,
    text: &'t str,
    root: json::Value<'t>,
}

fn parse_all<'t>(list: &str, texts: &'t [String]) -> Result<Vec<Input<'t>>, Unreadable> {
    let read = |(at, text): (usize, &'t String)| {
        let id = format!("{list}.{}", at + 1);
        let parsed = json::parse(text);
        match parsed.errors.first() {
            Some(error) => {
                let place = Lines::new(text).position(error.span.start);
                Err(Unreadable {
                    policy: id,
                    details: format!(
                        "JSON syntax error at line {} column {}",
                        place.line, place.column
                    ),
                })
            }
            None => match refusal(text, &parsed) {
                Some(details) => Err(Unreadable {
                    policy: id,
                    details,
                }),
                None => Ok(Input {
                    id,
                    text,
                    root: parsed.root,
                }),
            },
        }
    };
    texts.iter().enumerate().map(read).collect()
}

// Why IAM would refuse the policy; its size depends on where it is saved, which nobody says here.
fn refusal(text: &str, parsed: &Parsed<'_>) -> Option<String> {
    let policy = Policy::new(&parsed.root);
    let found = lint::run(text, &parsed.root, &policy, &[], None, Depth::Grammar);
    let refuses =
        |d: &&Diagnostic| d.refused && d.code != POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA;
    let first = found.iter().find(refuses)?;
    let place = Lines::new(text).position(first.places.first().map_or(0, |span| span.start));
    Some(format!(
        "line {} column {}: {}",
        place.line, place.column, first.message
    ))
}

fn answer(
    inputs: &[Input<'_>],
    boundary: &[Input<'_>],
    request: &Request<'_>,
    resource: &str,
) -> EvaluationResult {
    let mut missing: Vec<String> = Vec::new();
    let (allows, denies) = ask(inputs, request, &mut missing);
    let (bound_allows, bound_denies) = ask(boundary, request, &mut missing);
    let bounded = boundary.is_empty() || (!bound_allows.is_empty() && bound_denies.is_empty());
    let denied = !denies.is_empty() || !bound_denies.is_empty();
    let (decision, matched) = if denied {
        (EvalDecision::ExplicitDeny, [denies, bound_denies].concat())
    } else if allows.is_empty() || !bounded {
        (EvalDecision::ImplicitDeny, allows)
    } else {
        (EvalDecision::Allowed, allows)
    };
    EvaluationResult {
        eval_action_name: request.action.own(),
        eval_resource_name: resource.own(),
        eval_decision: decision,
        matched_statements: matched,
        missing_context_values: missing,
        permissions_boundary_decision_detail: (!boundary.is_empty()).then_some(BoundaryDetail {
            allowed_by_permissions_boundary: bounded,
        }),
    }
}

// The statements that allow and those that deny.
fn ask(
    inputs: &[Input<'_>],
    request: &Request<'_>,
    missing: &mut Vec<String>,
) -> (Vec<MatchedStatement>, Vec<MatchedStatement>) {
    let (mut allows, mut denies) = (Vec::new(), Vec::new());
    for input in inputs {
        let policy = Policy::new(&input.root);
        for statement in &policy.statements {
            note_missing(statement, &policy, request, missing);
            if evaluate::applies(statement, policy.version, request) != Tri::True {
                continue;
            }
            match statement.effect {
                Some(Effect::Allow) => allows.push(matched(input, statement)),
                Some(Effect::Deny) => denies.push(matched(input, statement)),
                None => {}
            }
        }
    }
    (allows, denies)
}

// A key is missed only by statements that are about the action and the resource.
fn note_missing(
    statement: &Statement<'_, '_>,
    policy: &Policy<'_, '_>,
    request: &Request<'_>,
    missing: &mut Vec<String>,
) {
    if !evaluate::names_action(statement, request.action)
        || evaluate::names_resource(statement, policy.version, request) == Tri::False
    {
        return;
    }
    for condition in &statement.conditions {
        let key = condition.key.value.as_ref();
        let known = missing.iter().any(|k| same_name(k, key));
        if !known && request.facts.fact(key) == Fact::Absent {
            missing.push(key.own());
        }
    }
}

fn matched(input: &Input<'_>, statement: &Statement<'_, '_>) -> MatchedStatement {
    let lines = Lines::new(input.text);
    let span = statement.value.span();
    let place = |byte| {
        let position = lines.position(byte);
        StatementPosition {
            line: position.line,
            column: position.column + 1,
        }
    };
    MatchedStatement {
        source_policy_id: input.id.clone(),
        source_policy_type: "IAM Policy".own(),
        start_position: place(span.start + 1),
        end_position: place(span.end),
    }
}
