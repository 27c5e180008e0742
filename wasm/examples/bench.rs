//! How fast the checker is on this machine: `cargo run --release --example bench [POLICY…]`.
//! Prints one line for each measurement: what, on how many characters, how many a second.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use sprinters_policy::{Checker, Options};

const SEED: &str = r#"{"Version":"2012-10-17","Statement":[{"Sid":"sprinters","Effect":"Allow","Action":["ec2:RunInstances","ec2:CreateTags","ec2:DescribeInstances","ec2:ModifyVolume","ec2:TerminateInstances","ec2:DescribeSpotPriceHistory"],"Resource":["*"]}]}"#;

#[expect(clippy::print_stdout, reason = "printing is what this example is for")]
fn main() {
    let checker = Checker::new(Options::default());
    let mut policies = vec![("six kilobytes".to_owned(), large())];
    for path in std::env::args().skip(1) {
        match std::fs::read_to_string(&path) {
            Ok(text) => policies.push((path, text)),
            Err(error) => println!("cannot read `{path}`: {error}"),
        }
    }
    println!(
        "{}",
        rate("verdict, seed policy", SEED, |text| {
            black_box(checker.verdict(text));
        })
    );
    println!(
        "{}",
        rate("everything, seed policy", SEED, |text| {
            black_box(checker.check(text));
        })
    );
    for (name, text) in &policies {
        println!(
            "{}",
            rate(&format!("lint, {name}"), text, |text| {
                black_box(checker.lint(text));
            })
        );
        println!(
            "{}",
            rate(&format!("everything, {name}"), text, |text| {
                black_box(checker.check(text));
            })
        );
    }
}

fn rate(what: &str, text: &str, run: impl Fn(&str)) -> String {
    let until = Instant::now() + Duration::from_millis(300);
    while Instant::now() < until {
        run(black_box(text));
    }
    let (start, mut count) = (Instant::now(), 0_u32);
    while start.elapsed() < Duration::from_secs(1) {
        for _ in 0..20 {
            run(black_box(text));
        }
        count += 20;
    }
    let rate = f64::from(count) / start.elapsed().as_secs_f64();
    format!("{what}: {} characters, {rate:.0} a second", text.len())
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
