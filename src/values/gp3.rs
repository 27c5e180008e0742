//! What gp3 volumes can be.

/// gp3's bounds since late 2025: <https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html>.
pub(super) const IOPS: std::ops::RangeInclusive<u32> = 3_000..=80_000;
pub(super) const THROUGHPUT: std::ops::RangeInclusive<u32> = 125..=2_000;
/// IOPS are bounded by the size (500 per GiB), throughput by the IOPS (0.25 MiB/s each).
const IOPS_PER_GIB: u32 = 500;
const IOPS_PER_MIBPS: u32 = 4;
const LARGEST_GIB: u32 = 65_536;
/// What a volume has without paying for more.
pub(crate) const BASELINE_IOPS: u32 = *IOPS.start();
pub(crate) const BASELINE_THROUGHPUT: u32 = *THROUGHPUT.start();

/// How many of something, or as many as the rules allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Amount {
    Exactly(u32),
    Max,
}

impl Amount {
    /// A number within the bounds, or `max`.
    pub(super) fn parse(text: &str, bounds: &std::ops::RangeInclusive<u32>) -> Option<Self> {
        if text == "max" {
            return Some(Self::Max);
        }
        let number = text.parse().ok().filter(|n| bounds.contains(n));
        number.map(Self::Exactly)
    }
}

/// The IOPS and MiB/s of a volume of that size; `None` is a size that the image decides.
///
/// The error names the rule.
pub(super) fn performance(
    gib: Option<u32>,
    iops: Amount,
    throughput: Amount,
) -> Result<(u32, u32), String> {
    let most_iops = match gib {
        Some(gib) => gib
            .saturating_mul(IOPS_PER_GIB)
            .clamp(*IOPS.start(), *IOPS.end()),
        None if iops == Amount::Max => {
            return Err(
                "`max` IOPS only together with `root-size`, because a size bounds them".to_owned(),
            );
        }
        None => *IOPS.end(),
    };
    let iops = match iops {
        Amount::Max => most_iops,
        Amount::Exactly(n) if n <= most_iops => n,
        Amount::Exactly(_) => {
            return Err(format!(
                "at most {most_iops} IOPS on a volume of this size (500 per GiB)"
            ));
        }
    };
    let most_throughput = (iops / IOPS_PER_MIBPS).clamp(*THROUGHPUT.start(), *THROUGHPUT.end());
    let throughput = match throughput {
        Amount::Max => most_throughput,
        Amount::Exactly(n) if n <= most_throughput => n,
        Amount::Exactly(_) => {
            return Err(format!(
                "at most {most_throughput} MiB/s with {iops} IOPS (0.25 MiB/s per IOPS)"
            ));
        }
    };
    Ok((iops, throughput))
}

/// Parses a volume's size, in GiB.
pub(crate) fn size(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|gib| (1..=LARGEST_GIB).contains(gib))
        .ok_or_else(|| format!("a size in GiB, from 1 to {LARGEST_GIB}"))
}
