//! What things cost, from the tables beside this file. What they do not list is unknown, and never guessed.

mod table;

use std::borrow::Cow;
use std::fmt;

use crate::values::instance_type::InstanceType;
use crate::values::region::{Region, Zone};
use crate::values::volume::Volumes;
use table::{ON_DEMAND, Sections, rows};

/// AWS's month where it divides a monthly price into hours.
const HOURS_PER_MONTH: f64 = 730.0;

/// What GitHub charges for a minute of a job on one's own runner. It has announced a charge, and postponed it: none today.
pub(crate) const SELF_HOSTED_USD_PER_MINUTE: f64 = 0.0;

/// Why a price is unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unpriced {
    /// Nothing is listed there: AWS's public list has neither China's nor the isolated regions.
    Location(String),
    /// Other types are.
    Type { name: String, location: String },
}

impl fmt::Display for Unpriced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Location(location) => write!(f, "the price table does not have `{location}`"),
            Self::Type { name, location } => {
                write!(f, "the price table does not have `{name}` in `{location}`")
            }
        }
    }
}

/// On-demand dollars per hour. A zone matters where it has prices of its own: Local and Wavelength Zones do.
pub(crate) fn on_demand(
    instance_type: &InstanceType,
    region: &Region,
    zone: Option<&Zone>,
) -> Result<f64, Unpriced> {
    in_table(&ON_DEMAND, instance_type, &location(region, zone))
}

fn in_table(
    table: &Sections<'_>,
    instance_type: &InstanceType,
    location: &str,
) -> Result<f64, Unpriced> {
    let listed = table
        .get(location)
        .ok_or_else(|| Unpriced::Location(location.to_owned()))?;
    // A type that has a line of its own does not cost what its family does. Its price may be empty: unknown.
    let price = match listed.get(instance_type.as_str()) {
        Some(own) => own.parse().ok(),
        None => listed
            .get(instance_type.family())
            .and_then(|medium| medium.parse::<f64>().ok())
            .zip(mediums(table, instance_type))
            .map(|(medium, times)| medium * times),
    };
    price.ok_or_else(|| Unpriced::Type {
        name: instance_type.to_string(),
        location: location.to_owned(),
    })
}

/// How many times the price of its family's medium size a type costs.
fn mediums(table: &Sections<'_>, instance_type: &InstanceType) -> Option<f64> {
    let listed = table
        .get("sizes")
        .and_then(|sizes| sizes.get(instance_type.as_str())?.parse().ok());
    listed.or_else(|| named_mediums(instance_type.size()))
}

/// Where AWS lists the price. A region's ordinary zones cost the same; a Local Zone's name begins with its group's
/// (`us-west-2-lax-1` for `us-west-2-lax-1a`), and a Wavelength Zone's is written otherwise there (`us-east-1-wl1-chi1` for
/// `us-east-1-wl1-chi-wlz-1`).
fn location<'a>(region: &'a Region, zone: Option<&'a Zone>) -> Cow<'a, str> {
    let Some(zone) = zone.filter(|zone| zone.is_apart()) else {
        return region.as_str().into();
    };
    let name = zone.as_str();
    match name.split_once("-wlz-") {
        Some((city, number)) => format!("{city}{number}").into(),
        None => name
            .trim_end_matches(|c: char| c.is_ascii_lowercase())
            .into(),
    }
}

/// How many mediums a size is by its name.
fn named_mediums(size: &str) -> Option<f64> {
    match size {
        "nano" => Some(0.125),
        "micro" => Some(0.25),
        "small" => Some(0.5),
        "medium" => Some(1.0),
        "large" => Some(2.0),
        "xlarge" => Some(4.0),
        size => size
            .strip_suffix("xlarge")
            .or_else(|| size.strip_prefix("metal-")?.strip_suffix("xl"))?
            .parse::<u32>()
            .ok()
            .map(|multiple| f64::from(multiple) * 4.0),
    }
}

/// What a refreshed table may hold.
#[cfg(test)]
pub(crate) fn fuzzed(table: &str) {
    let parsed = ("eu-central-1".parse(), "m7i.large".parse());
    if let (Ok(region), Ok(instance_type)) = parsed {
        let _ = in_table(
            &table::sections(table),
            &instance_type,
            Region::as_str(&region),
        );
        if let Some(price) = Gp3::in_table(table, &region) {
            let _ = price.storage_per_hour(u32::MAX);
            let _ = price.performance_per_hour(u32::MAX, u32::MAX);
        }
    }
}

/// What a gp3 volume costs in one region.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Gp3 {
    per_gib_month: f64,
    /// Above what is free.
    per_iops_month: Option<f64>,
    per_mibps_month: Option<f64>,
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
                per_iops_month: iops.parse().ok(),
                per_mibps_month: mibps.parse().ok(),
            })
        })
    }

    /// Dollars per hour of a volume of that size.
    pub(crate) fn storage_per_hour(self, gib: u32) -> f64 {
        self.per_gib_month * f64::from(gib) / HOURS_PER_MONTH
    }

    /// Dollars per hour of what exceeds the free 3,000 IOPS and 125 MiB/s.
    pub(crate) fn performance_per_hour(self, iops: u32, mibps: u32) -> Option<f64> {
        let part = |more: u32, price: Option<f64>| match more {
            0 => Some(0.0),
            more => Some(price? * f64::from(more)),
        };
        let iops = part(iops.saturating_sub(FREE_IOPS), self.per_iops_month)?;
        let mibps = part(mibps.saturating_sub(FREE_MIBPS), self.per_mibps_month)?;
        Some((iops + mibps) / HOURS_PER_MONTH)
    }

    /// Dollars per hour of an instance's volumes, without what the root volume has for the boot alone. Unknown where the root
    /// volume's size is the image's own.
    pub(crate) fn volumes_per_hour(self, volumes: Volumes) -> Option<f64> {
        let Volumes { root, temp } = volumes;
        let storage = self.storage_per_hour(root.gib?);
        let fast = if root.is_for_boot {
            0.0
        } else {
            let (iops, throughput) = (root.iops, root.throughput);
            self.performance_per_hour(iops.unwrap_or_default(), throughput.unwrap_or_default())?
        };
        let temp = match temp {
            Some(temp) => {
                self.storage_per_hour(temp.gib)
                    + self.performance_per_hour(temp.iops, temp.throughput)?
            }
            None => 0.0,
        };
        Some(storage + fast + temp)
    }
}

/// A GitHub-hosted runner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Hosted {
    pub name: &'static str,
    pub usd_per_minute: f64,
}

/// The GitHub-hosted runner of the same size: as many vCPUs of the same architecture. None compares with a type whose worth is
/// its accelerators.
pub(crate) fn github_hosted(instance_type: &InstanceType) -> Option<Hosted> {
    if is_accelerated(instance_type.family()) {
        return None;
    }
    let wanted = instance_type.vcpus()?;
    let architecture = instance_type.architecture().github();
    rows(include_str!("github_hosted.csv")).find_map(|[name, arch, cores, usd_per_minute]| {
        let fits = arch == architecture && cores.parse() == Ok(wanted);
        Some(Hosted {
            name,
            usd_per_minute: usd_per_minute.parse().ok().filter(|_| fits)?,
        })
    })
}

fn is_accelerated(family: &str) -> bool {
    let letters = family.split(|c: char| !c.is_ascii_lowercase()).next();
    matches!(
        letters,
        Some("dl" | "f" | "g" | "gr" | "inf" | "p" | "trn" | "vt")
    )
}

#[cfg(test)]
mod tests;
