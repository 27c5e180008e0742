//! How fast the checker is on this machine: `cargo run --release -p sprinters-policy --example bench [POLICY…]`.
//! Prints one line for each policy: how many verdicts, lints and whole checks a second. `--write FILE` writes the
//! policy of six kilobytes that stands for those of real accounts.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use sprinters_policy::{Catalog, Checker, Options};

/// The names of all services, which the terminal and the page look up.
const NAMES: &str = include_str!("../data/actions.txt");
const SEED: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"sprinters","Effect":"Allow","Action":["ec2:RunInstances","ec2:CreateTags","ec2:DescribeInstances","ec2:ModifyVolume","ec2:TerminateInstances","ec2:DescribeSpotPriceHistory"],"Resource":["*"]}]}"#;

#[expect(clippy::print_stdout, reason = "printing is what this example is for")]
fn main() {
    let checker = Checker::new(Options::default()).with_catalog(Catalog::new(NAMES.to_owned()));
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let policies = match arguments.as_slice() {
        [] => vec![
            ("seed policy".to_owned(), SEED.to_owned()),
            ("six kilobytes".to_owned(), large()),
        ],
        [all @ .., out] if all == ["--write"] => {
            if let Err(error) = std::fs::write(out, large()) {
                println!("cannot write `{out}`: {error}");
            }
            return;
        }
        paths => paths.iter().filter_map(|path| read(path)).collect(),
    };
    for (name, text) in &policies {
        let verdict = rate(text, |text| drop(black_box(checker.verdict(text))));
        let lint = rate(text, |text| drop(black_box(checker.lint(text))));
        let all = rate(text, |text| drop(black_box(checker.check(text))));
        let length = text.len();
        println!(
            "{name}: {length} characters; a second: verdict {verdict:.0}, lint {lint:.0}, everything {all:.0}"
        );
    }
}

#[expect(clippy::print_stdout, reason = "printing is what this example is for")]
fn read(path: &str) -> Option<(String, String)> {
    match std::fs::read_to_string(path) {
        Ok(text) => Some((path.to_owned(), text)),
        Err(error) => {
            println!("cannot read `{path}`: {error}");
            None
        }
    }
}

fn rate(text: &str, run: impl Fn(&str)) -> f64 {
    let until = Instant::now() + Duration::from_millis(300);
    while Instant::now() < until {
        run(black_box(text));
    }
    // The best tenth of a second: whatever else the machine does can only make it slower.
    let mut best = 0.0_f64;
    for _ in 0..10 {
        let (start, mut count) = (Instant::now(), 0_u32);
        while start.elapsed() < Duration::from_millis(100) {
            for _ in 0..10 {
                run(black_box(text));
            }
            count += 10;
        }
        best = best.max(f64::from(count) / start.elapsed().as_secs_f64());
    }
    best
}

// A policy of the size and the kinds of statements that accounts have.
fn large() -> String {
    let mut text = String::from("{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n");
    let names = [
        "RunInstances",
        "StartInstances",
        "StopInstances",
        "CreateTags",
        "DeleteTags",
        "AttachVolume",
        "DetachVolume",
        "CreateVolume",
    ];
    for number in 0..9 {
        let comma = if number == 0 { "" } else { ",\n" };
        let _ = write!(
            text,
            "{comma}    {{\n      \"Sid\": \"Statement{number}\",\n      \"Effect\": \"Allow\",\n      \"Action\": [\n"
        );
        for (at, name) in names.iter().enumerate() {
            let comma = if at == 0 { "" } else { ",\n" };
            let _ = write!(text, "{comma}        \"ec2:{name}\"");
        }
        let _ = write!(
            text,
            ",\n        \"ec2:Get*\"\n      ],\n      \"Resource\": [\n        \"arn:aws:ec2:eu-central-1:111122223333:instance/*\",\n        \"arn:aws:ec2:eu-central-1:111122223333:volume/vol-{number}*\"\n      ],\n      \"Condition\": {{\n        \"StringEquals\": {{ \"aws:ResourceTag/team{number}\": \"${{aws:PrincipalTag/team}}\" }},\n        \"ArnLike\": {{ \"aws:PrincipalArn\": \"arn:aws:iam::111122223333:role/team{number}-*\" }}\n      }}\n    }}"
        );
    }
    text.push_str("\n  ]\n}\n");
    text
}
