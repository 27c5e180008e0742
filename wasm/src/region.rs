//! AWS's partitions and regions: one table for the program and the checker.
//! From AWS's reference of partitions and endpoints.

use crate::text::IntoList;

/// A partition: a set of regions with accounts, ARNs and principals of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its name in ARNs.
    pub name: &'static str,
    /// What the names of its regions begin with.
    areas: &'static [&'static str],
    /// The region that requests to IAM, one service for the whole partition, name.
    pub home: &'static str,
    /// The service principals of EC2 that `iam:PassedToService` may carry.
    pub ec2_principals: &'static [&'static str],
}

const fn partition(
    name: &'static str,
    areas: &'static [&'static str],
    home: &'static str,
) -> Partition {
    Partition {
        name,
        areas,
        home,
        ec2_principals: &["ec2.amazonaws.com"],
    }
}

/// The partitions. The first takes every region whose area no other names.
pub const PARTITIONS: [Partition; 9] = [
    partition("aws", &[], "us-east-1"),
    Partition {
        // AWS's own policies for China list both.
        ec2_principals: &["ec2.amazonaws.com", "ec2.amazonaws.com.cn"],
        ..partition("aws-cn", &["cn-"], "cn-north-1")
    },
    partition("aws-us-gov", &["us-gov-"], "us-gov-west-1"),
    partition("aws-iso", &["us-iso-"], "us-iso-east-1"),
    partition("aws-iso-b", &["us-isob-"], "us-isob-east-1"),
    partition("aws-iso-e", &["eu-isoe-"], "eu-isoe-west-1"),
    partition("aws-iso-f", &["us-isof-"], "us-isof-south-1"),
    partition("aws-eusc", &["eusc-"], "eusc-de-east-1"),
    partition("aws-iso-g", &["us-isog-"], "us-isog-east-1"),
];

/// The partition of that name.
#[must_use]
pub fn partition_named(name: &str) -> Option<&'static Partition> {
    PARTITIONS.iter().find(|partition| partition.name == name)
}

/// The partition that the region belongs to, also for regions that AWS opens tomorrow.
#[must_use]
pub fn partition_of(region: &str) -> &'static Partition {
    let of = |partition: &&Partition| partition.areas.iter().any(|area| region.starts_with(area));
    PARTITIONS.iter().find(of).unwrap_or(&PARTITIONS[0])
}

/// The regions of all partitions.
pub const REGIONS: [&str; 48] = [
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
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-isoe-west-1",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "me-west-1",
    "mx-central-1",
    "sa-east-1",
    "sa-west-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "us-isof-east-1",
    "us-isof-south-1",
    "us-west-1",
    "us-west-2",
];

/// Whether AWS has a region of that name.
#[must_use]
pub fn is_region(name: &str) -> bool {
    REGIONS.binary_search(&name).is_ok()
}

const DIRECTIONS: [&str; 9] = [
    "central",
    "east",
    "north",
    "northeast",
    "northwest",
    "south",
    "southeast",
    "southwest",
    "west",
];

/// Whether the text has the form of a region: an area, a direction and one digit. A region that AWS opens tomorrow in an
/// area that it has today has it, too.
#[must_use]
pub fn has_form(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').list();
    let [area @ .., direction, number] = parts.as_slice() else {
        return false;
    };
    let known = |region: &&str| {
        let mut theirs = region.split('-');
        !area.is_empty() && area.iter().all(|part| theirs.next() == Some(part))
    };
    DIRECTIONS.contains(direction)
        && matches!(number.as_bytes(), [b'1'..=b'9'])
        && REGIONS
            .iter()
            .any(|region| known(region) && region.split('-').count() == parts.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_has_the_form_and_a_partition() {
        for region in REGIONS {
            assert!(has_form(region), "{region}");
        }
        for (region, name) in [
            ("eu-central-1", "aws"),
            ("us-gov-west-1", "aws-us-gov"),
            ("cn-northwest-1", "aws-cn"),
            ("eusc-de-east-1", "aws-eusc"),
            ("us-isob-east-1", "aws-iso-b"),
            ("us-iso-east-1", "aws-iso"),
        ] {
            assert_eq!(partition_of(region).name, name);
        }
        for partition in &PARTITIONS {
            assert_eq!(
                partition_of(partition.home),
                partition_named(partition.name).unwrap()
            );
        }
        assert!(has_form("eu-west-9") && has_form("cn-south-1"));
        for text in [
            "",
            "eu",
            "eu-central",
            "eu-centrl-1",
            "mars-north-1",
            "eu-central-1a",
            "eu-central-0",
            "EU-west-1",
            "de-east-1",
        ] {
            assert!(!has_form(text), "{text}");
        }
    }
}
