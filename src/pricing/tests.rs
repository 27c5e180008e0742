use super::*;
use crate::values::temp::Temp;
use crate::values::volume::{RootVolume, Volumes};
use sprinters_policy::region::{REGIONS, partition_of};

fn of(text: &str) -> InstanceType {
    text.parse().unwrap_or_else(|e| unreachable!("{e}"))
}

fn region(text: &str) -> Region {
    text.parse().unwrap_or_else(|e| unreachable!("{e}"))
}

fn rounded(price: Result<f64, Unpriced>) -> Option<f64> {
    price.ok().map(|price| (price * 1e5).round() / 1e5)
}

fn hourly(instance_type: &str, place: &str) -> Option<f64> {
    rounded(on_demand(&of(instance_type), &region(place), None))
}

fn in_zone(instance_type: &str, place: &str, zone: &str) -> Option<f64> {
    let zone: Zone = zone.parse().unwrap_or_else(|e| unreachable!("{e}"));
    rounded(on_demand(&of(instance_type), &region(place), Some(&zone)))
}

#[test]
fn sizes_multiply_the_medium_s_price() {
    // AWS's own list prices in N. Virginia.
    assert_eq!(hourly("m7i.large", "us-east-1"), Some(0.1008));
    assert_eq!(hourly("m7i.xlarge", "us-east-1"), Some(0.2016));
    assert_eq!(hourly("m7i.24xlarge", "us-east-1"), Some(4.8384));
    assert_eq!(hourly("t3.nano", "us-east-1"), Some(0.0052));
}

#[test]
fn sizes_that_are_not_in_proportion() {
    assert_eq!(hourly("m7i.metal-24xl", "us-east-1"), Some(5.32224));
    assert_eq!(hourly("m5.metal", "us-east-1"), Some(4.608));
    assert_eq!(hourly("g5.xlarge", "us-east-1"), Some(1.006));
    assert_eq!(hourly("g5.12xlarge", "us-east-1"), Some(5.672));
    assert_eq!(hourly("g6.xlarge", "us-east-2"), Some(0.8048));
    assert_eq!(hourly("t3.nano", "mx-central-1"), Some(0.0055));
}

#[test]
fn zones_apart_from_their_region_have_prices_of_their_own() {
    let ordinary = in_zone("t3.medium", "us-west-2", "us-west-2a");
    assert_eq!(ordinary, hourly("t3.medium", "us-west-2"));
    let local = in_zone("t3.medium", "us-west-2", "us-west-2-lax-1a");
    assert_eq!(local, Some(0.0499));
    let carrier = in_zone("t3.medium", "us-east-1", "us-east-1-wl1-chi-wlz-1");
    assert!(carrier > hourly("t3.medium", "us-east-1"), "{carrier:?}");
    assert_eq!(in_zone("m7i.large", "us-west-2", "us-west-2-lax-1a"), None);
}

#[test]
fn what_is_not_listed_is_unknown_for_a_reason() {
    let reason = |instance_type, place| {
        let answer = on_demand(&of(instance_type), &region(place), None);
        answer.err().map(|why| why.to_string()).unwrap_or_default()
    };
    assert_eq!(
        reason("m7i.large", "cn-north-1"),
        "the price table does not have `cn-north-1`"
    );
    assert_eq!(
        reason("q9.large", "us-east-1"),
        "the price table does not have `q9.large` in `us-east-1`"
    );
    assert_eq!(
        reason("c6gd.metal", "eu-central-1"),
        "the price table does not have `c6gd.metal` in `eu-central-1`"
    );
    assert_eq!(github_hosted(&of("g5.xlarge")), None);
    assert_eq!(
        github_hosted(&of("m7i.12xlarge")),
        None,
        "GitHub has no 48 cores"
    );
}

/// Every type that moto knows in every region: a price that can be one, or a reason.
#[test]
fn every_type_has_a_price_or_a_reason_everywhere() {
    let types = include_str!("../tests/instance_types.csv");
    let types: Vec<InstanceType> = types
        .lines()
        .skip(1)
        .filter_map(|row| row.split(',').next())
        .map(of)
        .collect();
    let mut priced = std::collections::BTreeMap::new();
    for name in REGIONS {
        let region = region(name);
        for instance_type in &types {
            match on_demand(instance_type, &region, None) {
                Ok(usd) => {
                    assert!(
                        (0.001..1_000.0).contains(&usd),
                        "{instance_type} {name}: {usd}"
                    );
                    *priced.entry(name).or_insert(0) += 1;
                }
                Err(why) => assert!(why.to_string().contains(name), "{why}"),
            }
        }
    }
    // Opened since the first catalogue; the refresh brings them. The public list has two partitions.
    let unpriced: Vec<&str> = REGIONS
        .into_iter()
        .filter(|name| matches!(partition_of(name).name, "aws" | "aws-us-gov"))
        .filter(|name| !priced.contains_key(name))
        .collect();
    assert_eq!(
        unpriced,
        ["ap-east-2", "ap-southeast-6", "me-west-1", "sa-west-1"]
    );
    let unknown: Vec<String> = types
        .iter()
        .filter(|it| on_demand(it, &region("us-east-1"), None).is_err())
        .map(|it| it.family().to_owned())
        .collect();
    assert!(unknown.len() * 25 < types.len(), "{unknown:?}");
}

#[test]
fn every_line_of_the_tables_counts() {
    let lines = |text: &str| text.lines().filter(|line| !line.starts_with('#')).count() - 1;
    let table = include_str!("ec2_on_demand.ini");
    assert_eq!(*ON_DEMAND, table::sections(table));
    for line in table.lines().filter(|line| !line.starts_with(['#', '['])) {
        let value = line.split_once('=').map(|(_, value)| value);
        let number = value.and_then(|value| value.parse::<f64>().ok());
        let is_unknown = value == Some("");
        assert!(
            is_unknown || number.is_some_and(|usd| (0.001..1_000.0).contains(&usd)),
            "{line}"
        );
    }
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
fn where_a_part_of_the_price_is_unknown_the_rest_is_priced() {
    let table = "region,gib,iops,mibps\neu-west-2,0.0928,0.0058,\n";
    let Some(gp3) = Gp3::in_table(table, &region("eu-west-2")) else {
        unreachable!("eu-west-2 is listed")
    };
    assert!(gp3.storage_per_hour(30) > 0.0);
    assert_eq!(gp3.performance_per_hour(3_000, 125), Some(0.0));
    assert!(
        gp3.performance_per_hour(3_001, 125)
            .is_some_and(|usd| usd > 0.0)
    );
    assert_eq!(gp3.performance_per_hour(3_000, 126), None);
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

#[test]
fn an_hour_of_all_volumes_is_the_sum_of_their_parts() {
    let Some(gp3) = Gp3::of(&region("us-east-1")) else {
        unreachable!("it has a price")
    };
    let volumes = |gib, is_for_boot, temp: &str| Volumes {
        root: RootVolume {
            gib,
            iops: Some(4_000),
            throughput: Some(250),
            initialization: None,
            is_for_boot,
        },
        temp: temp.parse::<Temp>().ok().and_then(Temp::volume),
    };
    let price = |volumes| gp3.volumes_per_hour(volumes);
    let (performance, storage) = (gp3.performance_per_hour(4_000, 250), |gib| {
        gp3.storage_per_hour(gib)
    });
    let performance = performance.unwrap_or_default();
    assert!(performance > 0.0);
    let near =
        |price: Option<f64>, expected: f64| price.is_some_and(|usd| (usd - expected).abs() < 1e-12);
    assert!(near(
        price(volumes(Some(30), false, "")),
        storage(30) + performance
    ));
    // Fast for the boot alone: next to nothing of an hour.
    assert!(near(price(volumes(Some(30), true, "")), storage(30)));
    let with_temp = price(volumes(Some(30), true, "gp3/64/4000/250"));
    assert!(near(with_temp, storage(30) + storage(64) + performance));
    assert_eq!(price(volumes(None, true, "")), None);
}
