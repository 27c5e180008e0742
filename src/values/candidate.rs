//! One way to launch an instance: a market, a type and a place.

use std::fmt;

use super::instance_type::InstanceType;
use super::network::Placement;
use super::region::Region;
use super::spot::Market;

/// One candidate of the ladder.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub market: Market,
    pub instance_type: InstanceType,
    pub region: Region,
    pub placement: Placement,
    /// In dollars per hour, where it is known.
    pub spot_price: Option<f64>,
}

impl Candidate {
    /// Whether the other is this one, or one of its zones.
    pub(crate) fn includes(&self, other: &Self) -> bool {
        let is_there = self.placement == Placement::Anywhere || self.placement == other.placement;
        self.market == other.market
            && self.instance_type == other.instance_type
            && self.region == other.region
            && is_there
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} in {}",
            self.market, self.instance_type, self.placement
        )?;
        // A zone names its region.
        if self.placement.zone().is_none() {
            write!(f, " of {}", self.region)?;
        }
        match self.spot_price {
            Some(price) => write!(f, " (${price:.4}/h)"),
            None => Ok(()),
        }
    }
}
