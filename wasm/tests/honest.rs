//! One honest answer: what IAM would refuse is not granted, whatever cannot be read decides nothing in silence, and the
//! headline says it.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on may stop where it stands"
)]

use serde_json::{Value, json};
use sprinters_policy::headline::Kind;
use sprinters_policy::{Checker, Decision, Options, Report, Setup, Target};

const PLAIN_SIX: &str = include_str!("policies/plain_six.json");
const PUBLISHED_ROLE: &str = include_str!("policies/published_role.json");
const TIGHT: &str = include_str!("policies/tight.json");

fn check_as(target: Target, text: &str) -> Report {
    let options = Options {
        setup: Setup::default(),
        target,
    };
    let checker = Checker::new(options);
    let report = checker.check(text);
    assert_eq!(report.verdict, checker.verdict(text));
    report
}

fn check(text: &str) -> Report {
    check_as(Target::Managed, text)
}

fn with(statement: Value) -> String {
    let mut all: Value = serde_json::from_str(PLAIN_SIX).unwrap();
    all["Statement"].as_array_mut().unwrap().push(statement);
    serde_json::to_string_pretty(&all).unwrap()
}

#[test]
fn what_iam_refuses_is_not_granted() {
    let deny = |part: Value| {
        let mut statement = json!({"Effect": "Deny", "Action": "s3:*", "Resource": "*"});
        for (key, value) in part.as_object().unwrap() {
            statement[key] = value.clone();
        }
        with(statement)
    };
    for (what, text) in [
        (
            "a trailing comma",
            PLAIN_SIX.trim_end().trim_end_matches('}').to_owned() + ",}",
        ),
        ("a byte order mark", format!("\u{feff}{PLAIN_SIX}")),
        ("a principal", deny(json!({"Principal": "*"}))),
        ("a condition that is a list", deny(json!({"Condition": []}))),
        (
            "a wrong operator",
            deny(json!({"Condition": {"StringIs": {"aws:PrincipalTag/a": "b"}}})),
        ),
        (
            "a key without its service",
            deny(json!({"Condition": {"StringEquals": {"region": "b"}}})),
        ),
        (
            "an element that there is not",
            deny(json!({"Comment": "x"})),
        ),
        ("a number as an action", deny(json!({"Action": 5}))),
        ("an empty action", deny(json!({"Action": ""}))),
        ("an empty resource", deny(json!({"Resource": ""}))),
        ("no action in the list", deny(json!({"Action": []}))),
        (
            "an action without its service",
            deny(json!({"Action": "StopInstances"})),
        ),
        (
            "a resource that is not an ARN",
            deny(json!({"Resource": "bucket"})),
        ),
        ("an ARN cut short", deny(json!({"Resource": "arn:aws:s3"}))),
        ("both forms", deny(json!({"NotAction": "s3:*"}))),
        (
            "an effect in small letters",
            deny(json!({"Effect": "deny"})),
        ),
        ("a Sid with a space", deny(json!({"Sid": "a b"}))),
        (
            "two equal Sids",
            PUBLISHED_ROLE
                .replace("\"Sid\": \"", "\"Sid\": \"same")
                .replacen("same", "", 0),
        ),
        (
            "too many characters",
            with(
                json!({"Effect": "Allow", "Action": "s3:Get*", "Resource": vec!["arn:aws:s3:::bucket"; 400]}),
            ),
        ),
        (
            "another version",
            PLAIN_SIX.replace("2012-10-17", "2012-10-18"),
        ),
        (
            "the version of 2008 in a managed policy",
            PLAIN_SIX.replace("2012-10-17", "2008-10-17"),
        ),
        ("YAML", "Version: x\nStatement: []\n".to_owned()),
        ("nothing", String::new()),
    ] {
        let report = check(&text);
        if what == "two equal Sids" {
            // The published role's are different: make them one.
            let same = regex_free_sids(&text);
            let report = check(&same);
            assert_eq!(report.headline.kind, Kind::Refused, "{what}: {same}");
            continue;
        }
        assert_eq!(report.headline.kind, Kind::Refused, "{what}: {report:#?}");
        assert!(
            !report.verdict.granted && report.verdict.refused.is_some(),
            "{what}"
        );
        assert!(
            report.headline.text.starts_with("AWS will not save this: "),
            "{what}"
        );
    }
}

fn regex_free_sids(text: &str) -> String {
    let mut value: Value = serde_json::from_str(text).unwrap();
    for statement in value["Statement"].as_array_mut().unwrap() {
        statement["Sid"] = json!("same");
    }
    value.to_string()
}

#[test]
fn what_it_would_be_worth_is_given_with_the_line() {
    let text = "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [{\"Effect\": \"Allow\", \"Action\": [\n\"ec2:RunInstances\", \"ec2:CreateTags\", \"ec2:DescribeInstances\", \"ec2:ModifyVolume\", \"ec2:TerminateInstances\", \"ec2:DescribeSpotPriceHistory\",], \"Resource\": \"*\"}]}";
    let report = check(text);
    assert_eq!(
        report.headline.text,
        "AWS will not save this: 1 error, line 4. Once that is fixed, Sprinters can work with this policy"
    );
    assert!(
        report
            .verdict
            .permissions
            .iter()
            .all(|p| p.decision == Decision::Granted)
    );
    let two = text
        .replace("\"Effect\"", "\"Principal\": \"*\", \"Effect\"")
        .replace("\"ec2:ModifyVolume\", ", "");
    assert_eq!(
        check(&two).headline.text,
        "AWS will not save this: 2 errors, the first in line 3. Once those are fixed, Sprinters cannot work with this policy: of 6 permissions, 1 is missing"
    );
    assert_eq!(
        check("a: b").headline.text,
        "AWS will not save this: 1 error, line 1"
    );
}

#[test]
fn a_part_that_cannot_be_read_is_never_dropped_in_silence() {
    for (what, part) in [
        (
            "a Deny whose operator there is not",
            json!({"Condition": {"StringIs": {"aws:PrincipalTag/a": "b"}}}),
        ),
        ("a Deny whose condition is a list", json!({"Condition": []})),
        (
            "a Deny whose keys are a list",
            json!({"Condition": {"StringEquals": []}}),
        ),
        (
            "a Deny with a number among its actions",
            json!({"Action": [5]}),
        ),
        (
            "a Deny with a number among its resources",
            json!({"Resource": [5]}),
        ),
        ("an effect that is neither", json!({"Effect": "Prevent"})),
        (
            "a mistyped condition",
            json!({"Conditions": {"StringEquals": {"aws:PrincipalTag/a": "b"}}}),
        ),
        (
            "a value that is an object",
            json!({"Condition": {"StringEquals": {"aws:PrincipalTag/a": {}}}}),
        ),
    ] {
        let mut statement =
            json!({"Effect": "Deny", "Action": "ec2:RunInstances", "Resource": "*"});
        for (key, value) in part.as_object().unwrap() {
            statement[key] = value.clone();
        }
        let report = check(&with(statement));
        let launch = &report.verdict.permissions[0];
        assert_eq!(
            launch.decision,
            Decision::Conditional,
            "{what}: {launch:#?}"
        );
        assert!(
            launch.conditions.iter().any(|c| c.contains("statement 2")),
            "{what}: {launch:#?}"
        );
    }
}

#[test]
fn every_kind_of_answer_has_its_headline() {
    for (text, kind, words) in [
        (PLAIN_SIX.to_owned(), Kind::Works, "Sprinters can work with this policy"),
        (TIGHT.to_owned(), Kind::Works, "Sprinters can work with this policy"),
        (PUBLISHED_ROLE.to_owned(), Kind::TooWide, "too wide: 1 security warning"),
        (
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#.to_owned(),
            Kind::TooWide,
            "administrator access",
        ),
        (
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:*","Resource":"*"}}"#.to_owned(),
            Kind::TooWide,
            "too wide: 1 security warning",
        ),
        (
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}}"#.to_owned(),
            Kind::TooWide,
            "too wide: 1 security warning",
        ),
        (PLAIN_SIX.replace("\"ec2:CreateTags\",", ""), Kind::Lacks, "of 6 permissions, 1 is missing"),
        (
            with(json!({"Effect": "Deny", "Action": ["ec2:RunInstances", "ec2:CreateTags"], "Resource": "*"})),
            Kind::Lacks,
            "of 6 permissions, 2 are denied",
        ),
        (
            with(json!({"Effect": "Deny", "Action": "ec2:RunInstances", "Resource": "*", "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}})),
            Kind::Depends,
            "of 6 permissions, 1 depends",
        ),
        (
            PLAIN_SIX.replace("\"ec2:CreateTags\"", "\"ec2:CreateTags\", \"ec2:Frobnicate\""),
            Kind::Works,
            "it has 1 error, line 1",
        ),
    ] {
        let report = check(&text);
        assert_eq!(report.headline.kind, kind, "{text}: {:?}", report.headline);
        assert!(report.headline.text.contains(words), "{text}: {:?}", report.headline);
        let granted = matches!(kind, Kind::Works | Kind::TooWide);
        assert_eq!(report.verdict.granted, granted, "{text}");
        assert_eq!(report.headline.passes(), kind != Kind::Lacks, "{text}");
    }
}

#[test]
fn where_iam_and_access_analyzer_differ_both_are_named() {
    for (text, code, words) in [
        (
            with(json!({"Effect": "Deny", "Action": [], "Resource": "*"})),
            "EMPTY_ARRAY_ACTION",
            "IAM refuses",
        ),
        (
            with(json!({"Effect": "Deny", "Action": "s3:*", "Resource": []})),
            "EMPTY_ARRAY_RESOURCE",
            "IAM refuses",
        ),
        (
            with(json!({"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:*"})),
            "MISSING_ARN_FIELD",
            "IAM saves it",
        ),
        (
            with(json!({"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:*:::x"})),
            "WILDCARD_IN_SERVICE_NAME",
            "IAM refuses",
        ),
    ] {
        let report = check(&text);
        let found = report.findings.iter().find(|f| f.issue_code == code);
        let found = found.unwrap_or_else(|| panic!("{code}: {report:#?}"));
        assert!(found.finding_details.contains(words), "{found:?}");
        let refused = report.headline.kind == Kind::Refused;
        assert_eq!(refused, code != "MISSING_ARN_FIELD", "{code}");
    }
}
