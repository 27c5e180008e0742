//! A repository's name.

use std::fmt;
use std::str::FromStr;

use super::base36::base36;

/// `owner/name`, as in `GITHUB_REPOSITORY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Repository(String);

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Repository {
    /// The organization or person that owns it.
    pub(crate) fn owner(&self) -> &str {
        self.0.split_once('/').map_or("", |(owner, _)| owner)
    }

    pub(crate) fn name(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, name)| name)
    }

    /// Tells runner names of this repository from those of others, where they stand in one list: a hash (FNV-1a), for a name
    /// has no room for more.
    pub(crate) fn short_hash(&self) -> String {
        let hash = self
            .0
            .to_ascii_lowercase()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            });
        base36(hash)
    }
}

impl FromStr for Repository {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let word = |part: &str| {
            !part.is_empty()
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
        };
        match text.split_once('/') {
            Some((owner, name)) if word(owner) && word(name) => Ok(Self(text.to_owned())),
            _ => Err("a repository as `owner/name`".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_an_owner_and_a_hash_that_stays_the_same() {
        let repository = |text: &str| text.parse::<Repository>();
        let app = repository("octo/app").unwrap_or_else(|e| unreachable!("{e}"));
        assert_eq!(
            (app.owner(), app.name(), app.to_string().as_str()),
            ("octo", "app", "octo/app")
        );
        // Runners of older versions are found by it.
        assert_eq!(app.short_hash(), "ymfqwy");
        assert_eq!(
            repository("Octo/App")
                .map(|one| one.short_hash())
                .as_deref(),
            Ok("ymfqwy")
        );
    }
}
