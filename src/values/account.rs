//! AWS accounts.

use std::fmt;
use std::str::FromStr;

/// An AWS account's id: twelve digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccountId(String);

impl AccountId {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for AccountId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.len() == 12 && text.chars().all(|c| c.is_ascii_digit()) {
            return Ok(Self(text.to_owned()));
        }
        let digits: String = text.chars().filter(|c| *c != '-').collect();
        let accepted = "an AWS account id: 12 digits, such as `123456789012`";
        // The console shows it as `1234-5678-9012`.
        if digits != text && digits.parse::<Self>().is_ok() {
            return Err(format!("{accepted}; did you mean `{digits}`?"));
        }
        Err(accepted.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_digits() {
        assert!("012345678901".parse::<AccountId>().is_ok());
        for text in [
            "",
            "12345678901",
            "1234567890123",
            "12345678901x",
            "１２３４５６７８９０１２",
        ] {
            assert!(text.parse::<AccountId>().is_err(), "{text}");
        }
        assert!(
            "1234-5678-9012"
                .parse::<AccountId>()
                .is_err_and(|e| e.ends_with("did you mean `123456789012`?"))
        );
    }
}
