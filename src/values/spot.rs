//! Whether to use spot capacity.

use std::fmt;
use std::str::FromStr;

use super::list::closest;
use super::run::WorkflowRun;

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
    /// As `Auto` on a run's first attempt, on-demand on later ones: those are there because AWS reclaimed an instance.
    Rerun,
}

impl Spot {
    /// The markets to try, in order.
    pub(crate) fn markets(self) -> &'static [Market] {
        match self {
            Self::False => &[Market::OnDemand],
            Self::True => &[Market::Spot],
            Self::Auto | Self::Rerun => &[Market::Spot, Market::OnDemand],
        }
    }

    /// What it means on this attempt of the run.
    pub(crate) fn on_attempt_of(self, run: &WorkflowRun) -> Self {
        if self == Self::Rerun && !run.is_first_attempt() {
            Self::False
        } else {
            self
        }
    }

    const ACCEPTED: &str = "`false`, `true`, `auto` or `rerun`";
}

/// In the input's own form.
impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::False => "false",
            Self::True => "true",
            Self::Auto => "auto",
            Self::Rerun => "rerun",
        })
    }
}

impl FromStr for Spot {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "false" => Ok(Self::False),
            "true" => Ok(Self::True),
            "auto" => Ok(Self::Auto),
            "rerun" => Ok(Self::Rerun),
            other => Err(match closest(other, &["false", "true", "auto", "rerun"]) {
                Some(near) => format!("{}; did you mean `{near}`?", Self::ACCEPTED),
                None => Self::ACCEPTED.to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::scope::Scope;

    #[test]
    fn rerun_leaves_spot_on_later_attempts() {
        let markets = |attempt: &str| {
            let run = WorkflowRun {
                scope: Scope::Enterprise("acme".to_owned()),
                repository: "o/r".parse().unwrap_or_else(|e| unreachable!("{e}")),
                id: "7".to_owned(),
                attempt: attempt.to_owned(),
                job: "start".to_owned(),
                job_id: None,
            };
            [Spot::Rerun, Spot::True].map(|spot| spot.on_attempt_of(&run).markets())
        };
        let both: &[Market] = &[Market::Spot, Market::OnDemand];
        assert_eq!(markets("1"), [both, &[Market::Spot]]);
        assert_eq!(markets("2"), [&[Market::OnDemand][..], &[Market::Spot]]);
        assert_eq!(markets("12"), [&[Market::OnDemand][..], &[Market::Spot]]);
    }

    #[test]
    fn what_is_accepted() {
        assert_eq!("rerun".parse(), Ok(Spot::Rerun));
        let error = "re-run".parse::<Spot>().err();
        assert_eq!(
            error.as_deref(),
            Some("`false`, `true`, `auto` or `rerun`; did you mean `rerun`?")
        );
    }
}
