//! Whether a policy lets Sprinters work: what the documentation's policies get, the traps, and
//! that `tighten` always makes a policy that passes.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::too_many_lines,
    clippy::needless_pass_by_value,
    reason = "a test's data is its own, and its tables are long"
)]

use Decision::{Conditional, Granted, Missing};
use proptest::prelude::*;
use serde_json::{Value, json};
use sprinters_policy::issue_code::FindingType;
use sprinters_policy::{
    Checker, Decision, Feature, Options, Report, Setup, Target, apply, tighten,
};

const PLAIN_SIX: &str = include_str!("policies/plain_six.json");
const PUBLISHED_ROLE: &str = include_str!("policies/published_role.json");
const TIGHT: &str = include_str!("policies/tight.json");

fn check_for(setup: Setup, text: &str) -> Report {
    let options = Options {
        setup,
        target: Target::Managed,
    };
    Checker::new(options).check(text)
}

fn check(policy: &Value) -> Report {
    check_for(Setup::default(), &policy.to_string())
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

fn advice(report: &Report, code: &str) -> bool {
    report.advice.iter().any(|a| a.issue_code == code)
}

fn policy(statements: Value) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn six() -> Value {
    serde_json::from_str(PLAIN_SIX).unwrap()
}

// The plain six with one action taken out and granted by a statement of its own.
fn six_with(action: &str, own: &Value) -> Value {
    let mut all = six();
    all["Statement"][0]["Action"]
        .as_array_mut()
        .unwrap()
        .retain(|a| a != action);
    let mut own = own.clone();
    own["Action"] = json!(action);
    if own.get("Effect").is_none() {
        own["Effect"] = json!("Allow");
    }
    if own.get("Resource").is_none() {
        own["Resource"] = json!("*");
    }
    all["Statement"].as_array_mut().unwrap().push(own);
    all
}

#[test]
fn the_documented_policies_are_granted_without_an_error() {
    for text in [PLAIN_SIX, PUBLISHED_ROLE, TIGHT] {
        let report = check_for(Setup::default(), text);
        assert!(report.verdict.granted, "{:#?}", report.verdict);
        assert!(!report.has_errors());
        assert_eq!(report.verdict.permissions.len(), 6);
    }
    let published = check_for(Setup::default(), PUBLISHED_ROLE);
    assert_eq!(
        published.findings[0].issue_code,
        "PASS_ROLE_WITH_STAR_IN_RESOURCE"
    );
    assert!(check_for(Setup::default(), TIGHT).findings.is_empty());
}

#[test]
fn the_tight_policy_is_for_its_account_and_region() {
    let report = check_for(Setup::default(), TIGHT);
    assert_eq!(report.verdict.assumed.regions, ["us-east-1"]);
    assert_eq!(
        report.verdict.assumed.account.as_deref(),
        Some("111122223333")
    );
    let elsewhere = Setup {
        regions: vec!["eu-central-1".to_owned()],
        ..Setup::default()
    };
    let report = check_for(elsewhere, TIGHT);
    assert_eq!(decision(&report, "ec2:RunInstances"), Decision::Missing);
    assert_eq!(
        decision(&report, "ec2:DescribeInstances"),
        Decision::Missing
    );
}

#[test]
fn only_what_all_arns_agree_on_is_assumed() {
    let arns = |list: &[&str]| {
        let statement =
            json!({ "Effect": "Allow", "Action": "ec2:RunInstances", "Resource": list });
        let assumed = check(&policy(json!([statement]))).verdict.assumed;
        (assumed.account, assumed.partition)
    };
    let some = |text: &str| Some(text.to_owned());
    let (one, two) = (
        "arn:aws:ec2:*:111122223333:subnet/*",
        "arn:aws:ec2:*:444455556666:subnet/*",
    );
    assert_eq!(
        arns(&[
            one,
            one,
            "arn:aws:ec2:*:*:volume/*",
            "arn:aws:ec2:*::image/*"
        ]),
        (some("111122223333"), None)
    );
    assert_eq!(arns(&[one, two]), (None, None));
    assert_eq!(arns(&[one, two, one]), (None, None));
    assert_eq!(
        arns(&["arn:aws-cn:ec2:*:*:subnet/*"]),
        (None, some("aws-cn"))
    );
    assert_eq!(
        arns(&[
            "arn:aws-cn:ec2:*:*:subnet/*",
            "arn:aws-us-gov:ec2:*:*:subnet/*"
        ]),
        (None, None)
    );
    assert_eq!(arns(&["arn:*:ec2:*:aws:subnet/*"]), (None, None));
    // What was given is not assumed.
    let given = Setup {
        regions: vec!["us-west-2".to_owned()],
        account: some("444455556666"),
        ..Setup::default()
    };
    let assumed = check_for(given, TIGHT).verdict.assumed;
    assert!(assumed.regions.is_empty() && assumed.account.is_none());
}

#[test]
fn several_regions_must_all_be_granted() {
    let two = || Setup {
        regions: vec!["us-east-1".to_owned(), "eu-central-1".to_owned()],
        ..Setup::default()
    };
    let report = check_for(two(), TIGHT);
    let permission = &report.verdict.permissions[0];
    assert_eq!(permission.decision, Decision::Missing);
    assert!(
        permission
            .explanation
            .contains("`volume` in `eu-central-1` is not allowed"),
        "{permission:#?}"
    );
    assert_eq!(permission.resources[0].regions, ["eu-central-1"]);
    // What no region grants is nothing of one region's.
    let nothing = check_for(two(), r#"{"Version":"2012-10-17","Statement":[]}"#);
    assert!(
        nothing
            .verdict
            .permissions
            .iter()
            .flat_map(|p| &p.resources)
            .all(|r| r.regions.is_empty())
    );
    assert!(check_for(two(), &tighten(&two())).verdict.granted);
    // For one of the two, or for a third, the same policy is judged as that region finds it.
    for (region, granted) in [("eu-central-1", true), ("us-west-2", false)] {
        let one = Setup {
            regions: vec![region.to_owned()],
            ..Setup::default()
        };
        let report = check_for(one, &tighten(&two()));
        assert_eq!(report.verdict.granted, granted, "{region}");
    }
}

#[test]
fn regions_that_a_policy_names_are_assumed_where_it_grants_everything_there() {
    let two = Setup {
        regions: vec!["us-east-1".to_owned(), "eu-central-1".to_owned()],
        ..Setup::default()
    };
    let mut policy: Value = serde_json::from_str(&tighten(&two)).unwrap();
    let report = check(&policy);
    assert!(report.verdict.granted);
    assert_eq!(
        report.verdict.assumed.regions,
        ["eu-central-1", "us-east-1"]
    );
    // What depends on an id that nobody gave still depends on that alone.
    let narrow = Setup {
        subnets: vec!["us-east-1=subnet-1".to_owned()],
        ..two
    };
    let depends = check_for(Setup::default(), &tighten(&narrow)).verdict;
    assert_eq!(depends.assumed.regions.len(), 2);
    let open = depends
        .permissions
        .iter()
        .filter(|p| p.decision == Decision::Conditional);
    assert_eq!(
        open.map(|p| p.action.as_ref()).collect::<Vec<_>>(),
        ["ec2:RunInstances"]
    );
    // A statement about something else, elsewhere: the launch may still be meant for the two.
    policy["Statement"].as_array_mut().unwrap().push(json!({
        "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:eu-west-1::bucket/*"
    }));
    let report = check(&policy);
    assert!(report.verdict.assumed.regions.is_empty());
    assert_eq!(decision(&report, "ec2:RunInstances"), Decision::Conditional);
}

#[test]
fn an_id_counts_in_its_region() {
    let setup = |subnets: &[&str]| Setup {
        regions: vec!["us-east-1".to_owned(), "us-west-2".to_owned()],
        subnets: subnets.iter().map(|id| (*id).to_owned()).collect(),
        ..Setup::default()
    };
    let text = tighten(&setup(&["us-west-2=subnet-1"]));
    assert!(
        text.contains("arn:aws:ec2:us-west-2:*:subnet/subnet-1\""),
        "{text}"
    );
    assert!(
        text.contains("arn:aws:ec2:us-east-1:*:subnet/*\""),
        "{text}"
    );
    let granted = |subnets: &[&str]| check_for(setup(subnets), &text).verdict.granted;
    assert!(granted(&["us-west-2=subnet-1"]));
    assert!(granted(&["us-west-2=subnet-1", "us-east-1=subnet-2"]));
    assert!(!granted(&["us-west-2=subnet-2"]));
    assert!(!granted(&[]));
}

#[test]
fn an_action_left_out_is_missing_and_a_deny_denies() {
    for action in six()["Statement"][0]["Action"].as_array().unwrap() {
        let mut less = six();
        less["Statement"][0]["Action"]
            .as_array_mut()
            .unwrap()
            .retain(|a| a != action);
        let report = check(&less);
        assert_eq!(
            decision(&report, action.as_str().unwrap()),
            Decision::Missing
        );
        assert!(!report.verdict.granted && advice(&report, "SPRINTERS_MISSING_PERMISSION"));
        let mut denied = six();
        denied["Statement"]
            .as_array_mut()
            .unwrap()
            .push(json!({ "Effect": "Deny", "Action": action, "Resource": "*" }));
        let report = check(&denied);
        assert_eq!(
            decision(&report, action.as_str().unwrap()),
            Decision::Denied
        );
        let permission = report
            .verdict
            .permissions
            .iter()
            .find(|p| *p.action == *action)
            .unwrap();
        assert_eq!(permission.statements, [1], "the denying statement is named");
    }
}

#[test]
fn every_resource_type_of_a_launch_is_needed_and_statements_add_up() {
    let types = [
        "image",
        "instance",
        "network-interface",
        "security-group",
        "subnet",
        "volume",
    ];
    let arn = |kind: &&str| format!("arn:aws:ec2:*:*:{kind}/*");
    let split: Vec<Value> = types.iter().map(|kind| json!({ "Effect": "Allow", "Action": "ec2:RunInstances", "Resource": arn(kind) })).collect();
    for left_out in 0..=types.len() {
        let mut all = six();
        all["Statement"][0]["Action"]
            .as_array_mut()
            .unwrap()
            .retain(|a| a != "ec2:RunInstances");
        let statements = split
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != left_out)
            .map(|(_, s)| s.clone());
        all["Statement"].as_array_mut().unwrap().extend(statements);
        let expected = if left_out == types.len() {
            Decision::Granted
        } else {
            Decision::Missing
        };
        assert_eq!(
            decision(&check(&all), "ec2:RunInstances"),
            expected,
            "without {:?}",
            types.get(left_out)
        );
    }
}

#[test]
fn describing_needs_the_star() {
    let report = check(&six_with(
        "ec2:DescribeInstances",
        &json!({ "Resource": "arn:aws:ec2:*:*:instance/*" }),
    ));
    assert_eq!(
        decision(&report, "ec2:DescribeInstances"),
        Decision::Missing
    );
}

#[test]
fn conditions_that_sprinters_meets_always_never_or_perhaps() {
    let with = |action: &str, condition: Value| {
        decision(
            &check(&six_with(action, &json!({ "Condition": condition }))),
            action,
        )
    };
    for (action, condition, expected) in [
        (
            "ec2:CreateTags",
            json!({ "StringEquals": { "ec2:CreateAction": "RunInstances" } }),
            Granted,
        ),
        (
            "ec2:CreateTags",
            json!({ "StringEquals": { "ec2:CreateAction": "CreateVolume" } }),
            Missing,
        ),
        (
            "ec2:CreateTags",
            json!({ "StringEquals": { "aws:ResourceTag/sprinters:sprinters": "true" } }),
            Missing,
        ),
        (
            "ec2:CreateTags",
            json!({ "StringEquals": { "aws:RequestTag/sprinters:sprinters": "true" } }),
            Granted,
        ),
        (
            "ec2:TerminateInstances",
            json!({ "StringEquals": { "aws:ResourceTag/sprinters:sprinters": "true" } }),
            Granted,
        ),
        (
            "ec2:TerminateInstances",
            json!({ "StringEquals": { "ec2:ResourceTag/sprinters:sprinters": "true" } }),
            Granted,
        ),
        (
            "ec2:TerminateInstances",
            json!({ "StringEquals": { "aws:ResourceTag/sprinters:sprinters": "yes" } }),
            Missing,
        ),
        (
            "ec2:TerminateInstances",
            json!({ "StringEquals": { "aws:ResourceTag/team": "a" } }),
            Conditional,
        ),
        (
            "ec2:TerminateInstances",
            json!({ "StringLike": { "aws:ResourceTag/sprinters:repository": "*" } }),
            Granted,
        ),
        (
            "ec2:TerminateInstances",
            json!({ "StringLike": { "aws:ResourceTag/sprinters:run-id": "*" } }),
            Conditional,
        ),
        (
            "ec2:TerminateInstances",
            json!({ "StringEquals": { "ec2:CreateAction": "RunInstances" } }),
            Missing,
        ),
        (
            "ec2:ModifyVolume",
            json!({ "StringEquals": { "aws:ResourceTag/sprinters:sprinters": "true" } }),
            Granted,
        ),
        (
            "ec2:RunInstances",
            json!({ "StringEquals": { "aws:ResourceTag/sprinters:sprinters": "true" } }),
            Missing,
        ),
        (
            "ec2:RunInstances",
            json!({ "StringEquals": { "aws:RequestTag/sprinters:sprinters": "true" } }),
            Missing,
        ),
        (
            "ec2:RunInstances",
            json!({ "StringEquals": { "ec2:InstanceType": "m7i.large" } }),
            Missing,
        ),
        (
            "ec2:RunInstances",
            json!({ "StringEqualsIfExists": { "ec2:InstanceType": "m7i.large" } }),
            Conditional,
        ),
        (
            "ec2:RunInstances",
            json!({ "StringEqualsIfExists": { "ec2:MetadataHttpTokens": "required" } }),
            Granted,
        ),
        (
            "ec2:RunInstances",
            json!({ "StringEqualsIfExists": { "ec2:MetadataHttpTokens": "optional" } }),
            Missing,
        ),
        (
            "ec2:DescribeInstances",
            json!({ "StringEquals": { "aws:RequestedRegion": "us-east-1" } }),
            Granted,
        ),
        (
            "ec2:DescribeInstances",
            json!({ "StringEquals": { "aws:RequestedRegion": ["us-east-1", "us-east-2"] } }),
            Granted,
        ),
        (
            "ec2:DescribeInstances",
            json!({ "Bool": { "aws:SecureTransport": "true" } }),
            Granted,
        ),
        (
            "ec2:DescribeInstances",
            json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } }),
            Missing,
        ),
        (
            "ec2:DescribeInstances",
            json!({ "IpAddress": { "aws:SourceIp": "203.0.113.0/24" } }),
            Conditional,
        ),
        (
            "ec2:DescribeInstances",
            json!({ "StringEquals": { "aws:Nonsense": "x" } }),
            Missing,
        ),
        (
            "ec2:DescribeInstances",
            json!({ "Null": { "aws:CalledVia": "true" } }),
            Granted,
        ),
    ] {
        assert_eq!(
            with(action, condition.clone()),
            expected,
            "{action} {condition}"
        );
    }
}

#[test]
fn what_the_text_cannot_tell_is_conditional_and_says_on_what() {
    let one_subnet = json!({ "Resource": ["arn:aws:ec2:*:*:subnet/subnet-1", "arn:aws:ec2:*::image/*", "arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:*:*:volume/*", "arn:aws:ec2:*:*:network-interface/*", "arn:aws:ec2:*:*:security-group/*"] });
    let all = six_with("ec2:RunInstances", &one_subnet);
    let report = check(&all);
    assert_eq!(decision(&report, "ec2:RunInstances"), Decision::Conditional);
    let permission = &report.verdict.permissions[0];
    assert!(
        permission.conditions.iter().any(|c| c.contains("subnet-1")),
        "{permission:#?}"
    );
    assert!(advice(&report, "SPRINTERS_CONDITIONAL_PERMISSION") && !report.verdict.granted);
    let known = Setup {
        subnets: vec!["subnet-1".to_owned()],
        ..Setup::default()
    };
    assert_eq!(
        decision(&check_for(known, &all.to_string()), "ec2:RunInstances"),
        Decision::Granted
    );
    let other = Setup {
        subnets: vec!["subnet-2".to_owned()],
        ..Setup::default()
    };
    assert_eq!(
        decision(&check_for(other, &all.to_string()), "ec2:RunInstances"),
        Decision::Missing
    );
}

#[test]
fn the_worst_of_several_ids_counts() {
    let text = six_with(
        "ec2:RunInstances",
        &json!({ "Resource": ["arn:aws:ec2:*:*:subnet/subnet-1", "arn:aws:ec2:*::image/*", "arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:*:*:volume/*", "arn:aws:ec2:*:*:network-interface/*", "arn:aws:ec2:*:*:security-group/*"] }),
    );
    for (subnets, expected) in [
        (&["subnet-1"][..], Granted),
        (&["subnet-1", "subnet-2"], Missing),
        (&["subnet-2", "subnet-1"], Missing),
        (&["subnet-1", "subnet-2", "subnet-1"], Missing),
    ] {
        let setup = Setup {
            subnets: subnets.iter().map(|id| (*id).to_owned()).collect(),
            ..Setup::default()
        };
        let report = check_for(setup, &text.to_string());
        assert_eq!(
            decision(&report, "ec2:RunInstances"),
            expected,
            "{subnets:?}"
        );
    }
}

#[test]
fn features_ask_for_more() {
    for (feature, action, good, bad) in [
        (
            Feature::InstanceProfile,
            "iam:PassRole",
            json!({ "Resource": "arn:aws:iam::*:role/*", "Condition": { "StringEquals": { "iam:PassedToService": "ec2.amazonaws.com" } } }),
            json!({ "Condition": { "StringEquals": { "iam:PassedToService": "lambda.amazonaws.com" } } }),
        ),
        (
            Feature::SpotServiceLinkedRole,
            "iam:CreateServiceLinkedRole",
            json!({ "Resource": "arn:aws:iam::*:role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot" }),
            json!({ "Condition": { "StringEquals": { "iam:AWSServiceName": "ecs.amazonaws.com" } } }),
        ),
        (
            Feature::SsmImageParameter,
            "ssm:GetParameters",
            json!({ "Resource": "arn:aws:ssm:*::parameter/aws/service/*" }),
            json!({ "Resource": "arn:aws:ssm:*:111122223333:parameter/*" }),
        ),
        (
            Feature::Console,
            "ec2:GetConsoleOutput",
            json!({ "Resource": "arn:aws:ec2:*:*:instance/*", "Condition": { "StringEquals": { "aws:ResourceTag/sprinters:sprinters": "true" } } }),
            json!({ "Condition": { "StringEquals": { "ec2:CreateAction": "RunInstances" } } }),
        ),
        (
            Feature::ImageByName,
            "ec2:DescribeImages",
            json!({ "Resource": "*" }),
            json!({ "Resource": "arn:aws:ec2:*::image/*" }),
        ),
        (
            Feature::Bake,
            "ec2:CreateImage",
            json!({ "Resource": ["arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:*::image/*", "arn:aws:ec2:*::snapshot/*"] }),
            json!({ "Resource": ["arn:aws:ec2:*:*:instance/*", "arn:aws:ec2:*::image/*"] }),
        ),
        (
            Feature::Bake,
            "ec2:DeregisterImage",
            json!({ "Condition": { "StringEquals": { "aws:ResourceTag/sprinters:sprinters": "true" } } }),
            json!({ "Resource": "arn:aws:ec2:*:111122223333:image/*" }),
        ),
        (
            Feature::Bake,
            "ec2:DeleteSnapshot",
            json!({ "Condition": { "StringEquals": { "aws:ResourceTag/sprinters:sprinters": "true" } } }),
            json!({ "Condition": { "StringEquals": { "aws:ResourceTag/sprinters:sprinters": "false" } } }),
        ),
    ] {
        let setup = || Setup {
            features: vec![feature],
            ..Setup::default()
        };
        let ask = |policy: &Value| decision(&check_for(setup(), &policy.to_string()), action);
        assert_eq!(ask(&six()), Decision::Missing, "{action}");
        assert_eq!(ask(&six_with(action, &good)), Decision::Granted, "{action}");
        assert_eq!(ask(&six_with(action, &bad)), Decision::Missing, "{action}");
        let unasked = check(&six_with(action, &good));
        assert!(unasked.verdict.granted && advice(&unasked, "SPRINTERS_UNNEEDED_PERMISSION"));
        let name = format!("`{}`", feature.name());
        let mut said = unasked.advice.iter().map(|f| &f.finding_details);
        assert!(said.any(|text| text.contains(&name)), "{action}");
    }
}

#[test]
fn a_mistyped_action_is_one_finding() {
    for mistyped in [
        "ec2:RunInstance",
        "ec3:RunInstances",
        "RunInstances",
        "ec2:Frobnicate*",
    ] {
        let report = check(&six_with(mistyped, &json!({})));
        let all = report.findings.iter().chain(&report.advice);
        let codes: Vec<&str> = all.map(|f| f.issue_code.as_str()).collect();
        let of_six = ["SPRINTERS_UNSCOPED_TERMINATE"];
        let about: Vec<&str> = codes
            .iter()
            .copied()
            .filter(|c| !of_six.contains(c))
            .collect();
        assert_eq!(about.len(), 1, "{mistyped}: {codes:?}");
        assert!(about[0].starts_with("INVALID_"), "{mistyped}: {codes:?}");
    }
}

#[test]
fn trap_tags_that_anyone_can_set_protect_nothing() {
    let guarded = |tags: Value| {
        policy(json!([
            { "Effect": "Allow", "Action": ["ec2:RunInstances", "ec2:DescribeInstances", "ec2:DescribeSpotPriceHistory"], "Resource": "*" },
            tags,
            { "Effect": "Allow", "Action": ["ec2:TerminateInstances", "ec2:ModifyVolume"], "Resource": "*",
              "Condition": { "StringEquals": { "aws:ResourceTag/sprinters:sprinters": "true" } } }
        ]))
    };
    let open = check(&guarded(
        json!({ "Effect": "Allow", "Action": "ec2:CreateTags", "Resource": "*" }),
    ));
    assert!(open.verdict.granted && advice(&open, "SPRINTERS_UNGUARDED_CREATE_TAGS"));
    let closed = check(&guarded(
        json!({ "Effect": "Allow", "Action": "ec2:CreateTags", "Resource": "*",
        "Condition": { "StringEquals": { "ec2:CreateAction": "RunInstances" } } }),
    ));
    assert!(closed.verdict.granted && !advice(&closed, "SPRINTERS_UNGUARDED_CREATE_TAGS"));
}

#[test]
fn trap_a_launch_never_carries_a_resource_tag() {
    let report = check(&six_with(
        "ec2:RunInstances",
        &json!({ "Condition": { "StringEquals": { "aws:ResourceTag/sprinters:sprinters": "true" } } }),
    ));
    assert!(advice(&report, "SPRINTERS_CONDITION_NEVER_TRUE"));
    let place = report
        .advice
        .iter()
        .find(|a| a.issue_code == "SPRINTERS_CONDITION_NEVER_TRUE")
        .unwrap();
    assert!(
        place.finding_details.contains("aws:ResourceTag"),
        "{place:?}"
    );
}

#[test]
fn trap_variables_of_2008_are_text() {
    let mut old = six_with(
        "ec2:TerminateInstances",
        &json!({ "Resource": "arn:aws:ec2:*:*:instance/${aws:userid}" }),
    );
    old["Version"] = json!("2008-10-17");
    let report = check(&old);
    assert!(
        report
            .findings
            .iter()
            .any(|f| f.issue_code == "VARIABLE_UNSUPPORTED_IN_VERSION")
    );
}

#[test]
fn versions_and_sizes_depend_on_the_target() {
    let mut old = six();
    old["Version"] = json!("2008-10-17");
    for target in Target::ALL {
        let checker = Checker::new(Options {
            setup: Setup::default(),
            target,
        });
        let report = checker.check(&old.to_string());
        assert_eq!(report.has_errors(), target == Target::Managed, "{target:?}");
        assert_eq!(
            advice(&report, "SPRINTERS_INLINE_POLICY_VERSION"),
            target != Target::Managed
        );
        assert_eq!(
            report.verdict.granted,
            target != Target::Managed,
            "2008 grants all the same, where IAM saves it"
        );
        for (size, too_large) in [(target.quota(), false), (target.quota() + 1, true)] {
            let frame =
                policy(json!([{ "Sid": "", "Effect": "Allow", "Action": "*", "Resource": "*" }]))
                    .to_string();
            let text = frame.replace(
                "\"Sid\":\"\"",
                &format!("\"Sid\":\"{}\"", "a".repeat(size - frame.len())),
            );
            assert_eq!(text.len(), size);
            let report = checker.check(&format!("{text} \n\t"));
            assert_eq!(
                advice(&report, "SPRINTERS_POLICY_TOO_LARGE"),
                too_large,
                "{target:?} {size}"
            );
        }
    }
}

fn setups() -> impl Strategy<Value = Setup> {
    let some = |text: &'static str| prop_oneof![Just(None), Just(Some(text.to_owned()))];
    let ids = |head: &'static str| {
        proptest::collection::vec((0..5_u8).prop_map(move |n| format!("{head}{n}")), 0..3)
    };
    let of_region = prop_oneof![
        3 => Just(""),
        1 => Just("us-west-2="),
        1 => Just("eu-central-1=")
    ];
    let entries = |head: &'static str| {
        let entry = (of_region.clone(), 0..5_u8);
        proptest::collection::vec(
            entry.prop_map(move |(of, n)| format!("{of}{head}{n}")),
            0..3,
        )
    };
    (
        proptest::sample::subsequence(Feature::ALL.to_vec(), 0..=Feature::ALL.len()),
        proptest::sample::subsequence(vec!["eu-central-1", "us-west-2", "us-east-1"], 0..=3),
        some("111122223333"),
        entries("subnet-"),
        entries("sg-"),
        ids("m7i.x"),
        some("ci/runner"),
    )
        .prop_map(
            |(features, regions, account, subnets, security_groups, instance_types, role)| Setup {
                features,
                regions: regions.into_iter().map(str::to_owned).collect(),
                account,
                partition: None,
                images: Vec::new(),
                subnets,
                security_groups,
                instance_types,
                role,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_tightened_policy_passes(setup in setups()) {
        let text = tighten(&setup);
        let parsed: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&parsed["Version"], "2012-10-17");
        let several_types = setup.instance_types.iter().collect::<std::collections::BTreeSet<_>>().len() > 1;
        let report = check_for(setup.clone(), &text);
        prop_assert!(report.findings.is_empty(), "{} {:#?}", text, report.findings);
        let errors = report.advice.iter().any(|a| a.finding_type == FindingType::Error);
        prop_assert!(!errors, "{:#?}", report.advice);
        prop_assert!(report.verdict.granted, "several types {}: {} {:#?}", several_types, text, report.verdict);
        prop_assert!(report.advice.is_empty(), "{} {:#?}", text, report.advice);
    }

    #[test]
    fn fixes_of_advice_keep_the_verdict(extra in proptest::sample::subsequence(vec!["s3:GetObject", "ec2:StopInstances", "iam:GetRole"], 0..=3)) {
        let mut all = six();
        all["Statement"][0]["Action"].as_array_mut().unwrap().extend(extra.iter().map(|a| json!(a)));
        let text = all.to_string();
        let report = check_for(Setup::default(), &text);
        for fix in &report.fixes {
            let fixed = check_for(Setup::default(), &apply(&text, &fix.edits));
            prop_assert!(fixed.verdict.granted, "{}", fix.title);
        }
    }
}

/// The book's statement against whoever may read the account: IAM takes it, and beside any of the documented policies it takes
/// nothing from Sprinters.
#[test]
fn denying_user_data_costs_nothing() {
    const NO_USER_DATA: &str = include_str!("../../docs/src/policies/no_user_data.json");
    let alone = check_for(Setup::default(), NO_USER_DATA);
    assert!(alone.findings.is_empty(), "{:#?}", alone.findings);
    let denied: Value = serde_json::from_str(NO_USER_DATA).unwrap();
    let denied = denied["Statement"].as_array().unwrap();
    for policy in [PLAIN_SIX, PUBLISHED_ROLE, TIGHT] {
        let mut all: Value = serde_json::from_str(policy).unwrap();
        let statements = all["Statement"].as_array_mut().unwrap();
        statements.extend(denied.iter().cloned());
        let report = check(&all);
        let before = check_for(Setup::default(), policy);
        assert_eq!(report.verdict, before.verdict);
        assert_eq!(report.findings.len(), before.findings.len());
    }
}

#[test]
fn a_reservation_is_launched_into_and_a_bake_tags_its_image() {
    let with = |feature, policy: &Value| {
        let setup = Setup {
            features: vec![feature],
            ..Setup::default()
        };
        check_for(setup, &policy.to_string())
    };
    let mut narrow: Value = serde_json::from_str(&tighten(&Setup::default())).expect("JSON");
    let reserved = with(Feature::CapacityReservation, &narrow);
    assert_eq!(decision(&reserved, "ec2:RunInstances"), Decision::Missing);
    let baked = with(Feature::Bake, &narrow);
    assert_eq!(decision(&baked, "ec2:CreateTags"), Decision::Missing);
    // A tagging that is only allowed on launch does not cover the image.
    narrow["Statement"]
        .as_array_mut()
        .expect("statements")
        .push(json!({
            "Effect": "Allow", "Action": "ec2:CreateTags", "Resource": "*",
            "Condition": { "StringEquals": { "ec2:CreateAction": "CreateImage" } }
        }));
    let baked = with(Feature::Bake, &narrow);
    assert_eq!(decision(&baked, "ec2:CreateTags"), Decision::Granted);
}

#[test]
fn the_hop_limit_is_two_with_an_instance_profile_alone() {
    let limit = json!({ "Condition": { "NumericLessThanEquals": { "ec2:MetadataHttpPutResponseHopLimit": "1" } } });
    let policy = six_with("iam:PassRole", &json!({ "Resource": "*" }));
    let mut limited = policy.clone();
    limited["Statement"].as_array_mut().expect("statements").push(json!({
        "Effect": "Deny", "Action": "ec2:RunInstances", "Resource": "arn:aws:ec2:*:*:instance/*",
        "Condition": { "NumericGreaterThan": limit["Condition"]["NumericLessThanEquals"].clone() }
    }));
    let ask = |features: Vec<Feature>| {
        let setup = Setup {
            features,
            ..Setup::default()
        };
        decision(&check_for(setup, &limited.to_string()), "ec2:RunInstances")
    };
    assert_eq!(ask(vec![]), Decision::Granted);
    assert_eq!(ask(vec![Feature::InstanceProfile]), Decision::Denied);
}
