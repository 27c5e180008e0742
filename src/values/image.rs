//! Which machine image an instance boots from.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use super::instance_type::Architecture;
use super::list::closest;
use super::named_image::NamedImage;

/// What the `image` input says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Image {
    /// `ami-…`: sent as it is.
    Ami(String),
    /// `resolve:ssm:…`: EC2 reads the parameter itself, which needs `ssm:GetParameters`.
    Ssm(String),
    /// `name=<pattern>@<owner>`: the newest that fits, which needs `ec2:DescribeImages`.
    Named(NamedImage),
    /// A name resolved from Canonical's public index, which needs no AWS permission.
    Ubuntu {
        release: Ubuntu,
        architecture: Option<Architecture>,
        variant: Option<Variant>,
    },
}

/// A smaller image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// The hosted service's own; here Canonical's server image.
    Slim,
    /// Canonical's minimal image.
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

/// An Ubuntu release with a name of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ubuntu {
    version: &'static str,
    codename: &'static str,
}

/// The newest first. The next one needs its line here, and nothing else.
const RELEASES: [Ubuntu; 3] = [
    Ubuntu {
        version: "26.04",
        codename: "resolute",
    },
    Ubuntu {
        version: "24.04",
        codename: "noble",
    },
    Ubuntu {
        version: "22.04",
        codename: "jammy",
    },
];

/// What GitHub's `ubuntu-latest` is, since November 2026.
const LATEST: Ubuntu = RELEASES[0];
/// What is taken where nobody names an image.
const DEFAULT: Ubuntu = RELEASES[1];

impl Ubuntu {
    pub(crate) fn codename(self) -> &'static str {
        self.codename
    }

    pub(crate) fn version(self) -> &'static str {
        self.version
    }

    /// Of all releases, the newest first.
    pub(crate) fn versions() -> impl Iterator<Item = &'static str> {
        RELEASES.iter().map(|release| release.version)
    }

    /// By what follows `ubuntu-`.
    fn named(name: &str) -> Option<Self> {
        if name == "latest" {
            return Some(LATEST);
        }
        RELEASES.into_iter().find(|release| release.version == name)
    }
}

/// The names, for suggestions and for editors.
static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let plain = RELEASES.iter().map(|release| release.version);
    let mut names: Vec<String> = plain
        .clone()
        .chain(["latest"])
        .map(|version| format!("ubuntu-{version}"))
        .collect();
    for suffix in ["-arm", "-minimal", "-slim"] {
        let of_all = plain.clone();
        names.extend(of_all.map(|version| format!("ubuntu-{version}{suffix}")));
    }
    names
});

impl Image {
    /// The names that stand for an image.
    #[cfg(test)]
    pub(crate) fn names() -> &'static [String] {
        &NAMES
    }

    /// The name that differs from the text in a few letters.
    pub(crate) fn nearest(text: &str) -> Option<&'static str> {
        let names: Vec<&str> = NAMES.iter().map(String::as_str).collect();
        closest(text, &names)
    }

    /// What to tell people who know the name from the hosted service.
    pub(crate) fn note(&self) -> Option<String> {
        match self {
            Self::Ubuntu {
                variant: Some(Variant::Slim),
                ..
            } => Some(
                "Canonical's server image, because `-slim` images are the hosted service's own"
                    .to_owned(),
            ),
            _ => None,
        }
    }

    /// What the root device may be called, the likeliest first: the block device mapping must repeat its name. Without
    /// `DescribeImages` it is known by convention alone. EC2 refuses a wrong name, or the launch reply shows the right one.
    pub(crate) fn root_devices(&self) -> [&'static str; 3] {
        const USUAL: &str = "/dev/sda1";
        const OTHER: &str = "/dev/xvda";
        const OLD: &str = "/dev/sda";
        match self {
            Self::Ssm(parameter)
                if ["amazon-linux", "al2023", "debian"]
                    .iter()
                    .any(|n| parameter.contains(n)) =>
            {
                [OTHER, USUAL, OLD]
            }
            _ => [USUAL, OTHER, OLD],
        }
    }

    /// The architecture that the name itself fixes.
    pub(crate) fn architecture(&self) -> Option<Architecture> {
        match self {
            Self::Ubuntu { architecture, .. } => *architecture,
            Self::Ssm(parameter) if parameter.contains("arm64") => Some(Architecture::Arm64),
            Self::Ami(_) | Self::Ssm(_) | Self::Named(_) => None,
        }
    }
}

impl Default for Image {
    /// Ubuntu 24.04 for whatever processor the instance type has.
    fn default() -> Self {
        Self::Ubuntu {
            release: DEFAULT,
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
            Self::Named(named) => named.fmt(f),
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
                write!(f, "ubuntu-{}{suffix}{variant}", release.version)
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
        if let Some(named) = text.strip_prefix(NamedImage::PREFIX) {
            return named.parse().map(Self::Named);
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
        let release = name
            .strip_prefix("ubuntu-")
            .and_then(Ubuntu::named)
            .ok_or_else(|| accepted(text))?;
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
    let base = format!(
        "{}, `ami-…`, `resolve:ssm:…` or `name=<pattern>@<owner>`",
        releases()
    );
    match Image::nearest(text) {
        Some(near) => format!("{base}; did you mean `{near}`?"),
        None => base,
    }
}

/// The releases' names, for messages.
pub(crate) fn releases() -> String {
    let names: Vec<String> = RELEASES
        .iter()
        .map(|release| format!("`ubuntu-{}`", release.version))
        .collect();
    format!("{} (with `-arm` for arm64)", names.join(", "))
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
            Ok("ubuntu-26.04".to_owned())
        );
        assert_eq!(Image::default().to_string(), "ubuntu-24.04");
    }

    #[test]
    fn every_name_is_one() {
        for name in Image::names() {
            assert!(name.parse::<Image>().is_ok(), "{name}");
        }
        assert!(Image::names().contains(&"ubuntu-26.04-arm".to_owned()));
    }

    #[test]
    fn smaller_images() {
        for (text, printed, is_service_s) in [
            ("ubuntu-24.04-minimal", "ubuntu-24.04-minimal", false),
            ("ubuntu-latest-slim", "ubuntu-26.04-slim", true),
            (
                "ubuntu-22.04-minimal-arm",
                "ubuntu-22.04-arm-minimal",
                false,
            ),
            ("ubuntu-22.04-arm-slim", "ubuntu-22.04-arm-slim", true),
        ] {
            let image = text.parse::<Image>();
            assert_eq!(
                image.as_ref().map(|image| image.note().is_some()),
                Ok(is_service_s)
            );
            assert_eq!(image.map(|i| i.to_string()), Ok(printed.to_owned()));
        }
        assert!("ubuntu-24.04-slim-minimal".parse::<Image>().is_err());
    }

    #[test]
    fn what_is_not_an_image() {
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
        let first = |text: &str| text.parse::<Image>().map(|i| i.root_devices()[0]);
        assert_eq!(first("ubuntu-24.04"), Ok("/dev/sda1"));
        assert_eq!(
            first(
                "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
            ),
            Ok("/dev/xvda")
        );
    }

    #[test]
    fn only_some_names_fix_the_architecture() {
        let of = |text: &str| {
            text.parse::<Image>()
                .ok()
                .and_then(|image| image.architecture())
        };
        for (text, architecture) in [
            ("ubuntu-24.04", Some(Architecture::X64)),
            ("ubuntu-24.04-arm", Some(Architecture::Arm64)),
            ("ami-0123456789abcdef0", None),
            (
                "resolve:ssm:/aws/service/al2023-arm64",
                Some(Architecture::Arm64),
            ),
            ("resolve:ssm:/aws/service/al2023-x86_64", None),
        ] {
            assert_eq!(of(text), architecture, "{text}");
        }
    }
}
