//! Does the policy let Sprinters work? Asks it every request that Sprinters makes for the
//! chosen features, each resource type by itself, and says what follows.

mod explain;
mod request;

use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::arn::{Arn, is_open};
use crate::evaluate::{self, Answer, Request, Tri};
use crate::pattern::same_name;
use crate::policy::{Effect, Policy};
use crate::region::{PARTITIONS, Partition, partition_named, partition_of};
use crate::text::{self, IntoList, Own};

use request::Asked;
pub(crate) use request::{FactSheet, RequiredRequests, SPOT_ROLE, required_requests};

/// More regions than `aws-region` takes are not the ones of a ladder.
const MOST_REGIONS: usize = 16;

/// What of Sprinters is to be used beyond the six plain permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// `instance-profile`: the runner's instance gets a role.
    InstanceProfile,
    /// Spot in an account that never used it: EC2's service-linked role is created.
    #[serde(alias = "spot")]
    SpotServiceLinkedRole,
    /// `image: resolve:ssm:…`: the image is read from a public parameter.
    #[serde(alias = "ssm-image")]
    SsmImageParameter,
    /// `console`: `start` shows the end of the log of an instance that never came online.
    Console,
    /// `launch-template`: a launch template lies underneath the launch.
    LaunchTemplate,
    /// `capacity-reservation`: the launch takes place in a reservation.
    CapacityReservation,
    /// `image: name=…@…`: the newest image of that name is looked up.
    ImageByName,
    /// `mode: bake`: an instance becomes an image, and older ones go.
    Bake,
}

impl Feature {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::InstanceProfile,
        Self::SpotServiceLinkedRole,
        Self::SsmImageParameter,
        Self::Console,
        Self::LaunchTemplate,
        Self::CapacityReservation,
        Self::ImageByName,
        Self::Bake,
    ];

    /// The feature of that name; `spot` and `ssm-image` are short forms.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "spot" => Some(Self::SpotServiceLinkedRole),
            "ssm-image" => Some(Self::SsmImageParameter),
            name => Self::ALL.into_iter().find(|feature| feature.name() == name),
        }
    }

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InstanceProfile => "instance-profile",
            Self::SpotServiceLinkedRole => "spot-service-linked-role",
            Self::SsmImageParameter => "ssm-image-parameter",
            Self::Console => "console",
            Self::LaunchTemplate => "launch-template",
            Self::CapacityReservation => "capacity-reservation",
            Self::ImageByName => "image-by-name",
            Self::Bake => "bake",
        }
    }
}

/// What is known of the requests, apart from the policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Setup {
    /// The features in use.
    pub features: Vec<Feature>,
    /// The regions; if absent, the one that the policy's ARNs agree on.
    pub regions: Vec<String>,
    /// The account; if absent, the one that the policy's ARNs agree on.
    pub account: Option<String>,
    /// The partition; if absent, the region's, or the one that the policy's ARNs agree on.
    pub partition: Option<String>,
    /// The images in use. One that is used in one region alone may say so: `us-west-2=ami-…`; so may subnets and groups.
    pub images: Vec<String>,
    /// The subnets in use.
    pub subnets: Vec<String>,
    /// The security groups in use.
    pub security_groups: Vec<String>,
    /// The instance types in use.
    pub instance_types: Vec<String>,
    /// The role of the instance profile, its name with its path.
    pub role: Option<String>,
}

impl Setup {
    /// Whether the feature is in use.
    #[must_use]
    pub fn has(&self, feature: Feature) -> bool {
        // A bake looks images up, too: the one that it begins with, and older ones of its own.
        let implied = feature == Feature::ImageByName && self.features.contains(&Feature::Bake);
        implied || self.features.contains(&feature)
    }

    /// The setup as it is in one of its regions, or in the one that nobody knows.
    fn in_region(&self, region: Option<&str>) -> Self {
        let is_for = |of: Option<&str>| of.is_none() || region.is_none() || of == region;
        let own = |ids: &[String]| -> Vec<String> {
            let own = ids.iter().map(|id| split_entry(id));
            own.filter(|(of, _)| is_for(*of))
                .map(|(_, id)| id.own())
                .list()
        };
        Self {
            regions: region.map(Own::own).into_iter().list(),
            images: own(&self.images),
            subnets: own(&self.subnets),
            security_groups: own(&self.security_groups),
            ..self.clone()
        }
    }

    /// The partition: what was given, else what follows from the region, else what was taken from the policy.
    #[must_use]
    pub fn partition_with(&self, assumed: &Assumed) -> &'static Partition {
        let named = |name: &Option<String>| partition_named(name.as_deref()?);
        let region = |names: &[String]| Some(partition_of(names.first()?));
        named(&self.partition)
            .or_else(|| region(&self.regions))
            .or_else(|| named(&assumed.partition))
            .or_else(|| region(&assumed.regions))
            .unwrap_or(&PARTITIONS[0])
    }
}

/// An id and the region that it is said to be in: `us-west-2=ami-…`.
pub(crate) fn split_entry(text: &str) -> (Option<&str>, &str) {
    text::cut(text, b'=').map_or((None, text), |(region, id)| (Some(region), id))
}

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
    pub resource_type: String,
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
    pub action: String,
    /// The answer over all its resource types.
    pub decision: Decision,
    /// What follows, in plain words.
    pub explanation: String,
    /// The statements that make it, counted from 0.
    pub statements: Vec<usize>,
    /// What it depends on.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub conditions: Vec<String>,
    /// The answers for each resource type.
    pub resources: Vec<ResourceAnswer>,
}

/// What was taken from the policy because nobody gave it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assumed {
    /// The only region that the policy's ARNs and conditions name; several where the policy refuses nothing in any of them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub regions: Vec<String>,
    /// The only account that the policy's ARNs name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub account: Option<String>,
    /// The only partition that the policy's ARNs name, if it is another than `aws`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub partition: Option<String>,
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

fn is_empty(assumed: &Assumed) -> bool {
    *assumed == Assumed::default()
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
        let answers = required.iter().filter_map(|one| {
            let answer = worst_answer(policy, one, one.all().get(row)?)?;
            Some((one.region(), answer))
        });
        let Some(answer) = worst_region(answers.list()) else {
            continue;
        };
        match permissions.last_mut() {
            Some(last) if last.action == request.action => last.resources.push(answer),
            _ => permissions.push(Permission {
                action: request.action.own(),
                decision: Decision::Granted,
                explanation: String::new(),
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
fn worst_region(answers: Vec<(Option<&str>, ResourceAnswer)>) -> Option<ResourceAnswer> {
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
    resource: &str,
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
        resource_type: resource.own(),
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
    let types: Vec<&str> = worst.clone().map(|r| r.resource_type.as_str()).list();
    // One that is as bad everywhere is nothing of a region's.
    let mut regions: Vec<&str> = Vec::new();
    if worst.clone().all(|r| !r.regions.is_empty()) {
        regions.extend(worst.flat_map(|r| r.regions.iter().map(String::as_str)));
        regions.sort_unstable();
        regions.dedup();
    }
    permission.explanation =
        explain::permission(&permission.action, permission.decision, &types, &regions);
    statements.sort_unstable();
    statements.dedup();
    permission.statements = statements;
    permission.conditions = conditions;
}

/// The account that all ARNs of the policy agree on and the regions that they name, where the caller named none.
/// A policy that names one account is one for that account.
fn assume(policy: &Policy<'_, '_>, setup: &Setup) -> Assumed {
    let mut regions: Vec<String> = Vec::new();
    let mut note = |name: &str| {
        if !name.is_empty() && !is_open(name) && regions.iter().all(|known| known != name) {
            regions.push(name.own());
        }
    };
    let (mut account, mut partition) = (Agreed::Nothing, Agreed::Nothing);
    for statement in policy
        .statements
        .iter()
        .filter(|s| s.effect == Some(Effect::Allow))
    {
        for text in statement
            .resource
            .iter()
            .filter(|r| !r.negated)
            .flat_map(super::policy::Element::texts)
        {
            if let Some(arn) = Arn::parse(&text.value) {
                note(arn.region);
                partition.note(arn.partition);
                if arn.account.len() == 12 {
                    account.note(arn.account);
                }
            }
        }
        for condition in &statement.conditions {
            if condition.operator.is_some_and(|op| !op.negated)
                && same_name(&condition.key.value, "aws:RequestedRegion")
            {
                for value in condition.value.elements().iter().filter_map(|v| v.as_str()) {
                    note(value);
                }
            }
        }
    }
    Assumed {
        regions: if setup.regions.is_empty() && regions.len() <= MOST_REGIONS {
            regions
        } else {
            Vec::new()
        },
        account: account.agreed().filter(|_| setup.account.is_none()),
        partition: partition.agreed().filter(|name| {
            setup.partition.is_none() && setup.regions.is_empty() && name != PARTITIONS[0].name
        }),
    }
}

enum Agreed<'t> {
    Nothing,
    One(&'t str),
    Several,
}

impl<'t> Agreed<'t> {
    fn note(&mut self, text: &'t str) {
        if text.is_empty() || is_open(text) {
            return;
        }
        match self {
            Self::Nothing => *self = Self::One(text),
            Self::One(one) if *one != text => *self = Self::Several,
            _ => {}
        }
    }

    fn agreed(&self) -> Option<String> {
        match self {
            Self::One(one) => Some((*one).own()),
            _ => None,
        }
    }
}
