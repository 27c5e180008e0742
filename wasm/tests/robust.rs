//! Whatever is pasted, the checker answers: no panic, sane places, in time.

#![expect(
    clippy::expect_used,
    reason = "a test that cannot go on may stop where it stands; literals read better by value"
)]

use proptest::prelude::*;
use sprinters_policy::{Checker, Options, Report, apply, json};

const SEED: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"sprinters","Effect":"Allow","Action":["ec2:RunInstances","ec2:CreateTags"],"Resource":["*"],"Condition":{"StringLike":{"aws:RequestTag/${x":"*"}}}]}"#;

fn check(text: &str) -> Report {
    Checker::new(Options::default()).check(text)
}

// Places lie inside the text and count as UTF-16 does.
fn places_are_sane(text: &str) {
    let report = check(text);
    let units: Vec<u16> = text.encode_utf16().collect();
    for finding in report.findings.iter().chain(&report.advice) {
        assert!(!finding.finding_details.is_empty());
        for location in &finding.locations {
            for point in [location.span.start, location.span.end] {
                let before = units
                    .get(..point.offset as usize)
                    .expect("an offset inside the text");
                let before = String::from_utf16(before).expect("an offset between characters");
                let text = before.replace("\r\n", "\n").replace('\r', "\n");
                assert_eq!(point.line as usize, text.matches('\n').count() + 1);
            }
            assert!(location.span.start.offset <= location.span.end.offset);
        }
    }
    for fix in &report.fixes {
        let _ = apply(text, &fix.edits);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn any_text(text in "\\PC{0,60}") {
        places_are_sane(&text);
    }

    #[test]
    fn any_json_like_text(text in "[\\[\\]{}\":,'a-z0-9 \\n\\r\\\\u/#$é😀\u{feff}-]{0,80}") {
        places_are_sane(&text);
    }

    #[test]
    fn a_policy_with_something_cut_or_put_in(at in 0..SEED.len(), length in 0..12_usize, new in "[\\[\\]{}\":,\\\\ \\n*?$a😀]{0,6}") {
        let end = (at + length).min(SEED.len());
        places_are_sane(&format!("{}{new}{}", &SEED[..at], &SEED[end..]));
    }

    #[test]
    fn valid_json_has_no_errors(value in json_value(4)) {
        let text = serde_json::to_string(&value).unwrap();
        prop_assert!(json::parse(&text).errors.is_empty(), "{}", text);
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        prop_assert!(json::parse(&pretty).errors.is_empty(), "{}", pretty);
    }

    #[test]
    fn what_serde_refuses_is_an_error(text in "[\\[\\]{}\":,0-9a-z \\\\.+-]{1,24}") {
        let strict = serde_json::from_str::<serde_json::Value>(&text);
        let ours = json::parse(&text).errors;
        if let Err(error) = &strict {
            prop_assume!(!error.to_string().contains("out of range") && !error.to_string().contains("duplicate"));
            prop_assert!(!ours.is_empty(), "{} — {}", text, error);
        }
    }
}

fn json_value(depth: u32) -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(depth, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z\"\\\\]{0,4}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

// A megabyte in every shape that could make something quadratic.
#[test]
fn a_megabyte_is_answered_with_a_bounded_report() {
    let fill = |piece: &dyn Fn(usize) -> String| {
        let mut all = String::new();
        for number in 0.. {
            if all.len() > 1_000_000 {
                break;
            }
            if number > 0 {
                all.push(',');
            }
            all.push_str(&piece(number));
        }
        all
    };
    let statement = |inner: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Resource":"*",{inner}}}]}}"#
        )
    };
    let texts = [
        "x".repeat(1_000_000),
        "[".repeat(1_000_000),
        "{\"a\":".repeat(200_000),
        "\"".repeat(1_000_000),
        " ".repeat(1_000_000),
        "\n".repeat(1_000_000),
        "😀".repeat(250_000),
        format!("[{}]", fill(&|n| n.to_string())),
        statement(&format!(
            r#""Action":[{}]"#,
            fill(&|n| format!("\"ec2:Foo{n}\""))
        )),
        statement(&format!(
            r#""Action":[{}]"#,
            fill(&|n| format!("\"ec2:D*{n}*\""))
        )),
        statement(&format!(
            r#""Action":"*","Condition":{{"StringLike":{{{}}}}}"#,
            fill(&|n| format!("\"aws:x{n}\":\"*\""))
        )),
        statement(&fill(&|n| format!("\"Key{n}\":1"))),
        format!(
            r#"{{"Statement":[{}]}}"#,
            fill(&|_| r#"{"Sid":"A"}"#.to_owned())
        ),
        format!(
            r#"{{"Statement":[{}]}}"#,
            fill(&|n| format!(
                r#"{{"Effect":"Allow","Action":"ec2:RunInstances","Resource":"arn:aws:ec2:*:*:instance/i-{n}*"}}"#
            ))
        ),
    ];
    for text in texts {
        // A quadratic walk would take minutes here, and no test runs that long unnoticed.
        let report = check(&text);
        assert!(report.findings.len() <= 1_000);
    }
}

#[test]
fn says_what_was_pasted_by_mistake() {
    for (text, words) in [
        ("", "paste"),
        (" \n\t ", "paste"),
        ("Version: '2012-10-17'\nStatement: []\n", "YAML"),
        ("- Effect: Allow\n", "YAML"),
        ("---\nVersion: x\n", "YAML"),
        ("%YAML 1.2\n", "YAML"),
        ("policy_document:\n  Version: x\n", "YAML"),
        ("'Version': x\n", "YAML"),
        ("- - Effect: Allow\n", "YAML"),
        (
            "resource \"aws_iam_policy\" \"p\" {\n  policy = jsonencode({})\n}\n",
            "Terraform",
        ),
        (
            "# policy\ndata \"aws_iam_policy_document\" \"p\" {\n  statement {\n  }\n}\n",
            "Terraform",
        ),
        (
            "AWSTemplateFormatVersion: '2010-09-09'\nResources:\n",
            "CloudFormation",
        ),
        (
            "{\"Resources\": {\"P\": {\"Type\": \"AWS::IAM::Policy\"}}}",
            "CloudFormation",
        ),
        ("{\"PolicyDocument\": {\"Statement\": []}}", "AWS CLI"),
        (
            "\u{feff}{\"Version\":\"2012-10-17\",\"Statement\":[]}",
            "byte order mark",
        ),
        ("https://example.com", "link"),
        ("<!doctype html>", "web page"),
    ] {
        let report = check(text);
        let all: Vec<_> = report
            .findings
            .iter()
            .map(|f| f.finding_details.as_str())
            .collect();
        assert!(
            all.iter().any(|m| m.contains(words)),
            "{text:?} gives {all:?}"
        );
        assert!(!report.verdict.granted);
    }
}

#[test]
fn what_has_a_colon_is_not_always_yaml() {
    for text in [
        "a-b: c",
        "a b: c",
        ": c",
        "ec2:RunInstances",
        "12:30",
        "Version",
    ] {
        let report = check(text);
        let said = report.findings.iter().map(|f| &f.finding_details);
        assert!(
            said.clone().all(|s| !s.contains("YAML")),
            "{text}: {:?}",
            said.collect::<Vec<_>>()
        );
    }
}

#[test]
fn deep_nesting_is_an_error_and_no_crash() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let report = check(&format!(r#"{{"Version":"2012-10-17","Statement":{deep}}}"#));
    assert!(
        report
            .findings
            .iter()
            .any(|f| f.finding_details.contains("deeper"))
    );
}
