//! The tightest policy for chosen features, regions, account, subnets and instance types.

use crate::region::Partition;
use crate::statement::{Statement, Style, render};
use crate::tags::OURS;
use crate::text::{IntoList, Join, Own};
use crate::verdict::{Assumed, Feature, SPOT_ROLE, Setup, split_entry};

/// The policy's JSON, two spaces deep, ending with a line feed. Where the setup leaves
/// something open, a `*` stands.
#[must_use]
pub fn tighten(setup: &Setup) -> String {
    let style = Style::pretty();
    let all = statements(setup, &Assumed::default());
    let printed: Vec<String> = all.iter().map(|s| render(s, &style)).list();
    format!(
        "{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {}\n  ]\n}}\n",
        printed.joined(",\n    ")
    )
}

/// The policy's statements, with what was taken from another policy where the setup leaves something open.
pub(crate) fn statements(setup: &Setup, assumed: &Assumed) -> Vec<Statement> {
    let regions = if setup.regions.is_empty() {
        &assumed.regions
    } else {
        &setup.regions
    };
    let account = setup.account.as_ref().or(assumed.account.as_ref());
    let arns = Arns {
        partition: setup.partition_with(assumed),
        regions: distinct(regions),
        account: account.map_or("*", String::as_str),
    };
    let own = vec![arns.ec2("instance/*"), arns.ec2("volume/*")];
    let tagged = |key: &str| (format!("aws:{key}/{OURS}"), vec!["true".own()]);
    let mut described = vec!["ec2:DescribeInstances", "ec2:DescribeSpotPriceHistory"];
    if setup.has(Feature::ImageByName) {
        described.push("ec2:DescribeImages");
    }
    let mut statements = vec![Statement {
        sid: "Describe",
        actions: described,
        resources: vec!["*".own()],
        equals: if arns.regions.len() == 1 {
            vec![arns.requested()]
        } else {
            Vec::new()
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
        equals: vec![("ec2:CreateAction".own(), vec!["RunInstances".own()])],
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
    // The ARNs name one region or none: listed in a condition, several take less room than an ARN for each.
    if arns.regions.len() > 1 {
        let regional = |statement: &&mut Statement| {
            let mut actions = statement.actions.iter();
            actions.all(|action| !action.starts_with("iam:"))
        };
        for statement in statements.iter_mut().filter(regional) {
            statement.equals.push(arns.requested());
        }
    }
    statements
}

// What the ARNs begin with.
struct Arns<'s> {
    partition: &'static Partition,
    /// Sorted.
    regions: Vec<String>,
    account: &'s str,
}

impl Arns<'_> {
    /// The one region.
    fn region(&self) -> &str {
        match &self.regions[..] {
            [one] => one,
            _ => "*",
        }
    }

    fn requested(&self) -> (String, Vec<String>) {
        ("aws:RequestedRegion".own(), self.regions.clone())
    }

    fn ec2(&self, rest: &str) -> String {
        self.ec2_in(self.region(), self.account, rest)
    }

    fn ec2_in(&self, region: &str, account: &str, rest: &str) -> String {
        format!("arn:{}:ec2:{region}:{account}:{rest}", self.partition.name)
    }

    // Everything of that kind, or what the ids name; a region that none of them is for has all of its own.
    fn each(&self, account: &str, kind: &str, ids: &[String]) -> Vec<String> {
        let arn = |region: &str, id: &str| self.ec2_in(region, account, &format!("{kind}/{id}"));
        let entries: Vec<_> = ids.iter().map(|id| split_entry(id)).list();
        let is_known = |region: &str| self.regions.iter().any(|known| known == region);
        // What is for a region that is not in use is not used, and what is for all regions stands once.
        let used = entries.iter().filter(|(of, id)| {
            of.is_none_or(|of| {
                (self.regions.is_empty() || is_known(of)) && !entries.contains(&(None, id))
            })
        });
        let said = |of: Option<&'_ str>| of.filter(|of| is_known(of)).map(Own::own);
        let mut arns: Vec<String> = used
            .map(|(of, id)| arn(said(*of).as_deref().unwrap_or(self.region()), id))
            .list();
        let is_left = |region: &&String| {
            let mut all = entries.iter();
            !all.any(|(of, _)| of.is_none_or(|of| of == region.as_str()))
        };
        if arns.is_empty() {
            arns.push(arn(self.region(), "*"));
        } else {
            arns.extend(
                self.regions
                    .iter()
                    .filter(is_left)
                    .map(|region| arn(region, "*")),
            );
        }
        distinct(&arns)
    }

    fn role(&self, name: &str) -> Vec<String> {
        let Self {
            partition, account, ..
        } = self;
        vec![format!("arn:{}:iam::{account}:role/{name}", partition.name)]
    }

    // What a launch uses and does not create, and the network interface, which it creates without tags.
    fn launched_into(&self, setup: &Setup) -> Vec<String> {
        // Images belong to no account.
        let mut into = self.each("", "image", &setup.images);
        into.extend(self.each(self.account, "subnet", &setup.subnets));
        into.extend(self.each(self.account, "security-group", &setup.security_groups));
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
    let types = ("ec2:InstanceType".own(), distinct(&setup.instance_types));
    let (instance, volume) = own.split_at(1);
    statements.push(statement(
        "LaunchTagged",
        instance,
        vec![tag.clone(), types],
    ));
    statements.push(statement("LaunchVolume", volume, vec![tag.clone()]));
}

// Images and snapshots carry no account in their ARNs: our tag is what keeps others' out.
fn bake(arns: &Arns<'_>, statements: &mut Vec<Statement>) {
    let kinds = ["image", "snapshot"];
    let baked = kinds.map(|kind| arns.ec2_in(arns.region(), "", &format!("{kind}/*")));
    let tagged = |key: &str| vec![(format!("aws:{key}/{OURS}"), vec!["true".own()])];
    let on_create = vec![("ec2:CreateAction".own(), vec!["CreateImage".own()])];
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

fn features(setup: &Setup, arns: &Arns<'_>, statements: &mut Vec<Statement>) {
    if setup.has(Feature::InstanceProfile) {
        let services = arns.partition.ec2_principals.iter();
        statements.push(Statement {
            sid: "PassRole",
            actions: vec!["iam:PassRole"],
            resources: arns.role(setup.role.as_deref().unwrap_or("*")),
            equals: vec![(
                "iam:PassedToService".own(),
                services.map(|s| (*s).own()).list(),
            )],
        });
    }
    if setup.has(Feature::SpotServiceLinkedRole) {
        statements.push(Statement {
            sid: "CreateSpotRole",
            actions: vec!["iam:CreateServiceLinkedRole"],
            resources: arns.role(SPOT_ROLE),
            equals: vec![("iam:AWSServiceName".own(), vec!["spot.amazonaws.com".own()])],
        });
    }
    if setup.has(Feature::Bake) {
        bake(arns, statements);
    }
    if setup.has(Feature::SsmImageParameter) {
        let (partition, region) = (arns.partition.name, arns.region());
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
