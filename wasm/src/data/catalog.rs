//! The action names and condition keys of the services that are not embedded. The list is 70 KB compressed: the page loads it
//! when it is idle, the native binary carries it compressed.

use std::str::Lines;
use std::sync::OnceLock;

use super::{Key, read_key, service};
use crate::pattern;
use crate::text::{self, Append, Join, Own};

/// The action names and condition keys of the services that are not embedded.
#[derive(Debug)]
pub struct Catalog {
    text: String,
    /// The verbs that have a letter, that of `a` first; empty where there is none.
    verbs: [String; 26],
    /// Sorted by name.
    sections: Vec<Section>,
}

#[derive(Debug)]
struct Section {
    /// The service's prefix, with a colon for its condition keys.
    name: String,
    /// Where its lines are in the text.
    start: usize,
    end: usize,
    /// The names of its actions in order, `!` behind those that take no tags, put together when they are first asked for: most
    /// services never are.
    actions: OnceLock<Vec<String>>,
}

/// What the tables know of the actions that a pattern names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// The service's actions are not at hand.
    NotChecked,
    /// No action of that name.
    None,
    /// There are some.
    Some {
        /// At least one takes tag conditions.
        any_takes_tags: bool,
    },
}

impl Catalog {
    /// Reads `wasm/data/actions.txt`; `wasm/data/generate.mjs` tells what its lines mean.
    #[must_use]
    pub fn new(text: String) -> Self {
        let mut verbs = <[String; 26]>::default();
        let mut sections: Vec<Section> = Vec::new();
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let next = at + line.len();
            let line = line.trim_end();
            if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                sections.push(Section {
                    name: name.own(),
                    start: next,
                    end: next,
                    actions: OnceLock::new(),
                });
            } else if let Some(section) = sections.last_mut() {
                section.end = next;
            } else if let Some((verb, letter)) = text::cut(line, b' ')
                && let Some(known) = verbs.get_mut(index(letter))
            {
                *known = verb.own();
            }
            at = next;
        }
        sections.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Self {
            text,
            verbs,
            sections,
        }
    }

    fn section(&self, name: &str) -> Option<(&Section, Lines<'_>)> {
        let at = self
            .sections
            .binary_search_by(|section| section.name.as_str().cmp(name))
            .ok()?;
        let section = self.sections.get(at)?;
        Some((section, self.text.get(section.start..section.end)?.lines()))
    }

    // With `!` behind a name if no condition on tags applies to it.
    fn actions(&self, prefix: &str) -> Option<&[String]> {
        let (section, lines) = self.section(&prefix.to_ascii_lowercase())?;
        let actions = section.actions.get_or_init(|| {
            let mut all = Vec::new();
            for line in lines {
                self.add_names(line, &mut all);
            }
            // Names that begin alike are compared quicker one after the other.
            all.sort_unstable();
            all
        });
        Some(actions)
    }

    // The names that a line stands for.
    fn add_names(&self, line: &str, all: &mut Vec<String>) {
        let (noun, mut rest) = text::cut(line, b' ').unwrap_or(("", line));
        while !rest.is_empty() {
            let (verb, marks, behind) = cut_verb(rest, !noun.is_empty());
            rest = behind;
            let verb = match self.verbs.get(index(verb)) {
                Some(whole) if verb.len() == 1 => whole,
                _ => verb,
            };
            let mut name = [verb, noun].joined("");
            if text::has(marks, b'+') {
                make_plural(&mut name);
            }
            // Of what only AWS's policies name, which `?` marks, nobody knows whether it takes tags.
            if text::has(marks, b'!') {
                name.append("!");
            }
            all.push(name);
        }
    }

    /// The condition keys of a service, none if it has none.
    pub(super) fn keys(&self, prefix: &str) -> impl Iterator<Item = (&str, Key)> {
        let section = self.section(&(prefix.to_ascii_lowercase() + ":"));
        section
            .map_or_else(|| "".lines(), |(_, lines)| lines)
            .map(read_key)
    }
}

// A verb or the letter that stands for it, the marks behind it, and what follows.
fn cut_verb(text: &str, has_letters: bool) -> (&str, &str, &str) {
    let is_mark = |byte: u8| matches!(byte, b'+' | b'!' | b'?' | b' ');
    let verb = if has_letters && index(text) < 26 {
        Some(1)
    } else {
        text.bytes().position(is_mark)
    };
    let (verb, rest) = text.split_at(verb.unwrap_or(text.len()));
    let marks = rest.bytes().position(|byte| !is_mark(byte));
    let (marks, rest) = rest.split_at(marks.unwrap_or(rest.len()));
    (verb, marks, rest)
}

// The place of a letter in the alphabet; more than there are for what does not begin with a small one.
fn index(text: &str) -> usize {
    let first = text.bytes().next().unwrap_or_default();
    usize::from(first.wrapping_sub(b'a'))
}

// Makes the last word one of many.
fn make_plural(text: &mut String) {
    if let [.., before, b'y'] = text.as_bytes()
        && !b"aeiou".contains(before)
    {
        text.pop();
        text.append("ie");
    }
    text.append("s");
}

/// Whether an action fits `prefix:pattern`, embedded tables first.
#[must_use]
pub fn exists(catalog: Option<&Catalog>, prefix: &str, name: &str) -> Known {
    look_up(catalog, prefix, name, |_| true)
}

/// As [`exists`], and whether one of the actions takes conditions on tags.
#[must_use]
pub fn takes_tags(catalog: Option<&Catalog>, prefix: &str, name: &str) -> Known {
    look_up(catalog, prefix, name, |takes_tags| takes_tags)
}

// Looks until an action is found whose tag support is `enough`.
fn look_up(
    catalog: Option<&Catalog>,
    prefix: &str,
    name: &str,
    enough: impl Fn(bool) -> bool,
) -> Known {
    if let Some(service) = service(prefix) {
        if !pattern::has_wildcard(name) {
            return service
                .action(name)
                .map_or(Known::None, |action| Known::Some {
                    any_takes_tags: action.takes_tags,
                });
        }
        return scan(
            service.actions_like(name).map(|a| (a.name, a.takes_tags)),
            name,
            enough,
        );
    }
    let Some(actions) = catalog.and_then(|catalog| catalog.actions(prefix)) else {
        return Known::NotChecked;
    };
    let split = |action| match str::strip_suffix(action, '!') {
        Some(name) => (name, false),
        None => (action, true),
    };
    scan(actions.iter().map(String::as_str).map(split), name, enough)
}

fn scan<'a>(
    actions: impl Iterator<Item = (&'a str, bool)>,
    name: &str,
    enough: impl Fn(bool) -> bool,
) -> Known {
    let (mut found, mut tags) = (false, false);
    for (action, takes_tags) in actions {
        if pattern::matches_ignoring_case(name, action) {
            found = true;
            tags |= takes_tags;
            if enough(takes_tags) {
                break;
            }
        }
    }
    if found {
        Known::Some {
            any_takes_tags: tags,
        }
    } else {
        Known::None
    }
}

/// The real action name nearest to a mistyped one, if one is near.
#[must_use]
pub fn nearest_action(catalog: Option<&Catalog>, prefix: &str, name: &str) -> Option<String> {
    let best = |names: &mut dyn Iterator<Item = &str>| {
        names
            .filter(|n| n.len().abs_diff(name.len()) * 4 <= n.len())
            .map(|n| (crate::fix::distance(n, name), n.own()))
            .min()
            .filter(|(distance, n)| *distance * 4 <= n.len())
            .map(|(_, n)| n)
    };
    match service(prefix) {
        Some(service) => best(&mut service.actions().map(|a| a.name)),
        None => best(
            &mut catalog?
                .actions(prefix)?
                .iter()
                .map(|n| n.trim_end_matches('!')),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = include_str!("../../data/actions.txt");

    #[test]
    fn nouns_are_joined_with_the_verbs_behind_them() {
        let table = "Get g\nList l\n[s3]\nA-1 g!\nKey l+! Test\nMFADevice g?l+ Scan+! BatchGet\nPolicy gl+\nlist!\n[t]\n[t:]\nKey l\n";
        let catalog = Catalog::new(table.to_owned());
        let all = "BatchGetMFADevice GetA-1! GetMFADevice GetPolicy ListKeys! ListMFADevices ListPolicies ScanMFADevices! TestKey list!";
        assert_eq!(catalog.actions("S3").unwrap().join(" "), all);
        assert_eq!(catalog.actions("t"), Some(&[][..]));
        assert!(catalog.actions("u").is_none());
        assert!(catalog.keys("t").any(|(name, _)| name == "Key"));
    }

    #[test]
    fn the_table_names_what_services_have() {
        let catalog = Catalog::new(TABLE.to_owned());
        let sections = catalog.sections.iter().map(|section| section.name.as_str());
        let services: Vec<&str> = sections.filter(|name| !name.ends_with(':')).collect();
        let mut count = 0;
        for prefix in services {
            assert!(service(prefix).is_none(), "`{prefix}` is embedded");
            let names = catalog.actions(prefix).unwrap().iter();
            let mut names: Vec<&str> = names.map(|name| name.trim_end_matches('!')).collect();
            count += names.len();
            let is_name = |name: &&str| {
                name.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
            };
            let broken = names.iter().find(|name| name.len() < 3 || !is_name(name));
            assert_eq!(broken, None, "{prefix}");
            names.sort_unstable();
            let all = names.len();
            names.dedup();
            assert_eq!(names.len(), all, "{prefix}");
        }
        assert!(count > 20_000, "{count}");
        for (name, any_takes_tags) in [
            ("s3:PutObject", true),
            ("s3:ListAllMyBuckets", false),
            ("dynamodb:BatchGetItem", true),
            ("sqs:ListQueues", false),
            ("kms:ListAliases", false),
            ("logs:GetLogEvents", true),
            ("neptune-db:connect", false),
            ("ecr:DescribeRepositories", true),
        ] {
            let (service, name) = text::cut(name, b':').unwrap();
            let known = takes_tags(Some(&catalog), service, name);
            assert_eq!(known, Known::Some { any_takes_tags }, "{service}:{name}");
            assert_eq!(exists(Some(&catalog), service, &name[1..]), Known::None);
        }
    }
}
