//! Every service's action names and condition keys. The list is 110 KB compressed, so it is not embedded: the
//! page loads it when it is idle, the native binary carries it compressed.

use super::{Key, read_key, service};
use crate::pattern;
use crate::text::Own;

/// The action names and condition keys of all services.
#[derive(Debug)]
pub struct Catalog {
    text: String,
    /// Service prefix, with a colon for the condition keys, and the range of its lines, sorted by prefix.
    sections: Vec<(String, usize, usize)>,
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
    /// Reads `wasm/data/actions.txt`.
    #[must_use]
    pub fn new(text: String) -> Self {
        let mut sections: Vec<(String, usize, usize)> = Vec::new();
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            let next = at + line.len();
            let name = line.trim_end();
            if let Some(prefix) = name.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
                sections.push((prefix.own(), next, next));
            } else if let Some(section) = sections.last_mut() {
                section.2 = next;
            }
            at = next;
        }
        sections.sort_unstable();
        Self { text, sections }
    }

    fn section(&self, name: &str) -> Option<std::str::Lines<'_>> {
        let at = self
            .sections
            .binary_search_by(|(known, _, _)| known.as_str().cmp(name))
            .ok()?;
        let (_, start, end) = self.sections.get(at)?;
        Some(self.text.get(*start..*end)?.lines())
    }

    fn actions(&self, prefix: &str) -> Option<std::str::Lines<'_>> {
        self.section(&prefix.to_ascii_lowercase())
    }

    /// The condition keys of a service, none if it has none.
    pub(super) fn keys(&self, prefix: &str) -> impl Iterator<Item = (&str, Key)> {
        let lines = self.section(&(prefix.to_ascii_lowercase() + ":"));
        lines.unwrap_or_else(|| "".lines()).map(read_key)
    }
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
    let Some(lines) = catalog.and_then(|catalog| catalog.actions(prefix)) else {
        return Known::NotChecked;
    };
    let split = |line| match str::strip_suffix(line, "!") {
        Some(name) => (name, false),
        // Of what only AWS's policies name, nobody knows whether it takes tags.
        None => (line.trim_end_matches('?'), true),
    };
    scan(lines.map(split), name, enough)
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
                .map(|n| n.trim_end_matches(['!', '?'])),
        ),
    }
}
