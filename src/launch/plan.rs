//! The ladder: which market, type and place to try, in which order. Pure.

use crate::ec2::SpotPrice;
use crate::launch::region_spec::RegionSpec;
use crate::launch::spec::StartSpec;
use crate::values::candidate::Candidate;
use crate::values::instance_type::InstanceType;
use crate::values::network::Placement;
use crate::values::region::Region;
use crate::values::spot::Market;

/// Whether spot prices can change the ladder: only where spot has more than one place to go.
pub(crate) fn needs_spot_prices(spec: &StartSpec) -> bool {
    let is_open = |region: &RegionSpec| match &region.placements[..] {
        [] => true,
        [_] => false,
        several => several.iter().any(|placement| placement.zone().is_some()),
    };
    spec.spot.markets().contains(&Market::Spot)
        && (spec.regions.is_several() || is_open(spec.regions.first()))
}

/// Markets first, then the user's types, then places in these regions: for spot the cheapest zone of all regions first, for
/// on-demand the user's order. Without prices the user's order holds there, too.
pub(crate) fn ladder(
    spec: &StartSpec,
    regions: &[&Region],
    prices: &[SpotPrice],
) -> Vec<Candidate> {
    let mut ladder = Vec::new();
    for &market in spec.spot.markets() {
        for instance_type in &spec.instance_types {
            let places = regions.iter().flat_map(|region| {
                let spec = spec.regions.of(region);
                let places = match market {
                    Market::Spot => spot_places(spec, region, instance_type, prices),
                    Market::OnDemand => listed_places(spec)
                        .map(|placement| (placement, None))
                        .collect(),
                };
                places.into_iter().map(move |place| (*region, place))
            });
            let mut rungs: Vec<Candidate> = places
                .map(|(region, (placement, spot_price))| Candidate {
                    market,
                    instance_type: instance_type.clone(),
                    region: region.clone(),
                    placement,
                    spot_price,
                })
                .collect();
            // Stable: places without a price keep their order, after those with one.
            let price = |rung: &Candidate| rung.spot_price.unwrap_or(f64::INFINITY);
            rungs.sort_by(|a, b| price(a).total_cmp(&price(b)));
            ladder.extend(rungs);
        }
    }
    ladder
}

/// The candidates that leave the zone to EC2, zone by zone: without a zone EC2 picks one, and says no if that one is full. `prices`
/// tell where each type exists.
pub(crate) fn zone_by_zone(ladder: &[Candidate], prices: &[SpotPrice]) -> Vec<Candidate> {
    let anywhere = ladder
        .iter()
        .filter(|candidate| candidate.placement == Placement::Anywhere);
    anywhere
        .flat_map(|candidate| {
            let mut zones: Vec<_> = prices
                .iter()
                .filter(|price| price.instance_type == candidate.instance_type.as_str())
                .filter(|price| price.zone.region() == candidate.region.as_str())
                .map(|price| &price.zone)
                .collect();
            zones.sort();
            zones.dedup();
            zones.into_iter().map(|zone| Candidate {
                placement: Placement::Zone(zone.clone()),
                ..candidate.clone()
            })
        })
        .collect()
}

fn listed_places(spec: &RegionSpec) -> impl Iterator<Item = Placement> {
    let anywhere = spec.placements.is_empty().then_some(Placement::Anywhere);
    spec.placements.iter().cloned().chain(anywhere)
}

fn spot_places(
    spec: &RegionSpec,
    region: &Region,
    instance_type: &InstanceType,
    prices: &[SpotPrice],
) -> Vec<(Placement, Option<f64>)> {
    let of_type = || {
        prices
            .iter()
            .filter(|price| price.instance_type == instance_type.as_str())
            .filter(|price| price.zone.region() == region.as_str())
    };
    let price_of = |placement: &Placement| {
        let zone = placement.zone()?;
        of_type()
            .find(|price| price.zone == *zone)
            .map(|price| price.usd_per_hour)
    };
    if spec.placements.is_empty() && of_type().next().is_some() {
        let mut zones: Vec<_> = of_type().map(|price| price.zone.clone()).collect();
        zones.sort();
        zones.dedup();
        zones.into_iter().map(Placement::Zone).collect::<Vec<_>>()
    } else {
        listed_places(spec).collect()
    }
    .into_iter()
    .map(|placement| {
        let price = price_of(&placement);
        (placement, price)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::{Inputs, Problems};
    use crate::values::per_region::regions;

    fn spec(values: &[(&'static str, &str)]) -> StartSpec {
        spec_in("us-east-1", values)
    }

    fn spec_in(list: &str, values: &[(&'static str, &str)]) -> StartSpec {
        let flags = values
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        let (_, inputs) = Inputs::gather(flags, None, |_| None).unwrap_or_default();
        let mut problems = Problems::default();
        StartSpec::parse(&inputs, regions(list).ok().as_ref(), &mut problems)
            .unwrap_or_else(|| unreachable!("{:?}", problems.into_errors()))
    }

    fn price(instance_type: &str, zone: &str, usd_per_hour: f64) -> SpotPrice {
        SpotPrice {
            instance_type: instance_type.to_owned(),
            zone: zone.parse().unwrap_or_else(|e| unreachable!("{e}")),
            usd_per_hour,
        }
    }

    fn of(spec: &StartSpec, prices: &[SpotPrice]) -> Vec<Candidate> {
        let regions: Vec<&Region> = spec.regions.regions().collect();
        ladder(spec, &regions, prices)
    }

    fn candidates(spec: &StartSpec, prices: &[SpotPrice]) -> Vec<String> {
        of(spec, prices).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn on_demand_without_a_place_leaves_the_zone_to_ec2() {
        let spec = spec(&[("instance-type", "m7i.large, m7a.large")]);
        assert!(!needs_spot_prices(&spec));
        assert_eq!(
            candidates(&spec, &[]),
            [
                "on-demand m7i.large in any zone of us-east-1",
                "on-demand m7a.large in any zone of us-east-1"
            ]
        );
    }

    #[test]
    fn spot_goes_to_the_cheapest_zone_and_falls_back() {
        let spec = spec(&[("instance-type", "m7i.large"), ("spot", "auto")]);
        assert!(needs_spot_prices(&spec));
        let prices = [
            price("m7i.large", "us-east-1a", 0.05),
            price("m7i.large", "us-east-1b", 0.03),
            price("c7i.large", "us-east-1c", 0.01),
        ];
        assert_eq!(
            candidates(&spec, &prices),
            [
                "spot m7i.large in us-east-1b ($0.0300/h)",
                "spot m7i.large in us-east-1a ($0.0500/h)",
                "on-demand m7i.large in any zone of us-east-1",
            ]
        );
    }

    #[test]
    fn listed_zones_are_sorted_by_price_for_spot_only() {
        let spec = spec(&[
            ("instance-type", "m7i.large"),
            ("spot", "auto"),
            ("availability-zone", "us-east-1a, us-east-1b, us-east-1c"),
        ]);
        let prices = [
            price("m7i.large", "us-east-1a", 0.05),
            price("m7i.large", "us-east-1c", 0.03),
        ];
        let zones: Vec<String> = of(&spec, &prices)
            .iter()
            .map(|c| c.placement.to_string())
            .collect();
        assert_eq!(
            zones,
            [
                "us-east-1c",
                "us-east-1a",
                "us-east-1b",
                "us-east-1a",
                "us-east-1b",
                "us-east-1c"
            ]
        );
    }

    #[test]
    fn a_full_region_is_tried_zone_by_zone() {
        let spec = spec(&[("instance-type", "m7i.large, m7a.large")]);
        let prices = [
            price("m7i.large", "us-east-1b", 0.03),
            price("m7i.large", "us-east-1a", 0.05),
            price("m7i.large", "us-east-1a", 0.06),
        ];
        let zones: Vec<String> = zone_by_zone(&of(&spec, &[]), &prices)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            zones,
            [
                "on-demand m7i.large in us-east-1a",
                "on-demand m7i.large in us-east-1b"
            ]
        );
    }

    #[test]
    fn spot_is_sorted_over_all_regions_and_on_demand_keeps_their_order() {
        let spec = spec_in(
            "us-west-2, us-east-1, eu-west-1",
            &[
                ("instance-type", "m7i.large"),
                ("spot", "auto"),
                ("availability-zone", "us-east-1b, us-east-1a"),
            ],
        );
        assert!(needs_spot_prices(&spec));
        let prices = [
            price("m7i.large", "us-west-2a", 0.05),
            price("m7i.large", "us-west-2b", 0.02),
            price("m7i.large", "us-east-1a", 0.03),
            price("m7i.large", "us-east-1c", 0.01),
        ];
        assert_eq!(
            candidates(&spec, &prices),
            [
                "spot m7i.large in us-west-2b ($0.0200/h)",
                "spot m7i.large in us-east-1a ($0.0300/h)",
                "spot m7i.large in us-west-2a ($0.0500/h)",
                "spot m7i.large in us-east-1b",
                "spot m7i.large in any zone of eu-west-1",
                "on-demand m7i.large in any zone of us-west-2",
                "on-demand m7i.large in us-east-1b",
                "on-demand m7i.large in us-east-1a",
                "on-demand m7i.large in any zone of eu-west-1",
            ]
        );
        let anywhere: Vec<String> = zone_by_zone(&of(&spec, &[]), &prices)
            .iter()
            .map(ToString::to_string)
            .collect();
        let zones = ["us-west-2a", "us-west-2b"];
        let wanted = ["spot", "on-demand"]
            .map(|market| zones.map(|zone| format!("{market} m7i.large in {zone}")));
        assert_eq!(anywhere, wanted.concat());
    }

    #[test]
    fn without_prices_spot_still_has_a_rung() {
        let spec = spec(&[("instance-type", "m7i.large"), ("spot", "true")]);
        assert_eq!(
            candidates(&spec, &[]),
            ["spot m7i.large in any zone of us-east-1"]
        );
    }
}
