//! What things cost, from the tables beside this file. What they do not list is unknown, and never guessed.

mod table;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::values::instance_type::InstanceType;
use crate::values::region::Region;
use table::rows;

/// AWS's month where it divides a monthly price into hours.
const HOURS_PER_MONTH: f64 = 730.0;

type ByFamilyAndRegion = BTreeMap<(&'static str, &'static str), f64>;

/// Parsed when the first price is asked for: most invocations ask for none.
static ON_DEMAND: LazyLock<ByFamilyAndRegion> = LazyLock::new(|| {
    rows(include_str!("ec2_on_demand.csv"))
        .filter_map(|[family, region, usd]| Some(((family, region), usd.parse().ok()?)))
        .collect()
});

/// On-demand dollars per hour.
pub(crate) fn on_demand(instance_type: &InstanceType, region: &Region) -> Option<f64> {
    let medium = ON_DEMAND.get(&(instance_type.family(), region.as_str()))?;
    Some(medium * mediums(instance_type)?)
}

/// How many times the price of its family's medium size a type costs.
fn mediums(instance_type: &InstanceType) -> Option<f64> {
    let xlarges = |multiple: u32| f64::from(multiple) * 4.0;
    match instance_type.size() {
        "nano" => Some(0.125),
        "micro" => Some(0.25),
        "small" => Some(0.5),
        "medium" => Some(1.0),
        "large" => Some(2.0),
        "xlarge" => Some(4.0),
        // `metal-24xl` costs what `24xlarge` does; how large a plain `metal` is differs by family.
        size => size
            .strip_suffix("xlarge")
            .or_else(|| size.strip_prefix("metal-")?.strip_suffix("xl"))?
            .parse()
            .ok()
            .map(xlarges),
    }
}

/// What a refreshed table may hold.
#[cfg(test)]
pub(crate) fn fuzzed(table: &str) {
    if let Ok(region) = "eu-central-1".parse()
        && let Some(price) = Gp3::in_table(table, &region)
    {
        let _ = price.storage_per_hour(u32::MAX);
        let _ = price.performance_per_hour(u32::MAX, u32::MAX);
    }
}

/// What a gp3 volume costs in one region.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Gp3 {
    per_gib_month: f64,
    /// For an IOPS and for a MiB/s, above what is free.
    performance: Option<(f64, f64)>,
}

/// What every gp3 volume has without paying for it.
const FREE_IOPS: u32 = 3_000;
const FREE_MIBPS: u32 = 125;

impl Gp3 {
    /// What the table says of the region.
    pub(crate) fn of(region: &Region) -> Option<Self> {
        Self::in_table(include_str!("ebs_gp3.csv"), region)
    }

    fn in_table(table: &str, region: &Region) -> Option<Self> {
        rows(table).find_map(|[name, gib, iops, mibps]| {
            if name != region.as_str() {
                return None;
            }
            Some(Self {
                per_gib_month: gib.parse().ok()?,
                performance: iops.parse().ok().zip(mibps.parse().ok()),
            })
        })
    }

    /// Dollars per hour of a volume of that size.
    pub(crate) fn storage_per_hour(self, gib: u32) -> f64 {
        self.per_gib_month * f64::from(gib) / HOURS_PER_MONTH
    }

    /// Dollars per hour of what exceeds the free 3,000 IOPS and 125 MiB/s.
    pub(crate) fn performance_per_hour(self, iops: u32, mibps: u32) -> Option<f64> {
        if iops <= FREE_IOPS && mibps <= FREE_MIBPS {
            return Some(0.0);
        }
        let (per_iops, per_mibps) = self.performance?;
        let iops = f64::from(iops.saturating_sub(FREE_IOPS));
        let mibps = f64::from(mibps.saturating_sub(FREE_MIBPS));
        Some((per_iops * iops + per_mibps * mibps) / HOURS_PER_MONTH)
    }
}

/// A GitHub-hosted runner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hosted {
    pub name: &'static str,
    pub usd_per_minute: f64,
}

/// The GitHub-hosted runner of the same size: as many vCPUs of the same architecture.
pub(crate) fn github_hosted(instance_type: &InstanceType) -> Option<Hosted> {
    let wanted = vcpus(instance_type)?;
    let architecture = instance_type.architecture().github();
    rows(include_str!("github_hosted.csv")).find_map(|[name, arch, cores, usd_per_minute]| {
        let fits = arch == architecture && cores.parse() == Ok(wanted);
        Some(Hosted {
            name,
            usd_per_minute: usd_per_minute.parse().ok().filter(|_| fits)?,
        })
    })
}

/// The vCPUs of a type in the families whose prices are known: general ones, where sizes mean the same.
fn vcpus(instance_type: &InstanceType) -> Option<u32> {
    let family = instance_type.family();
    if !ON_DEMAND.keys().any(|(known, _)| *known == family) {
        return None;
    }
    match instance_type.size() {
        // A medium exists where a core has one thread, and with two vCPUs in the burstable families.
        "medium" if family.starts_with('t') => Some(2),
        "medium" => Some(1),
        "nano" | "micro" | "small" | "large" => Some(2),
        "xlarge" => Some(4),
        size => size
            .strip_suffix("xlarge")
            .or_else(|| size.strip_prefix("metal-")?.strip_suffix("xl"))?
            .parse::<u32>()
            .ok()?
            .checked_mul(4),
    }
}

#[cfg(test)]
mod tests;
