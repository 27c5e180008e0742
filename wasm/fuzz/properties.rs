//! What must hold whatever is pasted. Used by the fuzz targets beside this file and, on every stable compiler, by
//! `tests/fuzzed.rs`.

use sprinters_policy::simulate::{ContextEntry, EvalDecision, Simulation, simulate};
use sprinters_policy::{Checker, Feature, Options, Report, Setup, Target, apply, json, tighten};

/// A text that is broken at every letter takes a change for each, and a few for what they uncover.
const MAX_UNCOVERED: usize = 400;

/// One property: its name is the fuzz target's and its corpus's.
pub type Property = fn(&[u8]);

/// All of them.
pub const ALL: [(&str, Property); 4] = [
    ("check", check),
    ("fixes", fixes),
    ("simulation", simulation),
    ("tight", tight),
];

fn report(text: &str) -> Report {
    Checker::new(Options::default()).check(text)
}

/// Any text gets an answer, its places lie between the text's characters, and verdict and lint alone say the same.
pub fn check(data: &[u8]) {
    let text = &*String::from_utf8_lossy(data);
    let checker = Checker::new(Options {
        target: Target::ALL[data.len() % Target::ALL.len()],
        setup: Setup {
            features: features(data.first().copied().unwrap_or_default()),
            ..Setup::default()
        },
    });
    let report = checker.check(text);
    assert_eq!(report.verdict, checker.verdict(text));
    assert_eq!(report.findings, checker.lint(text));
    let units: Vec<u16> = text.encode_utf16().collect();
    let all = report.findings.iter().chain(&report.advice);
    for location in all.flat_map(|finding| &finding.locations) {
        let (start, end) = (location.span.start, location.span.end);
        assert!(start.offset <= end.offset && end.offset as usize <= units.len());
        for point in [start, end] {
            assert!(String::from_utf16(&units[..point.offset as usize]).is_ok());
            assert!(point.line >= 1 && point.column <= point.offset);
        }
    }
    if report.verdict.granted {
        let parsed = json::parse(text);
        assert!(parsed.root.get("Statement").is_some());
    }
}

/// Every change changes something, what it leaves is text that can be checked, and one after another they come to an end.
pub fn fixes(data: &[u8]) {
    let mut text = String::from_utf8_lossy(data).into_owned();
    let most = text.len() + MAX_UNCOVERED;
    for change in 0.. {
        let found = report(&text);
        let Some(fix) = found.fixes.first() else {
            break;
        };
        let next = apply(&text, &fix.edits);
        assert_ne!(next, text, "`{}` changes nothing", fix.title);
        assert!(change < most, "changes go on for ever, now `{}`", fix.title);
        text = next;
    }
}

/// A policy, an action, a resource, a key and a value, apart by line feeds: nothing said is denied, and a Deny wins.
pub fn simulation(data: &[u8]) {
    let all = String::from_utf8_lossy(data);
    let mut parts = all.splitn(5, '\n');
    let mut next = || parts.next().unwrap_or_default().to_owned();
    let (action, resource, key, value, policy) = (next(), next(), next(), next(), next());
    let ask = |policies: Vec<String>, bounds: Vec<String>| {
        let question = Simulation {
            policy_input_list: policies,
            permissions_boundary: bounds,
            action_names: vec![action.clone()],
            resource_arns: vec![resource.clone()],
            context_entries: vec![ContextEntry {
                context_key_name: key.clone(),
                context_key_values: vec![value.clone()],
                context_key_type: "string".to_owned(),
            }],
        };
        simulate(&question)
            .ok()
            .map(|mut answer| answer.evaluation_results.remove(0).eval_decision)
    };
    let everything = |effect| {
        let text = r#"{"Version":"2012-10-17","Statement":{"Effect":"EFFECT","Action":"*","Resource":"*"}}"#;
        text.replace("EFFECT", effect)
    };
    let Some(alone) = ask(vec![policy.clone()], Vec::new()) else {
        let verdict = Checker::new(Options::default()).verdict(&policy);
        assert!(
            verdict.refused.is_some(),
            "what is not simulated is not saved: {policy}"
        );
        return;
    };
    assert_eq!(
        ask(Vec::new(), Vec::new()),
        Some(EvalDecision::ImplicitDeny)
    );
    let with_deny = ask(vec![policy.clone(), everything("Deny")], Vec::new());
    assert_eq!(with_deny, Some(EvalDecision::ExplicitDeny));
    let with_allow = ask(vec![policy.clone(), everything("Allow")], Vec::new());
    let expected = match alone {
        EvalDecision::ExplicitDeny => EvalDecision::ExplicitDeny,
        _ => EvalDecision::Allowed,
    };
    assert_eq!(with_allow, Some(expected));
    assert_eq!(
        ask(vec![policy.clone()], vec![everything("Allow")]),
        Some(alone)
    );
}

/// Whatever is filled in, the tight policy is JSON; with ids and names that exist it is granted without a finding.
pub fn tight(data: &[u8]) {
    let (first, rest) = data.split_first().unwrap_or((&0, &[]));
    let all = String::from_utf8_lossy(rest);
    let words: Vec<String> = all.split('\n').map(str::to_owned).collect();
    let setup = |words: &[String]| Setup {
        features: features(*first),
        regions: words.first().cloned().into_iter().collect(),
        account: words.get(1).cloned(),
        partition: None,
        images: Vec::new(),
        role: words.get(2).cloned(),
        subnets: words.get(3..4).unwrap_or_default().to_vec(),
        security_groups: words.get(4..5).unwrap_or_default().to_vec(),
        instance_types: words.get(5..).unwrap_or_default().to_vec(),
    };
    let parsed = tighten(&setup(&words));
    assert!(json::parse(&parsed).errors.is_empty(), "{parsed}");
    let sane = |word: &String| {
        let known: String = word
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(16)
            .collect();
        format!("x{known}")
    };
    let mut sane: Vec<String> = words.iter().map(sane).collect();
    for (at, fixed) in ["eu-central-1", "111122223333"].into_iter().enumerate() {
        if let Some(word) = sane.get_mut(at) {
            fixed.clone_into(word);
        }
    }
    let setup = setup(&sane);
    let text = tighten(&setup);
    let checker = Checker::new(Options {
        setup,
        target: Target::Managed,
    });
    let report = checker.check(&text);
    assert!(report.verdict.granted, "{text}\n{:#?}", report.verdict);
    let about_size = |code: &str| code.ends_with("TOO_LARGE") || code.starts_with("POLICY_SIZE");
    let mut others = report
        .findings
        .iter()
        .chain(&report.advice)
        .filter(|f| !about_size(&f.issue_code));
    assert!(others.next().is_none(), "{text}\n{report:#?}");
}

fn features(bits: u8) -> Vec<Feature> {
    let chosen = |at: usize| bits >> at & 1 == 1;
    Feature::ALL
        .into_iter()
        .enumerate()
        .filter(|(at, _)| chosen(*at))
        .map(|(_, feature)| feature)
        .collect()
}
