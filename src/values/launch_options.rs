//! What a launch asks of EC2 beyond image, type and place: the few settings that some accounts need.

use std::fmt;
use std::str::FromStr;

use super::image::is_resource_id;

/// The settings; the default leaves all of them to EC2 and the subnet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LaunchOptions {
    /// Lies underneath the launch: what Sprinters sets itself wins.
    pub template: Option<LaunchTemplate>,
    /// Whether the instance gets a public IPv4 address; `None` is as the subnet says.
    pub public_ip: Option<bool>,
    pub capacity: Option<CapacityReservation>,
    pub nested_virtualization: bool,
}

/// A launch template, by id or by name, and which version of it.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LaunchTemplateSpecification.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LaunchTemplate {
    pub key: TemplateKey,
    /// A number, `$Latest` or `$Default`; `None` is the template's default.
    pub version: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TemplateKey {
    Id(String),
    Name(String),
}

impl FromStr for LaunchTemplate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, version) = match text.split_once(':') {
            Some((key, version)) => (key.trim(), Some(version.trim())),
            None => (text, None),
        };
        let is_number =
            |text: &str| text.parse::<u64>().is_ok_and(|n| n > 0) && !text.starts_with('0');
        let fits = version.is_none_or(|v| matches!(v, "$Latest" | "$Default") || is_number(v));
        // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html
        let is_name = (3..=128).contains(&key.len())
            && key
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "().-/_".contains(c));
        let key = if is_resource_id(key, "lt-") {
            Some(TemplateKey::Id(key.to_owned()))
        } else {
            is_name.then(|| TemplateKey::Name(key.to_owned()))
        };
        match key {
            Some(key) if fits => Ok(Self {
                key,
                version: version.map(str::to_owned),
            }),
            _ => Err(
                "a launch template's id or name, and its version if it is not the default: `lt-0123456789abcdef0`, \
                 `runners:3`, `runners:$Latest`"
                    .to_owned(),
            ),
        }
    }
}

/// Which capacity reservation the instance uses.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-capacity-reservations.html>
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CapacityReservation {
    /// Any open one that fits: what EC2 does by itself, unless a template says otherwise.
    Open,
    /// None, even where one fits.
    None,
    /// That one.
    Id(String),
    /// One of a resource group, by its ARN.
    Group(String),
    /// A Capacity Block for ML, by its reservation.
    Block(String),
}

impl CapacityReservation {
    /// The region that a group's ARN names.
    pub(crate) fn region(&self) -> Option<&str> {
        match self {
            Self::Group(arn) => arn.split(':').nth(3),
            Self::Open | Self::None | Self::Id(_) | Self::Block(_) => None,
        }
    }

    /// Whether the launch takes place in a reservation that the user named, which holds no spot instances.
    pub(crate) fn is_targeted(&self) -> bool {
        !matches!(self, Self::Open | Self::None)
    }
}

impl FromStr for CapacityReservation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_id = |text: &str| is_resource_id(text, "cr-");
        match (text, text.strip_prefix("block=").map(str::trim)) {
            ("open", _) => Ok(Self::Open),
            ("none", _) => Ok(Self::None),
            (_, Some(id)) if is_id(id) => Ok(Self::Block(id.to_owned())),
            (id, None) if is_id(id) => Ok(Self::Id(id.to_owned())),
            (arn, None) if is_group(arn) => Ok(Self::Group(arn.to_owned())),
            _ => Err(
                "`open`, `none`, a reservation such as `cr-0123456789abcdef0`, a Capacity Block such as \
                 `block=cr-0123456789abcdef0`, or the ARN of a resource group of reservations"
                    .to_owned(),
            ),
        }
    }
}

impl fmt::Display for CapacityReservation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("open"),
            Self::None => f.write_str("none"),
            Self::Id(id) | Self::Group(id) => f.write_str(id),
            Self::Block(id) => write!(f, "block={id}"),
        }
    }
}

/// Whether the text is the ARN of a resource group, in whichever partition.
fn is_group(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    matches!(parts[..], ["arn", _, "resource-groups", region, account, resource]
        if !region.is_empty()
            && account.len() == 12
            && account.bytes().all(|c| c.is_ascii_digit())
            && resource.strip_prefix("group/").is_some_and(|name| !name.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates() {
        let id = "lt-0123456789abcdef0".parse::<LaunchTemplate>();
        assert!(id.is_ok_and(|t| matches!(t.key, TemplateKey::Id(_)) && t.version.is_none()));
        for (text, version) in [
            ("runners", None),
            ("runners:3", Some("3")),
            ("a/b (c):$Latest", None),
            ("runners: $Default", Some("$Default")),
        ] {
            let parsed = text.parse::<LaunchTemplate>().ok();
            assert_eq!(parsed.and_then(|t| t.version).as_deref(), version, "{text}");
        }
        for text in [
            "",
            "ab",
            "runners:",
            "runners:0",
            "runners:latest",
            "a b c",
            "runners:-1",
        ] {
            assert!(text.parse::<LaunchTemplate>().is_err(), "{text}");
        }
    }

    #[test]
    fn reservations() {
        for text in [
            "open",
            "none",
            "cr-0123456789abcdef0",
            "block=cr-0123456789abcdef0",
            "arn:aws-us-gov:resource-groups:us-gov-west-1:123456789012:group/builds",
        ] {
            let parsed = text.parse::<CapacityReservation>();
            assert_eq!(parsed.map(|it| it.to_string()).as_deref(), Ok(text));
        }
        for text in [
            "",
            "cr-1",
            "block=open",
            "block=",
            "arn:aws:ec2:us-east-1:123456789012:group/a",
        ] {
            assert!(text.parse::<CapacityReservation>().is_err(), "{text}");
        }
    }
}
