//! Advice never breaks: every change that is offered was tried, and leads on.

#![expect(
    clippy::expect_used,
    reason = "a test that cannot go on may stop where it stands"
)]

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sprinters_policy::headline::Kind;
use sprinters_policy::{
    Catalog, Checker, Decision, Feature, Finding, List, Options, Report, Setup, Target, apply,
    tighten,
};

const PLAIN_SIX: &str = include_str!("policies/plain_six.json");
const PUBLISHED_ROLE: &str = include_str!("policies/published_role.json");
const TIGHT: &str = include_str!("policies/tight.json");

fn checker(setup: Setup) -> Checker {
    Checker::new(Options {
        setup,
        target: Target::Managed,
    })
}

// Every text that the tests of this crate keep.
fn every_input() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let files = |folder: &str| -> Vec<String> {
        let mut paths: Vec<_> = fs::read_dir(root.join(folder))
            .expect("a folder of the tests")
            .map(|entry| entry.expect("a folder entry").path())
            .collect();
        paths.sort();
        paths
            .iter()
            .map(|path| {
                String::from_utf8_lossy(&fs::read(path).expect("a readable file")).into_owned()
            })
            .collect()
    };
    let mut all = files("tests/policies");
    for corpus in files("tests/corpus") {
        let cases = corpus.split("=== ").skip(1);
        let texts = cases.filter_map(|case| case.split_once('\n')?.1.split_once("\n---\n"));
        all.extend(texts.map(|(text, _)| text.to_owned()));
    }
    all.extend(files("fuzz/corpus/check"));
    all.extend(files("fuzz/corpus/fixes"));
    assert!(all.len() > 360, "{}", all.len());
    all
}

fn errors(report: &Report) -> usize {
    report.verdict.refused.map_or(0, |refused| refused.errors)
}

// Worse: IAM refuses it for more, or a permission is further from being granted.
fn is_worse(before: &Report, after: &Report) -> bool {
    let broken = |report: &Report| {
        let syntax = |f: &&Finding| f.issue_code == "JSON_SYNTAX_ERROR";
        report.findings.iter().filter(syntax).count()
    };
    // Behind a quote that is missing nobody sees the other errors.
    if broken(before) > 0 {
        return broken(after) > broken(before);
    }
    let pairs = before
        .verdict
        .permissions
        .iter()
        .zip(&after.verdict.permissions);
    let lost = pairs.filter(|(before, after)| {
        let doubt = |text: &String| text.contains("which has an error");
        let in_doubt =
            before.decision == Decision::Conditional && before.conditions.iter().any(doubt);
        before.decision < after.decision && !in_doubt
    });
    errors(after) > errors(before) || lost.count() > 0
}

#[test]
fn every_fix_on_every_input_leaves_the_policy_no_worse() {
    let actions = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/actions.txt");
    let actions = fs::read_to_string(actions).expect("the action names are in the repository");
    let checker = checker(Setup::default()).with_catalog(Catalog::new(actions));
    let mut tried = 0;
    for text in every_input() {
        let before = checker.check(&text);
        for fix in &before.fixes {
            let fixed = apply(&text, &fix.edits);
            let after = checker.check(&fixed);
            assert!(
                !is_worse(&before, &after),
                "`{}` of\n{text}\nleaves\n{fixed}",
                fix.title
            );
            tried += 1;
        }
    }
    assert!(tried > 400, "only {tried} were tried");
}

#[test]
fn a_text_that_says_nothing_becomes_the_tightest_policy() {
    let checker = checker(Setup::default());
    for text in [
        "",
        " \n",
        "{}",
        "[]",
        r#"{"Version": "2012-10-17"}"#,
        r#"{"Version": "2012-10-17", "Statement": []}"#,
    ] {
        let fixed = checker.fix_all(text).text;
        assert_eq!(fixed, tighten(&Setup::default()), "{text:?}");
        assert!(checker.check(&fixed).headline.passes());
    }
    // Who wrote something else meant something by it.
    for text in ["null", r#"{"Version": "2012-10-17", "Statement": [1]}"#] {
        assert_eq!(checker.fix_all(text).text, text);
    }
}

#[test]
fn fixing_all_comes_to_an_end_and_leaves_no_input_worse() {
    let checker = checker(Setup::default());
    for text in every_input() {
        let before = checker.check(&text);
        let fixed = checker.fix_all(&text);
        let after = checker.check(&fixed.text);
        assert!(
            !is_worse(&before, &after),
            "{text}\nbecomes\n{}",
            fixed.text
        );
        let left = after.fixes.iter().filter(|fix| {
            let list = match fix.list {
                List::Findings => &after.findings,
                List::Advice => &after.advice,
            };
            let code = list[fix.finding].issue_code.as_str();
            !matches!(
                code,
                "SPRINTERS_UNNEEDED_PERMISSION"
                    | "SPRINTERS_WHOLE_SERVICE"
                    | "SPRINTERS_ADMINISTRATOR_ACCESS"
            )
        });
        assert_eq!(left.count(), 0, "{text}\nbecomes\n{}", fixed.text);
        assert_eq!(fixed.changes.is_empty(), fixed.text == text);
    }
}

#[test]
fn the_plain_six_are_first_advised_to_end_only_their_own() {
    for text in [
        PLAIN_SIX.to_owned(),
        serde_json::to_string_pretty(&serde_json::from_str::<Value>(PLAIN_SIX).unwrap()).unwrap(),
    ] {
        let checker = checker(Setup::default());
        let report = checker.check(&text);
        assert_eq!(report.advice[0].issue_code, "SPRINTERS_UNSCOPED_TERMINATE");
        let fix = report
            .fixes
            .iter()
            .find(|f| f.list == List::Advice && f.finding == 0);
        let fixed = apply(&text, &fix.expect("an edit").edits);
        let after = checker.check(&fixed);
        assert_eq!(after.headline.kind, Kind::Works, "{fixed}\n{after:#?}");
        assert!(
            after.findings.is_empty() && after.advice.is_empty(),
            "{fixed}\n{after:#?}"
        );
        let value: Value = serde_json::from_str(&fixed).unwrap();
        let own = &value["Statement"][2];
        assert_eq!(
            own["Action"],
            json!(["ec2:TerminateInstances", "ec2:ModifyVolume"])
        );
        assert_eq!(
            own["Condition"],
            json!({"StringEquals": {"aws:ResourceTag/sprinters:sprinters": "true"}})
        );
    }
}

#[test]
fn what_is_missing_can_be_added() {
    let setup = Setup {
        features: Feature::ALL.to_vec(),
        regions: vec!["eu-central-1".to_owned()],
        account: Some("111122223333".to_owned()),
        role: Some("ci".to_owned()),
        ..Setup::default()
    };
    for (setup, text) in [
        (Setup::default(), PLAIN_SIX),
        (Setup::default(), TIGHT),
        (Setup::default(), PUBLISHED_ROLE),
        (setup.clone(), tighten(&setup).as_str()),
    ] {
        let checker = checker(setup);
        let whole: Value = serde_json::from_str(text).unwrap();
        let needed: Vec<String> = checker
            .check(text)
            .verdict
            .permissions
            .iter()
            .map(|p| p.action.to_string())
            .collect();
        for action in needed {
            let mut less = whole.clone();
            for statement in less["Statement"].as_array_mut().unwrap() {
                match &mut statement["Action"] {
                    Value::Array(all) => {
                        all.retain(|a| *a != json!(action));
                        if all.is_empty() {
                            all.push(json!("s3:GetObject"));
                        }
                    }
                    one if *one == json!(action) => *one = json!("s3:GetObject"),
                    _ => {}
                }
            }
            for text in [
                less.to_string(),
                serde_json::to_string_pretty(&less).unwrap(),
            ] {
                let report = checker.check(&text);
                let missing = report
                    .advice
                    .iter()
                    .position(|a| a.issue_code == "SPRINTERS_MISSING_PERMISSION");
                let missing = missing.expect("it is missing");
                let fix = report
                    .fixes
                    .iter()
                    .find(|f| f.list == List::Advice && f.finding == missing);
                let fixed = apply(&text, &fix.expect("an edit").edits);
                let after = checker.check(&fixed);
                assert!(after.verdict.granted, "{action}: {fixed}");
                assert!(
                    after.findings.len() <= report.findings.len(),
                    "{action}: {fixed}"
                );
                let all = checker.fix_all(&text);
                assert!(
                    checker.check(&all.text).verdict.granted,
                    "{action}: {}",
                    all.text
                );
            }
        }
    }
}

#[test]
fn a_value_with_a_variable_is_not_replaced() {
    let text = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s33:::bucket/${aws:username}"}]}"#;
    let report = checker(Setup::default()).check(text);
    for fix in &report.fixes {
        let fixed = apply(text, &fix.edits);
        assert!(fixed.contains("${aws:username}"), "{fixed}");
    }
}

#[test]
fn patterns_become_the_names_that_are_needed() {
    let checker = checker(Setup::default());
    for (action, left) in [
        (json!("*"), 6),
        (json!(["*"]), 6),
        (json!(["ec2:*", "s3:GetObject"]), 7),
        (json!(["ec2:*", "ec2:CreateTags"]), 6),
    ] {
        let text = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": "*"}});
        let text = serde_json::to_string_pretty(&text).unwrap();
        let report = checker.check(&text);
        let wide = report
            .advice
            .iter()
            .position(|a| a.finding_details.contains("name"));
        let wide = wide.expect("it is too wide");
        let fix = report
            .fixes
            .iter()
            .find(|f| f.list == List::Advice && f.finding == wide);
        let fixed = apply(&text, &fix.expect("an edit").edits);
        let value: Value = serde_json::from_str(&fixed).unwrap();
        let names = value["Statement"]["Action"].as_array().unwrap();
        assert_eq!(names.len(), left, "{fixed}");
        assert!(checker.check(&fixed).verdict.granted, "{fixed}");
    }
}

#[test]
fn the_same_advice_is_given_once_with_all_its_places() {
    let statements: Vec<Value> = (0..50)
        .map(|n| json!({"Sid": format!("S{n}"), "Effect": "Allow", "Action": ["ec2:CreateTags", "s3:GetObject"], "Resource": format!("arn:aws:s3:::b{n}")}))
        .collect();
    let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    let report = checker(Setup::default()).check(&text);
    let about: Vec<_> = report
        .advice
        .iter()
        .filter(|a| a.finding_details.contains("`s3:GetObject`"))
        .collect();
    assert_eq!(about.len(), 1);
    assert_eq!(about[0].locations.len(), 50);
    let at = report
        .advice
        .iter()
        .position(|a| a.finding_details.contains("`s3:GetObject`"));
    let fix = report
        .fixes
        .iter()
        .find(|f| f.list == List::Advice && Some(f.finding) == at);
    assert!(!apply(&text, &fix.expect("an edit").edits).contains("GetObject"));
}
