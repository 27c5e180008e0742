//! The tightest policy for chosen features, region, account, subnets and instance types.

use serde_json::{Map, Value, json};

use crate::verdict::{Feature, Setup, TAG};

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
        let mut all: Vec<String> = ids.iter().map(|id| ec2(&format!("{kind}/{id}"))).collect();
        all.sort();
        all.dedup();
        all
    };
    let own = [ec2("instance/*"), ec2("volume/*")];
    let request_tag = json!({ format!("aws:RequestTag/{TAG}"): "true" });
    let resource_tag = json!({ format!("aws:ResourceTag/{TAG}"): "true" });
    let mut statements = Vec::new();
    let describe = json!(["ec2:DescribeInstances", "ec2:DescribeSpotPriceHistory"]);
    let in_region = (region != "*").then(|| json!({ "aws:RequestedRegion": region }));
    statements.push(statement("Describe", describe, json!("*"), in_region));
    launch(setup, &own, &request_tag, &mut statements);
    let mut into = vec![format!("arn:{partition}:ec2:{region}::image/*")];
    into.extend(each("subnet", &setup.subnets));
    into.extend(each("security-group", &setup.security_groups));
    into.push(ec2("network-interface/*"));
    statements.push(statement(
        "LaunchInto",
        json!("ec2:RunInstances"),
        json!(into),
        None,
    ));
    let on_launch = json!({ "ec2:CreateAction": "RunInstances" });
    statements.push(statement(
        "TagOnLaunch",
        json!("ec2:CreateTags"),
        json!(own),
        Some(on_launch),
    ));
    let actions = json!(["ec2:TerminateInstances", "ec2:ModifyVolume"]);
    statements.push(statement(
        "ManageOwn",
        actions,
        json!(own),
        Some(resource_tag),
    ));
    features(setup, partition, region, account, &mut statements);
    let policy = json!({ "Version": "2012-10-17", "Statement": statements });
    let mut text = serde_json::to_string_pretty(&policy).unwrap_or_default();
    text.push('\n');
    text
}

// The instance type is a key of the instance alone: a volume's request does not carry it.
fn launch(setup: &Setup, own: &[String; 2], tag: &Value, statements: &mut Vec<Value>) {
    let action = || json!("ec2:RunInstances");
    if setup.instance_types.is_empty() {
        statements.push(statement(
            "LaunchTagged",
            action(),
            json!(own),
            Some(tag.clone()),
        ));
        return;
    }
    let mut types = setup.instance_types.clone();
    types.sort();
    types.dedup();
    let mut on_instance = tag.clone();
    if let Value::Object(keys) = &mut on_instance {
        keys.insert("ec2:InstanceType".to_owned(), one_or_all(types));
    }
    statements.push(statement(
        "LaunchTagged",
        action(),
        json!(own[0]),
        Some(on_instance),
    ));
    statements.push(statement(
        "LaunchVolume",
        action(),
        json!(own[1]),
        Some(tag.clone()),
    ));
}

fn features(
    setup: &Setup,
    partition: &str,
    region: &str,
    account: &str,
    statements: &mut Vec<Value>,
) {
    let role = |name: &str| json!(format!("arn:{partition}:iam::{account}:role/{name}"));
    if setup.has(Feature::InstanceProfile) {
        let service = if partition == "aws-cn" {
            "ec2.amazonaws.com.cn"
        } else {
            "ec2.amazonaws.com"
        };
        let passed = json!({ "iam:PassedToService": service });
        let resource = role(setup.role.as_deref().unwrap_or("*"));
        statements.push(statement(
            "PassRole",
            json!("iam:PassRole"),
            resource,
            Some(passed),
        ));
    }
    if setup.has(Feature::SpotServiceLinkedRole) {
        let named = json!({ "iam:AWSServiceName": "spot.amazonaws.com" });
        let resource = role("aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot");
        let action = json!("iam:CreateServiceLinkedRole");
        statements.push(statement("CreateSpotRole", action, resource, Some(named)));
    }
    if setup.has(Feature::SsmImageParameter) {
        // Public parameters belong to no account.
        let resource = json!(format!(
            "arn:{partition}:ssm:{region}::parameter/aws/service/*"
        ));
        statements.push(statement(
            "ReadImage",
            json!("ssm:GetParameters"),
            resource,
            None,
        ));
    }
}

fn one_or_all(mut values: Vec<String>) -> Value {
    match values.len() {
        1 => json!(values.remove(0)),
        _ => json!(values),
    }
}

fn statement(sid: &str, action: Value, resource: Value, equals: Option<Value>) -> Value {
    let mut out = Map::new();
    out.insert("Sid".to_owned(), json!(sid));
    out.insert("Effect".to_owned(), json!("Allow"));
    out.insert("Action".to_owned(), action);
    out.insert("Resource".to_owned(), resource);
    if let Some(equals) = equals {
        out.insert("Condition".to_owned(), json!({ "StringEquals": equals }));
    }
    Value::Object(out)
}
