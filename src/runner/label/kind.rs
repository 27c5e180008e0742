//! What a part of a label can be, and which parser reads it.

use std::fmt::Display;
use std::str::FromStr;

use super::suggest;
use crate::values::account::AccountId;
use crate::values::image::Image;
use crate::values::instance_type::InstanceType;
use crate::values::list::closest;
use crate::values::network::{InstanceProfile, SecurityGroup, Subnet};
use crate::values::region::{Region, Zone};
use crate::values::spot::Spot;
use crate::values::swap::Swap;
use crate::values::temp::Temp;
use crate::values::volume::Performance;

/// A part's meaning, in the order of the canonical form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Account,
    Region,
    Zone,
    Subnet,
    Image,
    InstanceType,
    Spot,
    SecurityGroup,
    Root,
    Temp,
    Swap,
    InstanceProfile,
    Events,
}

impl Kind {
    /// Those that are written `key=value`.
    pub(super) const KEYED: [Self; 6] = [
        Self::Spot,
        Self::Root,
        Self::Temp,
        Self::Swap,
        Self::InstanceProfile,
        Self::Events,
    ];

    pub(super) fn key(self) -> Option<&'static str> {
        match self {
            Self::Spot => Some("spot"),
            Self::Root => Some("root"),
            Self::Temp => Some("temp"),
            Self::Swap => Some("swap"),
            Self::InstanceProfile => Some("profile"),
            Self::Events => Some("events"),
            _ => None,
        }
    }

    /// The input whose value it is. Zone and subnet are put together first.
    pub(super) fn input(self) -> Option<&'static str> {
        match self {
            Self::Region => Some("aws-region"),
            Self::Image => Some("image"),
            Self::InstanceType => Some("instance-type"),
            Self::SecurityGroup => Some("security-group"),
            Self::InstanceProfile => Some("instance-profile"),
            Self::Spot | Self::Root | Self::Temp | Self::Swap => self.key(),
            Self::Account | Self::Zone | Self::Subnet | Self::Events => None,
        }
    }

    /// What it is called in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Region => "region",
            Self::Zone => "zone",
            Self::Subnet => "subnet",
            Self::Image => "image",
            Self::InstanceType => "instance type",
            Self::SecurityGroup => "security group",
            _ => self.key().unwrap_or_default(),
        }
    }

    /// Reads a value, and prints it as its input does; the error says what is accepted.
    pub(super) fn read(self, text: &str) -> Result<String, String> {
        match self {
            Self::Account => canonical::<AccountId>(text),
            Self::Region => canonical::<Region>(text),
            Self::Zone => canonical::<Zone>(text),
            Self::Subnet => text.parse::<Subnet>().map(|_| text.to_owned()),
            Self::Image => canonical::<Image>(text).map_err(|_| suggest::for_image(text)),
            Self::InstanceType => canonical::<InstanceType>(text),
            Self::Spot => canonical::<Spot>(text),
            Self::SecurityGroup => canonical::<SecurityGroup>(text),
            Self::Root => canonical::<Performance>(text),
            Self::Temp => canonical::<Temp>(text),
            Self::Swap => canonical::<Swap>(text),
            Self::InstanceProfile => canonical::<InstanceProfile>(text),
            Self::Events => flag(text),
        }
    }
}

fn canonical<T: FromStr<Err = String> + Display>(text: &str) -> Result<String, String> {
    text.parse::<T>().map(|value| value.to_string())
}

fn flag(text: &str) -> Result<String, String> {
    match text {
        "true" | "false" => Ok(text.to_owned()),
        other => Err(match closest(other, &["true", "false"]) {
            Some(near) => format!("`true` or `false`; did you mean `{near}`?"),
            None => "`true` or `false`".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_name_and_reads_what_its_input_takes() {
        for (kind, name, input, good, bad) in [
            (Kind::Account, "account", None, "111122223333", "1111"),
            (
                Kind::Region,
                "region",
                Some("aws-region"),
                "eu-central-1",
                "eu-centrl-1",
            ),
            (Kind::Zone, "zone", None, "eu-central-1a", "eu-central-1"),
            (
                Kind::Subnet,
                "subnet",
                None,
                "subnet-0123456789abcdef0",
                "subnet",
            ),
            (
                Kind::Image,
                "image",
                Some("image"),
                "ubuntu-24.04",
                "ubuntu-24.5",
            ),
            (
                Kind::InstanceType,
                "instance type",
                Some("instance-type"),
                "m7i.large",
                "m7i",
            ),
            (
                Kind::SecurityGroup,
                "security group",
                Some("security-group"),
                "sg-0123456789abcdef0",
                "default",
            ),
            (Kind::Spot, "spot", Some("spot"), "auto", "perhaps"),
            (Kind::Root, "root", Some("root"), "gp3/3000/125", "gp2"),
            (Kind::Temp, "temp", Some("temp"), "zram/16", "ram"),
            (Kind::Swap, "swap", Some("swap"), "4", "much"),
        ] {
            assert_eq!((kind.name(), kind.input()), (name, input));
            assert_eq!(kind.read(good).as_deref(), Ok(good));
            assert!(kind.read(bad).is_err(), "{name}: {bad}");
        }
        assert_eq!(Kind::Events.read("true").as_deref(), Ok("true"));
        let why = Kind::Events.read("ture").err().unwrap_or_default();
        assert!(why.ends_with("did you mean `true`?"), "{why}");
        assert_eq!(
            Kind::Events.read("x").err().as_deref(),
            Some("`true` or `false`")
        );
    }
}
