//! Where an instance is placed, and what it is allowed to be: subnets, security groups, instance profiles.

use std::fmt;
use std::str::FromStr;

use super::image::is_resource_id;
use super::region::{Region, Zone};

/// A subnet, with its zone where the user names it (`DescribeSubnets` is not permitted).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subnet {
    pub id: String,
    pub zone: Option<Zone>,
}

impl FromStr for Subnet {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (zone, id) = match text.split_once('=') {
            Some((zone, id)) => (Some(zone.trim().parse::<Zone>()), id.trim()),
            None => (None, text),
        };
        match (zone.transpose(), is_resource_id(id, "subnet-")) {
            (Ok(zone), true) => Ok(Self { id: id.to_owned(), zone }),
            _ => Err("subnets such as `subnet-0123456789abcdef0` or `eu-central-1a=subnet-0123456789abcdef0`".to_owned()),
        }
    }
}

/// Where one launch attempt goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    /// The default VPC; EC2 chooses the zone.
    Anywhere,
    /// The default VPC's subnet of that zone.
    Zone(Zone),
    /// That subnet.
    Subnet(Subnet),
}

impl Placement {
    /// The zone, where it is known before the launch.
    pub(crate) fn zone(&self) -> Option<&Zone> {
        match self {
            Self::Anywhere => None,
            Self::Zone(zone) => Some(zone),
            Self::Subnet(subnet) => subnet.zone.as_ref(),
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anywhere => f.write_str("any zone"),
            Self::Zone(zone) => zone.fmt(f),
            Self::Subnet(Subnet { id, zone: None }) => f.write_str(id),
            Self::Subnet(Subnet {
                id,
                zone: Some(zone),
            }) => write!(f, "{zone} ({id})"),
        }
    }
}

/// A security group's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SecurityGroup(String);

impl SecurityGroup {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SecurityGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SecurityGroup {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if is_resource_id(text, "sg-") {
            Ok(Self(text.to_owned()))
        } else {
            Err("security groups such as `sg-0123456789abcdef0`".to_owned())
        }
    }
}

/// An instance's id, and the region that knows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct InstanceId {
    id: String,
    /// `None` for an id that somebody wrote.
    region: Option<Region>,
}

impl InstanceId {
    pub(crate) fn as_str(&self) -> &str {
        &self.id
    }

    /// An id as EC2 writes it.
    pub(crate) fn from_ec2(id: &str) -> Self {
        Self {
            id: id.to_owned(),
            region: None,
        }
    }

    /// The same, as EC2 in that region answered with it.
    pub(crate) fn in_region(self, region: &Region) -> Self {
        Self {
            region: Some(region.clone()),
            ..self
        }
    }

    pub(crate) fn region(&self) -> Option<&Region> {
        self.region.as_ref()
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id)
    }
}

impl FromStr for InstanceId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if is_resource_id(text, "i-") {
            Ok(Self::from_ec2(text))
        } else {
            Err("instance ids such as `i-0123456789abcdef0`".to_owned())
        }
    }
}

/// An IAM instance profile; it needs `iam:PassRole` on its role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum InstanceProfile {
    Name(String),
    Arn(String),
}

impl fmt::Display for InstanceProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Name(text) | Self::Arn(text)) = self;
        f.write_str(text)
    }
}

impl FromStr for InstanceProfile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_name = |name: &str| {
            (1..=128).contains(&name.len())
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c))
        };
        let accepted = || {
            "an instance profile's name, or its ARN `arn:aws:iam::<account>:instance-profile/<name>`".to_owned()
        };
        if text.starts_with("arn:") {
            let mut parts = text.splitn(6, ':').skip(2);
            let fits = parts.next() == Some("iam")
                && parts.next() == Some("")
                && parts.next().is_some_and(|account| {
                    account.len() == 12 && account.chars().all(|c| c.is_ascii_digit())
                })
                && parts
                    .next()
                    .and_then(|resource| resource.strip_prefix("instance-profile/"))
                    .and_then(|path| path.rsplit('/').next())
                    .is_some_and(is_name);
            return if fits {
                Ok(Self::Arn(text.to_owned()))
            } else {
                Err(accepted())
            };
        }
        if is_name(text) {
            Ok(Self::Name(text.to_owned()))
        } else {
            Err(accepted())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subnets_with_and_without_a_zone() {
        let subnet = "eu-central-1a=subnet-0123456789abcdef0".parse::<Subnet>();
        assert!(subnet.is_ok_and(|s| s.zone.is_some_and(|z| z.as_str() == "eu-central-1a")));
        assert!(
            "subnet-12345678"
                .parse::<Subnet>()
                .is_ok_and(|s| s.zone.is_none())
        );
        for text in [
            "subnet-",
            "subnet-xyz",
            "sg-12345678",
            "eu-central-1=subnet-12345678",
            "=subnet-12345678",
        ] {
            assert!(text.parse::<Subnet>().is_err(), "{text}");
        }
    }

    #[test]
    fn profiles() {
        assert!("ci-runner".parse::<InstanceProfile>().is_ok());
        assert!(
            "arn:aws:iam::123456789012:instance-profile/team/ci"
                .parse::<InstanceProfile>()
                .is_ok()
        );
        for text in [
            "",
            "a b",
            "arn:aws:iam::123456789012:role/ci",
            "arn:aws:iam:::instance-profile/ci",
        ] {
            assert!(text.parse::<InstanceProfile>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_group_is_its_id() {
        let group: Result<SecurityGroup, _> = "sg-0123456789abcdef0".parse();
        assert_eq!(
            group.as_ref().map(SecurityGroup::as_str),
            Ok("sg-0123456789abcdef0")
        );
        assert!("default".parse::<SecurityGroup>().is_err());
    }
}
