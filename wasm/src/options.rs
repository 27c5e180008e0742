//! What to check for.

use serde::{Deserialize, Serialize};

use crate::size::Target;
use crate::verdict::{Feature, Setup};

/// What to check for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Flat", into = "Flat")]
pub struct Options {
    /// The requests to expect.
    pub setup: Setup,
    /// The kind of policy.
    pub target: Target,
}

// Options in JSON are one flat object. serde's own flattening would buffer everything and
// bring the code for every kind of number along.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
struct Flat {
    target: Target,
    features: Vec<Feature>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    regions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    subnets: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    security_groups: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    instance_types: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
}

impl From<Flat> for Options {
    fn from(flat: Flat) -> Self {
        Self {
            target: flat.target,
            setup: Setup {
                features: flat.features,
                regions: flat.regions,
                account: flat.account,
                partition: flat.partition,
                images: flat.images,
                subnets: flat.subnets,
                security_groups: flat.security_groups,
                instance_types: flat.instance_types,
                role: flat.role,
            },
        }
    }
}

impl From<Options> for Flat {
    fn from(Options { setup, target }: Options) -> Self {
        Self {
            target,
            features: setup.features,
            regions: setup.regions,
            account: setup.account,
            partition: setup.partition,
            images: setup.images,
            subnets: setup.subnets,
            security_groups: setup.security_groups,
            instance_types: setup.instance_types,
            role: setup.role,
        }
    }
}
