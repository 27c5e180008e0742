//! A table of names that ignores ASCII case, fast to ask and built once.

use crate::pattern::{name_hash, same_name};

/// Names with something about each.
#[derive(Debug)]
pub struct Names<T> {
    entries: Vec<(&'static str, T)>,
    /// Open addressing: index + 1 of an entry, 0 for a free slot; a power of two, at most half full.
    slots: Vec<u32>,
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl<T> Names<T> {
    /// Indexes `entries`; of equal names the first one counts.
    #[must_use]
    pub fn new(entries: Vec<(&'static str, T)>) -> Self {
        let mut slots = vec![0; (entries.len() * 2 + 1).next_power_of_two()];
        let mask = slots.len() - 1;
        for (number, (name, _)) in (1_u32..).zip(&entries) {
            let mut slot = hash(name) & mask;
            while slots[slot] != 0 {
                slot = (slot + 1) & mask;
            }
            slots[slot] = number;
        }
        Self { entries, slots }
    }

    /// What is known of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&T> {
        self.entry(name).map(|(_, value)| value)
    }

    /// The name as the table writes it, and what is known of it.
    #[must_use]
    pub fn entry(&self, name: &str) -> Option<&(&'static str, T)> {
        let mask = self.slots.len() - 1;
        let mut slot = hash(name) & mask;
        while self.slots[slot] != 0 {
            let entry = self.entries.get(self.slots[slot] as usize - 1)?;
            if same_name(entry.0, name) {
                return Some(entry);
            }
            slot = (slot + 1) & mask;
        }
        None
    }

    /// The entries whose names begin with `head`, if the table is sorted ignoring case.
    pub fn beginning(&self, head: &str) -> impl Iterator<Item = (&'static str, &T)> {
        let lower = |text: &str| {
            text.bytes()
                .map(|b| b.to_ascii_lowercase())
                .collect::<Vec<_>>()
        };
        let head = lower(head);
        let before = |name: &str| {
            let name = name.bytes().map(|b| b.to_ascii_lowercase());
            name.cmp(head.iter().copied()).is_lt()
        };
        let start = self.entries.partition_point(|(name, _)| before(name));
        let rest = self.entries.get(start..).unwrap_or_default();
        let same = move |name: &str| {
            let start = name.as_bytes().get(..head.len());
            start.is_some_and(|start| start.eq_ignore_ascii_case(&head))
        };
        rest.iter()
            .take_while(move |(name, _)| same(name))
            .map(|(name, value)| (*name, value))
    }

    /// All entries, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &T)> {
        self.entries.iter().map(|(name, value)| (*name, value))
    }
}

// The upper half is the better mixed one, and fits every machine's words.
fn hash(name: &str) -> usize {
    (name_hash(name) >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_names_in_any_case_and_nothing_else() {
        let names = Names::new(vec![("RunInstances", 1), ("StopInstances", 2)]);
        assert_eq!(names.get("runinstances"), Some(&1));
        assert_eq!(names.entry("STOPINSTANCES").unwrap().0, "StopInstances");
        assert_eq!(names.get("RunInstance"), None);
        assert_eq!(Names::<()>::default().get(""), None);
    }
}
