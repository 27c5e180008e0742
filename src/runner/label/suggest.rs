//! What a part that fits nothing was probably meant to be.

use crate::values::image::{Image, releases};
use crate::values::instance_type::InstanceType;
use crate::values::network::InstanceProfile;
use crate::values::region::{Region, is_familiar, is_familiar_zone};

/// What fits where a part is expected.
const FITS: &str = "an image (`ubuntu-24.04`), a place (`eu-central-1`, `eu-central-1c`), an instance type \
    (`m7i.xlarge`), `sg-…`, `spot=`, `root=`, `temp=`, `swap=` or `profile=`";

/// Whether it is an image, or a misspelt one.
pub(super) fn is_meant_as_image(text: &str) -> bool {
    text.starts_with("ubuntu") || text.starts_with("ami-") || Image::nearest(text).is_some()
}

/// Whether it is a region or a zone, or a misspelt one.
pub(super) fn is_nearly_a_place(text: &str) -> bool {
    is_familiar_zone(text) || is_familiar(text) || nearest_place(text).is_some()
}

/// What fits, and what was perhaps meant.
pub(super) fn for_part(text: &str) -> String {
    if let Some(elsewhere) = elsewhere(text) {
        return format!("{FITS}; {elsewhere}");
    }
    match meant(text) {
        Some(meant) => format!("{FITS}; did you mean `{}`?", shortened(&meant)),
        // The hosted service takes a profile's bare name.
        None if text.parse::<InstanceProfile>().is_ok() => {
            format!("{FITS}; if it names an instance profile, write `profile={text}`")
        }
        None => FITS.to_owned(),
    }
}

/// What images a label may name; an SSM parameter's name has `:` in it.
pub(super) fn for_image(text: &str) -> String {
    let accepted = format!("{} or `ami-…`", releases());
    match Image::nearest(text) {
        Some(near) => format!("{accepted}; did you mean `{near}`?"),
        None => accepted,
    }
}

/// Where what cannot stand in a label goes.
fn elsewhere(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    match lower.as_str() {
        "resolve" | "ssm" => Some("`resolve:ssm:…` fits into the input `image`"),
        "self-hosted" | "linux" | "x64" => {
            Some("labels of other kinds fit into the input `labels`")
        }
        "arm" | "arm64" => Some("arm64 is part of the image's name, as in `ubuntu-24.04-arm`"),
        "windows" | "macos" => Some("Sprinters' runners are Linux"),
        other if other.starts_with("windows-") || other.starts_with("macos-") => {
            Some("Sprinters' runners are Linux")
        }
        other if other.starts_with("vpc-") => {
            Some("a subnet says which VPC it is: `eu-central-1/subnet-…`")
        }
        _ => None,
    }
}

/// The first characters of something long.
pub(super) fn shortened(text: &str) -> String {
    const SHOWN: usize = 60;
    let shown: String = text.chars().take(SHOWN).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("{shown}{more}")
}

fn meant(text: &str) -> Option<String> {
    if text.is_empty() {
        return None;
    }
    let lower = text.to_ascii_lowercase();
    if text.len() == 12 && text.chars().all(|c| c.is_ascii_digit()) {
        return Some(format!("sprinters:aws/{text}"));
    }
    with_key(&lower)
        .or_else(|| instance_type(&lower))
        .or_else(|| nearest_place(&lower))
        .or_else(|| text.strip_prefix("sg_").map(|id| format!("sg-{id}")))
}

/// A key without its value, or a value without its key.
fn with_key(text: &str) -> Option<String> {
    match text.split('/').next()? {
        "gp3" if text.matches('/').count() == 2 => Some(format!("root={text}")),
        "gp3" | "ephemeral" | "zram" => Some(format!("temp={text}")),
        "true" | "auto" | "rerun" | "spot" => Some(match text {
            "spot" => "spot=true".to_owned(),
            value => format!("spot={value}"),
        }),
        "swap" => Some("swap=4".to_owned()),
        "temp" => Some("temp=64".to_owned()),
        "root" => Some("root=gp3/max/max".to_owned()),
        "profile" => Some("profile=…".to_owned()),
        number if number.len() < 6 && number.parse::<u32>().is_ok() => Some(format!("temp={text}")),
        _ => None,
    }
}

/// `m7i-xlarge` and `m7i_xlarge` for `m7i.xlarge`; a family alone for its `large`.
fn instance_type(text: &str) -> Option<String> {
    let fits = |text: &str| text.parse::<InstanceType>().is_ok();
    let dotted = |separator| {
        let (family, size) = text.rsplit_once(separator)?;
        Some(format!("{family}.{size}")).filter(|text| fits(text))
    };
    let alone = || {
        let large = format!("{text}.large");
        let is_short = text.len() <= 6 && text.chars().any(|c| c.is_ascii_digit());
        (is_short && fits(&large)).then_some(large)
    };
    dotted('-').or_else(|| dotted('_')).or_else(alone)
}

/// The region that is near, or the zone of one.
fn nearest_place(text: &str) -> Option<String> {
    let of_zone = || {
        let last = text.chars().last().filter(char::is_ascii_lowercase)?;
        let region = text.strip_suffix(last)?;
        let near =
            Region::nearest(region).filter(|_| region.ends_with(|c: char| c.is_ascii_digit()));
        Some(format!("{}{last}", near?))
    };
    of_zone().or_else(|| Region::nearest(text).map(str::to_owned))
}
