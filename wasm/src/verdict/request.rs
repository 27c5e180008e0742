//! The requests that Sprinters makes, with everything that is known of them.

use super::{Assumed, Feature, Setup};
use crate::data;
use crate::evaluate::{Fact, Facts, Target};
use crate::pattern::same_name;
use crate::region::Partition;
use crate::tags::{self, Carried, Tag};
use crate::text::{self, IntoList, Own};

/// One request about one resource type.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) action: &'static str,
    pub(crate) resource: &'static str,
    /// One for each subnet or group that is known, else one.
    pub(crate) targets: Vec<Target>,
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
    /// Creates an image or a snapshot with the tags of a bake, which are fewer than a runner's.
    Bakes,
    /// Acts on an image or a snapshot that a bake tagged.
    OwnsBaked,
}

// The shape of a request's ARN; `{}` and `{account}` stand for what is not known.
#[derive(Clone, Copy)]
enum Shape {
    /// The action knows only `*`.
    Star,
    /// A resource that the launch creates: it has no id yet, and EC2 asks for `TYPE/*`.
    New(&'static str),
    /// A resource of ours, by its id: type and prefix of the id.
    Own(&'static str, &'static str),
    SecurityGroup,
    Subnet,
    Image,
    LaunchTemplate,
    CapacityReservation,
    /// An image or a snapshot that is made, or one of ours: no account stands in its ARN.
    Baked(&'static str, &'static str),
    Role,
    SpotRole,
    Parameter,
}

struct Row(&'static str, &'static str, Shape, Kind, Option<Feature>);

/// A row for each request: action, resource type, ARN, the tags it carries, the feature that makes it; in the order of the verdict.
#[rustfmt::skip]
const ROWS: [Row; 26] = {
    use Feature::{Bake, Console, ImageByName, InstanceProfile, SpotServiceLinkedRole, SsmImageParameter};
    use Kind::{Bakes, Creates, CreatesUntagged, Owns, OwnsBaked, Plain, Uses};
    use Shape::{Baked, CapacityReservation, Image, LaunchTemplate, New, Own, Parameter, Role, SecurityGroup, SpotRole, Star, Subnet};
    [
        Row("ec2:RunInstances", "image", Image, Uses, None),
        Row("ec2:RunInstances", "instance", New("instance"), Creates, None),
        Row("ec2:RunInstances", "network-interface", New("network-interface"), CreatesUntagged, None),
        Row("ec2:RunInstances", "security-group", SecurityGroup, Uses, None),
        Row("ec2:RunInstances", "subnet", Subnet, Uses, None),
        Row("ec2:RunInstances", "volume", New("volume"), Creates, None),
        Row("ec2:RunInstances", "launch-template", LaunchTemplate, Uses, Some(Feature::LaunchTemplate)),
        Row("ec2:RunInstances", "capacity-reservation", CapacityReservation, Uses, Some(Feature::CapacityReservation)),
        Row("ec2:CreateTags", "instance", New("instance"), Creates, None),
        Row("ec2:CreateTags", "volume", New("volume"), Creates, None),
        Row("ec2:CreateTags", "image", Baked("image", "ami-{}"), Bakes, Some(Bake)),
        Row("ec2:CreateTags", "snapshot", Baked("snapshot", "snap-{}"), Bakes, Some(Bake)),
        Row("ec2:DescribeInstances", "*", Star, Plain, None),
        Row("ec2:ModifyVolume", "volume", Own("volume", "vol-"), Owns, None),
        Row("ec2:TerminateInstances", "instance", Own("instance", "i-"), Owns, None),
        Row("ec2:DescribeSpotPriceHistory", "*", Star, Plain, None),
        Row("iam:PassRole", "role", Role, Uses, Some(InstanceProfile)),
        Row("iam:CreateServiceLinkedRole", "role", SpotRole, CreatesUntagged, Some(SpotServiceLinkedRole)),
        Row("ssm:GetParameters", "parameter", Parameter, Uses, Some(SsmImageParameter)),
        Row("ec2:GetConsoleOutput", "instance", Own("instance", "i-"), Owns, Some(Console)),
        Row("ec2:DescribeImages", "*", Star, Plain, Some(ImageByName)),
        Row("ec2:CreateImage", "instance", Own("instance", "i-"), Owns, Some(Bake)),
        Row("ec2:CreateImage", "image", Baked("image", "*"), Bakes, Some(Bake)),
        Row("ec2:CreateImage", "snapshot", Baked("snapshot", "*"), Bakes, Some(Bake)),
        Row("ec2:DeregisterImage", "image", Baked("image", "ami-{}"), OwnsBaked, Some(Bake)),
        Row("ec2:DeleteSnapshot", "snapshot", Baked("snapshot", "snap-{}"), OwnsBaked, Some(Bake)),
    ]
};

/// Keys of EC2's for what a launch of ours has only where a launch template brings it along.
const UNUSED: [&str; 7] = [
    "AuthorizedService",
    "CpuOptionsAmdSevSnp",
    "KeyPairName",
    "KeyPairType",
    "LaunchTemplate",
    "ManagedResourceOperator",
    "PlacementGroup",
];

/// The role that EC2 creates for spot in an account that never used it.
pub(crate) const SPOT_ROLE: &str = "aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot";

// What the ARNs of one setup begin with.
struct Arns<'s> {
    setup: &'s Setup,
    partition: &'s str,
    region: &'s str,
    account: &'s str,
}

impl Arns<'_> {
    fn targets(&self, shape: Shape) -> Vec<Target> {
        let Self {
            setup,
            partition,
            region,
            account,
        } = self;
        let ec2 =
            |rest: &str| Target::open(&format!("arn:{partition}:ec2:{region}:{account}:{rest}"));
        let each = |kind: &str, prefix: &str, ids: &[String]| -> Vec<Target> {
            if ids.is_empty() {
                return vec![ec2(&format!("{kind}/{prefix}{{}}"))];
            }
            ids.iter().map(|id| ec2(&format!("{kind}/{id}"))).list()
        };
        let image = |id: &str| Target::open(&format!("arn:{partition}:ec2:{region}::image/{id}"));
        let role = |name: &str| {
            vec![Target::open(&format!(
                "arn:{partition}:iam::{account}:role/{name}"
            ))]
        };
        match shape {
            Shape::Star => vec![Target::known("*")],
            Shape::New(kind) => vec![ec2(&format!("{kind}/*"))],
            Shape::Own(kind, prefix) => each(kind, prefix, &[]),
            Shape::SecurityGroup => each("security-group", "sg-", &setup.security_groups),
            Shape::Subnet => each("subnet", "subnet-", &setup.subnets),
            Shape::LaunchTemplate => each("launch-template", "lt-", &[]),
            Shape::CapacityReservation => each("capacity-reservation", "cr-", &[]),
            Shape::Baked(kind, id) => vec![Target::open(&format!(
                "arn:{partition}:ec2:{region}::{kind}/{id}"
            ))],
            Shape::Image if setup.images.is_empty() => vec![image("ami-{}")],
            Shape::Image => setup.images.iter().map(|id| image(id)).list(),
            Shape::Role => role(setup.role.as_deref().unwrap_or("{}")),
            Shape::SpotRole => role(SPOT_ROLE),
            Shape::Parameter => vec![Target::open(&format!(
                "arn:{partition}:ssm:{region}::parameter/aws/service/{{}}"
            ))],
        }
    }
}

/// The requests that must be allowed, with what is known of them.
#[derive(Debug)]
pub(crate) struct RequiredRequests {
    setup: Setup,
    partition: &'static Partition,
    region: Option<String>,
    account: Option<String>,
    subnet_arns: Vec<String>,
    requests: Vec<Asked>,
}

/// The requests in each of the setup's regions, or in a region that nobody knows.
pub(crate) fn required_requests(setup: &Setup, assumed: &Assumed) -> Vec<RequiredRequests> {
    let regions = if setup.regions.is_empty() {
        &assumed.regions
    } else {
        &setup.regions
    };
    let one = |region: Option<&str>| {
        let own = setup.in_region(region);
        RequiredRequests::new(own, region.map(Own::own), assumed)
    };
    if regions.is_empty() {
        return vec![one(None)];
    }
    regions.iter().map(|region| one(Some(region))).list()
}

impl RequiredRequests {
    fn new(setup: Setup, region: Option<String>, assumed: &Assumed) -> Self {
        let account = setup.account.clone().or_else(|| assumed.account.clone());
        let partition = setup.partition_with(assumed);
        let arns = Arns {
            setup: &setup,
            partition: partition.name,
            region: region.as_deref().unwrap_or("{}"),
            account: account.as_deref().unwrap_or("{account}"),
        };
        let asked = |row: &Row| {
            let Row(action, resource, shape, kind, _) = *row;
            Asked {
                action,
                resource,
                targets: arns.targets(shape),
                kind,
            }
        };
        let chosen = |Row(.., feature): &&Row| feature.is_none_or(|f| setup.has(f));
        let requests = ROWS.iter().filter(chosen).map(asked).list();
        let subnet_arns = match (&region, &account) {
            (Some(r), Some(a)) => setup
                .subnets
                .iter()
                .map(|id| format!("arn:{}:ec2:{r}:{a}:subnet/{id}", partition.name))
                .list(),
            _ => Vec::new(),
        };
        Self {
            setup,
            partition,
            region,
            account,
            subnet_arns,
            requests,
        }
    }

    /// Those that the chosen features make.
    pub(crate) fn all(&self) -> &[Asked] {
        &self.requests
    }

    fn has(&self, feature: Feature) -> bool {
        self.setup.has(feature)
    }

    pub(crate) fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }
}

/// What one request carries.
pub(crate) struct FactSheet<'f> {
    asked: &'f Asked,
    required: &'f RequiredRequests,
}

impl<'f> FactSheet<'f> {
    pub(crate) fn new(asked: &'f Asked, required: &'f RequiredRequests) -> Self {
        Self { asked, required }
    }

    fn tag(name: &str) -> Fact<'static> {
        match tags::ALL.iter().find(|tag| same_name(tag.key, name)) {
            Some(Tag {
                value: Some(value), ..
            }) => Fact::Values(vec![*value]),
            Some(tag) if tag.carried == Carried::Always => Fact::Present,
            // The `tags` input may add any other.
            _ => Fact::Unknown,
        }
    }

    // A bake's tags: of a runner's only the one that says whose it is has a value that is known here.
    fn baked_tag(name: &str) -> Fact<'static> {
        if same_name(name, tags::OURS) {
            Self::tag(name)
        } else {
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
                Kind::Bakes => Self::baked_tag(tag),
                Kind::CreatesUntagged => Fact::Absent,
                _ => Fact::Never,
            });
        }
        if let Some(tag) = strip(name, "ResourceTag/") {
            return Some(match self.asked.kind {
                Kind::OwnsBaked => Self::baked_tag(tag),
                Kind::Owns => Self::tag(tag),
                Kind::Uses => Fact::Unknown,
                _ => Fact::Never,
            });
        }
        let is = |known: &str| same_name(name, known);
        Some(if is("TagKeys") {
            match self.asked.kind {
                Kind::Creates => Fact::TagKeys,
                Kind::Bakes => Fact::Unknown,
                Kind::CreatesUntagged => Fact::Absent,
                _ => Fact::Never,
            }
        } else if is("RequestedRegion") {
            match self.asked.action {
                // IAM is one service for the whole partition.
                action if action.starts_with("iam:") => {
                    Fact::Values(vec![self.required.partition.home])
                }
                _ => known(&self.required.region),
            }
        } else if is("PrincipalAccount") {
            known(&self.required.account)
        } else if is("ResourceAccount") {
            match self.asked.resource {
                // Images and public parameters belong to others.
                "image" | "parameter" => Fact::Unknown,
                _ => known(&self.required.account),
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
            return Some(match &self.required.region {
                Some(region) => Fact::Values(vec![region]),
                None => Fact::Present,
            });
        }
        if let Some(tag) = strip(name, "ResourceTag/") {
            return Some(match asked.kind {
                Kind::OwnsBaked => Self::baked_tag(tag),
                Kind::Owns => Self::tag(tag),
                Kind::Uses => Fact::Unknown,
                _ => Fact::Never,
            });
        }
        let launch = asked.action == "ec2:RunInstances";
        if launch && let Some(fact) = self.template(name) {
            return Some(fact);
        }
        let setup = &self.required.setup;
        match asked.resource {
            "instance" if asked.action != "ec2:CreateTags" => match () {
                () if is("MetadataHttpTokens") => value("required"),
                () if is("MetadataHttpEndpoint") => value("enabled"),
                // So that containers reach the profile's credentials.
                () if is("MetadataHttpPutResponseHopLimit") => {
                    value(if self.required.has(Feature::InstanceProfile) {
                        "2"
                    } else {
                        "1"
                    })
                }
                () if is("Tenancy") => value("default"),
                () if is("RootDeviceType") => value("ebs"),
                () if is("InstanceMarketType")
                    && !self.required.has(Feature::SpotServiceLinkedRole) =>
                {
                    Some(Fact::Unknown)
                }
                () if is("InstanceProfile") && !self.required.has(Feature::InstanceProfile) => {
                    Some(Fact::Absent)
                }
                () if is("InstanceType") => Some(one_of(&setup.instance_types)),
                () => None,
            },
            "volume" if asked.action != "ec2:CreateTags" => match () {
                () if is("VolumeType") => value("gp3"),
                () if is("Encrypted") => value("true"),
                () => None,
            },
            "image" if is("RootDeviceType") => value("ebs"),
            "image" if is("ImageType") => value("machine"),
            "image" if is("ImageID") => Some(one_of(&setup.images)),
            "subnet" if is("SubnetID") => Some(one_of(&setup.subnets)),
            "security-group" if is("SecurityGroupID") => Some(one_of(&setup.security_groups)),
            "network-interface" if is("Subnet") => Some(one_of(&self.required.subnet_arns)),
            _ if is("CreateAction") && asked.action == "ec2:CreateTags" => {
                value(if asked.kind == Kind::Bakes {
                    "CreateImage"
                } else {
                    "RunInstances"
                })
            }
            _ => None,
        }
    }

    // What only a launch template can bring into a launch.
    fn template(&self, name: &str) -> Option<Fact<'_>> {
        let is = |known: &&str| same_name(name, known);
        if self.required.has(Feature::LaunchTemplate) {
            return None;
        }
        if is(&"IsLaunchTemplateResource") {
            return Some(Fact::AbsentOr("false"));
        }
        UNUSED.iter().any(is).then_some(Fact::Absent)
    }

    // Whether the service's table lists the key for this action and resource type.
    fn can_carry(&self, key: &str) -> bool {
        let Some((prefix, name)) = text::cut(self.asked.action, b':') else {
            return false;
        };
        let Some(action) = data::service(prefix).and_then(|service| service.action(name)) else {
            return true;
        };
        let same = |listed: &str| data::fits(listed, key);
        let resource = action.resources().find(|r| r.name == self.asked.resource);
        action.keys().any(same) || resource.is_some_and(|r| r.keys().any(same))
    }
}

// One of the known values; some value where none is known.
fn one_of(values: &[String]) -> Fact<'_> {
    match values {
        [] => Fact::Present,
        [one] => Fact::Values(vec![one]),
        several => Fact::OneOf(several.iter().map(String::as_str).list()),
    }
}

fn strip<'k>(key: &'k str, head: &str) -> Option<&'k str> {
    let start = key.get(..head.len())?;
    same_name(start, head).then(|| &key[head.len()..])
}

impl Facts for FactSheet<'_> {
    fn fact(&self, key: &str) -> Fact<'_> {
        let Some((prefix, name)) = text::cut(key, b':') else {
            return Fact::Never;
        };
        let is = |known: &str| same_name(key, known);
        let known = match prefix {
            p if same_name(p, "aws") => {
                return self.global(name).unwrap_or_else(|| {
                    let exists = data::condition_key(None, key).is_some();
                    if exists { Fact::Unknown } else { Fact::Never }
                });
            }
            // EC2's keys stand in EC2's requests alone.
            p if same_name(p, "ec2") && self.asked.action.starts_with("ec2:") => self.ec2(name),
            _ if self.asked.action == "iam:PassRole" && is("iam:PassedToService") => {
                let all = self.required.partition.ec2_principals;
                Some(match all {
                    [one] => Fact::Values(vec![one]),
                    several => Fact::OneOf(several.to_vec()),
                })
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
