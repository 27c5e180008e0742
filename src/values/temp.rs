//! Where the job's data lives: the runner's work folder, Docker's data and `/tmp`.

use std::fmt;
use std::str::FromStr;

use super::gp3::{self, Amount, BASELINE_IOPS, BASELINE_THROUGHPUT, IOPS, THROUGHPUT};
use super::instance_type::{InstanceStore, InstanceType};

/// A volume whose size nobody gave: what the service's runners have.
const DEFAULT_GIB: u32 = 64;
const ACCEPTED: &str = "`64`, `gp3/64` or `gp3/64/4000/750` (GiB, IOPS and MiB/s, the last two also `max`), `ephemeral`, `zram` or `zram/16`";

/// What the `temp` input says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Temp {
    /// An EBS volume of its own.
    Gp3(TempVolume),
    /// The disks in the instance's own host, striped where there are several.
    Ephemeral,
    /// Compressed memory; `None` is twice the memory that the instance has.
    Zram { gib: Option<u32> },
}

/// A gp3 volume, blank at the launch and gone with the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TempVolume {
    pub gib: u32,
    pub iops: u32,
    /// In MiB per second.
    pub throughput: u32,
}

impl TempVolume {
    /// As large, without what costs more.
    pub(crate) fn baseline(gib: u32) -> Self {
        Self {
            gib,
            iops: BASELINE_IOPS,
            throughput: BASELINE_THROUGHPUT,
        }
    }

    /// Reads the instance's tag, which has the input's form.
    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        tag.parse::<Temp>().ok()?.volume()
    }

    fn parse(gib: &str, performance: Option<(&str, &str)>) -> Result<Self, String> {
        let gib = gp3::size(gib).map_err(|why| format!("{why}: {ACCEPTED}"))?;
        let Some((iops, throughput)) = performance else {
            return Ok(Self::baseline(gib));
        };
        let iops = Amount::parse(iops, &IOPS);
        let throughput = Amount::parse(throughput, &THROUGHPUT);
        let (Some(iops), Some(throughput)) = (iops, throughput) else {
            return Err(format!(
                "`gp3/<GiB>/<iops>/<throughput>` with {} to {} IOPS and {} to {} MiB/s, or `max`",
                IOPS.start(),
                IOPS.end(),
                THROUGHPUT.start(),
                THROUGHPUT.end()
            ));
        };
        let (iops, throughput) = gp3::performance(Some(gib), iops, throughput)?;
        Ok(Self {
            gib,
            iops,
            throughput,
        })
    }
}

impl Temp {
    /// The volume to launch with, where it is one.
    pub(crate) fn volume(self) -> Option<TempVolume> {
        match self {
            Self::Gp3(volume) => Some(volume),
            Self::Ephemeral | Self::Zram { .. } => None,
        }
    }

    /// Whether the instance type has what this needs; the error says which types have. Where nobody here knows, EC2 decides.
    pub(crate) fn fits(self, instance_type: &InstanceType) -> Result<(), String> {
        if self != Self::Ephemeral || instance_type.instance_store() != InstanceStore::None {
            return Ok(());
        }
        Err(format!(
            "`ephemeral` only on types with NVMe instance store, as those of the families `m8gd`, `c6id` or `i4i`; `{instance_type}` \
             has none"
        ))
    }

    /// What to tell about a type whose disks are not known.
    pub(crate) fn doubt(self, instance_type: &InstanceType) -> Option<String> {
        let is_unknown = instance_type.instance_store() == InstanceStore::Unknown;
        (self == Self::Ephemeral && is_unknown).then(|| {
            format!("whether `{instance_type}` has NVMe instance store for `temp: ephemeral` is not known here; if it has none, the boot fails")
        })
    }
}

impl FromStr for Temp {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split('/').collect();
        match fields[..] {
            ["ephemeral"] => Ok(Self::Ephemeral),
            ["zram"] => Ok(Self::Zram { gib: None }),
            ["zram", gib] => gp3::size(gib)
                .map(|gib| Self::Zram { gib: Some(gib) })
                .map_err(|why| format!("{why}: {ACCEPTED}")),
            ["gp3"] => Ok(Self::Gp3(TempVolume::baseline(DEFAULT_GIB))),
            ["gp3", gib] => TempVolume::parse(gib, None).map(Self::Gp3),
            ["gp3", gib, iops, throughput] => {
                TempVolume::parse(gib, Some((iops, throughput))).map(Self::Gp3)
            }
            [gib] if gib.starts_with(|c: char| c.is_ascii_digit()) => {
                TempVolume::parse(gib, None).map(Self::Gp3)
            }
            _ => Err(ACCEPTED.to_owned()),
        }
    }
}

/// In the input's own form, which parses back to the same.
impl fmt::Display for Temp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gp3(volume) => write!(f, "{volume}"),
            Self::Ephemeral => f.write_str("ephemeral"),
            Self::Zram { gib: None } => f.write_str("zram"),
            Self::Zram { gib: Some(gib) } => write!(f, "zram/{gib}"),
        }
    }
}

impl fmt::Display for TempVolume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            gib,
            iops,
            throughput,
        } = self;
        write!(f, "gp3/{gib}")?;
        if *self == Self::baseline(*gib) {
            return Ok(());
        }
        write!(f, "/{iops}/{throughput}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_and_back() {
        for (text, printed) in [
            ("64", "gp3/64"),
            ("gp3", "gp3/64"),
            ("gp3/100", "gp3/100"),
            ("gp3/64/3000/125", "gp3/64"),
            ("gp3/64/4000/750", "gp3/64/4000/750"),
            ("gp3/64/3000/max", "gp3/64/3000/750"),
            ("gp3/64/max/max", "gp3/64/32000/2000"),
            ("gp3/4/max/max", "gp3/4/3000/750"),
            ("ephemeral", "ephemeral"),
            ("zram", "zram"),
            ("zram/16", "zram/16"),
        ] {
            let temp = text.parse::<Temp>();
            assert_eq!(
                temp.as_ref().map(ToString::to_string),
                Ok(printed.to_owned()),
                "{text}"
            );
            assert_eq!(printed.parse(), temp);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, message) in [
            ("", "`ephemeral`"),
            ("gp2/64", "`ephemeral`"),
            ("0", "from 1 to 65536"),
            ("65537", "from 1 to 65536"),
            ("64GB", "from 1 to 65536"),
            ("gp3/64/4000", "`ephemeral`"),
            ("gp3/64/100/125", "3000 to 80000 IOPS"),
            ("gp3/4/4000/125", "500 per GiB"),
            ("gp3/64/3000/1000", "750 MiB/s"),
            ("zram/0", "from 1 to"),
            ("ephemeral/2", "`ephemeral`"),
        ] {
            let error = text.parse::<Temp>().err().unwrap_or_default();
            assert!(error.contains(message), "{text}: {error}");
        }
    }

    #[test]
    fn ephemeral_needs_a_type_that_has_it() {
        let fits = |temp: &str, instance_type: &str| {
            temp.parse::<Temp>()
                .and_then(|temp| temp.fits(&instance_type.parse()?))
        };
        assert_eq!(fits("ephemeral", "m8gd.medium"), Ok(()));
        assert_eq!(fits("zram", "t3.large"), Ok(()));
        assert!(
            fits("ephemeral", "t3.large").is_err_and(|why| why.contains("`t3.large` has none"))
        );
    }
}
