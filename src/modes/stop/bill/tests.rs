use super::*;
use crate::ec2::{Usage, tags};
use crate::values::network::InstanceId;

const BEGAN: u64 = 1_795_000_000;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(BEGAN + seconds)
}

fn region(name: &str) -> Region {
    name.parse().unwrap_or_else(|e| unreachable!("{e}"))
}

fn zone(name: &str) -> Zone {
    name.parse().unwrap_or_else(|e| unreachable!("{e}"))
}

fn instance(state: State, market: Market, ended: Option<u64>) -> Instance {
    Instance {
        id: InstanceId::from_ec2("i-1"),
        state,
        state_reason: None,
        instance_type: "m7i.xlarge".to_owned(),
        usage: Usage {
            launched: Some(at(0)),
            ended: ended.map(at),
            market,
            zone: Some(zone("us-east-1a")),
            root_volume_id: None,
        },
        tags: [
            (tags::ROOT.to_owned(), "gp3/3000/125,30GiB".to_owned()),
            // 2026-11-18T17:06:40Z is 6 hours after the launch.
            (tags::EXPIRES.to_owned(), "2026-11-18T17:06:40Z".to_owned()),
        ]
        .into(),
    }
}

fn bill(instance: &Instance, history: &[SpotPriceSince], now: u64) -> Bill {
    Bill::of(instance, &region("us-east-1"), history, at(now))
}

fn price(usd_per_hour: f64, since: i64, place: &str) -> SpotPriceSince {
    let since = BEGAN.saturating_add_signed(since);
    SpotPriceSince {
        instance_type: "m7i.xlarge".to_owned(),
        zone: zone(place),
        usd_per_hour,
        since: SystemTime::UNIX_EPOCH + Duration::from_secs(since),
    }
}

fn is_about(amount: Option<f64>, expected: f64) -> bool {
    amount.is_some_and(|amount| (amount - expected).abs() < 1e-9)
}

#[test]
fn an_hour_on_demand() {
    let bill = bill(
        &instance(State::Terminated, Market::OnDemand, Some(3_600)),
        &[],
        9_999,
    );
    assert!(is_about(bill.compute, 0.2016) && is_about(bill.on_demand, 0.2016));
    assert!(is_about(bill.volume, 30.0 * 0.08 / 730.0));
    // 60 minutes of GitHub's Linux 4-core.
    assert!(is_about(bill.hosted.map(|(_, usd)| usd), 0.72));
    let bills = Bills(vec![bill]);
    assert_eq!(bills.seconds(), Some(3_600));
    assert!(!bills.is_at_most() && !bills.is_interrupted());
    assert!(is_about(bills.saved(), 0.72 - 0.2016 - 30.0 * 0.08 / 730.0));
}

#[test]
fn the_volume_for_the_job_s_data_counts() {
    let mut with_temp = instance(State::Terminated, Market::OnDemand, Some(3_600));
    with_temp
        .tags
        .insert(tags::TEMP.to_owned(), "gp3/64/4000/250".to_owned());
    let performance = 1_000.0 * 0.005 + 125.0 * 0.04;
    assert!(is_about(
        bill(&with_temp, &[], 9_999).volume,
        (30.0 * 0.08 + 64.0 * 0.08 + performance) / 730.0
    ));
}

#[test]
fn a_few_seconds_cost_a_minute() {
    let bill = bill(&instance(State::Running, Market::OnDemand, None), &[], 7);
    assert!(is_about(bill.compute, 0.2016 / 60.0));
    assert!(is_about(bill.hosted.map(|(_, usd)| usd), 0.012));
    assert_eq!(Bills(vec![bill]).seconds(), Some(7));
}

#[test]
fn spot_follows_the_zone_s_price_while_it_ran() {
    let history = [
        price(0.09, 1_800, "us-east-1a"),
        price(0.06, -500, "us-east-1a"),
        price(0.01, -900, "us-east-1b"),
        price(0.50, -7_000, "us-east-1a"),
        price(9.0, 3_600, "us-east-1a"),
    ];
    let spot = instance(State::Terminated, Market::Spot, Some(3_600));
    assert!(is_about(bill(&spot, &history, 9_999).compute, 0.03 + 0.045));
    assert!(is_about(bill(&spot, &history, 9_999).on_demand, 0.2016));
}

#[test]
fn spot_without_the_price_at_its_launch_is_unknown() {
    let spot = instance(State::Terminated, Market::Spot, Some(3_600));
    for history in [
        vec![],
        vec![price(0.06, 10, "us-east-1a")],
        vec![price(0.06, -10, "us-east-1b")],
    ] {
        let bills = Bills(vec![bill(&spot, &history, 9_999)]);
        assert_eq!((bills.cost(), bills.saved()), (None, None));
    }
}

#[test]
fn an_end_that_ec2_does_not_tell_is_bounded() {
    let silent = instance(State::Terminated, Market::OnDemand, None);
    let ran = |now| Ran::of(&silent, at(now)).map(|ran| (ran.duration().as_secs(), ran.is_at_most));
    assert_eq!(ran(600), Some((600, true)));
    assert_eq!(
        ran(90_000),
        Some((6 * 3_600, true)),
        "its timers ended it by then"
    );
    let alive = instance(State::Running, Market::OnDemand, None);
    assert_eq!(
        Ran::of(&alive, at(600)).map(|ran| ran.is_at_most),
        Some(false)
    );
}

#[test]
fn one_unknown_price_makes_the_sum_unknown_but_not_the_time() {
    let known = instance(State::Terminated, Market::OnDemand, Some(100));
    let unknown = Instance {
        instance_type: "p5e.48xlarge".to_owned(),
        ..known.clone()
    };
    let bills = Bills(vec![bill(&known, &[], 200), bill(&unknown, &[], 200)]);
    assert_eq!(
        (bills.cost(), bills.hosted(), bills.saved()),
        (None, None, None)
    );
    assert_eq!(bills.seconds(), Some(200));
}

#[test]
fn a_fast_volume_pays_for_the_boot_or_for_all() {
    let cost = |tag: &str| {
        let mut fast = instance(State::Terminated, Market::OnDemand, Some(3_600));
        fast.tags.insert(tags::ROOT.to_owned(), tag.to_owned());
        bill(&fast, &[], 9_999).volume
    };
    let storage = 30.0 * 0.08 / 730.0;
    let hourly = (12_000.0 * 0.005 + 875.0 * 0.04) / 730.0;
    assert!(is_about(cost("gp3/15000/1000,30GiB"), storage + hourly));
    assert!(is_about(
        cost("gp3-boot/15000/1000,30GiB"),
        storage + hourly / 12.0
    ));
    assert_eq!(
        cost("gp3/3000/125"),
        None,
        "the image's own size is unknown"
    );
}

#[test]
fn volumes_of_unknown_price_are_left_out_and_reported() {
    let of = |tag: &str| {
        let mut instance = instance(State::Terminated, Market::OnDemand, Some(3_600));
        instance.tags.insert(tags::ROOT.to_owned(), tag.to_owned());
        bill(&instance, &[], 9_999)
    };
    let storage = 30.0 * 0.08 / 730.0;
    let some = Bills(vec![of("gp3/3000/125,30GiB"), of("gp3/3000/125")]);
    assert!(is_about(some.volumes(), storage) && some.has_unknown_volume());
    assert!(is_about(some.cost(), 2.0 * 0.2016 + storage));
    assert!(!some.has_initialization());
    let none = Bills(vec![of("gp3/3000/125")]);
    assert_eq!((none.volumes(), none.has_unknown_volume()), (None, true));
    let initialized = Bills(vec![of("gp3/3000/125/300,30GiB")]);
    assert!(is_about(initialized.volumes(), storage) && initialized.has_initialization());
}

#[test]
fn what_ec2_took_back_is_interrupted() {
    let mut spot = instance(State::Terminated, Market::Spot, Some(3_600));
    spot.state_reason =
        Some("Server.SpotInstanceTermination: Spot instance termination".to_owned());
    assert!(bill(&spot, &[], 9_999).is_interrupted);
    spot.state_reason = Some("Client.InstanceInitiatedShutdown: …".to_owned());
    assert!(!bill(&spot, &[], 9_999).is_interrupted);
}

#[test]
fn spot_that_ec2_takes_back_in_its_first_hour_is_free() {
    let history = [price(0.08, -60, "us-east-1a")];
    let mut spot = instance(State::Terminated, Market::Spot, Some(3_599));
    spot.state_reason = Some("Server.SpotInstanceTermination: …".to_owned());
    let early = bill(&spot, &history, 9_999);
    assert!(early.is_free && is_about(early.compute, 0.0));
    assert!(early.volume.is_some_and(|usd| usd > 0.0), "volumes are not");
    spot.usage.ended = Some(at(3_600));
    let late = bill(&spot, &history, 9_999);
    assert!(!late.is_free && is_about(late.compute, 0.08));
    // Whoever ends it pays for it.
    spot.usage.ended = Some(at(600));
    spot.state_reason = Some("Client.UserInitiatedShutdown: …".to_owned());
    assert!(!bill(&spot, &history, 9_999).is_free);
}
