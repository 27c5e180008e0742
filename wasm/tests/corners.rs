//! Right in every corner: partitions, tags that are not always there, ids by their prefix, and what is known.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on may stop where it stands"
)]

use serde_json::{Value, json};
use sprinters_policy::headline::Kind;
use sprinters_policy::region::{PARTITIONS, REGIONS, partition_of};
use sprinters_policy::tags::{self, Carried};
use sprinters_policy::{Checker, Decision, Feature, Options, Report, Setup, Target, tighten};

fn check_for(setup: Setup, text: &str) -> Report {
    Checker::new(Options {
        setup,
        target: Target::Managed,
    })
    .check(text)
}

fn six_with(action: &str, own: &Value) -> String {
    let mut all: Value = serde_json::from_str(include_str!("policies/plain_six.json")).unwrap();
    let list = all["Statement"][0]["Action"].as_array_mut().unwrap();
    list.retain(|a| a != action);
    let mut statement = json!({"Effect": "Allow", "Action": action, "Resource": "*"});
    for (key, value) in own.as_object().unwrap() {
        statement[key] = value.clone();
    }
    all["Statement"].as_array_mut().unwrap().push(statement);
    all.to_string()
}

fn decision(report: &Report, action: &str) -> Decision {
    let found = report
        .verdict
        .permissions
        .iter()
        .find(|p| p.action == action);
    found
        .unwrap_or_else(|| panic!("{action} is judged"))
        .decision
}

#[test]
fn a_tight_policy_works_in_every_partition_and_region() {
    let features = Feature::ALL.to_vec();
    for partition in &PARTITIONS {
        for region in [None, Some(partition.home)] {
            for account in [None, Some("111122223333")] {
                let setup = Setup {
                    features: features.clone(),
                    regions: region.map(str::to_owned).into_iter().collect(),
                    account: account.map(str::to_owned),
                    partition: Some(partition.name.to_owned()),
                    role: Some("ci".to_owned()),
                    ..Setup::default()
                };
                let text = tighten(&setup);
                assert!(text.contains(&format!("arn:{}:ec2:", partition.name)));
                let known = Setup {
                    features: features.clone(),
                    role: setup.role.clone(),
                    ..Setup::default()
                };
                // The policy itself tells the partition.
                for setup in [setup, known] {
                    let report = check_for(setup, &text);
                    assert_eq!(report.headline.kind, Kind::Works, "{text}\n{report:#?}");
                }
            }
        }
    }
}

#[test]
fn a_region_tells_its_partition() {
    for region in REGIONS {
        let setup = Setup {
            regions: vec![region.to_owned()],
            ..Setup::default()
        };
        let text = tighten(&setup);
        assert!(
            text.contains(&format!("arn:{}:ec2:{region}:", partition_of(region).name)),
            "{text}"
        );
        assert!(check_for(setup, &text).verdict.granted, "{text}");
    }
    let elsewhere = Setup {
        regions: vec!["cn-north-1".to_owned()],
        ..Setup::default()
    };
    let aws = tighten(&Setup::default());
    assert_eq!(
        decision(&check_for(elsewhere, &aws), "ec2:RunInstances"),
        Decision::Missing
    );
}

#[test]
fn china_passes_roles_to_either_name_of_ec2() {
    let setup = Setup {
        features: vec![Feature::InstanceProfile],
        regions: vec!["cn-north-1".to_owned()],
        ..Setup::default()
    };
    let passed = |services: Value| {
        let own = json!({"Resource": "arn:aws-cn:iam::*:role/*", "Condition": {"StringEquals": {"iam:PassedToService": services}}});
        decision(
            &check_for(setup.clone(), &six_with("iam:PassRole", &own)),
            "iam:PassRole",
        )
    };
    assert_eq!(
        passed(json!(["ec2.amazonaws.com", "ec2.amazonaws.com.cn"])),
        Decision::Granted
    );
    assert_eq!(passed(json!("ec2.amazonaws.com")), Decision::Conditional);
    assert_eq!(passed(json!("lambda.amazonaws.com")), Decision::Missing);
}

fn on_tag_keys(operator: &str, keys: &[&str]) -> Report {
    let own = json!({"Condition": {operator: {"aws:TagKeys": keys}}});
    check_for(Setup::default(), &six_with("ec2:CreateTags", &own))
}

#[test]
fn conditions_on_tag_keys_are_decided_by_what_is_sent() {
    let always: Vec<&str> = tags::ALL
        .iter()
        .filter(|t| t.carried == Carried::Always)
        .map(|t| t.key)
        .collect();
    let all: Vec<&str> = tags::ALL.iter().map(|t| t.key).collect();
    for (operator, keys, expected) in [
        ("ForAllValues:StringEquals", &all[..], Decision::Conditional),
        (
            "ForAllValues:StringEquals",
            &always[..],
            Decision::Conditional,
        ),
        ("ForAllValues:StringEquals", &always[1..], Decision::Missing),
        ("ForAllValues:StringLike", &["*"], Decision::Granted),
        (
            "ForAllValues:StringLike",
            &["sprinters:*"],
            Decision::Missing,
        ),
        (
            "ForAllValues:StringLike",
            &["sprinters:*", "Name"],
            Decision::Conditional,
        ),
        ("ForAnyValue:StringEquals", &[tags::OURS], Decision::Granted),
        (
            "ForAnyValue:StringEquals",
            &[tags::TEMP],
            Decision::Conditional,
        ),
        ("ForAnyValue:StringEquals", &["team"], Decision::Conditional),
        (
            "ForAllValues:StringNotEquals",
            &[tags::OURS],
            Decision::Missing,
        ),
        (
            "ForAllValues:StringNotEquals",
            &[tags::TEMP],
            Decision::Conditional,
        ),
    ] {
        let report = on_tag_keys(operator, keys);
        assert_eq!(
            decision(&report, "ec2:CreateTags"),
            expected,
            "{operator} {keys:?}"
        );
    }
    let report = on_tag_keys("ForAllValues:StringEquals", &always);
    let said = report.verdict.permissions[1].conditions.join(" ");
    for words in [
        "`temp` is set",
        "`scope` is not `repo`",
        "`tags` adds others",
        "GitHub gives the job's id",
    ] {
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn every_tag_is_decided_by_what_it_depends_on() {
    for tag in tags::ALL {
        let key = format!("aws:ResourceTag/{}", tag.key);
        let own = json!({"Condition": {"StringLike": {key: "*"}}});
        let report = check_for(Setup::default(), &six_with("ec2:TerminateInstances", &own));
        let permission = report
            .verdict
            .permissions
            .iter()
            .find(|p| p.action == "ec2:TerminateInstances")
            .unwrap();
        match tag.carried.circumstance() {
            None => assert_eq!(permission.decision, Decision::Granted, "{}", tag.key),
            Some(circumstance) => {
                assert_eq!(permission.decision, Decision::Conditional, "{}", tag.key);
                assert!(
                    permission.conditions[0].contains(circumstance),
                    "{permission:?}"
                );
            }
        }
    }
}

#[test]
fn ids_are_decided_by_their_prefix() {
    let others = [
        "image",
        "instance",
        "network-interface",
        "security-group",
        "subnet",
        "volume",
    ];
    for (kind, id, expected) in [
        ("image", "ami-*", Decision::Granted),
        ("security-group", "sg-*", Decision::Granted),
        ("subnet", "subnet-*", Decision::Granted),
        ("image", "sg-*", Decision::Missing),
        ("image", "ami-0123456789abcdef0", Decision::Conditional),
        // EC2 asks for `instance/*`: there is no id yet.
        ("instance", "i-*", Decision::Missing),
        ("volume", "vol-*", Decision::Missing),
        ("network-interface", "eni-*", Decision::Missing),
    ] {
        let arns: Vec<String> = others
            .iter()
            .map(|other| {
                format!(
                    "arn:aws:ec2:*:*:{other}/{}",
                    if *other == kind { id } else { "*" }
                )
            })
            .collect();
        let report = check_for(
            Setup::default(),
            &six_with("ec2:RunInstances", &json!({"Resource": arns})),
        );
        assert_eq!(
            decision(&report, "ec2:RunInstances"),
            expected,
            "{kind} {id}"
        );
    }
    for (action, arn) in [
        ("ec2:TerminateInstances", "arn:aws:ec2:*:*:instance/i-*"),
        ("ec2:ModifyVolume", "arn:aws:ec2:*:*:volume/vol-*"),
    ] {
        let report = check_for(
            Setup::default(),
            &six_with(action, &json!({"Resource": arn})),
        );
        assert_eq!(decision(&report, action), Decision::Granted, "{arn}");
    }
}

#[test]
fn what_sprinters_never_uses_cannot_match_without_a_launch_template() {
    for key in [
        "ec2:PlacementGroup",
        "ec2:LaunchTemplate",
        "ec2:KeyPairName",
    ] {
        let operator = "StringLike";
        let own = json!({"Condition": {operator: {key: "*"}}});
        let text = six_with("ec2:RunInstances", &own);
        assert_eq!(
            decision(&check_for(Setup::default(), &text), "ec2:RunInstances"),
            Decision::Missing,
            "{key}"
        );
    }
    let setup = Setup {
        features: vec![Feature::LaunchTemplate],
        ..Setup::default()
    };
    let own = json!({"Condition": {"StringNotLikeIfExists": {"ec2:LaunchTemplate": "arn:aws:ec2:*:*:launch-template/lt-1"}}});
    let text = six_with("ec2:RunInstances", &own);
    assert_eq!(
        decision(&check_for(setup, &text), "ec2:RunInstances"),
        Decision::Conditional
    );
    assert_eq!(
        decision(&check_for(Setup::default(), &text), "ec2:RunInstances"),
        Decision::Granted
    );
}

#[test]
fn what_is_known_settles_what_the_text_leaves_open() {
    let deny = |condition: Value| {
        let mut all: Value = serde_json::from_str(include_str!("policies/plain_six.json")).unwrap();
        let statement =
            json!({"Effect": "Deny", "Action": "ec2:*", "Resource": "*", "Condition": condition});
        all["Statement"].as_array_mut().unwrap().push(statement);
        all.to_string()
    };
    let outside =
        deny(json!({"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}}));
    assert_eq!(
        check_for(Setup::default(), &outside).headline.kind,
        Kind::Depends
    );
    for (region, kind) in [("eu-central-1", Kind::Works), ("us-east-1", Kind::Lacks)] {
        let setup = Setup {
            regions: vec![region.to_owned()],
            ..Setup::default()
        };
        assert_eq!(check_for(setup, &outside).headline.kind, kind, "{region}");
    }
    let image = deny(json!({"StringNotEqualsIfExists": {"ec2:ImageID": "ami-1"}}));
    for (id, expected) in [("ami-1", Decision::Granted), ("ami-2", Decision::Denied)] {
        let setup = Setup {
            images: vec![id.to_owned()],
            ..Setup::default()
        };
        let report = check_for(setup, &image);
        let launch = report.verdict.permissions[0]
            .resources
            .iter()
            .find(|r| r.resource_type == "image");
        assert_eq!(launch.unwrap().decision, expected, "{id}");
    }
}

#[test]
fn what_several_tags_depend_on_is_said_once() {
    let text = json!({"Version": "2012-10-17", "Statement": {
        "Effect": "Allow", "Action": "ec2:CreateTags", "Resource": "*",
        "Condition": {"ForAnyValue:StringEquals": {"aws:TagKeys": "Owner"}},
    }});
    let report = check_for(Setup::default(), &text.to_string());
    let mut all = report.verdict.permissions.iter();
    let tags = all.find(|p| p.action == "ec2:CreateTags").unwrap();
    let said = tags.conditions.join(" ");
    assert_eq!(said.matches("not `listen`").count(), 1, "{said}");
}
