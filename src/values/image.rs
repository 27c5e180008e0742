//! Which machine image an instance boots from.

use std::fmt;
use std::str::FromStr;

use super::instance_type::Architecture;
use super::list::closest;

/// What the `image` input says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Image {
    /// `ami-…`: sent as it is.
    Ami(String),
    /// `resolve:ssm:…`: EC2 reads the parameter itself, which needs `ssm:GetParameters`.
    Ssm(String),
    /// A name resolved from Canonical's public index, which needs no AWS permission.
    Ubuntu {
        release: Ubuntu,
        architecture: Option<Architecture>,
        /// As the hosted service calls its own smaller images; here each is Canonical's server image.
        variant: Option<Variant>,
    },
}

/// A smaller image of the hosted service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    Slim,
    Minimal,
}

impl Variant {
    const ALL: [Self; 2] = [Self::Slim, Self::Minimal];

    fn suffix(self) -> &'static str {
        match self {
            Self::Slim => "-slim",
            Self::Minimal => "-minimal",
        }
    }
}

/// The Ubuntu releases with a name of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ubuntu {
    Jammy,
    Noble,
}

impl Ubuntu {
    pub(crate) fn codename(self) -> &'static str {
        match self {
            Self::Jammy => "jammy",
            Self::Noble => "noble",
        }
    }

    fn version(self) -> &'static str {
        match self {
            Self::Jammy => "22.04",
            Self::Noble => "24.04",
        }
    }
}

impl Image {
    /// The names, for suggestions.
    pub(crate) const NAMES: [&str; 9] = [
        "ubuntu-24.04",
        "ubuntu-22.04",
        "ubuntu-latest",
        "ubuntu-24.04-arm",
        "ubuntu-22.04-arm",
        "ubuntu-24.04-minimal",
        "ubuntu-22.04-minimal",
        "ubuntu-24.04-slim",
        "ubuntu-22.04-slim",
    ];

    /// The name that differs from the text in a few letters.
    pub(crate) fn nearest(text: &str) -> Option<&'static str> {
        closest(text, &Self::NAMES)
    }

    /// What to tell people who know the name from the hosted service.
    pub(crate) fn note(&self) -> Option<String> {
        match self {
            Self::Ubuntu {
                variant: Some(variant),
                ..
            } => Some(format!(
                "Canonical's server image, because `{}` images are the hosted service's own",
                variant.suffix()
            )),
            _ => None,
        }
    }

    /// The name of the root device, which the block device mapping must repeat. `DescribeImages` is not
    /// permitted, so it is known by convention: Amazon Linux and Debian call it `/dev/xvda`, Ubuntu `/dev/sda1`.
    /// An `ami-…` tells nothing; the launch reply then shows whether the guess was right.
    pub(crate) fn root_device(&self) -> &'static str {
        match self {
            Self::Ssm(parameter)
                if ["amazon-linux", "al2023", "debian"]
                    .iter()
                    .any(|n| parameter.contains(n)) =>
            {
                OTHER_ROOT_DEVICE
            }
            _ => ROOT_DEVICE,
        }
    }

    /// The architecture that the name itself fixes.
    pub(crate) fn architecture(&self) -> Option<Architecture> {
        match self {
            Self::Ubuntu { architecture, .. } => *architecture,
            Self::Ssm(parameter) if parameter.contains("arm64") => Some(Architecture::Arm64),
            Self::Ami(_) | Self::Ssm(_) => None,
        }
    }
}

/// The usual root device, and the other one.
const ROOT_DEVICE: &str = "/dev/sda1";
const OTHER_ROOT_DEVICE: &str = "/dev/xvda";

impl Default for Image {
    /// Ubuntu 24.04 for whatever processor the instance type has.
    fn default() -> Self {
        Self::Ubuntu {
            release: Ubuntu::Noble,
            architecture: None,
            variant: None,
        }
    }
}

impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ami(id) => f.write_str(id),
            Self::Ssm(parameter) => write!(f, "resolve:ssm:{parameter}"),
            Self::Ubuntu {
                release,
                architecture,
                variant,
            } => {
                let variant = variant.map_or("", Variant::suffix);
                let suffix = if *architecture == Some(Architecture::Arm64) {
                    "-arm"
                } else {
                    ""
                };
                write!(f, "ubuntu-{}{suffix}{variant}", release.version())
            }
        }
    }
}

impl FromStr for Image {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("ami-") {
            return if is_resource_id(text, "ami-") {
                Ok(Self::Ami(text.to_owned()))
            } else {
                Err("an AMI id: `ami-` and 8 or 17 hexadecimal digits".to_owned())
            };
        }
        if let Some(parameter) = text.strip_prefix("resolve:ssm:") {
            let fits = !parameter.is_empty()
                && parameter
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "/._-:".contains(c));
            return if fits {
                Ok(Self::Ssm(parameter.to_owned()))
            } else {
                Err("`resolve:ssm:` and the name of an SSM parameter".to_owned())
            };
        }
        let (rest, variant) = without_variant(text);
        let (name, architecture) = match rest.strip_suffix("-arm") {
            Some(name) => (name, Architecture::Arm64),
            None => (rest, Architecture::X64),
        };
        // `-minimal-arm` is as good as `-arm-minimal`.
        let (name, variant) = match variant {
            None => without_variant(name),
            some => (name, some),
        };
        let release = match name {
            "ubuntu-22.04" => Ubuntu::Jammy,
            "ubuntu-24.04" | "ubuntu-latest" => Ubuntu::Noble,
            _ => return Err(accepted(text)),
        };
        Ok(Self::Ubuntu {
            release,
            architecture: Some(architecture),
            variant,
        })
    }
}

fn without_variant(name: &str) -> (&str, Option<Variant>) {
    Variant::ALL
        .into_iter()
        .find_map(|variant| Some((name.strip_suffix(variant.suffix())?, Some(variant))))
        .unwrap_or((name, None))
}

fn accepted(text: &str) -> String {
    let base = "`ubuntu-24.04`, `ubuntu-22.04` (with `-arm` for arm64), `ami-…` or `resolve:ssm:…`"
        .to_owned();
    match Image::nearest(text) {
        Some(near) => format!("{base}; did you mean `{near}`?"),
        None => base,
    }
}

/// Whether the text is an id as EC2 makes them: the prefix and 8 or 17 hexadecimal digits.
pub(crate) fn is_resource_id(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|digits| {
        matches!(digits.len(), 8 | 17) && digits.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for text in [
            "ami-0123456789abcdef0",
            "ami-12c6146b",
            "resolve:ssm:/aws/service/ami",
            "ubuntu-24.04",
            "ubuntu-22.04-arm",
        ] {
            assert_eq!(
                text.parse::<Image>().map(|i| i.to_string()),
                Ok(text.to_owned())
            );
        }
        assert_eq!(
            "ubuntu-latest".parse::<Image>().map(|i| i.to_string()),
            Ok("ubuntu-24.04".to_owned())
        );
    }

    #[test]
    fn the_hosted_services_smaller_images_are_canonicals() {
        for (text, printed) in [
            ("ubuntu-24.04-minimal", "ubuntu-24.04-minimal"),
            ("ubuntu-latest-slim", "ubuntu-24.04-slim"),
            ("ubuntu-22.04-minimal-arm", "ubuntu-22.04-arm-minimal"),
            ("ubuntu-22.04-arm-slim", "ubuntu-22.04-arm-slim"),
        ] {
            let image = text.parse::<Image>();
            assert!(
                image
                    .as_ref()
                    .is_ok_and(|i| i.note().is_some_and(|n| n.contains("Canonical")))
            );
            assert_eq!(image.map(|i| i.to_string()), Ok(printed.to_owned()));
        }
        assert!("ubuntu-24.04-slim-minimal".parse::<Image>().is_err());
    }

    #[test]
    fn what_is_no_image() {
        for text in [
            "",
            "ami-",
            "ami-123",
            "ami-0123456789ABCDEF0",
            "resolve:ssm:",
            "resolve:ssm:a b",
            "ubuntu",
            "ubuntu-20.04",
            "windows-2022",
        ] {
            assert!(text.parse::<Image>().is_err(), "{text}");
        }
        assert!(
            "ubunto-24.04"
                .parse::<Image>()
                .is_err_and(|e| e.contains("did you mean `ubuntu-24.04`"))
        );
    }

    #[test]
    fn root_devices() {
        let device = |text: &str| text.parse::<Image>().map(|i| i.root_device());
        assert_eq!(device("ubuntu-24.04"), Ok("/dev/sda1"));
        assert_eq!(
            device(
                "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
            ),
            Ok("/dev/xvda")
        );
    }
}
