//! Labels that a runner carries.

use std::fmt;
use std::str::FromStr;

/// GitHub's bound on a label.
const LONGEST: usize = 256;

/// One runner label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Label(String);

impl Label {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Label {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let length = text.chars().count();
        if length > LONGEST {
            return Err(format!(
                "labels of at most {LONGEST} characters; this one has {length}"
            ));
        }
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err("labels of printable characters".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}
