//! The tightest policy for chosen features, region, account, subnets and instance types.

use std::fmt::Write as _;

use crate::json::quoted;
use crate::tags::OURS;
use crate::verdict::{Feature, SPOT_ROLE, Setup};

/// The policy's JSON, two spaces deep, ending with a line feed. Where the setup leaves
/// something open, a `*` stands.
#[must_use]
pub fn tighten(setup: &Setup) -> String {
    let region = setup.region.as_deref().unwrap_or("*");
    let account = setup.account.as_deref().unwrap_or("*");
    let partition = setup.partition.as_deref().unwrap_or("aws");
    let ec2 = |rest: &str| format!("arn:{partition}:ec2:{region}:{account}:{rest}");
    let each = |kind: &str, ids: &[String]| -> Vec<String> {
        if ids.is_empty() {
            return vec![ec2(&format!("{kind}/*"))];
        }
        distinct(ids)
            .iter()
            .map(|id| ec2(&format!("{kind}/{id}")))
            .collect()
    };
    let own = vec![ec2("instance/*"), ec2("volume/*")];
    let ours = vec!["true".to_owned()];
    let tagged = |key: &str| (format!("aws:{key}/{OURS}"), ours.clone());
    let mut statements = vec![Statement {
        sid: "Describe",
        actions: &["ec2:DescribeInstances", "ec2:DescribeSpotPriceHistory"],
        resources: vec!["*".to_owned()],
        equals: match region {
            "*" => Vec::new(),
            region => vec![("aws:RequestedRegion".to_owned(), vec![region.to_owned()])],
        },
    }];
    launch(setup, &own, &tagged("RequestTag"), &mut statements);
    let mut into = vec![format!("arn:{partition}:ec2:{region}::image/*")];
    into.extend(each("subnet", &setup.subnets));
    into.extend(each("security-group", &setup.security_groups));
    into.push(ec2("network-interface/*"));
    statements.push(Statement {
        sid: "LaunchInto",
        actions: &["ec2:RunInstances"],
        resources: into,
        equals: Vec::new(),
    });
    statements.push(Statement {
        sid: "TagOnLaunch",
        actions: &["ec2:CreateTags"],
        resources: own.clone(),
        equals: vec![(
            "ec2:CreateAction".to_owned(),
            vec!["RunInstances".to_owned()],
        )],
    });
    statements.push(Statement {
        sid: "ManageOwn",
        actions: if setup.has(Feature::Console) {
            &[
                "ec2:TerminateInstances",
                "ec2:ModifyVolume",
                "ec2:GetConsoleOutput",
            ]
        } else {
            &["ec2:TerminateInstances", "ec2:ModifyVolume"]
        },
        resources: own,
        equals: vec![tagged("ResourceTag")],
    });
    features(setup, partition, region, account, &mut statements);
    print(&statements)
}

struct Statement {
    sid: &'static str,
    actions: &'static [&'static str],
    resources: Vec<String>,
    equals: Vec<(String, Vec<String>)>,
}

fn distinct(values: &[String]) -> Vec<String> {
    let mut all = values.to_vec();
    all.sort();
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
        actions: &["ec2:RunInstances"],
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

fn features(
    setup: &Setup,
    partition: &str,
    region: &str,
    account: &str,
    statements: &mut Vec<Statement>,
) {
    let role = |name: &str| vec![format!("arn:{partition}:iam::{account}:role/{name}")];
    if setup.has(Feature::InstanceProfile) {
        statements.push(Statement {
            sid: "PassRole",
            actions: &["iam:PassRole"],
            resources: role(setup.role.as_deref().unwrap_or("*")),
            equals: vec![(
                "iam:PassedToService".to_owned(),
                vec!["ec2.amazonaws.com".to_owned()],
            )],
        });
    }
    if setup.has(Feature::SpotServiceLinkedRole) {
        statements.push(Statement {
            sid: "CreateSpotRole",
            actions: &["iam:CreateServiceLinkedRole"],
            resources: role(SPOT_ROLE),
            equals: vec![(
                "iam:AWSServiceName".to_owned(),
                vec!["spot.amazonaws.com".to_owned()],
            )],
        });
    }
    if setup.has(Feature::SsmImageParameter) {
        // Public parameters belong to no account.
        statements.push(Statement {
            sid: "ReadImage",
            actions: &["ssm:GetParameters"],
            resources: vec![format!(
                "arn:{partition}:ssm:{region}::parameter/aws/service/*"
            )],
            equals: Vec::new(),
        });
    }
}

fn print(statements: &[Statement]) -> String {
    let mut out = String::from("{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [");
    for (at, statement) in statements.iter().enumerate() {
        out.push_str(if at == 0 { "\n    {" } else { ",\n    {" });
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            "\n      \"Sid\": \"{}\",\n      \"Effect\": \"Allow\"",
            statement.sid
        );
        let actions: Vec<String> = statement.actions.iter().map(|a| (*a).to_owned()).collect();
        list(&mut out, "Action", &actions, 6);
        list(&mut out, "Resource", &statement.resources, 6);
        if !statement.equals.is_empty() {
            out.push_str(",\n      \"Condition\": {\n        \"StringEquals\": {");
            let mut keys = String::new();
            for (key, values) in &statement.equals {
                list(&mut keys, key, values, 10);
            }
            out.push_str(keys.trim_start_matches(','));
            out.push_str("\n        }\n      }");
        }
        out.push_str("\n    }");
    }
    out.push_str("\n  ]\n}\n");
    out
}

// A member, with a comma before it: one value as a string, several as a list.
fn list(out: &mut String, name: &str, values: &[String], depth: usize) {
    let indent = " ".repeat(depth);
    let _ = write!(out, ",\n{indent}{}: ", quoted(name));
    if let [one] = values {
        out.push_str(&quoted(one));
        return;
    }
    for (at, value) in values.iter().enumerate() {
        let _ = write!(
            out,
            "{}\n{indent}  {}",
            if at == 0 { "[" } else { "," },
            quoted(value)
        );
    }
    let _ = write!(out, "\n{indent}]");
}
