//! The engine against a second evaluator, written apart: over thousands of random policies both say the same to the same
//! requests, and what the verdict calls granted, missing or denied is so for every request that Sprinters can make.
//! `SPRINTERS_POLICIES=200000 cargo test -p sprinters-policy --test agreement` takes so many.

#![expect(
    clippy::panic,
    unreachable_pub,
    reason = "a test that cannot go on may stop where it stands; its modules are its own"
)]

#[path = "agreement/evaluator.rs"]
mod evaluator;
#[path = "agreement/random.rs"]
mod random;
#[path = "agreement/requests.rs"]
mod requests;

use std::collections::BTreeMap;

use evaluator::{Decision, Request, decide};
use random::{Key, Parts, Random};
use requests::Said;
use serde_json::Value;
use sprinters_policy::simulate::{ContextEntry, EvalDecision, Simulation, simulate};
use sprinters_policy::{Checker, Decision as Answer, Options, Setup};

fn policies() -> u64 {
    let asked = std::env::var("SPRINTERS_POLICIES");
    asked.ok().and_then(|n| n.parse().ok()).unwrap_or(3_000)
}

const fn key(
    name: &'static str,
    family: &'static str,
    given: &'static [&'static str],
    wanted: &'static [&'static str],
) -> Key {
    Key {
        name,
        family,
        several: false,
        given,
        wanted,
    }
}

const fn list(
    name: &'static str,
    given: &'static [&'static str],
    wanted: &'static [&'static str],
) -> Key {
    Key {
        name,
        family: "String",
        several: true,
        given,
        wanted,
    }
}

/// A key of every type, with values that meet often.
const EVERY_TYPE: [Key; 12] = [
    key(
        "aws:username",
        "String",
        &["ann", "Ann", "a*n", "bob"],
        &[
            "ann",
            "ANN",
            "a${*}n",
            "*",
            "a?n",
            "${aws:PrincipalTag/team}",
        ],
    ),
    key(
        "aws:PrincipalTag/team",
        "String",
        &["ci", "web", "*"],
        &[
            "ci",
            "CI",
            "${aws:username, 'web'}",
            "${AWS:PrincipalTag/owner, 'ci'}",
            "${aws:PrincipalTag/owner}",
        ],
    ),
    key(
        "s3:prefix",
        "String",
        &["home/ann", "home/", ""],
        &["home/${aws:username}", "home/*", "home/${$}", "home/??${?}"],
    ),
    list(
        "aws:TagKeys",
        &["Name", "team", "cost"],
        &["Name", "team", "name", "*", "${aws:username}"],
    ),
    list(
        "aws:CalledVia",
        &["a.amazonaws.com", "b.amazonaws.com"],
        &["a.amazonaws.com", "b.amazonaws.com"],
    ),
    key(
        "aws:CurrentTime",
        "Date",
        &[
            "2024-02-29T12:00:00Z",
            "2024-02-29T23:59:59Z",
            "2024-03-01T00:00:00Z",
            "1709208000",
        ],
        &[
            "2024-02-29T13:00:00+01:00",
            "2024-02-29",
            "2024-03-01T00:00:00Z",
            "2024-02-29T06:30:00-05:30",
            "1709208000",
        ],
    ),
    key(
        "aws:MultiFactorAuthAge",
        "Numeric",
        &["0", "10", "9.5", "-1"],
        &["0", "-0", "10.0", "9.50", "9", "-1", "010"],
    ),
    key(
        "aws:SecureTransport",
        "Bool",
        &["true", "false"],
        &["true", "false", "True"],
    ),
    key(
        "aws:SourceIp",
        "IpAddress",
        &["203.0.113.9", "203.0.114.1", "2001:db8::1", "10.0.0.1"],
        &[
            "203.0.113.0/24",
            "203.0.113.9",
            "203.0.112.0/22",
            "0.0.0.0/0",
            "2001:db8::/32",
            "::/0",
            "203.0.113.8/31",
        ],
    ),
    key(
        "aws:PrincipalArn",
        "Arn",
        &[
            "arn:aws:iam::111122223333:role/ci",
            "arn:aws:iam::111122223333:user/a:b",
            "arn:aws:iam::444455556666:role/ci",
        ],
        &[
            "arn:aws:iam::111122223333:role/ci",
            "arn:aws:iam::*:role/*",
            "arn:aws:*:*:role/ci",
            "arn:*:role/ci",
            "arn:aws:iam::${aws:PrincipalAccount}:role/ci",
            "arn:aws:iam::111122223333:user/a${*}b",
        ],
    ),
    key(
        "aws:PrincipalAccount",
        "String",
        &["111122223333", "444455556666"],
        &["111122223333", "1111*"],
    ),
    key(
        "kms:EncryptionContextHash",
        "Binary",
        &["QUJD", "QUI="],
        &["QUJD", "QUI=", "QUI"],
    ),
];

const ACTIONS: [&str; 5] = [
    "s3:GetObject",
    "s3:GetBucketAcl",
    "ec2:RunInstances",
    "iam:PassRole",
    "iam:PassX",
];
const RESOURCES: [&str; 6] = [
    "arn:aws:s3:::home/ann/a",
    "arn:aws:s3:::home/${aws:username}/*",
    "arn:aws:s3:::home/${aws:PrincipalTag/team, 'ann'}/a",
    "arn:aws:s3:::home/a${*}n/${?}",
    "arn:aws:ec2:eu-central-1:111122223333:instance/i-1",
    "arn:aws:iam::${aws:PrincipalAccount}:role/ci/runner",
];
const ASKED: [&str; 6] = [
    "arn:aws:s3:::home/ann/a",
    "arn:aws:s3:::home/bob/b",
    "arn:aws:s3:::home/a*n/?",
    "arn:aws:ec2:eu-central-1:111122223333:instance/i-1",
    "arn:aws:iam::111122223333:role/ci/runner",
    "*",
];

fn any_request(random: &mut Random) -> Request {
    let mut context = BTreeMap::new();
    for key in &EVERY_TYPE {
        if random.once_in(3) {
            continue;
        }
        let count = if key.several { random.below(4) } else { 1 };
        let values: Vec<String> = (0..count)
            .map(|_| random.one(key.given).to_owned())
            .collect();
        context.insert(key.name.to_ascii_lowercase(), values);
    }
    let action = random.one(&ACTIONS).to_owned();
    Request {
        action: random.recased(&action),
        resource: random.one(&ASKED).to_owned(),
        context,
    }
}

fn simulated(policy: &str, request: &Request) -> Decision {
    let entry = |(name, values): (&String, &Vec<String>)| ContextEntry {
        context_key_name: name.clone(),
        context_key_values: values.clone(),
        context_key_type: "string".to_owned(),
    };
    let question = Simulation {
        policy_input_list: vec![policy.to_owned()],
        action_names: vec![request.action.clone()],
        resource_arns: vec![request.resource.clone()],
        context_entries: request.context.iter().map(entry).collect(),
        ..Simulation::default()
    };
    let answer = simulate(&question).unwrap_or_else(|error| panic!("{error}: {policy}"));
    match answer.evaluation_results[0].eval_decision {
        EvalDecision::Allowed => Decision::Allowed,
        EvalDecision::ImplicitDeny => Decision::ImplicitDeny,
        EvalDecision::ExplicitDeny => Decision::ExplicitDeny,
    }
}

#[test]
fn both_say_the_same_to_every_request() {
    let parts = Parts {
        versions: &["2012-10-17", "2012-10-17", "2008-10-17", ""],
        actions: &ACTIONS,
        resources: &RESOURCES,
        widened: true,
        keys: &EVERY_TYPE,
    };
    let mut counts = BTreeMap::new();
    for seed in 0..policies() {
        let mut random = Random::new(seed);
        let policy = random::policy(&mut random, &parts);
        let text = policy.to_string();
        for _ in 0..8 {
            let request = any_request(&mut random);
            let ours = simulated(&text, &request);
            assert_eq!(
                ours,
                decide(&policy, &request),
                "seed {seed}: {text}\n{request:?}"
            );
            *counts.entry(format!("{ours:?}")).or_insert(0) += 1;
        }
    }
    // Where one answer is rare, little is compared.
    assert!(
        counts.len() == 3 && counts.values().all(|n| *n > policies() / 2),
        "{counts:?}"
    );
}

/// What a request of ours carries for certain once the setup is known.
const CERTAIN: [Key; 13] = [
    key(
        "aws:RequestedRegion",
        "String",
        &[],
        &["eu-central-1", "eu-*", "us-east-1"],
    ),
    key("ec2:Region", "String", &[], &["eu-central-1", "us-east-1"]),
    key(
        "aws:PrincipalAccount",
        "String",
        &[],
        &["111122223333", "444455556666"],
    ),
    key("aws:SecureTransport", "Bool", &[], &["true", "false"]),
    key("aws:ViaAWSService", "Bool", &[], &["true", "false"]),
    key(
        "aws:RequestTag/sprinters:sprinters",
        "String",
        &[],
        &["true", "TRUE", "false"],
    ),
    key(
        "aws:ResourceTag/sprinters:sprinters",
        "String",
        &[],
        &["true", "t*", "false"],
    ),
    key(
        "ec2:ResourceTag/sprinters:sprinters",
        "String",
        &[],
        &["true", "false"],
    ),
    key(
        "ec2:CreateAction",
        "String",
        &[],
        &["RunInstances", "CreateVolume"],
    ),
    key(
        "ec2:SubnetID",
        "String",
        &[],
        &["subnet-0123456789abcdef0", "subnet-*"],
    ),
    key(
        "ec2:SecurityGroupID",
        "String",
        &[],
        &["sg-0123456789abcdef0", "sg-1*"],
    ),
    key(
        "ec2:ImageID",
        "String",
        &[],
        &["ami-0123456789abcdef0", "*"],
    ),
    key(
        "ec2:Subnet",
        "Arn",
        &[],
        &[
            "arn:aws:ec2:*:*:subnet/*",
            "arn:aws:ec2:eu-central-1:111122223333:subnet/subnet-1",
        ],
    ),
];

/// And what depends on the day.
const UNCERTAIN: [Key; 10] = [
    key(
        "aws:SourceIp",
        "IpAddress",
        &[],
        &["203.0.113.0/24", "0.0.0.0/0"],
    ),
    key("aws:PrincipalTag/team", "String", &[], &["ci", "*"]),
    key(
        "aws:PrincipalArn",
        "Arn",
        &[],
        &["arn:aws:iam::*:role/ci", "arn:aws:iam::*:role/*"],
    ),
    key(
        "aws:MultiFactorAuthPresent",
        "Bool",
        &[],
        &["true", "false"],
    ),
    key("aws:RequestTag/team", "String", &[], &["ci", "*"]),
    key(
        "aws:RequestTag/sprinters:temp",
        "String",
        &[],
        &["some value", "*"],
    ),
    key("aws:ResourceTag/team", "String", &[], &["ci", "*"]),
    list(
        "aws:TagKeys",
        &[],
        &[
            "Name",
            "sprinters:sprinters",
            "sprinters:*",
            "team",
            "sprinters:temp",
            "Owner",
        ],
    ),
    key(
        "ec2:InstanceType",
        "String",
        &[],
        &["m7i.large", "c7g.xlarge", "m7i.*"],
    ),
    key("ec2:InstanceMarketType", "String", &[], &["spot", "*"]),
];

const OWN_ACTIONS: [&str; 6] = [
    "ec2:RunInstances",
    "ec2:CreateTags",
    "ec2:DescribeInstances",
    "ec2:ModifyVolume",
    "ec2:TerminateInstances",
    "ec2:DescribeSpotPriceHistory",
];
const OWN_RESOURCES: [&str; 10] = [
    "arn:aws:ec2:*:*:*",
    "arn:aws:ec2:*:*:*/*",
    "arn:aws:ec2:*:*:instance/*",
    "arn:aws:ec2:eu-central-1:111122223333:volume/*",
    "arn:aws:ec2:eu-west-1:444455556666:instance/*",
    "arn:aws:ec2:*::image/ami-*",
    "arn:aws:ec2:*:*:subnet/subnet-0123456789abcdef0",
    "arn:aws:ec2:*:*:security-group/sg-*",
    "arn:aws:ec2:*:*:network-interface/*",
    "arn:aws:ec2:*:*:*/i-*",
];

fn known() -> Said {
    Said {
        region: Some("eu-central-1".to_owned()),
        account: Some("111122223333".to_owned()),
        image: Some("ami-0123456789abcdef0".to_owned()),
        subnet: Some("subnet-0123456789abcdef0".to_owned()),
        group: Some("sg-0123456789abcdef0".to_owned()),
        types: vec!["m7i.large".to_owned()],
    }
}

// Each part is known or not.
fn perhaps_known(random: &mut Random) -> Said {
    let all = known();
    let mut keep = |part: Option<String>| part.filter(|_| random.once_in(2));
    Said {
        region: keep(all.region),
        account: keep(all.account),
        image: keep(all.image),
        subnet: keep(all.subnet),
        group: keep(all.group),
        types: match random.below(3) {
            0 => Vec::new(),
            1 => all.types,
            _ => vec!["m7i.large".to_owned(), "c7g.xlarge".to_owned()],
        },
    }
}

fn verdict(said: &Said, policy: &Value) -> sprinters_policy::Verdict {
    let list = |part: &Option<String>| part.iter().cloned().collect();
    let setup = Setup {
        regions: said.region.clone().into_iter().collect(),
        account: said.account.clone(),
        images: list(&said.image),
        subnets: list(&said.subnet),
        security_groups: list(&said.group),
        instance_types: said.types.clone(),
        ..Setup::default()
    };
    let options = Options {
        setup,
        ..Options::default()
    };
    Checker::new(options).verdict(&policy.to_string())
}

fn answer(verdict: &sprinters_policy::Verdict, action: &str, resource: &str) -> Answer {
    let permission = verdict.permissions.iter().find(|p| p.action == action);
    let resources = permission
        .map(|p| p.resources.as_slice())
        .unwrap_or_default();
    let found = resources.iter().find(|r| r.resource_type == resource);
    found.map_or_else(
        || panic!("no answer for {action} on {resource}"),
        |r| r.decision,
    )
}

// Whether one request may be answered like that where the verdict is this.
fn agrees(answer: Answer, decision: Decision) -> bool {
    match answer {
        Answer::Granted => decision == Decision::Allowed,
        Answer::Missing => decision != Decision::Allowed,
        Answer::Denied => decision == Decision::ExplicitDeny,
        Answer::Conditional => true,
    }
}

#[test]
fn what_is_granted_missing_or_denied_is_so_for_every_request_of_ours() {
    let mut keys: Vec<Key> = Vec::new();
    keys.extend(CERTAIN);
    keys.extend(UNCERTAIN);
    let parts = Parts {
        versions: &["2012-10-17"],
        actions: &OWN_ACTIONS,
        resources: &OWN_RESOURCES,
        widened: true,
        keys: &keys,
    };
    let mut counts = BTreeMap::new();
    for seed in 0..policies() {
        let mut random = Random::new(seed);
        let policy = random::policy(&mut random, &parts);
        let mut said = perhaps_known(&mut random);
        let verdict = verdict(&said, &policy);
        // A policy for one region or account is judged for that one.
        // A policy that names several is judged for any of them.
        let assumed = &verdict.assumed.regions;
        if said.region.is_none() && !assumed.is_empty() {
            said.region = Some(assumed[random.below(assumed.len())].clone());
        }
        said.account = said.account.or_else(|| verdict.assumed.account.clone());
        for (action, resource) in requests::ALL {
            let answer = answer(&verdict, action, resource);
            *counts.entry(format!("{answer:?}")).or_insert(0) += 1;
            for _ in 0..4 {
                let request = requests::one(&mut random, action, resource, &said);
                let decision = decide(&policy, &request);
                assert!(
                    agrees(answer, decision),
                    "seed {seed}: {answer:?} {action} on {resource}, but {decision:?}: {policy}\n{said:?}\n{request:?}"
                );
            }
        }
    }
    assert!(
        counts.len() == 4 && counts.values().all(|n| *n > policies() / 4),
        "{counts:?}"
    );
}

#[test]
fn where_everything_is_known_nothing_depends() {
    let parts = Parts {
        versions: &["2012-10-17", "2008-10-17"],
        actions: &OWN_ACTIONS,
        resources: &OWN_RESOURCES,
        widened: false,
        keys: &CERTAIN,
    };
    let said = known();
    for seed in 0..policies() {
        let mut random = Random::new(seed);
        let policy = random::policy(&mut random, &parts);
        let verdict = verdict(&said, &policy);
        for (action, resource) in requests::ALL {
            let answer = answer(&verdict, action, resource);
            let request = requests::one(&mut random, action, resource, &said);
            let decision = decide(&policy, &request);
            // Tags on what is there already are not ours to know.
            if matches!(resource, "image" | "subnet" | "security-group") {
                assert!(agrees(answer, decision), "seed {seed}: {policy}");
                continue;
            }
            let expected = match decision {
                Decision::Allowed => Answer::Granted,
                Decision::ImplicitDeny => Answer::Missing,
                Decision::ExplicitDeny => Answer::Denied,
            };
            assert_eq!(
                answer, expected,
                "seed {seed}: {action} on {resource}: {policy}\n{request:?}"
            );
        }
    }
}
