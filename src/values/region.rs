//! AWS regions and availability zones.

use std::fmt;
use std::str::FromStr;

use sprinters_policy::region::{REGIONS, has_form, partition_of};

use super::list::closest;

/// An AWS region, `eu-central-1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Region(String);

impl Region {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// An instance's page in the AWS console, which is elsewhere for each partition; the isolated ones cannot be linked to.
    pub(crate) fn console_url(&self, instance: &str) -> Option<String> {
        let region = self.as_str();
        let area = |name: &str| region.starts_with(name);
        let host = match region {
            _ if region.contains("-iso") => return None,
            _ if area("cn-") => format!("{region}.console.amazonaws.cn"),
            _ if area("us-gov-") => format!("{region}.console.amazonaws-us-gov.com"),
            _ if area("eusc-") => format!("{region}.console.amazonaws-eusc.eu"),
            _ => format!("{region}.console.aws.amazon.com"),
        };
        Some(format!(
            "https://{host}/ec2/home?region={region}#InstanceDetails:instanceId={instance}"
        ))
    }

    /// The region that differs from the text in a few letters. One of another partition was not meant: nobody's account
    /// has both.
    pub(crate) fn nearest(text: &str) -> Option<&'static str> {
        let partition = partition_of(&text.to_ascii_lowercase());
        let candidates: Vec<&str> = REGIONS
            .into_iter()
            .filter(|region| partition_of(region) == partition)
            .collect();
        closest(text, &candidates)
    }
}

/// What stands in where no region is known yet.
impl Default for Region {
    fn default() -> Self {
        Self("us-east-1".to_owned())
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
        if is_familiar(text) || (is_region_like(text) && !is_misspelt(text)) {
            return Ok(Self(text.to_owned()));
        }
        let accepted = "an AWS region such as `eu-central-1`";
        Err(match text.parse::<Zone>() {
            Ok(zone) => format!(
                "{accepted}; `{text}` is a zone of `{}`, which `availability-zone` takes",
                zone.region()
            ),
            Err(_) => match Self::nearest(text) {
                Some(near) => format!("{accepted}; did you mean `{near}`?"),
                None => accepted.to_owned(),
            },
        })
    }
}

/// Whether the text has the form of the regions that there are: an area, a direction and one digit.
pub(crate) fn is_familiar(text: &str) -> bool {
    has_form(text)
}

/// Whether the text has the form of the zones that there are.
pub(crate) fn is_familiar_zone(text: &str) -> bool {
    text.parse::<Zone>().is_ok_and(|zone| zone.is_familiar())
}

/// Whether AWS might open a region of that name: words and a number.
fn is_region_like(text: &str) -> bool {
    let Some((words, number)) = text.rsplit_once('-') else {
        return false;
    };
    let is_word = |word: &str| word.len() > 1 && word.bytes().all(|c| c.is_ascii_lowercase());
    matches!(number.len(), 1 | 2)
        && number.bytes().all(|c| c.is_ascii_digit())
        && !number.starts_with('0')
        && words.contains('-')
        && words.split('-').all(is_word)
}

/// Whether a known region was meant: its area is right, and its direction nearly.
fn is_misspelt(text: &str) -> bool {
    let area = |text: &str| text.split('-').next().map(str::to_owned);
    Region::nearest(text).is_some_and(|near| area(near) == area(text))
}

/// An availability zone, `eu-central-1c`; also a Local Zone, `us-west-2-lax-1a`, or a Wavelength Zone, `us-east-1-wl1-bos-wlz-1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Zone(String);

impl Zone {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The region whose zone this is.
    pub(crate) fn region(&self) -> &str {
        split(&self.0).0
    }

    /// Whether it lies apart from its region, in another city or in a carrier's network.
    pub(crate) fn is_apart(&self) -> bool {
        split(&self.0).1.starts_with('-')
    }

    /// Whether it has a form of which there are zones today.
    pub(crate) fn is_familiar(&self) -> bool {
        let (region, rest) = split(&self.0);
        let is_letter = |text: &str| matches!(text.as_bytes(), [b'a'..=b'z']);
        let is_city = |text: &str| text.len() == 3 && text.bytes().all(|c| c.is_ascii_lowercase());
        let fits = match rest.split('-').collect::<Vec<_>>()[..] {
            [letter] => is_letter(letter),
            ["", city, number] => {
                is_city(city)
                    && number.len() == 2
                    && is_letter(number.trim_start_matches(|c: char| c.is_ascii_digit()))
            }
            ["", carrier, city, "wlz", number] => {
                carrier.starts_with("wl") && is_city(city) && number.parse::<u8>().is_ok()
            }
            _ => false,
        };
        fits && is_familiar(region)
    }
}

/// A zone's region, and what follows it. Without a region in front, all of it is region.
fn split(zone: &str) -> (&str, &str) {
    let ends = zone.match_indices(|c: char| c.is_ascii_digit());
    let region = ends
        .map(|(at, digit)| &zone[..at + digit.len()])
        .find(|start| is_region_like(start));
    let region = region.unwrap_or(zone);
    (region, &zone[region.len()..])
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Zone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (region, rest) = split(text);
        let is_zone = rest
            .bytes()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
            && rest.bytes().any(|c| c.is_ascii_lowercase());
        if is_zone && region.parse::<Region>().is_ok() {
            Ok(Self(text.to_owned()))
        } else {
            Err("availability zones such as `eu-central-1c`".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_of_the_table_is_taken_and_none_is_a_misspelling_of_another() {
        for region in REGIONS {
            assert!(region.parse::<Region>().is_ok(), "{region}");
            assert_eq!(Region::nearest(region), Some(region));
        }
    }

    #[test]
    fn only_regions_of_the_same_partition_are_suggested() {
        assert_eq!(Region::nearest("us-iso-est-1"), Some("us-iso-east-1"));
        assert_eq!(Region::nearest("us-est-1"), Some("us-east-1"));
        assert_eq!(Region::nearest("us-gov-est-1"), Some("us-gov-east-1"));
        for (text, wrong) in [
            ("eu-isoz-west-1", "eu-isoe-west-1"),
            ("us-isoo-east-1", "us-iso-east-1"),
        ] {
            assert_ne!(Region::nearest(text), Some(wrong));
        }
    }

    #[test]
    fn what_is_not_a_region_says_so() {
        for text in [
            "",
            "eu",
            "eu-central",
            "eu-centrl-1",
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
        for text in [
            "us-east-1",
            "us-east-",
            "us-east-1A",
            "us-east-1 a",
            "eu-centrl-1a",
        ] {
            assert!(text.parse::<Zone>().is_err(), "{text}");
        }
    }

    #[test]
    fn zones_apart_from_their_region() {
        for (text, region) in [
            ("us-west-2-lax-1a", "us-west-2"),
            ("us-east-1-wl1-bos-wlz-1", "us-east-1"),
            ("af-south-1-los-1a", "af-south-1"),
        ] {
            let zone = text.parse::<Zone>();
            assert_eq!(zone.as_ref().map(Zone::region), Ok(region));
            assert!(
                zone.is_ok_and(|zone| zone.is_apart() && zone.is_familiar()),
                "{text}"
            );
        }
        assert!(
            "eusc-de-east-1b"
                .parse::<Zone>()
                .is_ok_and(|zone| !zone.is_apart())
        );
    }

    #[test]
    fn what_aws_may_open_tomorrow_is_left_to_ec2() {
        for region in ["nz-north-1", "eu-isoz-west-1", "aq-south-12"] {
            assert!(
                region
                    .parse::<Region>()
                    .is_ok_and(|it| !is_familiar(it.as_str())),
                "{region}"
            );
        }
        for zone in [
            "nz-north-1a",
            "us-east-1-orbit-7",
            "us-east-1-wl1-bos-wlz-1-x",
        ] {
            assert!(
                zone.parse::<Zone>().is_ok_and(|it| !it.is_familiar()),
                "{zone}"
            );
        }
    }

    #[test]
    fn every_partition_has_its_own_console() {
        let url = |region: &str| {
            let region: Region = region.parse().unwrap_or_else(|e| unreachable!("{e}"));
            region.console_url("i-0a")
        };
        for (region, host) in [
            ("eu-central-1", "eu-central-1.console.aws.amazon.com"),
            ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
            (
                "us-gov-west-1",
                "us-gov-west-1.console.amazonaws-us-gov.com",
            ),
            ("eusc-de-east-1", "eusc-de-east-1.console.amazonaws-eusc.eu"),
        ] {
            let page =
                format!("https://{host}/ec2/home?region={region}#InstanceDetails:instanceId=i-0a");
            assert_eq!(url(region), Some(page));
        }
        assert!(url("us-iso-east-1").is_none());
    }
}
