//! What is known of the requests: regions, account, ids. `policy`, `tighten` and the page take the same.

use std::str::FromStr;

use clap::{Arg, ArgAction, ArgMatches, Command};
use sprinters_policy::region::PARTITIONS;
use sprinters_policy::{Feature, Setup};

use crate::inputs::InputError;
use crate::values::account::AccountId;
use crate::values::image::is_resource_id;
use crate::values::instance_type::InstanceType;
use crate::values::list::{self, word};
use crate::values::network::SecurityGroup;
use crate::values::region::Region;

/// The flags: name, placeholder, help, and whether several values may stand there.
const FLAGS: [(&str, &str, &str, bool); 8] = [
    ("region", "REGION", "The regions, separated by commas", true),
    ("account", "ACCOUNT", "The account, its 12 digits", false),
    (
        "partition",
        "PARTITION",
        "The partition, if it is not the region's: `aws`, `aws-us-gov`, `aws-cn`, `aws-eusc`, …",
        false,
    ),
    (
        "image",
        "AMI",
        "The images; of several regions as `us-west-2=ami-…`, and so subnets and groups",
        true,
    ),
    ("subnet", "SUBNET", "The subnets", true),
    ("security-group", "GROUP", "The security groups", true),
    ("instance-type", "TYPE", "The instance types", true),
    (
        "role",
        "ROLE",
        "The role of the instance profile, its path and name",
        false,
    ),
];

/// Adds the flags; `unsaid` tells what holds where one is left out.
pub(super) fn arguments(command: Command, unsaid: &str) -> Command {
    command.args(FLAGS.map(|(name, value, help, several)| {
        let arg = Arg::new(name)
            .long(name)
            .value_name(value)
            .help(format!("{help} [default: {unsaid}]"));
        if several {
            // One value a flag: what follows it is a file of `policy`.
            arg.action(ArgAction::Append)
        } else {
            arg
        }
    }))
}

/// The flags that were given, as one text each.
pub(super) fn given(matches: &ArgMatches) -> impl Iterator<Item = (&'static str, String)> {
    FLAGS.into_iter().filter_map(|(name, ..)| {
        let values = matches.get_many::<String>(name)?;
        Some((name, values.cloned().collect::<Vec<_>>().join(",")))
    })
}

/// Reads them with the validators that `start` has.
pub(super) fn parse(
    features: Vec<Feature>,
    text: impl Fn(&str) -> Option<String>,
) -> (Setup, Vec<InputError>) {
    let mut wrong = Vec::new();
    let mut valid = |name: &'static str, check: fn(&str) -> Result<(), String>| -> Vec<String> {
        let text = text(name).unwrap_or_default();
        let (good, bad): (Vec<&str>, Vec<&str>) =
            list::entries(&text).partition(|entry| check(entry).is_ok());
        for entry in bad {
            if let Err(accepted) = check(entry) {
                wrong.push(InputError::wrong(name, entry, &accepted));
            }
        }
        good.into_iter().map(str::to_owned).collect()
    };
    let setup = Setup {
        features,
        regions: valid("region", is::<Region>),
        account: valid("account", is::<AccountId>).pop(),
        partition: valid("partition", partition).pop(),
        images: valid("image", image),
        subnets: valid("subnet", subnet),
        security_groups: valid("security-group", |text| is::<SecurityGroup>(id(text)?)),
        instance_types: valid("instance-type", is::<InstanceType>),
        role: valid("role", role).pop(),
    };
    let placed = [
        ("image", &setup.images),
        ("subnet", &setup.subnets),
        ("security-group", &setup.security_groups),
    ];
    for (name, entries) in placed {
        wrong.extend(misplaced(name, entries, &setup.regions));
    }
    (setup, wrong)
}

// An id exists in one region alone: with several each says in which, and with one it need not.
fn misplaced<'a>(
    name: &'static str,
    entries: &'a [String],
    regions: &'a [String],
) -> impl Iterator<Item = InputError> + use<'a> {
    entries.iter().filter_map(move |entry| {
        let accepted = match entry.split_once('=') {
            Some((region, _)) if !regions.iter().any(|known| known == region) => {
                format!("ids of the regions that `--region` lists; add `{region}` there")
            }
            None if regions.len() > 1 => {
                let first = regions.first().map_or("", String::as_str);
                format!("ids with their regions where there are several: write `{first}={entry}`")
            }
            _ => return None,
        };
        Some(InputError::wrong(name, entry, &accepted))
    })
}

// The id alone, behind the region that it may name.
fn id(text: &str) -> Result<&str, String> {
    match text.split_once('=') {
        Some((region, id)) => is::<Region>(region).map(|()| id),
        None => Ok(text),
    }
}

fn is<T: FromStr<Err = String>>(text: &str) -> Result<(), String> {
    text.parse::<T>().map(drop)
}

fn partition(text: &str) -> Result<(), String> {
    word(text, &PARTITIONS.map(|p| (p.name, ()))).map(drop)
}

fn image(text: &str) -> Result<(), String> {
    if is_resource_id(id(text)?, "ami-") {
        return Ok(());
    }
    Err("an image's id such as `ami-0123456789abcdef0`".to_owned())
}

fn subnet(text: &str) -> Result<(), String> {
    if is_resource_id(id(text)?, "subnet-") {
        return Ok(());
    }
    Err("a subnet's id such as `subnet-0123456789abcdef0`".to_owned())
}

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-names
fn role(text: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "+=,.@-_".contains(c);
    let is_name = |part: &str| !part.is_empty() && part.chars().all(plain);
    if text.split('/').all(is_name) {
        return Ok(());
    }
    Err("a role's name, with its path before it where it has one, such as `ci/runner`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &'static str, value: &str) -> (Setup, Vec<InputError>) {
        parse(Vec::new(), |asked| {
            (asked == name).then(|| value.to_owned())
        })
    }

    #[test]
    fn what_start_would_refuse_is_refused_here() {
        for (name, value) in [
            ("region", "eu-centrl-1"),
            ("account", "1234"),
            ("partition", "aws-gov"),
            ("image", "ubuntu"),
            ("subnet", "subnet-1,subnet-0123456789abcdef0"),
            ("security-group", "default"),
            ("instance-type", "m7i"),
            ("role", "a role"),
        ] {
            let (_, wrong) = read(name, value);
            assert_eq!(wrong.len(), 1, "{name}");
            assert!(wrong.iter().all(|error| error.input == name), "{wrong:?}");
        }
    }

    #[test]
    fn ids_have_their_regions_where_there_are_several() {
        let read = |regions: &str, subnet: &str| {
            let (setup, wrong) = parse(Vec::new(), |asked| match asked {
                "region" => Some(regions.to_owned()),
                "subnet" => Some(subnet.to_owned()),
                _ => None,
            });
            let wrong: Vec<_> = wrong.iter().map(ToString::to_string).collect();
            (setup, wrong.concat())
        };
        let own = "us-west-2=subnet-0123456789abcdef0";
        let (setup, wrong) = read("us-east-1,us-west-2", own);
        assert_eq!(setup.regions, ["us-east-1", "us-west-2"]);
        assert!(setup.subnets == [own] && wrong.is_empty(), "{wrong}");
        for (regions, subnet, why) in [
            (
                "us-east-1,us-west-2",
                "subnet-0123456789abcdef0",
                "write `us-east-1=subnet-",
            ),
            ("us-east-1", own, "add `us-west-2`"),
            (
                "us-east-1",
                "us-wst-2=subnet-0123456789abcdef0",
                "did you mean",
            ),
        ] {
            let (_, wrong) = read(regions, subnet);
            assert!(wrong.contains(why), "{wrong}");
        }
    }

    #[test]
    fn lists_are_lists() {
        let (setup, wrong) = read("instance-type", "m7i.large, m7a.large");
        assert_eq!(setup.instance_types, ["m7i.large", "m7a.large"]);
        assert!(wrong.is_empty());
    }

    #[test]
    fn a_role_may_have_a_path_and_what_iam_takes_in_names() {
        for good in ["ci", "ci/runner", "a+=,.@-_b"] {
            assert_eq!(role(good), Ok(()), "{good}");
        }
        for bad in ["", "/ci", "ci/", "a b", "é", "ci:x"] {
            assert!(role(bad).is_err(), "{bad}");
        }
    }
}
