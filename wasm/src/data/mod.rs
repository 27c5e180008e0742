//! What AWS's services define: tables made by `wasm/data/generate.mjs`, indexed on first use.
//!
//! Where the tables end, the checks say "not checked" and never "unknown".

mod catalog;
mod global;
mod names;
mod service;

use crate::pattern::{find_variable, same_name};
use crate::text::{self, IntoList};
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

// A name that actions begin with, and the shapes of the ARNs that have it.
struct Named {
    begins_actions: bool,
    /// AWS's own policies name the service, its reference does not.
    unlisted: bool,
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
            let (name, flags) = text::cut(line, b' ').unwrap_or((line, ""));
            let mut flags = flags.chars().peekable();
            let shape = flags.peek().is_some().then(|| ArnShape {
                region: presence(flags.next()),
                account: presence(flags.next()),
            });
            let named = Named {
                begins_actions: !name.starts_with(['~', '?']),
                unlisted: name.starts_with('?'),
                shape,
            };
            (name.trim_start_matches(['~', '?']), named)
        };
        Names::new(PREFIXES.lines().map(read).list())
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
    named()
        .get(name)
        .is_some_and(|named| named.begins_actions || named.unlisted)
}

/// Whether AWS's reference does not list the service, gone from it or not yet in it, so that nothing can be said of its parts.
#[must_use]
pub fn is_unlisted(name: &str) -> bool {
    named().get(name).is_some_and(|named| named.unlisted)
}

/// Whether the service field of an ARN can be this.
#[must_use]
pub fn is_arn_service(name: &str) -> bool {
    arn_shape(name).is_some() || is_prefix(name)
}

/// The shapes of a service's ARNs, where they are known.
#[must_use]
pub fn arn_shape(service: &str) -> Option<ArnShape> {
    named().get(service)?.shape
}

/// The keys below one prefix: names with `${}` for each variable part.
#[derive(Debug, Default)]
struct Keys {
    exact: Names<Key>,
    patterns: Vec<(&'static str, Key)>,
}

impl Keys {
    fn new(keys: impl Iterator<Item = (&'static str, Key)>) -> Self {
        let (patterns, exact) = keys.partition(|(name, _)| text::contains(name, "${}"));
        Self {
            exact: Names::new(exact),
            patterns,
        }
    }

    // The key of that name, without its prefix.
    fn get(&self, name: &str) -> Option<Key> {
        let fitting = || {
            self.patterns
                .iter()
                .find(|(pattern, _)| fits(pattern, name))
        };
        self.exact
            .get(name)
            .or_else(|| fitting().map(|(_, key)| key))
            .copied()
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        let patterns = self.patterns.iter().map(|(name, _)| *name);
        self.exact.iter().map(|(name, _)| name).chain(patterns)
    }
}

/// Whether `name` fits a pattern with `${}` for its variable parts, each at least one
/// character. Case is ignored, as it is in key names.
#[must_use]
pub fn fits(pattern: &str, name: &str) -> bool {
    let Some(at) = find_variable(pattern) else {
        return same_name(pattern, name);
    };
    let (head, tail) = (&pattern[..at], &pattern[at + "${}".len()..]);
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

// The embedded condition keys below a prefix: those of the embedded services, and those of prefixes that are no service's.
fn keys(prefix: &str) -> Option<&'static Keys> {
    static TABLE: OnceLock<Names<Keys>> = OnceLock::new();
    TABLE.get_or_init(read_keys).get(prefix)
}

fn read_keys() -> Names<Keys> {
    let sections = KEYS.split('[').filter_map(|section| {
        let (prefix, lines) = text::cut_at(section, "]\n")?;
        Some((prefix, Keys::new(lines.lines().map(read_key))))
    });
    Names::new(sections.list())
}

// A line of the tables: the key's name and, unless it is a single string, its type.
fn read_key(line: &str) -> (&str, Key) {
    let (name, kind) = text::cut(line, b' ').unwrap_or((line, "S"));
    let multivalued = kind.ends_with('*');
    let kind = match kind.as_bytes().first() {
        Some(b'N') => KeyType::Numeric,
        Some(b'B') => KeyType::Bool,
        Some(b'D') => KeyType::Date,
        Some(b'I') => KeyType::IpAddress,
        Some(b'A') => KeyType::Arn,
        _ => KeyType::String,
    };
    (name, Key { kind, multivalued })
}

/// What is known of a whole condition key, prefix included.
#[must_use]
pub fn condition_key(catalog: Option<&Catalog>, key: &str) -> Option<Key> {
    let (prefix, name) = text::cut(key, b':')?;
    if same_name(prefix, "aws") {
        return global::global_key(name);
    }
    match keys(prefix) {
        Some(keys) => keys.get(name),
        None => catalog?
            .keys(prefix)
            .find(|(known, _)| fits(known, name))
            .map(|(_, key)| key),
    }
}

/// The names of the condition keys below a prefix, `None` if they are not at hand.
#[must_use]
pub fn key_names<'c>(catalog: Option<&'c Catalog>, prefix: &str) -> Option<Vec<&'c str>> {
    match keys(prefix) {
        Some(keys) => Some(keys.names().list()),
        None => Some(catalog?.keys(prefix).map(|(name, _)| name).list()),
    }
}

/// Whether condition keys can start with this prefix, apart from those of identity providers.
#[must_use]
pub fn is_key_prefix(prefix: &str) -> bool {
    is_prefix(prefix) || keys(prefix).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read_whole() {
        assert!(prefixes().count() > 400);
        assert!(is_prefix("EC2") && !is_prefix("ec3"));
        assert!(is_arn_service("ec2") && is_arn_service("catalog") && !is_prefix("catalog"));
        // AWS's policies name both, its reference neither; but EC2 still lists what the latter had.
        assert!(is_prefix("DeepLens") && is_unlisted("deeplens") && !is_unlisted("ec2"));
        assert!(prefixes().all(|name| name != "deeplens"));
        assert!(!is_arn_service("elastic-inference") && !is_prefix("elastic-inference"));
        let s3 = arn_shape("s3").unwrap();
        assert_eq!(arn_shape("iam").unwrap().region, Presence::Never);
        assert_ne!(s3.region, Presence::Always);
    }

    #[test]
    fn what_only_policies_name_exists_and_may_take_tags() {
        let catalog = Catalog::new("[s3]\nCreateAll?\nGetObject!\n".to_owned());
        let found = |name| takes_tags(Some(&catalog), "s3", name);
        let takes = |any_takes_tags| Known::Some { any_takes_tags };
        assert_eq!(found("createall"), takes(true));
        assert_eq!(found("GetObject"), takes(false));
        assert_eq!(found("CreateAll?x"), Known::None);
        let meant = nearest_action(Some(&catalog), "s3", "CreateAl");
        assert_eq!(meant.as_deref(), Some("CreateAll"));
    }

    #[test]
    fn keys_ignore_case_and_fill_patterns() {
        let key = condition_key(None, "ec2:instancetype").unwrap();
        assert_eq!((key.kind, key.multivalued), (KeyType::String, false));
        assert!(condition_key(None, "ec2:ResourceTag/team").is_some());
        assert!(condition_key(None, "ec2:ResourceTag/").is_none());
        assert!(condition_key(None, "aws:TagKeys").unwrap().multivalued);
        assert!(condition_key(None, "ec2:Nonsense").is_none());
        let catalog = Catalog::new(
            "[s3]\nGetObject\n[s3:]\nTlsVersion N\nExistingObjectTag/${}\n".to_owned(),
        );
        let of_s3 = |key| condition_key(Some(&catalog), key);
        assert_eq!(of_s3("S3:tlsversion").unwrap().kind, KeyType::Numeric);
        assert!(of_s3("s3:ExistingObjectTag/a").is_some() && of_s3("s3:prefix").is_none());
        assert_eq!(key_names(Some(&catalog), "s3").unwrap().len(), 2);
        assert_eq!(key_names(None, "s3"), None);
        assert!(key_names(Some(&catalog), "sqs").unwrap().is_empty());
        assert!(is_key_prefix("saml") && is_key_prefix("s3") && !is_key_prefix("s4"));
        assert!(fits("a/${}.x", "A/b.c.x") && !fits("a/${}.x", "a/.x"));
    }
}
