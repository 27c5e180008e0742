//! How many policies a second iam-rs reads and asks for Sprinters' twelve requests: `peer POLICY`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use iam_rs::{Arn, Decision, IAMPolicy, IAMRequest, Principal, PrincipalId, evaluate_policy};

const ASKED: [(&str, &str); 12] = [
    ("ec2:RunInstances", "arn:aws:ec2:us-east-1:111122223333:image/ami-1"),
    ("ec2:RunInstances", "arn:aws:ec2:us-east-1:111122223333:instance/i-1"),
    ("ec2:RunInstances", "arn:aws:ec2:us-east-1:111122223333:network-interface/eni-1"),
    ("ec2:RunInstances", "arn:aws:ec2:us-east-1:111122223333:security-group/sg-1"),
    ("ec2:RunInstances", "arn:aws:ec2:us-east-1:111122223333:subnet/subnet-1"),
    ("ec2:RunInstances", "arn:aws:ec2:us-east-1:111122223333:volume/vol-1"),
    ("ec2:CreateTags", "arn:aws:ec2:us-east-1:111122223333:instance/i-1"),
    ("ec2:CreateTags", "arn:aws:ec2:us-east-1:111122223333:volume/vol-1"),
    ("ec2:DescribeInstances", "arn:aws:ec2:us-east-1:111122223333:instance/i-1"),
    ("ec2:ModifyVolume", "arn:aws:ec2:us-east-1:111122223333:volume/vol-1"),
    ("ec2:TerminateInstances", "arn:aws:ec2:us-east-1:111122223333:instance/i-1"),
    ("ec2:DescribeSpotPriceHistory", "arn:aws:ec2:us-east-1:111122223333:instance/i-1"),
];

fn main() {
    let path = std::env::args().nth(1).expect("a policy");
    let text = std::fs::read_to_string(path).expect("a readable policy");
    let user = "arn:aws:iam::111122223333:user/sprinters";
    let requests: Vec<IAMRequest> = ASKED
        .iter()
        .map(|(action, arn)| {
            let principal = Principal::Aws(PrincipalId::String(user.to_owned()));
            IAMRequest::new(principal, *action, Arn::parse(arn).expect("an ARN"))
        })
        .collect();
    let judge = || {
        let policy = IAMPolicy::from_json(black_box(&text)).expect("a policy");
        requests.iter().all(|request| matches!(evaluate_policy(&policy, request), Ok(Decision::Allow)))
    };
    assert!(judge(), "every request is granted");
    let mut best = 0.0_f64;
    for _ in 0..10 {
        let (start, mut count) = (Instant::now(), 0_u32);
        while start.elapsed() < Duration::from_millis(100) {
            black_box(judge());
            count += 1;
        }
        best = best.max(f64::from(count) / start.elapsed().as_secs_f64());
    }
    println!("{best:.0}");
}
