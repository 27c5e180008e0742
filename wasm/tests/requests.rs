//! What each request carries: a condition on every key that decides, alone on a statement that allows everything, and the
//! answer for every request: `tests/requests.txt`.
//!
//! A case is a condition; for each setup (`plain`, `all` features in us-west-2 with every id known, `china`) the requests
//! that are granted and those that perhaps are, the rest being missing; and the reasons. `UPDATE_REQUESTS=1 cargo test`
//! writes the answers anew; read the diff.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on may stop where it stands"
)]

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};
use sprinters_policy::Decision::{Conditional, Granted};
use sprinters_policy::{Checker, Feature, Options, Setup, Target, tighten};

fn setups() -> [(&'static str, Setup); 3] {
    let one = |text: &str| vec![text.to_owned()];
    let known = Setup {
        features: Feature::ALL.to_vec(),
        regions: one("us-west-2"),
        account: Some("111122223333".to_owned()),
        partition: None,
        images: one("ami-1"),
        subnets: one("subnet-1"),
        security_groups: vec!["sg-1".to_owned(), "sg-2".to_owned()],
        instance_types: vec!["m7i.large".to_owned(), "m7a.large".to_owned()],
        role: Some("ci/runner".to_owned()),
    };
    let china = Setup {
        features: vec![Feature::InstanceProfile, Feature::SpotServiceLinkedRole],
        partition: Some("aws-cn".to_owned()),
        ..Setup::default()
    };
    [
        ("plain", Setup::default()),
        ("all", known),
        ("china", china),
    ]
}

// What is granted and what depends on more; the rest is missing. The reasons are collected.
fn answers(setup: Setup, condition: &Value, reasons: &mut BTreeSet<String>) -> String {
    let statement =
        json!({"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition});
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
    let options = Options {
        setup,
        target: Target::Managed,
    };
    let verdict = Checker::new(options).verdict(&policy.to_string());
    let mut out = String::new();
    for permission in &verdict.permissions {
        let all = &permission.resources;
        reasons.extend(all.iter().flat_map(|r| r.conditions.iter().cloned()));
        for (decision, word) in [(Granted, ""), (Conditional, "perhaps ")] {
            let hit = all.iter().filter(|r| r.decision == decision);
            let types: Vec<&str> = hit.map(|r| r.resource_type.as_ref()).collect();
            let (_, name) = permission.action.split_once(':').unwrap();
            if types.len() == all.len() {
                out += &format!(", {word}{name}");
            } else if !types.is_empty() {
                out += &format!(", {word}{name} ({})", types.join(" "));
            }
        }
    }
    out.replacen(", ", "", 1)
}

#[test]
fn the_tightest_policies_are_as_written() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tight.txt");
    let mut all = setups().to_vec();
    let several = Setup {
        features: vec![Feature::ImageByName, Feature::Console],
        regions: vec!["eu-central-1".to_owned(), "us-east-1".to_owned()],
        subnets: vec!["us-east-1=subnet-1".to_owned(), "subnet-2".to_owned()],
        ..Setup::default()
    };
    all.push(("several regions", several));
    let policies = all
        .iter()
        .map(|(name, setup)| format!("=== {name}\n{}", tighten(setup)));
    let now: String = policies.collect();
    if std::env::var_os("UPDATE_REQUESTS").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    assert_eq!(now, std::fs::read_to_string(&path).unwrap());
}

#[test]
fn every_key_is_decided_by_what_the_requests_carry() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/requests.txt");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut now = String::new();
    for line in text.lines().filter(|line| line.starts_with('{')) {
        let condition: Value = serde_json::from_str(line).unwrap();
        now += &format!("{line}\n");
        let mut reasons = BTreeSet::new();
        for (name, setup) in setups() {
            // China is another partition, and nothing else.
            if name != "china" || ["Region", "iam:"].iter().any(|part| line.contains(part)) {
                let answers = answers(setup, &condition, &mut reasons);
                now += &format!("  {name}: {answers}\n");
            }
        }
        for reason in reasons {
            now += &format!("  - {reason}\n");
        }
    }
    if std::env::var_os("UPDATE_REQUESTS").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    for (now, text) in now.lines().zip(text.lines()) {
        assert_eq!(now, text);
    }
    assert!(now == text && now.lines().count() > 300);
}
