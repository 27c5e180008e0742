//! The word that pairs a `start` with its `stop`.

use std::fmt;
use std::str::FromStr;

/// A word that is given to a `start` and to its `stop`, where a run has several pairs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group(String);

/// The longest value that a tag may have.
const LONGEST: usize = 256;

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Group {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // It stands in a tag, and a filter of EC2's takes `*` and `?` for patterns.
        let fits = (1..=LONGEST).contains(&text.chars().count())
            && !text
                .chars()
                .any(|c| c.is_control() || matches!(c, '*' | '?' | '\\'));
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "any word of at most {LONGEST} characters, without `*`, `?` and `\\`"
            ))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_one_word_and_no_pattern() {
        assert!("linux (1, a)".parse::<Group>().is_ok());
        for text in ["", "a*", "?", "a\nb", &"x".repeat(257)] {
            assert!(text.parse::<Group>().is_err(), "{text}");
        }
    }
}
