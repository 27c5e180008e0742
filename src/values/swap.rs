//! Swap space on the instance.

use std::fmt;
use std::str::FromStr;

/// More than this is slower than any job can wait for.
const MOST: u32 = 1_024;

/// What the `swap` input says, in GiB; 0 means no swap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Swap {
    pub gib: u32,
}

impl FromStr for Swap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.parse()
            .ok()
            .filter(|gib| *gib <= MOST)
            .map(|gib| Self { gib })
            .ok_or_else(|| format!("a size in GiB, from 0 (none) to {MOST}"))
    }
}

/// In the input's own form.
impl fmt::Display for Swap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.gib)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for text in ["0", "4", "1024"] {
            let swap = text.parse::<Swap>();
            assert_eq!(swap.map(|swap| swap.to_string()), Ok(text.to_owned()));
        }
        for text in ["", "-1", "1.5", "1025", "4G"] {
            assert!(text.parse::<Swap>().is_err(), "{text}");
        }
    }
}
