//! What AWS's services define: tables made by `wasm/data/generate.mjs`, indexed on first use.
//!
//! Where the tables end, the checks say "not checked" and never "unknown".

mod catalog;
mod global;
mod names;
mod service;

use crate::pattern::same_name;
use std::sync::OnceLock;

pub use catalog::{Catalog, Known, exists, nearest_action, takes_tags};
pub use global::GLOBAL_KEYS;
pub use names::Names;
pub use service::{Action, ResourceType, Service, TypePattern, service};

/// The type of a condition key's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// Text.
    String,
    /// A number.
    Numeric,
    /// `true` or `false`.
    Bool,
    /// A point in time.
    Date,
    /// An address or a range.
    IpAddress,
    /// An ARN.
    Arn,
}

/// A condition key as a service defines it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The name after the prefix, `${}` for each variable part.
    pub name: &'static str,
    /// The type of each value.
    pub kind: KeyType,
    /// Whether a request can carry several values.
    pub multivalued: bool,
}

/// Whether ARNs of a service name a region or an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Every resource type does.
    Always,
    /// No resource type does.
    Never,
    /// Some do.
    Sometimes,
}

/// The ARN shapes of one service.
#[derive(Clone, Copy, Debug)]
pub struct ArnShape {
    /// The region field.
    pub region: Presence,
    /// The account field.
    pub account: Presence,
}

const PREFIXES: &str = include_str!("../../data/prefixes.txt");
const KEYS: &str = include_str!("../../data/keys.txt");

/// Still in AWS's resource lists, but the service has ended and Access Analyzer says so.
const ENDED: [&str; 1] = ["elastic-inference"];

/// Gone from AWS's reference or not yet in it, but AWS's own managed policies name them, and
/// Access Analyzer knows some of them: never an error, not checked.
const UNLISTED: [&str; 17] = [
    "applicationwizard",
    "assurance",
    "builderid",
    "catalog-admin",
    "catalog-user",
    "crowd",
    "datazonecontrol",
    "deepcomposer",
    "deeplens",
    "deepracer",
    "ec2-reports",
    "iot1click",
    "iotroborunner",
    "mobilehub",
    "sagemaker-groundtruth-synthetic",
    "sumerian",
    "zocalo",
];

// A name that actions begin with, and the shapes of the ARNs that have it.
struct Named {
    begins_actions: bool,
    shape: Option<ArnShape>,
}

fn named() -> &'static Names<Named> {
    static TABLE: OnceLock<Names<Named>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let presence = |flag: Option<char>| match flag {
            Some('+') => Presence::Always,
            Some('-') => Presence::Never,
            _ => Presence::Sometimes,
        };
        let read = |line: &'static str| {
            let (name, flags) = line.split_once(' ').unwrap_or((line, ""));
            let mut flags = flags.chars().peekable();
            let shape = flags.peek().is_some().then(|| ArnShape {
                region: presence(flags.next()),
                account: presence(flags.next()),
            });
            let begins_actions = !name.starts_with('~');
            let named = Named {
                begins_actions,
                shape,
            };
            (name.trim_start_matches('~'), named)
        };
        Names::new(PREFIXES.lines().map(read).collect())
    })
}

/// All service prefixes.
pub fn prefixes() -> impl Iterator<Item = &'static str> {
    let all = named().iter();
    all.filter(|(_, named)| named.begins_actions)
        .map(|(name, _)| name)
}

/// Whether an action can start with this prefix.
#[must_use]
pub fn is_prefix(name: &str) -> bool {
    named().get(name).is_some_and(|named| named.begins_actions) || is_unlisted(name)
}

/// Whether AWS's reference does not list the service, so that nothing can be said of its parts.
#[must_use]
pub fn is_unlisted(name: &str) -> bool {
    UNLISTED.iter().any(|unlisted| same_name(unlisted, name))
}

/// Whether the service field of an ARN can be this.
#[must_use]
pub fn is_arn_service(name: &str) -> bool {
    !ENDED.contains(&name) && (arn_shape(name).is_some() || is_prefix(name))
}

/// The shapes of a service's ARNs, where they are known.
#[must_use]
pub fn arn_shape(service: &str) -> Option<ArnShape> {
    named().get(service)?.shape
}

/// The keys below one prefix.
#[derive(Debug, Default)]
pub struct Keys {
    exact: Names<Key>,
    patterns: Vec<Key>,
}

impl Keys {
    fn new(keys: Vec<Key>) -> Self {
        let (patterns, exact): (Vec<_>, Vec<_>) =
            keys.into_iter().partition(|k| k.name.contains("${}"));
        Self {
            exact: Names::new(exact.into_iter().map(|k| (k.name, k)).collect()),
            patterns,
        }
    }

    /// The key of that name, without its prefix.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Key> {
        self.exact
            .get(name)
            .or_else(|| self.patterns.iter().find(|k| fits(k.name, name)))
            .copied()
    }

    /// All names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let patterns = self.patterns.iter().map(|k| k.name);
        self.exact.iter().map(|(name, _)| name).chain(patterns)
    }
}

/// Whether `name` fits a pattern with `${}` for its variable parts, each at least one
/// character. Case is ignored, as it is in key names.
#[must_use]
pub fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once("${}") else {
        return same_name(pattern, name);
    };
    let Some(start) = name.get(..head.len()) else {
        return false;
    };
    if !same_name(start, head) {
        return false;
    }
    let rest = &name[head.len()..];
    if tail.is_empty() {
        return !rest.is_empty();
    }
    let mut ends = rest.char_indices().skip(1).map(|(at, _)| at);
    ends.any(|at| fits(tail, &rest[at..]))
}

/// The condition keys below a service's prefix, `None` if no service uses it.
#[must_use]
pub fn keys(prefix: &str) -> Option<&'static Keys> {
    static TABLE: OnceLock<Names<Keys>> = OnceLock::new();
    TABLE.get_or_init(read_keys).get(prefix)
}

fn read_keys() -> Names<Keys> {
    let mut sections: Vec<(&'static str, Vec<Key>)> = Vec::new();
    for line in KEYS.lines() {
        if let Some(prefix) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            sections.push((prefix, Vec::new()));
        } else if let Some(section) = sections.last_mut() {
            let (name, kind) = line.split_once(' ').unwrap_or((line, "S"));
            section.1.push(read_key(name, kind));
        }
    }
    Names::new(
        sections
            .into_iter()
            .map(|(p, k)| (p, Keys::new(k)))
            .collect(),
    )
}

fn read_key(name: &'static str, kind: &str) -> Key {
    let multivalued = kind.ends_with('*');
    let kind = match kind.as_bytes().first() {
        Some(b'N') => KeyType::Numeric,
        Some(b'B') => KeyType::Bool,
        Some(b'D') => KeyType::Date,
        Some(b'I') => KeyType::IpAddress,
        Some(b'A') => KeyType::Arn,
        _ => KeyType::String,
    };
    Key {
        name,
        kind,
        multivalued,
    }
}

/// What is known of a whole condition key, prefix included.
#[must_use]
pub fn condition_key(key: &str) -> Option<Key> {
    let (prefix, name) = key.split_once(':')?;
    if same_name(prefix, "aws") {
        return global::global_key(name);
    }
    keys(prefix)?.get(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_whole() {
        assert!(prefixes().count() > 400);
        assert!(is_prefix("EC2") && !is_prefix("ec3"));
        assert!(is_arn_service("ec2") && !is_arn_service("elastic-inference"));
        let s3 = arn_shape("s3").unwrap();
        assert_eq!(arn_shape("iam").unwrap().region, Presence::Never);
        assert_ne!(s3.region, Presence::Always);
    }

    #[test]
    fn keys_ignore_case_and_fill_patterns() {
        let key = condition_key("ec2:instancetype").unwrap();
        assert_eq!((key.kind, key.multivalued), (KeyType::String, false));
        assert!(condition_key("ec2:ResourceTag/team").is_some());
        assert!(condition_key("ec2:ResourceTag/").is_none());
        assert!(condition_key("aws:TagKeys").unwrap().multivalued);
        assert!(condition_key("ec2:Nonsense").is_none());
        assert!(fits("a/${}.x", "A/b.c.x") && !fits("a/${}.x", "a/.x"));
    }
}
