//! What a policy tells of where it is for.

use serde::{Deserialize, Serialize};

use super::Setup;
use crate::arn::{Arn, is_open};
use crate::pattern::same_name;
use crate::policy::{Effect, Element, Policy};
use crate::region::{PARTITIONS, Partition, partition_named, partition_of};
use crate::text::Own;

/// More regions than `aws-region` takes are not the ones of a ladder.
const MOST_REGIONS: usize = 16;

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

pub(super) fn is_empty(assumed: &Assumed) -> bool {
    *assumed == Assumed::default()
}

/// The account that all ARNs of the policy agree on and the regions that they name, where the caller named none.
/// A policy that names one account is one for that account.
pub(super) fn assume(policy: &Policy<'_, '_>, setup: &Setup) -> Assumed {
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
            .flat_map(Element::texts)
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

impl Setup {
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
