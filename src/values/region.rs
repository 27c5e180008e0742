//! AWS regions and availability zones.

use std::fmt;
use std::str::FromStr;

use super::list::closest;

/// Regions that exist as of 2026, for suggestions only: a region that AWS opens tomorrow works today.
const KNOWN: [&str; 36] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-west-1",
    "us-west-2",
];

const AREAS: [&str; 14] = [
    "af", "ap", "ca", "cn", "eu", "eusc", "il", "me", "mx", "sa", "us", "us-gov", "us-iso",
    "us-isob",
];

const DIRECTIONS: [&str; 10] = [
    "central",
    "de-east",
    "east",
    "north",
    "northeast",
    "northwest",
    "south",
    "southeast",
    "southwest",
    "west",
];

/// An AWS region, `eu-central-1`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Region(String);

impl Region {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The region that differs from the text in a few letters.
    pub(crate) fn nearest(text: &str) -> Option<&'static str> {
        closest(text, &KNOWN)
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Region {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if is_region(text) {
            return Ok(Self(text.to_owned()));
        }
        let mut accepted = "an AWS region such as `eu-central-1`".to_owned();
        if text
            .strip_suffix(|c: char| c.is_ascii_lowercase())
            .is_some_and(is_region)
        {
            accepted
                .push_str("; this is an availability zone, which belongs into `availability-zone`");
        } else if let Some(near) = closest(text, &KNOWN) {
            accepted = format!("{accepted}; did you mean `{near}`?");
        }
        Err(accepted)
    }
}

/// Whether the text has the form of a region: an area, a direction and one digit.
fn is_region(text: &str) -> bool {
    let Some((place, number)) = text.rsplit_once('-') else {
        return false;
    };
    let number_fits = matches!(number.as_bytes(), [b'1'..=b'9']);
    number_fits
        && AREAS.iter().any(|area| {
            place
                .strip_prefix(area)
                .and_then(|rest| rest.strip_prefix('-'))
                .is_some_and(|direction| DIRECTIONS.contains(&direction))
        })
}

/// An availability zone, `eu-central-1c`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Zone(String);

impl Zone {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The region whose zone this is.
    pub(crate) fn region(&self) -> &str {
        self.0.trim_end_matches(|c: char| c.is_ascii_lowercase())
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Zone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_suffix(|c: char| c.is_ascii_lowercase()) {
            Some(region) if is_region(region) => Ok(Self(text.to_owned())),
            _ => Err("availability zones such as `eu-central-1c`".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_region_is_one() {
        for region in KNOWN {
            assert!(is_region(region), "{region}");
        }
        assert!(is_region("cn-northwest-1") && is_region("us-isob-east-1"));
    }

    #[test]
    fn what_is_no_region_says_so() {
        for text in [
            "",
            "eu",
            "eu-central",
            "eu-centrl-1",
            "mars-north-1",
            "eu-central-1a",
            "EU-central-1",
            "eu-central-0",
        ] {
            assert!(text.parse::<Region>().is_err(), "{text}");
        }
        assert!(
            "eu-centrl-1"
                .parse::<Region>()
                .is_err_and(|e| e.ends_with("did you mean `eu-central-1`?"))
        );
        assert!(
            "eu-central-1a"
                .parse::<Region>()
                .is_err_and(|e| e.contains("availability-zone"))
        );
    }

    #[test]
    fn a_zone_knows_its_region() {
        let zone: Result<Zone, _> = "us-gov-west-1b".parse();
        assert_eq!(zone.as_ref().map(Zone::region), Ok("us-gov-west-1"));
        assert!("us-east-1".parse::<Zone>().is_err());
    }
}
