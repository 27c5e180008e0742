//! Whether to use spot capacity.

use std::fmt;
use std::str::FromStr;

use super::list::closest;

/// What the `spot` input says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Spot {
    /// On-demand only.
    #[default]
    False,
    /// Spot only: no spot capacity is a failure.
    True,
    /// Spot first, on-demand where there is none.
    Auto,
}

impl Spot {
    /// The markets to try, in order.
    pub(crate) fn markets(self) -> &'static [Market] {
        match self {
            Self::False => &[Market::OnDemand],
            Self::True => &[Market::Spot],
            Self::Auto => &[Market::Spot, Market::OnDemand],
        }
    }
}

impl FromStr for Spot {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "false" => Ok(Self::False),
            "true" => Ok(Self::True),
            "auto" => Ok(Self::Auto),
            other => Err(match closest(other, &["false", "true", "auto"]) {
                Some(near) => format!("`false`, `true` or `auto`; did you mean `{near}`?"),
                None => "`false`, `true` or `auto`".to_owned(),
            }),
        }
    }
}

/// How an instance is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Market {
    Spot,
    #[default]
    OnDemand,
}

impl fmt::Display for Market {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Spot => "spot",
            Self::OnDemand => "on-demand",
        })
    }
}
