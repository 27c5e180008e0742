//! One test for each rule of evaluation.

#![expect(
    clippy::expect_used,
    clippy::needless_pass_by_value,
    reason = "a test that cannot go on may stop where it stands; literals read better by value"
)]

use proptest::prelude::*;
use serde_json::{Value, json};
use sprinters_policy::simulate::{ContextEntry, EvalDecision, Simulation, simulate};

fn ask(policy: &Value, action: &str, resource: &str, context: &[(&str, &[&str])]) -> EvalDecision {
    let entries = context.iter().map(|(key, values)| ContextEntry {
        context_key_name: (*key).to_owned(),
        context_key_values: values.iter().map(|v| (*v).to_owned()).collect(),
        context_key_type: "string".to_owned(),
    });
    let question = Simulation {
        policy_input_list: vec![policy.to_string()],
        action_names: vec![action.to_owned()],
        resource_arns: vec![resource.to_owned()],
        context_entries: entries.collect(),
        ..Simulation::default()
    };
    let mut answer = simulate(&question).expect("a readable policy");
    answer.evaluation_results.remove(0).eval_decision
}

const INSTANCE: &str = "arn:aws:ec2:eu-central-1:111122223333:instance/i-1";

fn policy(version: &str, statements: Value) -> Value {
    json!({ "Version": version, "Statement": statements })
}

fn allow(more: Value) -> Value {
    let mut statement = json!({ "Effect": "Allow", "Action": "ec2:*", "Resource": "*" });
    for (key, value) in more.as_object().expect("an object") {
        statement[key] = value.clone();
        if let Some(plain) = key.strip_prefix("Not") {
            statement.as_object_mut().expect("an object").remove(plain);
        }
    }
    policy("2012-10-17", json!([statement]))
}

fn is_allowed(policy: &Value, context: &[(&str, &[&str])]) -> bool {
    ask(policy, "ec2:TerminateInstances", INSTANCE, context) == EvalDecision::Allowed
}

fn meets(condition: Value, context: &[(&str, &[&str])]) -> bool {
    is_allowed(&allow(json!({ "Condition": condition })), context)
}

#[test]
fn nothing_said_is_denied_and_a_deny_wins() {
    let other = allow(json!({ "Action": "s3:*" }));
    assert_eq!(
        ask(&other, "ec2:RunInstances", "*", &[]),
        EvalDecision::ImplicitDeny
    );
    let both = policy(
        "2012-10-17",
        json!([
            { "Effect": "Deny", "Action": "ec2:Terminate*", "Resource": "*" },
            { "Effect": "Allow", "Action": "*", "Resource": "*" }
        ]),
    );
    assert_eq!(
        ask(&both, "ec2:TerminateInstances", "*", &[]),
        EvalDecision::ExplicitDeny
    );
    assert_eq!(
        ask(&both, "ec2:RunInstances", "*", &[]),
        EvalDecision::Allowed
    );
}

#[test]
fn actions_ignore_case_and_take_wildcards() {
    for action in [
        "EC2:terminateinstances",
        "ec2:Terminate?nstances",
        "*",
        "ec2:*s",
        "e*:*",
    ] {
        assert!(
            is_allowed(&allow(json!({ "Action": action })), &[]),
            "{action}"
        );
    }
    assert!(!is_allowed(
        &allow(json!({ "Action": "ec2:Terminate" })),
        &[]
    ));
    assert!(is_allowed(&allow(json!({ "NotAction": "s3:*" })), &[]));
    assert!(!is_allowed(&allow(json!({ "NotAction": "ec2:*" })), &[]));
}

#[test]
fn resources_keep_case_and_wildcards_cross_slashes() {
    let with = |resource: &str| is_allowed(&allow(json!({ "Resource": resource })), &[]);
    assert!(
        with("arn:aws:ec2:*:*:instance/*") && with("arn:aws:ec2:*") && with("arn:aws:ec2:*:*:*i-?")
    );
    assert!(!with("arn:aws:ec2:*:*:Instance/*") && !with("arn:aws:ec2:*:*:volume/*"));
    let not = |resource: &str| is_allowed(&allow(json!({ "NotResource": resource })), &[]);
    assert!(not("arn:aws:ec2:*:*:volume/*") && !not("arn:aws:ec2:*:*:instance/*"));
    let only_star = allow(json!({ "Resource": "arn:aws:ec2:*:*:*" }));
    assert_eq!(
        ask(&only_star, "ec2:DescribeInstances", "*", &[]),
        EvalDecision::ImplicitDeny
    );
}

#[test]
fn variables_work_from_2012_on() {
    let statement = json!([{ "Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::home/${AWS:UserName}/*" }]);
    let ask_for = |version, user: &[&str], resource| {
        let context: &[(&str, &[&str])] = &[("aws:username", user)];
        ask(
            &policy(version, statement.clone()),
            "s3:GetObject",
            resource,
            context,
        ) == EvalDecision::Allowed
    };
    assert!(ask_for("2012-10-17", &["ann"], "arn:aws:s3:::home/ann/x"));
    assert!(!ask_for("2012-10-17", &["ann"], "arn:aws:s3:::home/bob/x"));
    assert!(
        !ask_for("2012-10-17", &["*"], "arn:aws:s3:::home/bob/x"),
        "a value's star is text"
    );
    assert!(!ask_for("2008-10-17", &["ann"], "arn:aws:s3:::home/ann/x"));
    assert!(ask_for(
        "2008-10-17",
        &["ann"],
        "arn:aws:s3:::home/${AWS:UserName}/x"
    ));
    let resource = |text: &str| allow(json!({ "Action": "*", "Resource": text }));
    let get = |text: &str, name: &str, context: &[(&str, &[&str])]| {
        ask(&resource(text), "s3:GetObject", name, context) == EvalDecision::Allowed
    };
    assert!(
        !get("arn:aws:s3:::${aws:username}", "arn:aws:s3:::", &[]),
        "unresolved matches nothing"
    );
    assert!(get(
        "arn:aws:s3:::${aws:PrincipalTag/t, 'all'}",
        "arn:aws:s3:::all",
        &[]
    ));
    assert!(get("arn:aws:s3:::${*}", "arn:aws:s3:::*", &[]));
    assert!(!get("arn:aws:s3:::${*}", "arn:aws:s3:::a", &[]));
    assert!(get("arn:aws:s3:::${$}${?}", "arn:aws:s3:::$?", &[]));
}

#[test]
fn operators_and_keys_and_values_or() {
    let two =
        json!({ "StringEquals": { "aws:username": ["ann", "bob"], "aws:PrincipalTag/t": "a" } });
    assert!(meets(
        two.clone(),
        &[("AWS:USERNAME", &["bob"]), ("aws:PrincipalTag/t", &["a"])]
    ));
    assert!(!meets(two.clone(), &[("aws:username", &["bob"])]));
    assert!(!meets(
        two,
        &[("aws:username", &["eve"]), ("aws:PrincipalTag/t", &["a"])]
    ));
    let nor = json!({ "StringNotEquals": { "aws:username": ["ann", "bob"] } });
    assert!(meets(nor.clone(), &[("aws:username", &["eve"])]));
    assert!(!meets(nor.clone(), &[("aws:username", &["bob"])]));
    assert!(
        meets(nor, &[]),
        "negated operators are true without the key"
    );
}

#[test]
fn missing_keys() {
    assert!(!meets(
        json!({ "StringEquals": { "aws:username": "ann" } }),
        &[]
    ));
    assert!(meets(
        json!({ "StringEqualsIfExists": { "aws:username": "ann" } }),
        &[]
    ));
    assert!(!meets(
        json!({ "StringEqualsIfExists": { "aws:username": "ann" } }),
        &[("aws:username", &["bob"])]
    ));
    assert!(meets(json!({ "Null": { "aws:username": "true" } }), &[]));
    assert!(!meets(
        json!({ "Null": { "aws:username": true } }),
        &[("aws:username", &["a"])]
    ));
    assert!(meets(
        json!({ "Null": { "aws:username": false } }),
        &[("aws:username", &["a"])]
    ));
}

#[test]
fn qualifiers() {
    let all = json!({ "ForAllValues:StringEquals": { "aws:TagKeys": ["a", "b"] } });
    let any = json!({ "ForAnyValue:StringEquals": { "aws:TagKeys": ["a", "b"] } });
    for (values, in_all, in_any) in [
        (&["a"][..], true, true),
        (&["a", "b"], true, true),
        (&["a", "c"], false, true),
        (&["c"], false, false),
    ] {
        assert_eq!(
            meets(all.clone(), &[("aws:TagKeys", values)]),
            in_all,
            "{values:?}"
        );
        assert_eq!(
            meets(any.clone(), &[("aws:TagKeys", values)]),
            in_any,
            "{values:?}"
        );
    }
    assert!(meets(all, &[]) && !meets(any, &[]));
}

#[test]
fn strings_arns_numbers_dates_booleans_addresses() {
    let one = |op: &str, value: Value, given: &str| {
        meets(
            json!({ op: { "aws:PrincipalTag/t": value } }),
            &[("aws:PrincipalTag/t", &[given])],
        )
    };
    assert!(!one("StringEquals", json!("a*"), "ab") && one("StringEquals", json!("a*"), "a*"));
    assert!(one("StringLike", json!("a*"), "ab") && !one("StringNotLike", json!("a*"), "ab"));
    assert!(one("StringEqualsIgnoreCase", json!("Ab"), "aB"));
    let arn = "arn:aws:sns:eu-central-1:111122223333:topic";
    for op in ["ArnEquals", "ArnLike"] {
        assert!(one(op, json!("arn:aws:sns:*:111122223333:t*"), arn), "{op}");
        assert!(
            !one(op, json!("arn:aws:sns:*:topic"), arn),
            "{op} goes segment by segment"
        );
    }
    assert!(one("NumericLessThan", json!(10), "9.5") && !one("NumericLessThan", json!("10"), "10"));
    assert!(
        one("NumericGreaterThanEquals", json!("1e1"), "10")
            && one("NumericNotEquals", json!(1), "2")
    );
    assert!(one(
        "DateLessThan",
        json!("2026-01-01"),
        "2025-12-31T23:59:59Z"
    ));
    assert!(one(
        "DateEquals",
        json!("1767225600"),
        "2026-01-01T00:00:00Z"
    ));
    assert!(one("Bool", json!(true), "true") && !one("Bool", json!("true"), "false"));
    assert!(one("IpAddress", json!("203.0.113.0/24"), "203.0.113.7"));
    assert!(one("NotIpAddress", json!("203.0.113.0/24"), "198.51.100.1"));
    assert!(one("BinaryEquals", json!("QUJD"), "QUJD"));
    assert!(!one("BinaryEquals", json!("QUJD"), "QUJE"));
    assert!(
        !one("BinaryEquals", json!("Q!JD"), "Q!JD"),
        "base64 has other characters"
    );
}

#[test]
fn single_values_and_objects_stand_for_lists() {
    let plain = json!({ "Version": "2012-10-17", "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } });
    assert!(is_allowed(&plain, &[]));
}

#[test]
fn the_answer_has_the_shape_of_simulate_custom_policy() {
    // The example of the AWS CLI's reference, positions included.
    let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2015-08-16T12:00:00Z"}}}}"#;
    let mut question = Simulation {
        policy_input_list: vec![text.to_owned()],
        action_names: vec!["dynamodb:CreateBackup".to_owned()],
        context_entries: vec![ContextEntry {
            context_key_name: "aws:CurrentTime".to_owned(),
            context_key_values: vec!["2019-04-25T11:00:00Z".to_owned()],
            context_key_type: "date".to_owned(),
        }],
        ..Simulation::default()
    };
    let answer = serde_json::to_value(simulate(&question).unwrap()).unwrap();
    let result = &answer["EvaluationResults"][0];
    assert_eq!(result["EvalDecision"], "allowed");
    let matched = &result["MatchedStatements"][0];
    assert_eq!(matched["SourcePolicyId"], "PolicyInputList.1");
    assert_eq!(matched["StartPosition"], json!({ "Line": 1, "Column": 38 }));
    assert_eq!(matched["EndPosition"], json!({ "Line": 1, "Column": 167 }));
    assert_eq!(result["MissingContextValues"], json!([]));
    question.context_entries.clear();
    let answer = serde_json::to_value(simulate(&question).unwrap()).unwrap();
    assert_eq!(
        answer["EvaluationResults"][0]["EvalDecision"],
        "implicitDeny"
    );
    assert_eq!(
        answer["EvaluationResults"][0]["MissingContextValues"],
        json!(["aws:CurrentTime"])
    );
}

#[test]
fn what_iam_refuses_is_not_simulated() {
    let ask = |text: &str| {
        simulate(&Simulation {
            policy_input_list: vec![text.to_owned()],
            action_names: vec!["ec2:RunInstances".to_owned()],
            ..Simulation::default()
        })
    };
    for (text, words) in [
        (
            r#"{"Statement": {"Effect": "allow", "Action": "*", "Resource": "*"}}"#,
            "line 1 column 25",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Action": "*"}}"#,
            "Resource",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}}"#,
            "Principal",
        ),
        (
            r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringIs": {"aws:username": "a"}}}}"#,
            "StringIs",
        ),
        ("{}", "Statement"),
        ("{", "syntax error"),
    ] {
        let error = ask(text).expect_err(text).to_string();
        assert!(
            error.starts_with("`PolicyInputList.1`") && error.contains(words),
            "{error}"
        );
    }
    // Saved, and without effect: `Action` is spelled wrong, IAM does not mind.
    assert!(
        ask(r#"{"Statement": {"Effect": "Allow", "Action": "ec2:Run", "Resource": "*"}}"#).is_ok()
    );
    // Long policies can be asked for: where they will be saved, nobody says.
    let long = format!(
        r#"{{"Statement": {{"Effect": "Allow", "Action": "*", "Resource": ["*", "arn:aws:s3:::{}"]}}}}"#,
        "a".repeat(12_000)
    );
    assert!(ask(&long).is_ok());
}

#[test]
fn a_boundary_bounds() {
    let question = |boundary: &str| Simulation {
        policy_input_list: vec![
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#.to_owned(),
        ],
        permissions_boundary: vec![format!(
            r#"{{"Statement":{{"Effect":"Allow","Action":"{boundary}","Resource":"*"}}}}"#
        )],
        action_names: vec!["ec2:RunInstances".to_owned()],
        ..Simulation::default()
    };
    let decide =
        |boundary| simulate(&question(boundary)).unwrap().evaluation_results[0].eval_decision;
    assert_eq!(decide("ec2:*"), EvalDecision::Allowed);
    assert_eq!(decide("s3:*"), EvalDecision::ImplicitDeny);
}

// With recursion where the crate has a table.
fn glob(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), None) => glob(rest, text),
        (Some(('*', rest)), Some((_, tail))) => glob(rest, text) || glob(pattern, tail),
        (Some(('?', rest)), Some((_, tail))) => glob(rest, tail),
        (Some((p, rest)), Some((t, tail))) => p == t && glob(rest, tail),
        _ => false,
    }
}

fn pattern() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            Just("*"),
            Just("?"),
            Just("a"),
            Just("b"),
            Just("/"),
            Just(":")
        ],
        0..5,
    )
    .prop_map(|parts| parts.concat())
}

fn word() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![Just("a"), Just("b"), Just("/"), Just(":"), Just("*")],
        0..5,
    )
    .prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn coverage_never_lies(outer in pattern(), inner in pattern(), text in word()) {
        use sprinters_policy::pattern::{covers, matches, overlaps};
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        prop_assert_eq!(matches(&outer, &text), glob(&chars(&outer), &chars(&text)));
        if covers(&outer, &inner) && matches(&inner, &text) {
            prop_assert!(matches(&outer, &text), "{} covers {} but not {}", outer, inner, text);
        }
        if matches(&outer, &text) && matches(&inner, &text) {
            prop_assert!(overlaps(&outer, &inner, false), "{} and {} share {}", outer, inner, text);
        }
    }
}
