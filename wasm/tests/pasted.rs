//! What people paste: each is one thing, named in one sentence, and mended by one change.

use serde_json::{Value, json};
use sprinters_policy::headline::Kind;
use sprinters_policy::{Checker, Options, apply};

const PLAIN_SIX: &str = include_str!("policies/plain_six.json");
const TIGHT: &str = include_str!("policies/tight.json");

fn percent(text: &str) -> String {
    text.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

fn mended(text: &str, words: &str) {
    let checker = Checker::new(Options::default());
    let report = checker.check(text);
    let said: Vec<&str> = report
        .findings
        .iter()
        .map(|f| f.finding_details.as_str())
        .collect();
    assert_eq!(said.len(), 1, "{words}: {said:?}\n{text}");
    assert!(said[0].contains(words), "{words}: {said:?}");
    assert_eq!(report.headline.kind, Kind::Refused, "{words}");
    assert!(
        report
            .headline
            .text
            .ends_with("Once that is fixed, Sprinters can work with this policy"),
        "{words}: {:?}",
        report.headline
    );
    assert_eq!(report.fixes.len(), 1, "{words}");
    let fixed = apply(text, &report.fixes[0].edits);
    let after = checker.check(&fixed);
    assert!(
        after.findings.is_empty() && after.verdict.granted,
        "{words}: {fixed}\n{after:#?}"
    );
    assert_eq!(report, checker.check(text));
    assert_eq!(report.verdict, checker.verdict(text));
    assert_eq!(report.findings, checker.lint(text));
}

#[test]
fn the_policy_is_taken_out_of_what_is_around_it() {
    for policy in [PLAIN_SIX.trim(), TIGHT.trim()] {
        let string = serde_json::to_string(policy).unwrap();
        let value: Value = serde_json::from_str(policy).unwrap();
        let shell = policy.replace('"', "\\\"");
        for (words, text) in [
            ("Markdown", format!("```json\n{policy}\n```\n")),
            ("Markdown", format!("Here it is:\n\n```\n{policy}\n```\nGood luck!")),
            ("other text", format!("Use this policy: {policy}")),
            ("other text", format!("{policy}\n\nThis lets Sprinters work.")),
            ("in quotes", format!("'{policy}'")),
            ("before its lines", policy.lines().fold(String::new(), |all, line| all + "+" + line + "\n")),
            ("before its lines", policy.lines().fold(String::new(), |all, line| all + "> " + line + "\n")),
            ("before its lines", policy.lines().zip(8..).fold(String::new(), |all, (line, n)| all + &format!("{n:3} | {line}\n"))),
            ("a program's notation", format!("policy = {}\n", policy.replace('"', "'"))),
            ("this is a", format!("\"{shell}\"")),
            ("command line", format!("aws iam create-policy --policy-name sprinters --policy-document '{policy}'")),
            ("command line", format!("$ aws iam put-user-policy --policy-document \"{shell}\" --user-name ci")),
            ("command line", format!("cat > policy.json <<'EOF'\n{policy}\nEOF\n")),
            ("HTML entities", policy.replace('"', "&quot;")),
            ("URL-encoded", percent(policy)),
            ("JSON string", string.clone()),
            ("AWS CLI", json!({"PolicyVersion": {"Document": value, "VersionId": "v1"}}).to_string()),
            ("AWS CLI", json!({"RoleName": "r", "PolicyName": "p", "PolicyDocument": value}).to_string()),
            ("AWS CLI", json!({"Policy": policy}).to_string()),
            ("AWS CLI", json!({"PolicyDocument": percent(policy)}).to_string()),
            ("CloudFormation", json!({"Resources": {"P": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": value}}}}).to_string()),
        ] {
            mended(&text, words);
        }
    }
}

#[test]
fn statements_without_their_policy_get_one() {
    let value: Value = serde_json::from_str(PLAIN_SIX).unwrap();
    mended(
        &value["Statement"][0].to_string(),
        "a statement without its policy",
    );
    mended(
        &value["Statement"].to_string(),
        "a list of statements without its policy",
    );
}

#[test]
fn characters_of_word_processors_and_chats_are_replaced_at_once() {
    let quotes = PLAIN_SIX
        .replace("\"Effect\"", "“Effect”")
        .replace("\"Allow\"", "“Allow”");
    mended(&quotes, "typographic quotes");
    mended(
        &PLAIN_SIX.replacen("\"Effect\"", "\u{a0}\u{200b}\"Effect\"", 1),
        "invisible characters",
    );
    mended(
        &PLAIN_SIX
            .replace("\"Version\": \"2012-10-17\"", "“Version”: “2012–10–17”")
            .replace("\"Version\":\"2012-10-17\"", "“Version”:“2012–10–17”"),
        "typographic quotes",
    );
}

#[test]
fn dashes_and_invisible_characters_have_names_of_their_own() {
    // Within strings they leave the JSON valid.
    let dashes = r#"{"Statement": [{"Condition": {"NumericEquals": {"s3:max-keys": −1}}}]}"#;
    let report = Checker::new(Options::default()).check(dashes);
    assert!(
        report.findings[0]
            .finding_details
            .contains("typographic dashes")
    );
    for unseen in [
        '\u{200b}', '\u{200f}', '\u{2028}', '\u{202e}', '\u{2060}', '\u{ad}', '\u{a0}', '\u{2003}',
        '\u{202f}', '\u{3000}',
    ] {
        let text = PLAIN_SIX.replacen("\"Effect\"", &format!("{unseen}\"Effect\""), 1);
        mended(&text, "invisible characters");
    }
}

#[test]
fn strange_characters_in_elements_are_replaced_at_once() {
    for (plain, strange, words) in [
        ("2012-10-17", "2012–10–17", "typographic dashes"),
        (
            "ec2:RunInstances",
            "ec2:Run\u{200b}Instances",
            "invisible characters",
        ),
        ("\"*\"", "\"＊\"", "full-width characters"),
    ] {
        let text = PLAIN_SIX.replacen(plain, strange, 1);
        assert_ne!(text, PLAIN_SIX, "{plain}");
        mended(&text, words);
    }
}

#[test]
fn strange_characters_in_valid_json_are_of_the_policy_itself() {
    for c in ['“', '\u{a0}', '–', '\u{200b}'] {
        let text = PLAIN_SIX.replacen("\"Effect\"", &format!("\"Sid\":\"a{c}b\",\"Effect\""), 1);
        let report = Checker::new(Options::default()).check(&text);
        let said = report.findings.iter().map(|f| f.finding_details.as_str());
        assert!(
            said.clone().all(|s| !s.contains("not the policy itself")),
            "{c:?}: {:?}",
            said.collect::<Vec<_>>()
        );
    }
}

#[test]
fn strings_in_strings_are_unwrapped_to_a_depth() {
    let mut text = PLAIN_SIX.trim().to_owned();
    for layer in 1..9 {
        text = serde_json::to_string(&text).unwrap();
        let report = Checker::new(Options::default()).check(&text);
        let found = report.findings[0]
            .finding_details
            .contains("JSON string with the policy in it");
        assert_eq!(found, layer <= 5, "{layer}");
    }
}

#[test]
fn objects_around_the_policy_are_searched_to_a_depth_and_hold_one() {
    let found = |text: &str| {
        let report = Checker::new(Options::default()).check(text);
        let said = report.findings.iter().map(|f| f.finding_details.as_str());
        said.into_iter()
            .any(|s| s.contains("another object around the policy"))
    };
    let policy = PLAIN_SIX.trim();
    let mut text = policy.to_owned();
    for depth in 1..20 {
        text = format!("{{\"a\": [{text}]}}");
        // A list and an object are two steps.
        assert_eq!(found(&text), depth * 2 <= 12, "{depth}");
    }
    assert!(found(&format!("{{\"a\": 1, \"b\": {policy}}}")));
    assert!(!found(&format!("{{\"a\": {policy}, \"b\": {policy}}}")));
    assert!(!found(&format!("{{\"other\": {}}}", json!(policy))));
    assert!(found(&format!("{{\"TheDocument\": {}}}", json!(policy))));
    assert!(!found("{\"Policy\": \"text\"}"));
}

#[test]
fn a_list_is_one_of_statements_only_if_all_are() {
    for text in [
        "[]",
        "[1]",
        "[{}]",
        r#"[{"Effect": "Allow"}]"#,
        r#"[{"Effect": "Allow", "Action": "*"}, 1]"#,
    ] {
        let report = Checker::new(Options::default()).check(text);
        let said = &report.findings[0].finding_details;
        assert!(!said.contains("list of statements"), "{text}: {said}");
    }
}

#[test]
fn quotes_of_other_languages_are_replaced_at_once() {
    let policy = PLAIN_SIX.trim();
    for text in [
        policy.replace('"', "\"\""),
        format!("\"{}\"", policy.replace('"', "\"\"")),
        policy.replace('"', "\\\""),
    ] {
        mended(&text, "other quotes than JSON's");
    }
    mended(&policy.replace('"', "„"), "typographic quotes");
}

#[test]
fn notations_of_programs_are_written_as_json() {
    let policy = TIGHT.trim();
    for text in [
        policy.replace('"', "'"),
        policy.replace('"', "`"),
        policy
            .replace("\"Version\"", "Version")
            .replace("\"Statement\"", "Statement")
            .replace("\"Effect\"", "/* allows */ Effect"),
        policy.replace('"', "'").replace(']', ",]"),
    ] {
        mended(&text, "a program's notation");
    }
    // One string in other quotes is a slip.
    let slip = policy.replacen("\"Allow\"", "'Allow'", 1);
    let report = Checker::new(Options::default()).check(&slip);
    assert!(report.findings[0].finding_details.contains("'Allow'"));
    // What is wrong beside the notation stays to be found.
    let broken = policy
        .replace('"', "'")
        .replacen("'Effect':", "'Effect'", 1);
    let report = Checker::new(Options::default()).check(&broken);
    assert!(
        report
            .findings
            .iter()
            .all(|f| !f.finding_details.contains("notation"))
    );
}

#[test]
fn full_width_signs_become_ascii() {
    let policy = PLAIN_SIX.trim();
    for (sign, wide) in [
        (":", "："),
        (",", "，"),
        ("\"", "＂"),
        ("{", "｛"),
        ("]", "］"),
    ] {
        mended(&policy.replace(sign, wide), "full-width characters");
    }
}

#[test]
fn base64_is_decoded() {
    // printf '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"ec2:*","Resource":"*"}}' | base64
    let coded = "eyJWZXJzaW9uIjoiMjAxMi0xMC0xNyIsIlN0YXRlbWVudCI6eyJFZmZlY3QiOiJBbGxvdyIs\nIkFjdGlvbiI6ImVjMjoqIiwiUmVzb3VyY2UiOiIqIn19Cg==\n";
    mended(coded, "base64");
    mended(&format!("\"{}\"", coded.replace('\n', "")), "JSON string");
}

#[test]
fn several_policies_become_one() {
    let both = |sid: &str, action: &str| {
        format!(
            "{{\"Version\": \"2012-10-17\", \"Statement\": [{{\"Sid\": \"{sid}\", \"Effect\": \"Allow\", \"Action\": {action}, \"Resource\": \"*\"}}]}}"
        )
    };
    let launch = "[\"ec2:RunInstances\", \"ec2:CreateTags\", \"ec2:ModifyVolume\"]";
    let rest =
        "[\"ec2:DescribeInstances\", \"ec2:DescribeSpotPriceHistory\", \"ec2:TerminateInstances\"]";
    let (one, two) = (both("a", launch), both("a", rest));
    for text in [
        format!("{one}\n\n{two}\n"),
        format!("{one},\n{two}"),
        format!("[{one}, {two}]"),
        format!(
            "{}\n{one}\n{two}",
            both("b", launch)
                .replace("Allow", "Deny")
                .replace("ec2:", "s3:")
                .replace("s3:RunInstances", "s3:PutObject")
                .replace("\"s3:CreateTags\", \"s3:ModifyVolume\"", "\"s3:GetObject\"")
        ),
    ] {
        mended(&text, "several policies");
    }
    // By the rules of 2008 a statement may say something else.
    let old = format!("{one}\n{}", two.replace("2012-10-17", "2008-10-17"));
    let report = Checker::new(Options::default()).check(&old);
    assert!(!report.findings[0].finding_details.contains("several"));
}

#[test]
fn functions_of_cloudformation_are_named_and_their_strings_written() {
    let checker = Checker::new(Options::default());
    let with = |resource: &str| {
        TIGHT.replacen(
            "\"arn:aws:ec2:us-east-1:111122223333:instance/*\"",
            resource,
            1,
        )
    };
    let sub = with("{\"Fn::Sub\": \"arn:aws:ec2:us-east-1:111122223333:instance/*\"}");
    let report = checker.check(&sub);
    assert_eq!(report.findings.len(), 1, "{:#?}", report.findings);
    assert!(
        report.findings[0]
            .finding_details
            .contains("`Fn::Sub` is CloudFormation's")
    );
    let fix = report
        .fixes
        .iter()
        .find(|fix| fix.title == "Write the string");
    let fixed = apply(&sub, &fix.unwrap().edits);
    assert_eq!(fixed, TIGHT);
    let report = checker.check(&with("{\"Ref\": \"Arn\"}"));
    assert!(
        report.findings[0]
            .finding_details
            .contains("`Ref` is CloudFormation's")
    );
    assert!(
        report
            .fixes
            .iter()
            .all(|fix| fix.title != "Write the string")
    );
}

#[test]
fn pages_links_and_programs_have_the_policy_in_them() {
    let policy = PLAIN_SIX.trim();
    let coded = policy.replace('"', "&#X22;").replace('{', "&#123;");
    for (words, text) in [
        ("HTML entities", coded.clone()),
        ("HTML entities", format!("<pre><code>{coded}</code></pre>")),
        (
            "URL-encoded",
            format!("PolicyDocument={}&Version=1", percent(policy)),
        ),
        (
            "other text",
            format!("resource \"aws_iam_policy\" \"p\" {{\n  policy = <<EOF\n{policy}\nEOF\n}}"),
        ),
    ] {
        mended(&text, words);
    }
    // What looks like an entity and is none stays.
    let odd = policy.replace("\"*\"", "&quot;a&amp;&nope;&#xzz;&&quot;");
    let report = Checker::new(Options::default()).check(&odd.replace('"', "&quot;"));
    assert!(
        report.fixes[0].edits[0]
            .new_text
            .contains("\"a&&nope;&#xzz;&\"")
    );
}

#[test]
fn variables_as_terraform_writes_them_become_iam_s() {
    let text = TIGHT.replace("instance/*", "instance/&{aws:username}");
    let report = Checker::new(Options::default()).check(&text);
    let fix = report.fixes.iter().find(|fix| fix.title == "Write ${…}");
    let fixed = apply(&text, &fix.unwrap().edits);
    assert_eq!(fixed, text.replace('&', "$"));
    let advice = Checker::new(Options::default()).check(&fixed).advice;
    assert!(
        advice
            .iter()
            .all(|a| a.issue_code != "SPRINTERS_TEMPLATE_PLACEHOLDER")
    );
}

#[test]
fn null_is_not_a_policy() {
    let report = Checker::new(Options::default()).check("null");
    assert_eq!(report.headline.kind, Kind::Refused);
    assert_eq!(report.findings.len(), 1);
}

#[test]
fn placeholders_of_templates_are_named_once() {
    for placeholder in [
        "${AWS::AccountId}",
        "${var.account}",
        "${data.aws_caller_identity.this.account_id}",
        "{{ account }}",
    ] {
        let text = TIGHT.replace("111122223333", placeholder);
        let report = Checker::new(Options::default()).check(&text);
        let found: Vec<_> = report
            .advice
            .iter()
            .filter(|a| a.issue_code == "SPRINTERS_TEMPLATE_PLACEHOLDER")
            .collect();
        assert_eq!(found.len(), 1, "{placeholder}");
        assert!(found[0].finding_details.contains(placeholder), "{found:?}");
        assert!(found[0].locations.len() > 3);
    }
    let plain = Checker::new(Options::default()).check(TIGHT);
    assert!(plain.advice.is_empty());
}

#[test]
fn a_file_in_utf_16_is_named_and_written_in_utf_8() {
    let ours = sprinters_policy::READ_AS_UTF_16;
    for policy in [PLAIN_SIX.trim(), TIGHT.trim()] {
        // As a program reads it that knows the mark, and as UTF-8 in either order, with the mark's bytes replaced.
        let little: String = policy.chars().flat_map(|c| [c, '\0']).collect();
        let big: String = policy.chars().flat_map(|c| ['\0', c]).collect();
        for text in [
            format!("{ours}{policy}"),
            format!("\u{fffd}\u{fffd}{little}"),
            format!("\u{fffd}\u{fffd}{big}"),
            little,
            big,
        ] {
            mended(&text, "UTF-16");
        }
    }
    let broken = format!("{ours}{{\"Statement\": [");
    let report = Checker::new(Options::default()).check(&broken);
    assert!(report.findings[0].finding_details.contains("UTF-16"));
    assert_eq!(apply(&broken, &report.fixes[0].edits), "{\"Statement\": [");
    assert_eq!(report.fixes[0].title, "Write it in UTF-8");
}
