//! The volumes of a launch: always gp3, encrypted, gone with the instance.

use std::fmt;
use std::str::FromStr;

use super::gp3::{self, Amount, BASELINE_IOPS, BASELINE_THROUGHPUT, IOPS, THROUGHPUT};
use super::temp::TempVolume;

/// How fast a snapshot's blocks may be fetched, in MiB per second:
/// <https://docs.aws.amazon.com/ebs/latest/userguide/initalize-volume.html>.
const INITIALIZATION: std::ops::RangeInclusive<u32> = 100..=300;
/// What the `root` input says: `gp3/<iops>/<throughput>`, and `/<initialization rate>` where one is wanted; `gp3-boot/…` for the
/// boot alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Performance {
    iops: Amount,
    throughput: Amount,
    initialization: Option<u32>,
    is_for_boot: bool,
}

/// The root volume as it is sent to EC2; `None` leaves a value to the image or to gp3's baseline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct RootVolume {
    pub gib: Option<u32>,
    pub iops: Option<u32>,
    /// In MiB per second.
    pub throughput: Option<u32>,
    /// How fast the image's snapshot is fetched, in MiB per second; `None` leaves that to EBS and costs nothing.
    pub initialization: Option<u32>,
    /// To be brought down to the baseline once the runner is online.
    pub is_for_boot: bool,
}

/// All volumes that one instance is launched with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Volumes {
    pub root: RootVolume,
    /// A blank one for the job's data.
    pub temp: Option<TempVolume>,
}

impl Volumes {
    /// The same sizes without what an account's quota can refuse; `None` where there is nothing of that.
    pub(crate) fn baseline(self) -> Option<Self> {
        let baseline = Self {
            root: RootVolume {
                gib: self.root.gib,
                ..RootVolume::default()
            },
            temp: self.temp.map(|temp| TempVolume::baseline(temp.gib)),
        };
        let is_fast = self.root.iops.is_some() || baseline.temp != self.temp;
        is_fast.then_some(baseline)
    }
}

impl RootVolume {
    /// Puts size and performance together, and holds them against gp3's rules.
    ///
    /// The error names the rule, for the input `root`.
    pub(crate) fn new(gib: Option<u32>, performance: Option<Performance>) -> Result<Self, String> {
        let Some(Performance {
            iops,
            throughput,
            initialization,
            is_for_boot,
        }) = performance
        else {
            return Ok(Self {
                gib,
                ..Self::default()
            });
        };
        let (iops, throughput) = gp3::performance(gib, iops, throughput)?;
        Ok(Self {
            gib,
            iops: Some(iops),
            throughput: Some(throughput),
            initialization,
            is_for_boot,
        })
    }

    /// Of that size, where nobody chose one.
    pub(crate) fn or_size(self, gib: Option<u32>) -> Self {
        Self {
            gib: self.gib.or(gib),
            ..self
        }
    }

    /// As the instance's tag says it: the volume's form in the `root` input, then its size where it is known.
    pub(crate) fn to_tag(self) -> String {
        let kind = if self.is_for_boot { "gp3-boot" } else { "gp3" };
        let iops = self.iops.unwrap_or(BASELINE_IOPS);
        let throughput = self.throughput.unwrap_or(BASELINE_THROUGHPUT);
        let mut tag = format!("{kind}/{iops}/{throughput}");
        if let Some(rate) = self.initialization {
            tag = format!("{tag}/{rate}");
        }
        match self.gib {
            Some(gib) => format!("{tag},{gib}GiB"),
            None => tag,
        }
    }

    /// Reads the tag back.
    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        let (performance, gib) = match tag.split_once(',') {
            Some((performance, size)) => {
                (performance, Some(size.strip_suffix("GiB")?.parse().ok()?))
            }
            None => (tag, None),
        };
        Self::new(gib, Some(performance.parse().ok()?)).ok()
    }
}

/// In the input's own form.
impl fmt::Display for Performance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_for_boot { "gp3-boot" } else { "gp3" };
        let amount = |amount| match amount {
            Amount::Exactly(n) => n.to_string(),
            Amount::Max => "max".to_owned(),
        };
        write!(
            f,
            "{kind}/{}/{}",
            amount(self.iops),
            amount(self.throughput)
        )?;
        match self.initialization {
            Some(rate) => write!(f, "/{rate}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Performance {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let accepted = || {
            format!(
                "`gp3/<iops>/<throughput>` with {} to {} IOPS and {} to {} MiB/s, or `max`; `gp3-boot/…` for the boot alone; \
                 a fourth field initializes the volume with {} to {} MiB/s",
                IOPS.start(),
                IOPS.end(),
                THROUGHPUT.start(),
                THROUGHPUT.end(),
                INITIALIZATION.start(),
                INITIALIZATION.end()
            )
        };
        let fields: Vec<&str> = text.split('/').collect();
        let (kind, iops, throughput, rate) = match fields[..] {
            [kind, iops, throughput] => (kind, iops, throughput, None),
            [kind, iops, throughput, rate] => (kind, iops, throughput, Some(rate)),
            _ => return Err(accepted()),
        };
        let is_for_boot = match kind {
            "gp3" => false,
            "gp3-boot" => true,
            _ => return Err(accepted()),
        };
        let rate = rate.map(|rate| rate.parse().ok().filter(|n| INITIALIZATION.contains(n)));
        match (
            Amount::parse(iops, &IOPS),
            Amount::parse(throughput, &THROUGHPUT),
            rate,
        ) {
            (Some(iops), Some(throughput), None | Some(Some(_))) => Ok(Self {
                iops,
                throughput,
                initialization: rate.flatten(),
                is_for_boot,
            }),
            _ => Err(accepted()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(gib: Option<u32>, root: &str) -> Result<(Option<u32>, Option<u32>), String> {
        RootVolume::new(gib, Some(root.parse()?)).map(|v| (v.iops, v.throughput))
    }

    #[test]
    fn max_is_what_the_rules_allow() {
        assert_eq!(
            volume(Some(30), "gp3/max/max"),
            Ok((Some(15_000), Some(2_000)))
        );
        assert_eq!(
            volume(Some(8), "gp3/max/max"),
            Ok((Some(4_000), Some(1_000)))
        );
        assert_eq!(
            volume(Some(1_000), "gp3/max/max"),
            Ok((Some(80_000), Some(2_000)))
        );
        assert_eq!(
            volume(Some(1), "gp3/3000/max"),
            Ok((Some(3_000), Some(750)))
        );
        assert_eq!(
            volume(None, "gp3/4000/1000"),
            Ok((Some(4_000), Some(1_000)))
        );
    }

    #[test]
    fn the_tag_says_all() {
        for (gib, root, tag) in [
            (Some(30), "gp3/max/1000", "gp3/15000/1000,30GiB"),
            (None, "gp3/4000/500/300", "gp3/4000/500/300"),
            (
                Some(80),
                "gp3-boot/6000/500/100",
                "gp3-boot/6000/500/100,80GiB",
            ),
        ] {
            let volume = root
                .parse()
                .and_then(|root| RootVolume::new(gib, Some(root)));
            assert_eq!(volume.as_ref().map(|v| v.to_tag()), Ok(tag.to_owned()));
            assert_eq!(RootVolume::from_tag(tag), volume.ok());
        }
        assert_eq!(RootVolume::default().to_tag(), "gp3/3000/125");
        for broken in ["", "gp3", "gp3/3000/125,GiB", "gp3/3000/125,30", "io2/1/1"] {
            assert_eq!(RootVolume::from_tag(broken), None, "{broken}");
        }
    }

    #[test]
    fn the_baseline_keeps_sizes() {
        let root = RootVolume {
            gib: Some(30),
            ..RootVolume::default()
        };
        let slow = TempVolume::baseline(64);
        let fast = TempVolume {
            iops: 9_000,
            ..slow
        };
        let volumes = |temp| Volumes { root, temp };
        assert_eq!(volumes(Some(fast)).baseline(), Some(volumes(Some(slow))));
        assert_eq!(volumes(Some(slow)).baseline(), None);
        assert_eq!(volumes(None).baseline(), None);
    }

    #[test]
    fn rules_are_named() {
        assert!(volume(Some(8), "gp3/5000/125").is_err_and(|e| e.contains("500 per GiB")));
        assert!(volume(None, "gp3/3000/1000").is_err_and(|e| e.contains("750 MiB/s")));
        assert!(volume(None, "gp3/max/125").is_err_and(|e| e.contains("root-size")));
        for text in [
            "gp2/3000/125",
            "gp3",
            "gp3/3000",
            "gp3/100/125",
            "gp3/3000/99999",
            "gp3/a/b",
            "gp3/3000/125/1",
            "gp3/3000/125/300/1",
            "boot/3000/125",
        ] {
            assert!(text.parse::<Performance>().is_err(), "{text}");
        }
        for text in ["0", "-1", "1.5", "65537", "30GB"] {
            assert!(gp3::size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_size_is_taken_where_nobody_chose_one() {
        let fast = RootVolume {
            iops: Some(4_000),
            ..RootVolume::default()
        };
        let sized = fast.or_size(Some(30));
        assert_eq!((sized.gib, sized.iops), (Some(30), Some(4_000)));
        assert_eq!(sized.or_size(Some(8)), sized);
    }
}
