//! EC2 instance types, and which processor they have.

use std::fmt;
use std::str::FromStr;

use super::list::closest;

/// A processor architecture, under GitHub's names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Architecture {
    X64,
    Arm64,
}

impl Architecture {
    /// As GitHub's runner downloads call it.
    pub(crate) fn github(self) -> &'static str {
        match self {
            Self::X64 => "x64",
            Self::Arm64 => "arm64",
        }
    }

    /// As EC2 calls it.
    pub(crate) fn ec2(self) -> &'static str {
        match self {
            Self::X64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }

    /// As Canonical's image index calls it.
    pub(crate) fn debian(self) -> &'static str {
        match self {
            Self::X64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.github())
    }
}

/// What is known of a type's own disks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InstanceStore {
    Nvme,
    None,
    /// A family that is newer than this program: EC2 knows.
    Unknown,
}

/// An EC2 instance type, `m7i.xlarge`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InstanceType(String);

impl InstanceType {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the dot: capacity and quotas belong to it.
    pub(crate) fn family(&self) -> &str {
        self.0.split('.').next().unwrap_or_default()
    }

    /// The part after the dot.
    pub(crate) fn size(&self) -> &str {
        self.0.split_once('.').map_or("", |(_, size)| size)
    }

    /// AWS marks its own (Arm) processors with a `g` right after the generation: `t4g`, `m8gd`, `im4gn`.
    /// `a1` came before that rule, and `p6e-gb200` carries it in its suffix.
    pub(crate) fn architecture(&self) -> Architecture {
        let family = self.family();
        let attributes = family
            .trim_start_matches(|c: char| c.is_ascii_lowercase())
            .trim_start_matches(|c: char| c.is_ascii_digit());
        if family == "a1" || attributes.starts_with('g') || family.contains("-gb") {
            Architecture::Arm64
        } else {
            Architecture::X64
        }
    }

    /// Whether it has `NVMe` disks of its own. AWS marks them with a `d` after the generation (`m8gd`, `c5ad`, `m6idn`); storage and
    /// most accelerated families have them without. Older types whose disks are not `NVMe` (`d2`, `h1`, `x1`) do not count: theirs
    /// appear only where the launch maps them.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-store-volumes.html>
    pub(crate) fn instance_store(&self) -> InstanceStore {
        const WITHOUT_A_MARK: [&str; 23] = [
            "d3", "d3en", "dl1", "f1", "f2", "g5", "g6", "g6e", "g6f", "g7", "g7e", "gr6", "gr6f",
            "im4gn", "is4gen", "p5", "p5e", "p5en", "trn1", "trn1n", "trn2", "trn2u", "z1d",
        ];
        /// Where the mark tells all.
        const MARKED: [&str; 8] = ["a", "c", "hpc", "m", "r", "t", "u", "x"];
        const WITHOUT: [&str; 12] = [
            "d2", "dl2q", "g2", "g3", "g3s", "g5g", "h1", "i2", "inf1", "inf2", "p3", "vt1",
        ];
        let family = self.family();
        let generation = family.trim_start_matches(|c: char| c.is_ascii_lowercase());
        let letters = family.strip_suffix(generation).unwrap_or_default();
        let attributes = generation.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_storage = letters == "i" && generation != "2";
        let is_marked =
            attributes != generation && !attributes.contains('-') && attributes.contains('d');
        if is_storage || is_marked || WITHOUT_A_MARK.contains(&family) || family.starts_with("p6-")
        {
            InstanceStore::Nvme
        } else if MARKED.contains(&letters) || WITHOUT.contains(&family) {
            InstanceStore::None
        } else {
            InstanceStore::Unknown
        }
    }

    /// Whether its virtual machines certainly cannot run others. Intel's can from the eighth generation on (`c8i`, `m8i-flex`);
    /// of newer families EC2 knows.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/amazon-ec2-nested-virtualization.html>
    pub(crate) fn cannot_nest(&self) -> bool {
        let family = self.family();
        let generation = family.trim_start_matches(|c: char| c.is_ascii_lowercase());
        let attributes = generation.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = generation.strip_suffix(attributes).unwrap_or_default();
        let is_older = number.parse::<u32>().is_ok_and(|number| number < 8);
        let is_metal = self.size().starts_with("metal");
        let is_intel = self.architecture() == Architecture::X64 && !attributes.starts_with('a');
        is_older || is_metal || !is_intel
    }

    /// Its vCPUs, which its size tells in nearly all families; `None` where it does not.
    pub(crate) fn vcpus(&self) -> Option<u32> {
        let family = self.family();
        // High-performance types of Intel and AMD run one thread a core.
        let of_an_xlarge = match self.architecture() {
            Architecture::X64 if family.starts_with("hpc") => 2,
            _ => 4,
        };
        match (family, self.size()) {
            ("c1" | "m1" | "m2" | "t1", _) => None,
            ("c4" | "d2", "8xlarge") => Some(36),
            // Burstable types have two even there.
            (burstable, "medium") if burstable.starts_with('t') => Some(2),
            (_, "medium") | ("t2", "nano" | "micro" | "small") => Some(1),
            (_, "nano" | "micro" | "small" | "large") => Some(2),
            (_, "xlarge") => Some(of_an_xlarge),
            (_, size) => size
                .strip_suffix("xlarge")
                .or_else(|| size.strip_prefix("metal-")?.strip_suffix("xl"))?
                .parse::<u32>()
                .ok()?
                .checked_mul(of_an_xlarge),
        }
    }

    /// The type used where nobody chose one.
    pub(crate) fn default_for(architecture: Architecture) -> Self {
        Self(
            match architecture {
                Architecture::X64 => "t3.large",
                Architecture::Arm64 => "t4g.large",
            }
            .to_owned(),
        )
    }
}

impl fmt::Display for InstanceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for InstanceType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let accepted = || {
            let accepted = "EC2 instance types such as `m7i.xlarge`";
            match nearest(text) {
                Some(near) => format!("{accepted}; did you mean `{near}`?"),
                None => accepted.to_owned(),
            }
        };
        let (family, size) = text.split_once('.').ok_or_else(accepted)?;
        if family.starts_with("mac") {
            return Err("EC2 instance types that run Linux; `mac` types do not".to_owned());
        }
        let word = |part: &str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        };
        let has_generation = family.starts_with(|c: char| c.is_ascii_lowercase())
            && family.contains(|c: char| c.is_ascii_digit());
        if word(family) && has_generation && word(size) && is_size(size) {
            Ok(Self(text.to_owned()))
        } else {
            Err(accepted())
        }
    }
}

/// The type with lower-case letters, or with the size that differs in the fewest letters.
fn nearest(text: &str) -> Option<String> {
    const SIZES: [&str; 17] = [
        "nano", "micro", "small", "medium", "large", "xlarge", "2xlarge", "3xlarge", "4xlarge",
        "6xlarge", "8xlarge", "9xlarge", "12xlarge", "16xlarge", "24xlarge", "48xlarge", "metal",
    ];
    let lower = text.to_ascii_lowercase();
    let (family, size) = lower.split_once('.')?;
    let size = if is_size(size) {
        size
    } else {
        closest(size, &SIZES)?
    };
    let near = format!("{family}.{size}");
    (near != text && near.parse::<InstanceType>().is_ok()).then_some(near)
}

/// `nano` to `large`, `xlarge`, `24xlarge`, `metal`, `metal-24xl`.
fn is_size(size: &str) -> bool {
    let multiple = |text: &str| text.is_empty() || text.chars().all(|c| c.is_ascii_digit());
    matches!(size, "nano" | "micro" | "small" | "medium" | "large")
        || size.strip_suffix("xlarge").is_some_and(multiple)
        || size == "metal"
        || size
            .strip_prefix("metal-")
            .and_then(|rest| rest.strip_suffix("xl"))
            .is_some_and(multiple)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn architecture(text: &str) -> Option<Architecture> {
        text.parse::<InstanceType>().ok().map(|t| t.architecture())
    }

    #[test]
    fn which_types_certainly_cannot_nest_virtual_machines() {
        let cannot = |text: &str| text.parse::<InstanceType>().map(|it| it.cannot_nest());
        for able in [
            "m8i.large",
            "c8i-flex.large",
            "r8id.xlarge",
            "m9i.large",
            "q9.large",
        ] {
            assert_eq!(cannot(able), Ok(false), "{able}");
        }
        for unable in [
            "m7i.large",
            "m8a.large",
            "m8g.large",
            "t3.large",
            "c8i.metal-48xl",
        ] {
            assert_eq!(cannot(unable), Ok(true), "{unable}");
        }
    }

    /// Every type that moto knows, as the contract tests write them down.
    #[test]
    fn what_names_tell_is_what_ec2_says() {
        let table = include_str!("../tests/instance_types.csv");
        let mut rows = 0;
        for row in table.lines().skip(1) {
            let fields: Vec<&str> = row.split(',').collect();
            let [name, architecture, nvme, vcpus] = fields[..] else {
                unreachable!("{row}")
            };
            let Ok(it) = name.parse::<InstanceType>() else {
                unreachable!("{name} is a type")
            };
            assert_eq!(it.architecture().github(), architecture, "{name}");
            let store = match nvme {
                "yes" => InstanceStore::Nvme,
                _ => InstanceStore::None,
            };
            assert_eq!(it.instance_store(), store, "{name}");
            let is_told = it.size() != "metal" && !matches!(it.family(), "c1" | "m1" | "m2" | "t1");
            assert_eq!(it.vcpus(), vcpus.parse().ok().filter(|_| is_told), "{name}");
            rows += 1;
        }
        assert!(rows > 1_000, "{rows} rows");
    }

    #[test]
    fn a_family_that_is_newer_than_this_program() {
        let store = |text: &str| text.parse::<InstanceType>().map(|it| it.instance_store());
        assert_eq!(store("g9z.xlarge"), Ok(InstanceStore::Unknown));
        assert_eq!(store("trn7.48xlarge"), Ok(InstanceStore::Unknown));
        assert_eq!(store("m12qd.large"), Ok(InstanceStore::Nvme));
        assert_eq!(store("m12q.large"), Ok(InstanceStore::None));
        assert_eq!(architecture("m12g.large"), Some(Architecture::Arm64));
        assert_eq!(
            architecture("p6e-gb200.36xlarge"),
            Some(Architecture::Arm64)
        );
    }

    #[test]
    fn what_is_not_a_type() {
        for text in [
            "",
            "m7i",
            "m7i.",
            ".large",
            "m7i.huge",
            "M7I.large",
            "m7i large",
            "large.m7i",
            "mac2.metal",
            "m7i.xxlarge",
            "m.large",
        ] {
            assert!(text.parse::<InstanceType>().is_err(), "{text}");
        }
    }
}
