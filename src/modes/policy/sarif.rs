//! SARIF 2.1.0, for GitHub's code scanning.
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use serde_json::{Map, Value, json};
use sprinters_policy::issue_code::FindingType;
use sprinters_policy::{Finding, Location};

use super::Result;

/// All results as one run.
pub(super) fn render(results: &[Result]) -> String {
    let all = || {
        results.iter().flat_map(|result| {
            let findings = result.checked.findings.iter().chain(&result.checked.advice);
            findings.map(move |finding| (result.file.name.as_str(), finding))
        })
    };
    let rules: Map<String, Value> = all()
        .map(|(_, finding)| (finding.issue_code.as_str().to_owned(), rule(finding)))
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "sprinters policy",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": rules.values().collect::<Vec<_>>(),
            }},
            "columnKind": "utf16CodeUnits",
            "properties": {"policies": results.iter().map(headline).collect::<Vec<_>>()},
            "results": all().map(|(file, finding)| result(file, finding)).collect::<Vec<_>>(),
        }],
    });
    serde_json::to_string_pretty(&log).unwrap_or_default()
}

// The answer itself; SARIF has results for findings alone.
fn headline(result: &Result) -> Value {
    json!({
        "uri": result.file.name,
        "granted": result.checked.verdict.granted,
        "headline": result.checked.headline,
    })
}

fn rule(finding: &Finding) -> Value {
    let mut rule = json!({
        "id": finding.issue_code,
        "name": finding.issue_code,
        "defaultConfiguration": {"level": level(finding.finding_type)},
        "shortDescription": {"text": finding.issue_code.replace('_', " ").to_ascii_lowercase()},
    });
    if !finding.learn_more_link.is_empty() {
        rule["helpUri"] = finding.learn_more_link.as_str().into();
    }
    rule
}

fn result(file: &str, finding: &Finding) -> Value {
    // A file without a place in it still is one: code scanning shows no result without a location.
    let places = if finding.locations.is_empty() {
        vec![json!({"physicalLocation": {"artifactLocation": {"uri": file}}})]
    } else {
        finding
            .locations
            .iter()
            .map(|location| place(file, location))
            .collect()
    };
    json!({
        "ruleId": finding.issue_code,
        "level": level(finding.finding_type),
        "message": {"text": finding.finding_details},
        "locations": places,
    })
}

fn place(file: &str, location: &Location) -> Value {
    let (start, end) = (location.span.start, location.span.end);
    json!({"physicalLocation": {
        "artifactLocation": {"uri": file},
        "region": {
            "startLine": start.line,
            "startColumn": start.column + 1,
            "endLine": end.line,
            "endColumn": end.column + 1,
        },
    }})
}

fn level(kind: FindingType) -> &'static str {
    match kind {
        FindingType::Error => "error",
        FindingType::SecurityWarning | FindingType::Warning => "warning",
        FindingType::Suggestion => "note",
    }
}

#[cfg(test)]
mod tests {
    use super::super::file::PolicyFile;
    use super::*;
    use sprinters_policy::{Checker, Options};

    #[test]
    fn code_scanning_gets_a_rule_for_each_kind_and_a_place_for_each_finding() {
        let checker = Checker::new(Options::default());
        let text = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Alow", "Action": "ec2:*", "Resource": "*"}
  ]
}"#;
        let result = |(name, text): (&str, &str)| Result {
            checked: checker.check(text),
            file: PolicyFile {
                name: name.to_owned(),
                text: text.to_owned(),
            },
        };
        let results: Vec<Result> = [("a.json", text), ("b.json", "")].map(result).into();
        let mut log: Value = serde_json::from_str(&render(&results)).unwrap_or_default();
        let run = &mut log["runs"][0];
        let version = run["tool"]["driver"]["version"].take();
        assert_eq!(version, env!("CARGO_PKG_VERSION"));
        // The words are the engine's own.
        for result in run["results"].as_array_mut().into_iter().flatten() {
            let text = result["message"]["text"].take();
            assert!(text.as_str().is_some_and(|text| !text.is_empty()));
        }
        for policy in run["properties"]["policies"]
            .as_array_mut()
            .into_iter()
            .flatten()
        {
            let headline = policy["headline"]["text"].take();
            assert!(
                headline
                    .as_str()
                    .is_some_and(|text| text.starts_with("AWS will not save"))
            );
        }
        insta::assert_snapshot!(serde_json::to_string_pretty(run).unwrap_or_default());
    }
}
