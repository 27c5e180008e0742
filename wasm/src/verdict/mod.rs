//! Does the policy let Sprinters work? Asks it every request that Sprinters makes for the
//! chosen features, each resource type by itself, and says what follows.

mod assume;
mod explain;
mod request;
mod setup;

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::evaluate::{self, Answer, Request, Tri};
use crate::policy::{Effect, Policy};
use crate::text::{IntoList, Own};

pub use assume::Assumed;
use assume::{assume, is_empty};
use request::Asked;
pub(crate) use request::{FactSheet, RequiredRequests, SPOT_ROLE, required_requests};
pub(crate) use setup::split_entry;
pub use setup::{Feature, Setup};

/// The answer for one permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// Every request is allowed.
    Granted,
    /// It depends on something that the text cannot tell.
    Conditional,
    /// Some request is not allowed.
    Missing,
    /// Some request is denied by a statement.
    Denied,
}

/// The answer for one resource type of a permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResourceAnswer {
    /// `instance`, `subnet`, …; `*` for actions that know no resource.
    pub resource_type: Cow<'static, str>,
    /// The answer.
    pub decision: Decision,
    /// The statements that make it, counted from 0.
    pub statements: Vec<usize>,
    /// What it depends on, or why a statement that looks like it does not grant.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub conditions: Vec<String>,
    /// The regions that the answer is for, where it is better in others.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub regions: Vec<String>,
}

/// One permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Permission {
    /// Service and action.
    pub action: Cow<'static, str>,
    /// The answer over all its resource types.
    pub decision: Decision,
    /// What follows, in plain words.
    pub explanation: Cow<'static, str>,
    /// The statements that make it, counted from 0.
    pub statements: Vec<usize>,
    /// What it depends on.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub conditions: Vec<String>,
    /// The answers for each resource type.
    pub resources: Vec<ResourceAnswer>,
}

/// Why IAM would not save the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// How many errors it would have to refuse it for.
    pub errors: usize,
    /// The line of the first one, from 1.
    pub line: u32,
}

/// Whether the policy grants what the chosen features need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// IAM would save it, and every permission is granted.
    pub granted: bool,
    /// Why IAM would not save it; then the permissions are what it would be worth once that is fixed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refused: Option<Refusal>,
    /// What the answer takes for given.
    #[serde(skip_serializing_if = "is_empty", default)]
    pub assumed: Assumed,
    /// Permission by permission.
    pub permissions: Vec<Permission>,
}

impl Verdict {
    pub(crate) fn with_refusal(mut self, refused: Option<Refusal>) -> Self {
        self.granted &= refused.is_none();
        self.refused = refused;
        self
    }
}

/// The requests for one setup, made anew only where a policy lets one assume something else than the last one did.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    last: Mutex<Option<(Assumed, Arc<[RequiredRequests]>)>>,
}

impl Requests {
    fn get(&self, setup: &Setup, assumed: &Assumed) -> Arc<[RequiredRequests]> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, all)) = &*last
            && of == assumed
        {
            return Arc::clone(all);
        }
        let all: Arc<[RequiredRequests]> = required_requests(setup, assumed).into();
        *last = Some((assumed.clone(), Arc::clone(&all)));
        all
    }
}

/// Decides what the policy grants of all that Sprinters asks for. Gives the requests of each region, too, those that follow from
/// what the policy let one assume.
pub(crate) fn decide(
    policy: &Policy<'_, '_>,
    setup: &Setup,
    requests: &Requests,
) -> (Verdict, Arc<[RequiredRequests]>) {
    let mut assumed = assume(policy, setup);
    if assumed.regions.len() > 1 {
        let all = requests.get(setup, &assumed);
        let verdict = decide_for(policy, &all, assumed.clone());
        let is_refused = |p: &Permission| p.decision >= Decision::Missing;
        if !verdict.permissions.iter().any(is_refused) {
            return (verdict, all);
        }
        // Some of them may be there for other purposes than Sprinters.
        assumed.regions.clear();
    }
    let all = requests.get(setup, &assumed);
    (decide_for(policy, &all, assumed), all)
}

// The policy must hold in every region.
fn decide_for(policy: &Policy<'_, '_>, required: &[RequiredRequests], assumed: Assumed) -> Verdict {
    let mut permissions: Vec<Permission> = Vec::with_capacity(9);
    for (row, request) in required
        .first()
        .into_iter()
        .flat_map(RequiredRequests::all)
        .enumerate()
    {
        let answer = match required {
            // Mostly nobody knows the region, or there is only one.
            [one] => worst_answer(policy, one, request),
            all => worst_region(policy, all, row),
        };
        let Some(answer) = answer else {
            continue;
        };
        match permissions.last_mut() {
            Some(last) if last.action == request.action => last.resources.push(answer),
            _ => permissions.push(Permission {
                action: request.action.into(),
                decision: Decision::Granted,
                explanation: "".into(),
                statements: Vec::new(),
                conditions: Vec::new(),
                resources: vec![answer],
            }),
        }
    }
    for permission in &mut permissions {
        sum_up(permission);
    }
    Verdict {
        refused: None,
        granted: permissions.iter().all(|p| p.decision == Decision::Granted),
        assumed,
        permissions,
    }
}

// The worst of a request's targets.
fn worst_answer(
    policy: &Policy<'_, '_>,
    required: &RequiredRequests,
    request: &Asked,
) -> Option<ResourceAnswer> {
    let facts = FactSheet::new(request, required);
    let mut worst: Option<ResourceAnswer> = None;
    for target in &request.targets {
        let asked = Request {
            action: request.action,
            target,
            facts: &facts,
        };
        let answer = evaluate::evaluate(policy, &asked);
        let one = resource_answer(policy, &asked, request.resource, &answer);
        if worst.as_ref().is_none_or(|w| w.decision < one.decision) {
            worst = Some(one);
        }
    }
    worst
}

// The first of the worst answers; where others are better, with the regions that have it.
#[inline(never)]
fn worst_region(
    policy: &Policy<'_, '_>,
    required: &[RequiredRequests],
    row: usize,
) -> Option<ResourceAnswer> {
    let answers = required.iter().filter_map(|one| {
        let answer = worst_answer(policy, one, one.all().get(row)?)?;
        Some((one.region(), answer))
    });
    let answers = answers.list();
    let worst = answers.iter().map(|(_, answer)| answer.decision).max()?;
    let all = answers.len();
    let mut hit: Vec<_> = answers
        .into_iter()
        .filter(|(_, answer)| answer.decision == worst)
        .list();
    let regions = hit.iter().filter_map(|(region, _)| region.map(Own::own));
    let regions = if hit.len() < all {
        regions.list()
    } else {
        Vec::new()
    };
    let (_, answer) = hit.swap_remove(0);
    Some(ResourceAnswer { regions, ..answer })
}

fn resource_answer(
    policy: &Policy<'_, '_>,
    request: &Request<'_>,
    resource: &'static str,
    answer: &Answer,
) -> ResourceAnswer {
    let decision = match (answer.denied, answer.allowed) {
        (Tri::True, _) => Decision::Denied,
        (_, Tri::False) => Decision::Missing,
        (Tri::Unknown, _) | (_, Tri::Unknown) => Decision::Conditional,
        (Tri::False, Tri::True) => Decision::Granted,
    };
    let counts = |effect: Effect, hit: Tri| match decision {
        Decision::Denied => effect == Effect::Deny && hit == Tri::True,
        Decision::Granted => effect == Effect::Allow && hit == Tri::True,
        Decision::Conditional => hit == Tri::Unknown || effect == Effect::Allow,
        Decision::Missing => false,
    };
    let statements = answer
        .statements
        .iter()
        .filter(|(_, effect, hit)| counts(*effect, *hit));
    let conditions = match decision {
        Decision::Granted | Decision::Denied => Vec::new(),
        Decision::Conditional => explain::open(policy, request, answer),
        Decision::Missing => explain::missed(policy, request),
    };
    ResourceAnswer {
        resource_type: resource.into(),
        decision,
        statements: statements.map(|(index, ..)| *index).list(),
        conditions,
        regions: Vec::new(),
    }
}

fn sum_up(permission: &mut Permission) {
    let resources = &permission.resources;
    let decision = resources.iter().map(|r| r.decision).max();
    permission.decision = decision.unwrap_or(Decision::Missing);
    let worst = resources
        .iter()
        .filter(|r| r.decision == permission.decision);
    let mut statements: Vec<usize> = Vec::new();
    let mut conditions = Vec::new();
    for answer in worst.clone() {
        statements.extend(&answer.statements);
        for condition in &answer.conditions {
            if !conditions.contains(condition) {
                conditions.push(condition.clone());
            }
        }
    }
    // One that is as bad everywhere is nothing of a region's.
    let mut regions: Vec<&str> = Vec::new();
    if worst.clone().all(|r| !r.regions.is_empty()) {
        regions.extend(
            worst
                .clone()
                .flat_map(|r| r.regions.iter().map(String::as_str)),
        );
        regions.sort_unstable();
        regions.dedup();
    }
    permission.explanation = if decision == Some(Decision::Granted) {
        explain::granted(&permission.action).into()
    } else {
        let types: Vec<&str> = worst.map(|r| r.resource_type.as_ref()).list();
        explain::permission(&permission.action, permission.decision, &types, &regions).into()
    };
    statements.sort_unstable();
    statements.dedup();
    permission.statements = statements;
    permission.conditions = conditions;
}
