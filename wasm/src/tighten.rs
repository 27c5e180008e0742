//! The tightest policy for chosen features, region, account, subnets and instance types.

use crate::region::Partition;
use crate::statement::{Statement, Style, render};
use crate::tags::OURS;
use crate::verdict::{Assumed, Feature, SPOT_ROLE, Setup};

/// The policy's JSON, two spaces deep, ending with a line feed. Where the setup leaves
/// something open, a `*` stands.
#[must_use]
pub fn tighten(setup: &Setup) -> String {
    let style = Style::pretty();
    let all = statements(setup, &Assumed::default());
    let printed: Vec<String> = all.iter().map(|s| render(s, &style)).collect();
    format!(
        "{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {}\n  ]\n}}\n",
        printed.join(",\n    ")
    )
}

/// The policy's statements, with what was taken from another policy where the setup leaves something open.
pub(crate) fn statements(setup: &Setup, assumed: &Assumed) -> Vec<Statement> {
    let known = |given: &'_ Option<String>, taken: &'_ Option<String>| {
        let known = given.as_ref().or(taken.as_ref());
        known.map_or("*".to_owned(), String::clone)
    };
    let arns = Arns {
        partition: setup.partition_with(assumed),
        region: known(&setup.region, &assumed.region),
        account: known(&setup.account, &assumed.account),
    };
    let own = vec![arns.ec2("instance/*"), arns.ec2("volume/*")];
    let tagged = |key: &str| (format!("aws:{key}/{OURS}"), vec!["true".to_owned()]);
    let mut described = vec!["ec2:DescribeInstances", "ec2:DescribeSpotPriceHistory"];
    if setup.has(Feature::ImageByName) {
        described.push("ec2:DescribeImages");
    }
    let mut statements = vec![Statement {
        sid: "Describe",
        actions: described,
        resources: vec!["*".to_owned()],
        equals: match arns.region.as_str() {
            "*" => Vec::new(),
            region => vec![("aws:RequestedRegion".to_owned(), vec![region.to_owned()])],
        },
    }];
    launch(setup, &own, &tagged("RequestTag"), &mut statements);
    statements.push(Statement {
        sid: "LaunchInto",
        actions: vec!["ec2:RunInstances"],
        resources: arns.launched_into(setup),
        equals: Vec::new(),
    });
    statements.push(Statement {
        sid: "TagOnLaunch",
        actions: vec!["ec2:CreateTags"],
        resources: own.clone(),
        equals: vec![(
            "ec2:CreateAction".to_owned(),
            vec!["RunInstances".to_owned()],
        )],
    });
    let mut actions = vec!["ec2:TerminateInstances", "ec2:ModifyVolume"];
    if setup.has(Feature::Console) {
        actions.push("ec2:GetConsoleOutput");
    }
    if setup.has(Feature::Bake) {
        actions.push("ec2:CreateImage");
    }
    statements.push(Statement {
        sid: "ManageOwn",
        actions,
        resources: own,
        equals: vec![tagged("ResourceTag")],
    });
    features(setup, &arns, &mut statements);
    statements
}

// What the ARNs begin with.
struct Arns {
    partition: &'static Partition,
    region: String,
    account: String,
}

impl Arns {
    fn ec2(&self, rest: &str) -> String {
        let Self {
            region, account, ..
        } = self;
        format!("arn:{}:ec2:{region}:{account}:{rest}", self.partition.name)
    }

    fn role(&self, name: &str) -> Vec<String> {
        let Self {
            partition, account, ..
        } = self;
        vec![format!("arn:{}:iam::{account}:role/{name}", partition.name)]
    }

    // What a launch uses and does not create, and the network interface, which it creates without tags.
    fn launched_into(&self, setup: &Setup) -> Vec<String> {
        let each = |kind: &str, ids: &[String]| -> Vec<String> {
            if ids.is_empty() {
                return vec![self.ec2(&format!("{kind}/*"))];
            }
            distinct(ids)
                .iter()
                .map(|id| self.ec2(&format!("{kind}/{id}")))
                .collect()
        };
        let (partition, region) = (self.partition.name, &self.region);
        let image = |id: &str| format!("arn:{partition}:ec2:{region}::image/{id}");
        let mut into: Vec<String> = if setup.images.is_empty() {
            vec![image("*")]
        } else {
            distinct(&setup.images).iter().map(|id| image(id)).collect()
        };
        into.extend(each("subnet", &setup.subnets));
        into.extend(each("security-group", &setup.security_groups));
        into.push(self.ec2("network-interface/*"));
        if setup.has(Feature::LaunchTemplate) {
            into.push(self.ec2("launch-template/*"));
        }
        if setup.has(Feature::CapacityReservation) {
            into.push(self.ec2("capacity-reservation/*"));
        }
        into
    }
}

fn distinct(values: &[String]) -> Vec<String> {
    let mut all = values.to_vec();
    all.sort_unstable();
    all.dedup();
    all
}

// The instance type is a key of the instance alone: a volume's request does not carry it.
fn launch(
    setup: &Setup,
    own: &[String],
    tag: &(String, Vec<String>),
    statements: &mut Vec<Statement>,
) {
    let statement = |sid, resources: &[String], equals| Statement {
        sid,
        actions: vec!["ec2:RunInstances"],
        resources: resources.to_vec(),
        equals,
    };
    if setup.instance_types.is_empty() {
        statements.push(statement("LaunchTagged", own, vec![tag.clone()]));
        return;
    }
    let types = (
        "ec2:InstanceType".to_owned(),
        distinct(&setup.instance_types),
    );
    let (instance, volume) = own.split_at(1);
    statements.push(statement(
        "LaunchTagged",
        instance,
        vec![tag.clone(), types],
    ));
    statements.push(statement("LaunchVolume", volume, vec![tag.clone()]));
}

// Images and snapshots carry no account in their ARNs: our tag is what keeps others' out.
fn bake(arns: &Arns, statements: &mut Vec<Statement>) {
    let (partition, region) = (arns.partition.name, &arns.region);
    let kinds = ["image", "snapshot"];
    let baked = kinds.map(|kind| format!("arn:{partition}:ec2:{region}::{kind}/*"));
    let tagged = |key: &str| vec![(format!("aws:{key}/{OURS}"), vec!["true".to_owned()])];
    let on_create = vec![(
        "ec2:CreateAction".to_owned(),
        vec!["CreateImage".to_owned()],
    )];
    let rows = [
        ("BakeImage", vec!["ec2:CreateImage"], tagged("RequestTag")),
        ("TagOnBake", vec!["ec2:CreateTags"], on_create),
        (
            "RemoveOwnImages",
            vec!["ec2:DeregisterImage", "ec2:DeleteSnapshot"],
            tagged("ResourceTag"),
        ),
    ];
    statements.extend(rows.map(|(sid, actions, equals)| Statement {
        sid,
        actions,
        resources: baked.to_vec(),
        equals,
    }));
}

fn features(setup: &Setup, arns: &Arns, statements: &mut Vec<Statement>) {
    if setup.has(Feature::InstanceProfile) {
        let services = arns.partition.ec2_principals.iter();
        statements.push(Statement {
            sid: "PassRole",
            actions: vec!["iam:PassRole"],
            resources: arns.role(setup.role.as_deref().unwrap_or("*")),
            equals: vec![(
                "iam:PassedToService".to_owned(),
                services.map(|s| (*s).to_owned()).collect(),
            )],
        });
    }
    if setup.has(Feature::SpotServiceLinkedRole) {
        statements.push(Statement {
            sid: "CreateSpotRole",
            actions: vec!["iam:CreateServiceLinkedRole"],
            resources: arns.role(SPOT_ROLE),
            equals: vec![(
                "iam:AWSServiceName".to_owned(),
                vec!["spot.amazonaws.com".to_owned()],
            )],
        });
    }
    if setup.has(Feature::Bake) {
        bake(arns, statements);
    }
    if setup.has(Feature::SsmImageParameter) {
        let (partition, region) = (arns.partition.name, &arns.region);
        // Public parameters belong to no account.
        statements.push(Statement {
            sid: "ReadImage",
            actions: vec!["ssm:GetParameters"],
            resources: vec![format!(
                "arn:{partition}:ssm:{region}::parameter/aws/service/*"
            )],
            equals: Vec::new(),
        });
    }
}
