use super::*;

fn of(text: &str) -> InstanceType {
    text.parse().unwrap_or_else(|e| unreachable!("{e}"))
}

fn region(text: &str) -> Region {
    text.parse().unwrap_or_else(|e| unreachable!("{e}"))
}

fn hourly(instance_type: &str, place: &str) -> Option<f64> {
    let price = on_demand(&of(instance_type), &region(place))?;
    Some((price * 1e6).round() / 1e6)
}

#[test]
fn sizes_multiply_the_medium_s_price() {
    // AWS's own list prices of m7i in N. Virginia.
    assert_eq!(hourly("m7i.large", "us-east-1"), Some(0.1008));
    assert_eq!(hourly("m7i.xlarge", "us-east-1"), Some(0.2016));
    assert_eq!(hourly("m7i.24xlarge", "us-east-1"), Some(4.8384));
    assert_eq!(hourly("m7i.metal-24xl", "us-east-1"), Some(4.8384));
    assert_eq!(hourly("t3.nano", "us-east-1"), Some(0.0052));
}

#[test]
fn what_is_not_listed_is_unknown() {
    assert_eq!(hourly("m7i.metal", "us-east-1"), None);
    assert_eq!(hourly("g5.xlarge", "us-east-1"), None);
    assert_eq!(hourly("m7i.large", "eu-north-1"), None);
    assert_eq!(Gp3::of(&region("eu-north-1")), None);
    assert_eq!(github_hosted(&of("g5.xlarge")), None);
    assert_eq!(
        github_hosted(&of("m7i.12xlarge")),
        None,
        "GitHub has no 48 cores"
    );
}

#[test]
fn every_row_of_the_tables_counts() {
    let lines = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count() - 1;
    assert_eq!(ON_DEMAND.len(), lines(include_str!("ec2_on_demand.csv")));
    assert!(ON_DEMAND.values().all(|usd| (0.001..10.0).contains(usd)));
    let gp3 = include_str!("ebs_gp3.csv");
    let regions = rows::<4>(gp3).filter(|[name, ..]| Gp3::of(&region(name)).is_some());
    assert_eq!(regions.count(), lines(gp3));
    let hosted = include_str!("github_hosted.csv");
    let priced = rows::<4>(hosted).filter(|[.., usd]| usd.parse::<f64>().is_ok());
    assert_eq!(priced.count(), lines(hosted));
}

#[test]
fn a_volume_pays_for_what_exceeds_the_baseline() {
    let Some(gp3) = Gp3::of(&region("us-east-1")) else {
        unreachable!("us-east-1 is listed")
    };
    assert_eq!(gp3.performance_per_hour(3_000, 125), Some(0.0));
    // 2,000 GiB for 12 hours of a 730-hour month, at 0.08 a GiB.
    assert!((gp3.storage_per_hour(2_000) * 12.0 - 2.630_137).abs() < 1e-6);
    // 13,000 IOPS and 875 MiB/s more: 65 and 35 dollars a month.
    let fast = gp3.performance_per_hour(16_000, 1_000);
    assert!(fast.is_some_and(|hourly| (hourly * 730.0 - 100.0).abs() < 1e-9));
}

#[test]
fn where_only_the_storage_s_price_is_known_the_baseline_is_priced() {
    let Some(gp3) = Gp3::of(&region("eu-west-2")) else {
        unreachable!("eu-west-2 is listed")
    };
    assert!(gp3.storage_per_hour(30) > 0.0);
    assert_eq!(gp3.performance_per_hour(3_000, 125), Some(0.0));
    assert_eq!(gp3.performance_per_hour(3_001, 125), None);
    assert_eq!(gp3.performance_per_hour(3_000, 126), None);
}

#[test]
fn volumes_are_priced_in_most_regions_whose_instances_are() {
    let priced: std::collections::BTreeSet<&str> =
        ON_DEMAND.keys().map(|(_, name)| *name).collect();
    let unknown: Vec<&str> = priced
        .into_iter()
        .filter(|name| Gp3::of(&region(name)).is_none())
        .collect();
    assert_eq!(unknown, ["ca-central-1", "me-central-1"]);
}

#[test]
fn the_same_size_at_github() {
    let name = |text: &str| github_hosted(&of(text)).map(|hosted| hosted.name);
    assert_eq!(name("m7i.xlarge"), Some("Linux 4-core"));
    assert_eq!(name("m7g.2xlarge"), Some("Linux 8-core arm64"));
    assert_eq!(name("t3.medium"), Some("Linux 2-core"));
    assert_eq!(name("c7a.medium"), Some("Linux 1-core"));
    assert_eq!(name("m7g.medium"), None);
}
