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
    pub(crate) fn has_instance_store(&self) -> bool {
        const WITHOUT_A_MARK: [&str; 19] = [
            "d3", "d3en", "dl1", "f1", "f2", "g5", "g6", "g6e", "g7e", "gr6", "im4gn", "is4gen",
            "p5", "p5e", "p5en", "trn1", "trn1n", "trn2", "z1d",
        ];
        let family = self.family();
        let generation = family.trim_start_matches(|c: char| c.is_ascii_lowercase());
        let letters = family.strip_suffix(generation).unwrap_or_default();
        let attributes = generation.trim_start_matches(|c: char| c.is_ascii_digit());
        let is_storage = letters == "i" && generation != "2";
        is_storage
            || (attributes != generation && !attributes.contains('-') && attributes.contains('d'))
            || WITHOUT_A_MARK.contains(&family)
            || family.starts_with("p6-")
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
    fn instance_stores() {
        let has = |text: &str| text.parse::<InstanceType>().map(|t| t.has_instance_store());
        for with in [
            "m8gd.medium",
            "c6id.8xlarge",
            "m5ad.large",
            "m6idn.large",
            "x2iedn.xlarge",
            "z1d.large",
            "i3.large",
            "i4i.large",
            "i8ge.large",
            "im4gn.large",
            "is4gen.large",
            "g4dn.xlarge",
            "g5.xlarge",
            "p4d.24xlarge",
            "p4de.24xlarge",
            "p5.48xlarge",
            "p6-b200.48xlarge",
            "d3en.xlarge",
            "trn1.2xlarge",
            "hpc6id.32xlarge",
        ] {
            assert_eq!(has(with), Ok(true), "{with}");
        }
        for without in [
            "t3.large",
            "t4g.large",
            "m7i.large",
            "c7i-flex.large",
            "m8g.medium",
            "r5b.large",
            "c5n.large",
            "inf2.xlarge",
            "g5g.xlarge",
            "d2.xlarge",
            "i2.xlarge",
            "x1.16xlarge",
            "x2gn.large",
            "u-3tb1.56xlarge",
            "u7in-16tb.224xlarge",
            "dl2q.24xlarge",
        ] {
            assert_eq!(has(without), Ok(false), "{without}");
        }
    }

    #[test]
    fn architectures() {
        for arm in [
            "t4g.large",
            "m8gd.xlarge",
            "c7gn.16xlarge",
            "im4gn.large",
            "is4gen.medium",
            "x2gd.metal",
            "g5g.xlarge",
            "a1.large",
            "hpc7g.4xlarge",
            "p6e-gb200.36xlarge",
        ] {
            assert_eq!(architecture(arm), Some(Architecture::Arm64), "{arm}");
        }
        for intel_or_amd in [
            "t3.large",
            "m7i-flex.large",
            "g4dn.xlarge",
            "g6.xlarge",
            "c7a.48xlarge",
            "u-6tb1.112xlarge",
            "m7i.metal-24xl",
            "p5.48xlarge",
            "gr6.4xlarge",
            "p6-b200.48xlarge",
        ] {
            assert_eq!(
                architecture(intel_or_amd),
                Some(Architecture::X64),
                "{intel_or_amd}"
            );
        }
    }

    #[test]
    fn what_is_no_type() {
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
