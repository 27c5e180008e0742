//! The requests that Sprinters makes, as the book tells of them: one of the many that a setup can lead to, with everything
//! that it carries. What nobody knows beforehand is drawn by lot.

use std::collections::BTreeMap;

use super::evaluator::Request;
use super::random::Random;

/// What the caller said of the setup; the rest is drawn by lot.
#[derive(Clone, Debug, Default)]
pub struct Said {
    pub region: Option<String>,
    pub account: Option<String>,
    pub image: Option<String>,
    pub subnet: Option<String>,
    pub group: Option<String>,
    pub types: Vec<String>,
}

/// The action and the resource type of every request that needs no feature.
pub const ALL: [(&str, &str); 12] = [
    ("ec2:RunInstances", "image"),
    ("ec2:RunInstances", "instance"),
    ("ec2:RunInstances", "network-interface"),
    ("ec2:RunInstances", "security-group"),
    ("ec2:RunInstances", "subnet"),
    ("ec2:RunInstances", "volume"),
    ("ec2:CreateTags", "instance"),
    ("ec2:CreateTags", "volume"),
    ("ec2:DescribeInstances", "*"),
    ("ec2:ModifyVolume", "volume"),
    ("ec2:TerminateInstances", "instance"),
    ("ec2:DescribeSpotPriceHistory", "*"),
];

/// The tags of every launch, and those of some.
const ALWAYS: [&str; 6] = [
    "Name",
    "sprinters:repository",
    "sprinters:runner-id",
    "sprinters:expires",
    "sprinters:root",
    "sprinters:sprinters",
];
const SOMETIMES: [&str; 4] = [
    "sprinters:temp",
    "sprinters:scope",
    "sprinters:job-id",
    "team",
];

struct Draft<'r> {
    random: &'r mut Random,
    context: BTreeMap<String, Vec<String>>,
}

impl Draft<'_> {
    fn set(&mut self, key: &str, value: &str) {
        self.context
            .insert(key.to_ascii_lowercase(), vec![value.to_owned()]);
    }

    /// One of the values, or none at all.
    fn perhaps(&mut self, key: &str, values: &[&str]) {
        if self.random.once_in(2) {
            let value = self.random.one(values).to_owned();
            self.set(key, &value);
        }
    }

    fn id(&mut self, head: &str) -> String {
        let digits: String = (0..17)
            .map(|_| char::from(b"0123456789abcdef"[self.random.below(16)]))
            .collect();
        format!("{head}{digits}")
    }

    // A launch has one set of tags, the ones of every launch among them.
    fn tags(&mut self, head: &str) -> Vec<String> {
        let mut keys: Vec<String> = ALWAYS.iter().map(|&key| key.to_owned()).collect();
        for key in SOMETIMES {
            if self.random.once_in(2) {
                keys.push(key.to_owned());
            }
        }
        for key in &keys {
            let value = match key.as_str() {
                "sprinters:sprinters" => "true",
                "team" => self.random.one(&["ci", "web"]),
                _ => "some value",
            };
            self.set(&format!("{head}{key}"), value);
        }
        keys
    }

    // What lies in the account already carries anything.
    fn foreign_tags(&mut self) {
        for prefix in ["aws", "ec2"] {
            self.perhaps(&format!("{prefix}:ResourceTag/team"), &["ci", "web"]);
            self.perhaps(
                &format!("{prefix}:ResourceTag/sprinters:sprinters"),
                &["true", "false"],
            );
        }
    }
}

/// One of the requests about the action and resource type.
pub fn one(random: &mut Random, action: &str, resource: &str, said: &Said) -> Request {
    let mut draft = Draft {
        random,
        context: BTreeMap::new(),
    };
    let drawn = |draft: &mut Draft<'_>, said: &Option<String>, all: &[&str]| match said {
        Some(said) => said.clone(),
        None => draft.random.one(all).to_owned(),
    };
    let region = drawn(
        &mut draft,
        &said.region,
        &["eu-central-1", "eu-west-1", "us-east-1"],
    );
    let account = drawn(
        &mut draft,
        &said.account,
        &["111122223333", "444455556666", "777788889999"],
    );
    everywhere(&mut draft, &region, &account);
    let named = |draft: &mut Draft<'_>, said: &Option<String>, head: &str| match said {
        Some(id) => id.clone(),
        None => draft.id(head),
    };
    let (image, subnet) = (
        named(&mut draft, &said.image, "ami-"),
        named(&mut draft, &said.subnet, "subnet-"),
    );
    let group = named(&mut draft, &said.group, "sg-");
    let subnet_arn = format!("arn:aws:ec2:{region}:{account}:subnet/{subnet}");
    let launch = action == "ec2:RunInstances";
    let rest = match (action, resource) {
        (_, "*") => {
            return Request {
                action: action.to_owned(),
                resource: "*".to_owned(),
                context: draft.context,
            };
        }
        (_, "image") => {
            draft.set("ec2:ImageID", &image);
            draft.foreign_tags();
            let arn = format!("arn:aws:ec2:{region}::image/{image}");
            return Request {
                action: action.to_owned(),
                resource: arn,
                context: draft.context,
            };
        }
        (_, "subnet") => {
            draft.set("ec2:SubnetID", &subnet);
            draft.foreign_tags();
            format!("subnet/{subnet}")
        }
        (_, "security-group") => {
            draft.set("ec2:SecurityGroupID", &group);
            draft.foreign_tags();
            format!("security-group/{group}")
        }
        (_, "network-interface") => {
            draft.set("ec2:Subnet", &subnet_arn);
            "network-interface/*".to_owned()
        }
        ("ec2:RunInstances" | "ec2:CreateTags", created) => {
            let keys = draft.tags("aws:RequestTag/");
            draft.context.insert("aws:tagkeys".to_owned(), keys);
            if !launch {
                draft.set("ec2:CreateAction", "RunInstances");
            }
            format!("{created}/*")
        }
        (_, kept) => {
            draft.tags("aws:ResourceTag/");
            let same: Vec<_> = draft
                .context
                .iter()
                .filter_map(|(key, value)| {
                    let tag = key.strip_prefix("aws:resourcetag/")?;
                    Some((format!("ec2:resourcetag/{tag}"), value.clone()))
                })
                .collect();
            draft.context.extend(same);
            let id = draft.id(if kept == "volume" { "vol-" } else { "i-" });
            format!("{kept}/{id}")
        }
    };
    kind_of_resource(&mut draft, action, resource, said);
    Request {
        action: action.to_owned(),
        resource: format!("arn:aws:ec2:{region}:{account}:{rest}"),
        context: draft.context,
    }
}

fn everywhere(draft: &mut Draft<'_>, region: &str, account: &str) {
    draft.set("aws:RequestedRegion", region);
    draft.set("ec2:Region", region);
    draft.set("aws:PrincipalAccount", account);
    draft.set("aws:SecureTransport", "true");
    draft.set("aws:ViaAWSService", "false");
    draft.perhaps("aws:SourceIp", &["203.0.113.9", "198.51.100.7"]);
    draft.perhaps("aws:PrincipalTag/team", &["ci", "web"]);
    draft.perhaps("aws:MultiFactorAuthPresent", &["false"]);
    let name = draft.random.one(&["ci", "deploy"]).to_owned();
    draft.set(
        "aws:PrincipalArn",
        &format!("arn:aws:iam::{account}:role/{name}"),
    );
}

fn kind_of_resource(draft: &mut Draft<'_>, action: &str, resource: &str, said: &Said) {
    let launch = action == "ec2:RunInstances";
    let types: Vec<&str> = said.types.iter().map(String::as_str).collect();
    let types = if types.is_empty() {
        vec!["m7i.large", "c7g.xlarge", "t3.micro"]
    } else {
        types
    };
    match (action, resource) {
        // The tagging of a launch tells of the instance what EC2 likes to tell.
        ("ec2:CreateTags", "instance") => {
            draft.perhaps("ec2:InstanceType", &["m7i.large", "c7g.xlarge"]);
        }
        ("ec2:CreateTags", "volume") => draft.perhaps("ec2:VolumeType", &["gp3"]),
        (_, "instance") => {
            let kind = draft.random.one(&types).to_owned();
            draft.set("ec2:InstanceType", &kind);
            if launch {
                draft.set("ec2:MetadataHttpTokens", "required");
                draft.perhaps("ec2:IsLaunchTemplateResource", &["false"]);
                draft.perhaps("ec2:InstanceMarketType", &["spot"]);
            } else {
                draft.perhaps("ec2:MetadataHttpTokens", &["required"]);
            }
        }
        (_, "volume") => {
            draft.set("ec2:VolumeType", "gp3");
            draft.set("ec2:Encrypted", "true");
        }
        _ => {}
    }
}
