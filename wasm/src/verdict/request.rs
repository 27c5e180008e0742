//! The requests that Sprinters makes, with everything that is known of them.

use super::{Assumed, Feature, Setup};
use crate::data;
use crate::evaluate::{Fact, Facts, Target};
use crate::pattern::same_name;

/// The tag that policies scope on, on the instance and its volumes, always `true`.
pub(crate) const TAG: &str = "sprinters:sprinters";
/// All tags that Sprinters sets.
const TAGS: [&str; 11] = [
    TAG,
    "Name",
    "sprinters:repository",
    "sprinters:run-id",
    "sprinters:run-attempt",
    "sprinters:job",
    "sprinters:job-id",
    "sprinters:label",
    "sprinters:runner-id",
    "sprinters:expires",
    "sprinters:root",
];

/// One request about one resource type.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) action: &'static str,
    pub(crate) resource: &'static str,
    /// One for each subnet or group that is known, else one.
    pub(crate) targets: Vec<Target>,
    feature: Option<Feature>,
    kind: Kind,
}

// Which tags the request carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// None.
    Plain,
    /// Creates the resource with our tags.
    Creates,
    /// Creates the resource without tags.
    CreatesUntagged,
    /// Uses a resource of the account's.
    Uses,
    /// Acts on a resource that carries our tags.
    Owns,
}

/// What is known of the requests, with the requests made from it.
#[derive(Debug)]
pub(crate) struct Sprinters {
    region: Option<String>,
    account: Option<String>,
    instance_types: Vec<String>,
    subnet_arns: Vec<String>,
    profile: bool,
    spot: bool,
    requests: Vec<Asked>,
    features: Vec<Feature>,
}

impl Sprinters {
    #[expect(
        clippy::too_many_lines,
        reason = "one table: a row for each request, in the order of the verdict"
    )]
    pub(crate) fn new(setup: &Setup, assumed: &Assumed) -> Self {
        let region = setup.region.clone().or_else(|| assumed.region.clone());
        let account = setup.account.clone().or_else(|| assumed.account.clone());
        let (p, r, a) = (
            setup.partition.as_deref().unwrap_or("aws"),
            region.as_deref().unwrap_or("{}"),
            account.as_deref().unwrap_or("{account}"),
        );
        let ec2 = |rest: &str| Target::open(&format!("arn:{p}:ec2:{r}:{a}:{rest}"));
        let each = |kind: &str, ids: &[String]| -> Vec<Target> {
            if ids.is_empty() {
                return vec![ec2(&format!("{kind}/{{}}"))];
            }
            ids.iter().map(|id| ec2(&format!("{kind}/{id}"))).collect()
        };
        let role = setup.role.as_deref().unwrap_or("{}");
        let slr = "aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot";
        let one = |target: Target| vec![target];
        let ask = |action, resource, targets, kind, feature| Asked {
            action,
            resource,
            targets,
            feature,
            kind,
        };
        let requests = vec![
            ask(
                "ec2:RunInstances",
                "image",
                one(Target::open(&format!("arn:{p}:ec2:{r}::image/{{}}"))),
                Kind::Uses,
                None,
            ),
            ask(
                "ec2:RunInstances",
                "instance",
                one(ec2("instance/{}")),
                Kind::Creates,
                None,
            ),
            ask(
                "ec2:RunInstances",
                "network-interface",
                one(ec2("network-interface/{}")),
                Kind::CreatesUntagged,
                None,
            ),
            ask(
                "ec2:RunInstances",
                "security-group",
                each("security-group", &setup.security_groups),
                Kind::Uses,
                None,
            ),
            ask(
                "ec2:RunInstances",
                "subnet",
                each("subnet", &setup.subnets),
                Kind::Uses,
                None,
            ),
            ask(
                "ec2:RunInstances",
                "volume",
                one(ec2("volume/{}")),
                Kind::Creates,
                None,
            ),
            ask(
                "ec2:CreateTags",
                "instance",
                one(ec2("instance/{}")),
                Kind::Creates,
                None,
            ),
            ask(
                "ec2:CreateTags",
                "volume",
                one(ec2("volume/{}")),
                Kind::Creates,
                None,
            ),
            ask(
                "ec2:DescribeInstances",
                "*",
                one(Target::known("*")),
                Kind::Plain,
                None,
            ),
            ask(
                "ec2:ModifyVolume",
                "volume",
                one(ec2("volume/{}")),
                Kind::Owns,
                None,
            ),
            ask(
                "ec2:TerminateInstances",
                "instance",
                one(ec2("instance/{}")),
                Kind::Owns,
                None,
            ),
            ask(
                "ec2:DescribeSpotPriceHistory",
                "*",
                one(Target::known("*")),
                Kind::Plain,
                None,
            ),
            ask(
                "iam:PassRole",
                "role",
                one(Target::open(&format!("arn:{p}:iam::{a}:role/{role}"))),
                Kind::Uses,
                Some(Feature::InstanceProfile),
            ),
            ask(
                "iam:CreateServiceLinkedRole",
                "role",
                one(Target::open(&format!("arn:{p}:iam::{a}:role/{slr}"))),
                Kind::CreatesUntagged,
                Some(Feature::SpotServiceLinkedRole),
            ),
            ask(
                "ssm:GetParameters",
                "parameter",
                one(Target::open(&format!(
                    "arn:{p}:ssm:{r}::parameter/aws/service/{{}}"
                ))),
                Kind::Uses,
                Some(Feature::SsmImageParameter),
            ),
            ask(
                "ec2:GetConsoleOutput",
                "instance",
                one(ec2("instance/{}")),
                Kind::Owns,
                Some(Feature::Console),
            ),
        ];
        let subnet_arns = match (&region, &account) {
            (Some(_), Some(_)) => setup
                .subnets
                .iter()
                .map(|id| format!("arn:{p}:ec2:{r}:{a}:subnet/{id}"))
                .collect(),
            _ => Vec::new(),
        };
        Self {
            subnet_arns,
            instance_types: setup.instance_types.clone(),
            profile: setup.has(Feature::InstanceProfile),
            spot: setup.has(Feature::SpotServiceLinkedRole),
            features: setup.features.clone(),
            requests,
            region,
            account,
        }
    }
}

/// The requests that the chosen features make.
pub(crate) fn requests(sprinters: &Sprinters) -> impl Iterator<Item = &Asked> {
    let chosen = |asked: &&Asked| {
        asked
            .feature
            .is_none_or(|f| sprinters.features.contains(&f))
    };
    sprinters.requests.iter().filter(chosen)
}

/// What one request carries.
pub(crate) struct FactSheet<'f> {
    asked: &'f Asked,
    sprinters: &'f Sprinters,
}

impl<'f> FactSheet<'f> {
    pub(crate) fn new(asked: &'f Asked, sprinters: &'f Sprinters) -> Self {
        Self { asked, sprinters }
    }

    fn tag(name: &str) -> Fact<'static> {
        if same_name(name, TAG) {
            Fact::Values(vec!["true"])
        } else if TAGS.iter().any(|tag| same_name(tag, name)) {
            Fact::Present
        } else {
            // The `tags` input may add it.
            Fact::Unknown
        }
    }

    fn global(&self, name: &str) -> Option<Fact<'_>> {
        let known = |value: &'f Option<String>| match value {
            Some(value) => Fact::Values(vec![value.as_str()]),
            None => Fact::Present,
        };
        if let Some(tag) = strip(name, "RequestTag/") {
            return Some(match self.asked.kind {
                Kind::Creates => Self::tag(tag),
                Kind::CreatesUntagged => Fact::Absent,
                _ => Fact::Never,
            });
        }
        if let Some(tag) = strip(name, "ResourceTag/") {
            return Some(match self.asked.kind {
                Kind::Owns => Self::tag(tag),
                Kind::Uses => Fact::Unknown,
                _ => Fact::Never,
            });
        }
        let is = |known: &str| same_name(name, known);
        Some(if is("TagKeys") {
            match self.asked.kind {
                Kind::Creates => Fact::Values(TAGS.to_vec()),
                Kind::CreatesUntagged => Fact::Absent,
                _ => Fact::Never,
            }
        } else if is("RequestedRegion") {
            match self.asked.action {
                // IAM is one service for the whole partition.
                action if action.starts_with("iam:") => Fact::Values(vec!["us-east-1"]),
                _ => known(&self.sprinters.region),
            }
        } else if is("PrincipalAccount") {
            known(&self.sprinters.account)
        } else if is("ResourceAccount") {
            match self.asked.resource {
                // Images and public parameters belong to others.
                "image" | "parameter" => Fact::Unknown,
                _ => known(&self.sprinters.account),
            }
        } else if is("SecureTransport") {
            Fact::Values(vec!["true"])
        } else if is("ViaAWSService") || is("PrincipalIsAWSService") {
            Fact::Values(vec!["false"])
        } else if is("MultiFactorAuthPresent") {
            // Access keys carry none; a role's session may carry `false`.
            Fact::AbsentOr("false")
        } else if [
            "CalledVia",
            "CalledViaFirst",
            "CalledViaLast",
            "MultiFactorAuthAge",
        ]
        .iter()
        .any(|k| is(k))
        {
            Fact::Absent
        } else if is("PrincipalArn")
            || is("userid")
            || is("CurrentTime")
            || is("EpochTime")
            || is("PrincipalType")
            || is("UserAgent")
        {
            Fact::Present
        } else {
            return None;
        })
    }

    fn ec2(&self, name: &str) -> Option<Fact<'_>> {
        let is = |known: &str| same_name(name, known);
        let value = |text: &'static str| Some(Fact::Values(vec![text]));
        let asked = self.asked;
        if is("Region") {
            return Some(match &self.sprinters.region {
                Some(region) => Fact::Values(vec![region]),
                None => Fact::Present,
            });
        }
        if let Some(tag) = strip(name, "ResourceTag/") {
            return Some(match asked.kind {
                Kind::Owns => Self::tag(tag),
                Kind::Uses => Fact::Unknown,
                _ => Fact::Never,
            });
        }
        match (asked.action, asked.resource) {
            ("ec2:CreateTags", _) if is("CreateAction") => value("RunInstances"),
            (
                "ec2:RunInstances" | "ec2:TerminateInstances" | "ec2:GetConsoleOutput",
                "instance",
            ) => match () {
                () if is("MetadataHttpTokens") => value("required"),
                () if is("MetadataHttpPutResponseHopLimit") => value("1"),
                () if is("Tenancy") => value("default"),
                () if is("RootDeviceType") => value("ebs"),
                () if is("InstanceMarketType") && !self.sprinters.spot => Some(Fact::Unknown),
                () if is("InstanceProfile") && !self.sprinters.profile => Some(Fact::Absent),
                () if is("InstanceType") => Some(one_of(&self.sprinters.instance_types)),
                () => None,
            },
            ("ec2:RunInstances" | "ec2:ModifyVolume", "volume") => match () {
                () if is("VolumeType") => value("gp3"),
                () if is("Encrypted") => value("true"),
                () => None,
            },
            ("ec2:RunInstances", "image") if is("RootDeviceType") => value("ebs"),
            ("ec2:RunInstances", "image") if is("ImageType") => value("machine"),
            ("ec2:RunInstances", "network-interface") if is("Subnet") => {
                Some(one_of(&self.sprinters.subnet_arns))
            }
            _ => None,
        }
    }

    // Whether the service's table lists the key for this action and resource type.
    fn can_carry(&self, key: &str) -> bool {
        let Some((prefix, name)) = self.asked.action.split_once(':') else {
            return false;
        };
        let Some(action) = data::service(prefix).and_then(|service| service.action(name)) else {
            return true;
        };
        let same = |listed: &str| data::fits(listed, key);
        let resource = action
            .resources
            .iter()
            .find(|r| r.name == self.asked.resource);
        action.keys().any(same) || resource.is_some_and(|r| r.keys().any(same))
    }
}

// One of the known values; some value where none is known.
fn one_of(values: &[String]) -> Fact<'_> {
    match values {
        [] => Fact::Present,
        [one] => Fact::Values(vec![one]),
        several => Fact::OneOf(several.iter().map(String::as_str).collect()),
    }
}

fn strip<'k>(key: &'k str, head: &str) -> Option<&'k str> {
    let start = key.get(..head.len())?;
    same_name(start, head).then(|| &key[head.len()..])
}

impl Facts for FactSheet<'_> {
    fn fact(&self, key: &str) -> Fact<'_> {
        let Some((prefix, name)) = key.split_once(':') else {
            return Fact::Never;
        };
        let is = |known: &str| same_name(key, known);
        let known = match prefix {
            p if same_name(p, "aws") => {
                return self.global(name).unwrap_or_else(|| {
                    let exists = data::condition_key(key).is_some();
                    if exists { Fact::Unknown } else { Fact::Never }
                });
            }
            p if same_name(p, "ec2") => self.ec2(name),
            _ if self.asked.action == "iam:PassRole" && is("iam:PassedToService") => {
                Some(Fact::Values(vec!["ec2.amazonaws.com"]))
            }
            _ if self.asked.action == "iam:CreateServiceLinkedRole" && is("iam:AWSServiceName") => {
                Some(Fact::Values(vec!["spot.amazonaws.com"]))
            }
            _ => None,
        };
        match known {
            Some(fact) => fact,
            None if self.can_carry(key) => Fact::Unknown,
            None => Fact::Never,
        }
    }
}
