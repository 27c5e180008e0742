//! Everything that parses what others wrote meets broken and hostile text: it may refuse, and must never panic.
//!
//! `cargo test` tries some thousand texts a target, the same ones every time; `SPRINTERS_FUZZ=10000000 cargo test --release
//! fuzz` tries so many.

use std::time::SystemTime;

use fastrand::Rng;

use crate::clients::ubuntu_images;
use crate::credentials::{app_key, role};
use crate::github::GithubError;
use crate::inputs::{Inputs, Layer, Problems};
use crate::launch::spec::StartSpec;
use crate::runner::label::RunnerLabel;
use crate::runner::profile::ProfileFile;
use crate::values::per_region::regions;
use crate::values::run;
use crate::values::scope::Scope;
use crate::values::tags::Tags;
use crate::{ec2, pricing};

const SEED: u64 = 20_261_123;
const PIECES: [&str; 24] = [
    "",
    "0",
    "-1",
    "99999999999999999999",
    "é",
    "🏃",
    "\u{0}",
    "\t",
    "\n",
    "\"",
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "/",
    "gp3",
    "max",
    "null",
    "!!binary x",
    "&a [*a]",
    "aws:",
    "${{ x }}",
];

/// How many texts each target meets.
fn executions() -> u64 {
    std::env::var("SPRINTERS_FUZZ")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(3_000)
}

/// Good texts, changed a little or a lot: characters lost, doubled, swapped for others, pieces put in, two texts joined.
fn mutated(rng: &mut Rng, seeds: &[&str]) -> String {
    let pick = |rng: &mut Rng| {
        seeds
            .get(rng.usize(..seeds.len()))
            .copied()
            .unwrap_or_default()
    };
    let mut text: Vec<char> = pick(rng).chars().collect();
    for _ in 0..rng.usize(0..8) {
        let at = rng.usize(0..=text.len());
        match rng.u8(0..6) {
            0 => text.truncate(at),
            1 if at < text.len() => {
                text.remove(at);
            }
            2 if at < text.len() => text[at] = char::from(rng.u8(..)),
            3 => text.insert(at, rng.char('\u{0}'..='\u{10ffff}')),
            4 => text.extend(pick(rng).chars()),
            _ => {
                let piece = PIECES[rng.usize(..PIECES.len())];
                text.splice(at..at, piece.chars());
            }
        }
    }
    text.into_iter().collect()
}

fn fuzz(seeds: &[&str], target: impl Fn(&str)) {
    let mut rng = Rng::with_seed(SEED);
    for _ in 0..executions() {
        target(&mutated(&mut rng, seeds));
    }
}

const VALUES: [&str; 20] = [
    "ami-0123456789abcdef0",
    "ubuntu-24.04-arm",
    "resolve:ssm:/aws/service/x",
    "m7i.large, c7g.16xlarge, u-6tb1.metal",
    "auto",
    "rerun",
    "eu-central-1a, eu-central-1b",
    "eu-central-1a=subnet-0123456789abcdef0",
    "sg-12345678",
    "arn:aws:iam::123456789012:instance-profile/x",
    "gp3/16000/1000",
    "max",
    "64",
    "1000",
    "a, b\nc",
    "5m",
    "6h30m",
    "key: value\nother: [1, 2]",
    "{\"a\": \"b\"}",
    "/opt/actions-runner",
];
const NAMES: [&str; 24] = [
    "image",
    "instance-type",
    "spot",
    "availability-zone",
    "subnet",
    "security-group",
    "instance-profile",
    "root",
    "root-size",
    "count",
    "labels",
    "tags",
    "setup",
    "runner-home",
    "runner-user",
    "sudo",
    "public-ip",
    "launch-template",
    "capacity-reservation",
    "nested-virtualization",
    "start-timeout",
    "idle-timeout",
    "max-lifetime",
    "label",
];

#[test]
fn inputs() {
    fuzz(&VALUES, |text| {
        for name in NAMES {
            let flags = [(name, text.to_owned())].into_iter().collect();
            if let Ok((_, inputs)) = Inputs::gather(flags, None, |_| None) {
                let mut problems = Problems::default();
                let region = regions("eu-central-1").ok();
                let _ = StartSpec::parse(&inputs, region.as_ref(), &mut problems);
            }
        }
    });
}

#[test]
fn the_json_of_all_inputs() {
    let json = r#"{"mode": "start", "image": "", "count": "3", "tags": "a: b", "spot": "auto"}"#;
    fuzz(&[json, "{}", "[]"], |text| {
        let _ = Inputs::gather(std::collections::BTreeMap::default(), Some(text), |_| None);
    });
}

#[test]
fn tags_as_yaml() {
    let seeds = [
        "team: build\ncost: 42",
        "{\"a\": \"b\", \"c\": null}",
        "a: &x [1]\nb: *x",
        "? - a\n: b",
        "--- |\n x",
    ];
    fuzz(&seeds, |text| {
        let _ = Tags::parse(text);
    });
}

/// What a label or a profile becomes: a start's specification, and every message about it.
fn becomes(inputs: Inputs, layer: Layer) {
    let inputs = inputs.with(layer);
    let mut problems = Problems::default();
    let region = problems.optional(&inputs, "aws-region", regions);
    let _ = StartSpec::parse(&inputs, region.as_ref(), &mut problems);
    for error in problems.located(&inputs) {
        let _ = error.to_string();
    }
}

#[test]
fn labels_of_the_hosted_service() {
    let seeds = [
        "sprinters:aws:ubuntu-latest",
        "sprinters:aws/123456789012:eu-central-1/eu-central-1c/subnet-0123456789abcdef0:ubuntu-24.04-arm",
        ":m8gd.xlarge:spot=auto:sg-0123456789abcdef0:root=gp3/4000/max",
        ":temp=ephemeral:swap=4:profile=ci:events=false",
        "sprinters:aws:ubuntu-22.04-minimal:us-east-1:root=gp3-boot/max/max/300:spot=rerun",
    ];
    fuzz(&seeds, |text| {
        let inputs = Inputs::default();
        match RunnerLabel::parse(text) {
            Ok(label) => {
                let printed = label.to_string();
                let again = RunnerLabel::parse(&printed).map(|label| label.to_string());
                // Printing may lengthen (`ubuntu-latest`), and GitHub bounds a label's length.
                assert!(again == Ok(printed) || text.len() > 200, "{text}");
                if let Ok(layer) = label.layer(&inputs) {
                    becomes(inputs, layer);
                }
            }
            Err(errors) => {
                for error in errors {
                    let _ = error.to_string();
                }
            }
        }
    });
}

#[test]
fn profile_files() {
    let seeds = [
        "defaults: { spot: auto, tags: { team: ci, version: 1.10 } }\naws: { region: eu-central-1, account: \"123456789012\" }\n",
        "runners:\n  a: { extend: b, labels: [x, 'y, z'] }\n  b:\n    image: ubuntu-24.04\n    setup: |\n      echo hi\n",
        "runners: { a: &x { count: 3 }, b: *x, c: { extend: [a, b] } }\ngithub: { scope: org }\n",
        "runners:\n  a: { extend: a, subnet: [eu-central-1a=subnet-12345678] } # no\n  ? b\n  : !t c\n",
    ];
    fuzz(&seeds, |text| {
        let layers =
            ProfileFile::parse(text).map(|file| ["a", "b", "z"].map(|name| file.layer(name)));
        match layers {
            Ok(layers) => {
                for layer in layers {
                    match layer {
                        Ok(layer) => becomes(Inputs::default(), layer),
                        Err(error) => drop(error.to_string()),
                    }
                }
            }
            Err(errors) => {
                for error in errors {
                    let _ = error.to_string();
                }
            }
        }
    });
}

#[test]
fn the_image_index() {
    let line =
        "noble\tserver\trelease\t20260310\tebs-ssd-gp3\tamd64\teu-central-1\tami-1\t\t\thvm\n";
    fuzz(&[line, "\t\t\t\n"], ubuntu_images::fuzzed);
}

#[test]
fn price_tables() {
    let table = "region,gib,iops,mibps\n# 2026-10-01\neu-central-1,0.0952,0.0060,0.0480\n";
    fuzz(
        &[table, "eu-central-1,inf,nan,1e999\n", ",,,\n"],
        pricing::fuzzed,
    );
}

#[test]
fn sign_ins() {
    let pem = "-----BEGIN RSA PRIVATE KEY-----\nAQIDBAU=\n-----END RSA PRIVATE KEY-----\n";
    let pkcs8 = "-----BEGIN PRIVATE KEY-----\\nAQIDBAU=\\n-----END PRIVATE KEY-----";
    fuzz(&[pem, pkcs8], app_key::fuzzed);
    let arn = "arn:aws-us-gov:iam::111122223333:role/a/path/role";
    fuzz(&[arn], |text| drop(text.parse::<role::RoleArn>()));
    let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyZXBvOm8vcjpyZWY6cmVmcy9oZWFkcy9tYWluIiwiYXVkIjpbImEiXX0.c2ln";
    let claims = r#"{"iss":"https://ghes.example/_services/token","sub":"repo:o/r:ref:refs/heads/main","aud":["a"]}"#;
    let quoted = r#"{"iss":"https://a\"b","sub":"repo:o\"r\n"}"#;
    fuzz(&[token, claims, quoted], ec2::fuzzed_token);
    let installation =
        r#"{"id": 7, "account": {"login": "octo"}, "permissions": {"administration": "write"}}"#;
    let minted = r#"{"token": "ghs_1", "expires_at": "2026-01-01T00:00:00Z"}"#;
    let groups = r#"{"total_count": 1, "runner_groups": [{"id": 1, "name": "Default"}]}"#;
    fuzz(
        &[installation, minted, groups],
        crate::github::fuzzed_sign_in,
    );
}

#[test]
fn what_the_actions_service_sends() {
    let set = r#"{"count": 1, "value": [{"id": 7, "name": "gpu", "labels": [{"name": "gpu", "type": "System"}]}]}"#;
    let session = r#"{"sessionId": "x", "messageQueueUrl": "https://q", "messageQueueAccessToken": "t", "statistics": null}"#;
    let jit = r#"{"runner": {"id": 7, "name": "x"}, "encodedJITConfig": "e30="}"#;
    let message = r#"{"messageId": 4, "messageType": "RunnerScaleSetJobMessages", "body": "[{\"messageType\": \"JobStarted\", \"jobId\": \"a\", \"runnerId\": 9, \"queueTime\": \"2026-11-18T11:06:40Z\"}]", "statistics": {"totalAssignedJobs": 2}}"#;
    let refusal = r#"{"typeName": "GitHub.AgentExistsException, GitHub", "message": "x"}"#;
    fuzz(
        &[set, session, jit, message, refusal],
        crate::github::scale_sets::fuzzed,
    );
}

#[test]
fn what_github_answers() {
    let runner = r#"{"id": 7, "name": "x", "status": "online", "busy": false, "labels": []}"#;
    let list = r#"{"total_count": 1, "runners": [{"id": 7, "name": "x", "status": "offline"}]}"#;
    let run = r#"{"id": 7, "run_attempt": 1, "status": "completed", "conclusion": null, "html_url": "x"}"#;
    let jobs = r#"{"total_count": 1, "jobs": [{"id": 7, "name": "x", "conclusion": null, "runner_id": 0}]}"#;
    let contents = r#"{"type": "file", "encoding": "base64", "content": "aGk=\n"}"#;
    let refusal = r#"{"message": "Resource not accessible by integration", "status": "403"}"#;
    let headers = [
        "7",
        "Mon, 05 Jan 2026 10:00:30 GMT",
        "-1",
        "1767607201",
        "99999999999999999999",
    ];
    let mut rng = Rng::with_seed(SEED);
    for _ in 0..executions() {
        crate::github::fuzzed(&mutated(&mut rng, &[runner, list]));
        crate::github::fuzzed_contents(&mutated(&mut rng, &[contents]));
        crate::github::fuzzed_runs(&mutated(&mut rng, &[run, jobs]));
        let mut map = http::HeaderMap::new();
        for name in [
            "retry-after",
            "x-ratelimit-reset",
            "x-ratelimit-remaining",
            "date",
        ] {
            if let Ok(value) = mutated(&mut rng, &headers).parse() {
                map.insert(http::HeaderName::from_static(name), value);
            }
        }
        let status = http::StatusCode::from_u16(rng.u16(100..600)).unwrap_or_default();
        let body = mutated(&mut rng, &[refusal]);
        let scope = Scope::Organization("o".to_owned());
        let error = GithubError::refused("list runners", status, &map, &body);
        let _ = (error.to_string(), error.remedy(&scope), error.wait);
    }
}

#[test]
fn what_stands_in_tags_and_names_of_instances() {
    let seeds = [
        "2026-11-23T18:00:00Z",
        "2026-11-23T18:00:00+14:00",
        "sprinters-1-1-toyy9eiid1-yne8",
    ];
    fuzz(&seeds, |text| {
        let _ = ec2::tags::parse_expires(text);
        let _ = run::age(text, SystemTime::now());
    });
}

#[test]
fn workflows_to_migrate() {
    let seeds = [
        include_str!("../../tests/migrate/examples/ec2-plain.yml"),
        include_str!("../../tests/migrate/examples/ec2-many-inputs.yml"),
        include_str!("../../tests/migrate/examples/runs-on-simple.yml"),
        include_str!("../../tests/migrate/examples/runs-on-four-blanks.yml"),
        include_str!("../../tests/migrate/examples/sprinters.yml"),
        include_str!("../../tests/migrate/examples/runs-on-older.yml"),
        include_str!("../../tests/migrate/examples/ec2-reusable.yml"),
        "jobs:\n  a:\n    needs: [b] # why\n    \"runs-on\" : 'runs-on=1/cpu=2' # where\n  b: {}\n",
        "jobs: {a: {runs-on: sprinters:aws}}",
        "jobs:\n  a:\n    runs-on: sprinters:aws:m7i.large\n    if: x",
        "jobs:\n  a: {steps: [{uses: machulav/ec2-github-runner@v2, with: {mode: start, label: x, ec2-image-owner: y}}]}\n",
        "jobs:\n a:\n  needs: b\n  runs-on: runs-on=1/cpu=2\n",
        "jobs:\n  a:\n    needs:\n    - b\n    runs-on: [runs-on, cpu=2]",
    ];
    fuzz(&seeds, crate::modes::migrate::fuzzed);
}
