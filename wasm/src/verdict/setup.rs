//! What is known of the requests, apart from the policy.

use serde::{Deserialize, Serialize};

use crate::text::{self, IntoList, Own};

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
    pub(super) fn in_region(&self, region: Option<&str>) -> Self {
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
}

/// An id and the region that it is said to be in: `us-west-2=ami-…`.
pub(crate) fn split_entry(text: &str) -> (Option<&str>, &str) {
    text::cut(text, b'=').map_or((None, text), |(region, id)| (Some(region), id))
}
