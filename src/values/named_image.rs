//! An image by name and owner: `name=<pattern>@<owner>`, of which the newest is taken.

use std::fmt;
use std::str::FromStr;

/// The account of `RunsOn`, whose public images are built from GitHub's own recipes.
const RUNS_ON: &str = "135269210855";
/// EC2's longest name of an image.
const LONGEST: usize = 128;

/// Which images to look among.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NamedImage {
    /// `*` stands for any characters, `?` for one.
    pattern: String,
    /// Never left out: everybody may publish an image under any name.
    owner: String,
}

impl NamedImage {
    pub(crate) const PREFIX: &str = "name=";

    pub(crate) fn pattern(&self) -> &str {
        &self.pattern
    }

    pub(crate) fn owner(&self) -> &str {
        &self.owner
    }

    /// Why an image that fits cannot be used.
    pub(crate) fn refuses(&self, name: &str) -> Option<&'static str> {
        let is_without_cloud_init = self.owner == RUNS_ON && name.contains("-ubuntu26-");
        is_without_cloud_init.then_some(
            "RunsOn's Ubuntu 26 images have no cloud-init, which sets the runner up; its Ubuntu 24 images have it",
        )
    }
}

impl fmt::Display for NamedImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}@{}", Self::PREFIX, self.pattern, self.owner)
    }
}

/// Reads what follows `name=`. A name may have an `@` of its own; an owner has none.
impl FromStr for NamedImage {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let accepted = || {
            "`name=<pattern>@<owner>`: the name of an image (`*` stands for any characters) and who published it, an account's 12 \
             digits, `self` or `amazon`"
                .to_owned()
        };
        let (pattern, owner) = text.rsplit_once('@').ok_or_else(accepted)?;
        let is_account = owner.len() == 12 && owner.chars().all(|c| c.is_ascii_digit());
        let is_owner = is_account || matches!(owner, "self" | "amazon" | "aws-marketplace");
        let is_pattern = (1..=LONGEST).contains(&pattern.len())
            && pattern
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || " ()[]./-'@_*?".contains(c));
        let refused = |named: &Self| named.refuses(pattern).map(str::to_owned);
        match (is_owner, is_pattern) {
            (true, true) => {
                let named = Self {
                    pattern: pattern.to_owned(),
                    owner: owner.to_owned(),
                };
                refused(&named).map_or(Ok(named), Err)
            }
            _ => Err(accepted()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_owners() {
        for text in [
            "runs-on-v2.2-ubuntu24-full-x64-*@135269210855",
            "my image (1)@self",
            "al2023-ami-2023.*@amazon",
            "a@b@self",
        ] {
            let printed = text.parse::<NamedImage>().map(|named| named.to_string());
            assert_eq!(printed, Ok(format!("name={text}")));
        }
        for text in [
            "",
            "ubuntu*",
            "@self",
            "ubuntu*@",
            "ubuntu*@canonical",
            "a\nb@self",
            "x@12345",
        ] {
            assert!(text.parse::<NamedImage>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_cannot_boot_a_runner_is_refused() {
        let refused = "runs-on-v2.2-ubuntu26-full-x64-*@135269210855".parse::<NamedImage>();
        assert!(refused.is_err_and(|why| why.contains("cloud-init")));
        let wide = "runs-on-v2.2-*@135269210855".parse::<NamedImage>();
        assert!(
            wide.is_ok_and(|named| named.refuses("runs-on-v2.2-ubuntu26-full-x64-1").is_some())
        );
    }
}
