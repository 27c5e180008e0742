//! Conditions' values: what is wrong with them, to the last bound, and what the change makes of them.

use serde_json::{Value, json};
use sprinters_policy::{Checker, Options, apply};

fn with(condition: &Value) -> String {
    json!({
        "Version": "2012-10-17",
        "Statement": { "Effect": "Allow", "Action": "ec2:RunInstances", "Resource": "*", "Condition": condition }
    })
    .to_string()
}

fn codes(text: &str) -> Vec<String> {
    let found = Checker::new(Options::default()).lint(text);
    found.into_iter().map(|f| f.issue_code).collect()
}

// The values that stand there when every change was made.
fn mended(operator: &str, key: &str, values: &Value) -> Value {
    let text = with(&json!({ operator: { key: values } }));
    let report = Checker::new(Options::default()).check(&text);
    let edits: Vec<_> = report
        .fixes
        .iter()
        .filter(|fix| fix.list == sprinters_policy::List::Findings)
        .flat_map(|fix| fix.edits.clone())
        .collect();
    let after: Value = serde_json::from_str(&apply(&text, &edits)).unwrap_or_default();
    after["Statement"]["Condition"][operator][key].clone()
}

#[test]
fn of_several_bounds_the_one_that_counts_is_kept() {
    for (operator, kept) in [
        ("NumericLessThan", "30"),
        ("NumericLessThanEquals", "30"),
        ("NumericGreaterThan", "9.5"),
        ("NumericGreaterThanEquals", "9.5"),
    ] {
        for values in [
            json!(["10", "30", "9.5"]),
            json!(["30", "9.5", "10"]),
            json!(["9.5", "10", "30"]),
        ] {
            assert_eq!(
                mended(operator, "aws:MultiFactorAuthAge", &values),
                json!(kept),
                "{operator}"
            );
        }
        let one = with(&json!({ operator: { "aws:MultiFactorAuthAge": "10" } }));
        assert!(codes(&one).is_empty(), "{operator} {:?}", codes(&one));
    }
    for operator in ["NumericEquals", "NumericNotEquals"] {
        let text = with(&json!({ operator: { "aws:MultiFactorAuthAge": ["10", "30"] } }));
        assert!(
            !codes(&text)
                .iter()
                .any(|c| c == "REDUNDANT_CONDITION_VALUE_NUM"),
            "{operator}"
        );
    }
}

#[test]
fn ranges_lose_the_bits_that_do_not_count_whatever_the_operator() {
    for operator in ["IpAddress", "NotIpAddress"] {
        assert_eq!(
            mended(operator, "aws:SourceIp", &json!("203.0.113.9/24")),
            json!("203.0.113.0/24"),
            "{operator}"
        );
        assert_eq!(
            mended(
                operator,
                "aws:SourceIp",
                &json!(["198.51.100.0/24", "2001:db8::1/32"])
            ),
            json!(["198.51.100.0/24", "2001:db8::/32"]),
            "{operator}"
        );
        let text = with(&json!({ operator: { "aws:SourceIp": "203.0.113.0/33" } }));
        assert!(
            codes(&text).contains(&"TYPE_MISMATCH_IP_RANGE".to_owned()),
            "{operator}"
        );
    }
    for (operator, values, code) in [
        ("IpAddress", json!("10.0.0.0/8"), "PRIVATE_IP_ADDRESS"),
        (
            "NotIpAddress",
            json!("10.0.0.0/8"),
            "PRIVATE_NOT_IP_ADDRESS",
        ),
        (
            "IpAddress",
            json!(["10.0.0.0/8", "203.0.113.0/24"]),
            "PRIVATE_IP_ADDRESS_SUBSET",
        ),
        (
            "NotIpAddress",
            json!(["10.0.0.0/8", "203.0.113.0/24"]),
            "PRIVATE_NOT_IP_ADDRESS_SUBSET",
        ),
    ] {
        assert_eq!(
            codes(&with(&json!({ operator: { "aws:SourceIp": values } }))),
            [code]
        );
        // Addresses inside a VPC are private.
        let inside = with(
            &json!({ operator: { "aws:VpcSourceIp": values }, "StringEquals": { "aws:SourceVpc": "vpc-12345678" } }),
        );
        assert!(codes(&inside).is_empty(), "{operator}");
    }
}

#[test]
fn binary_values_are_base64() {
    let found = |value: &str| {
        codes(&with(
            &json!({ "BinaryEquals": { "aws:PrincipalTag/key": value } }),
        ))
    };
    assert!(
        found("QUJD").is_empty() && found("A+/=").is_empty(),
        "{:?}",
        found("A+/=")
    );
    for wrong in ["QUI", "Q!JD", "QQ=====", "Q=JD"] {
        assert_eq!(found(wrong), ["TYPE_MISMATCH_STRING"], "{wrong}");
    }
}

#[test]
fn a_key_that_stands_twice_is_found_in_objects_of_any_size() {
    for count in [2, 15, 16, 17, 40, 120] {
        let members = |last: &str| {
            let all: Vec<String> = (0..count)
                .map(|n| format!("\"aws:PrincipalTag/{n}\": \"x\""))
                .collect();
            format!("{}, \"aws:PrincipalTag/{last}\": \"y\"", all.join(", "))
        };
        let text = |last: &str| {
            with(&json!({ "StringEquals": "PLACE" }))
                .replace("\"PLACE\"", &format!("{{{}}}", members(last)))
        };
        assert!(codes(&text("other")).is_empty(), "{count}");
        let twice = text("0");
        let findings = Checker::new(Options::default()).lint(&twice);
        assert_eq!(findings.len(), 1, "{count}");
        assert_eq!(findings[0].issue_code, "JSON_SYNTAX_ERROR");
        let at = findings[0].locations[0].span.start.offset as usize;
        assert_eq!(
            at,
            twice.rfind("\"aws:PrincipalTag/0\"").unwrap_or_default(),
            "the second is the one too many"
        );
    }
}
