//! `DescribeSpotPriceHistory`: what a zone costs now, and what it cost.

use std::time::SystemTime;

use aws_sdk_ec2::types::{InstanceType as SdkInstanceType, SpotPrice as SdkSpotPrice};
use aws_smithy_types::DateTime;

use super::pages::all_pages;
use super::{Ec2, Ec2Error};
use crate::values::instance_type::InstanceType;
use crate::values::region::Zone;

/// The current spot price of one type in one zone.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SpotPrice {
    pub instance_type: String,
    pub zone: Zone,
    pub usd_per_hour: f64,
}

/// A spot price, and when it came into force.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SpotPriceSince {
    pub instance_type: String,
    pub zone: Zone,
    pub usd_per_hour: f64,
    pub since: SystemTime,
}

pub(crate) const DESCRIBE_SPOT_PRICE_HISTORY: &str = "ec2:DescribeSpotPriceHistory";

impl Ec2 {
    /// The current spot prices of these types, in every zone of the region that has them.
    pub(crate) async fn spot_prices(
        &self,
        types: &[InstanceType],
    ) -> Result<Vec<SpotPrice>, Ec2Error> {
        let types = types
            .iter()
            .map(|t| SdkInstanceType::from(t.as_str()))
            .collect();
        // From now on: EC2 then answers with each zone's price that is in force.
        let now = DateTime::from(SystemTime::now());
        let answer = self
            .client
            .describe_spot_price_history()
            .set_instance_types(Some(types))
            .product_descriptions("Linux/UNIX")
            .start_time(now)
            .send()
            .await
            .map_err(|error| Ec2Error::from_sdk(DESCRIBE_SPOT_PRICE_HISTORY, &error))?;
        Ok(answer
            .spot_price_history()
            .iter()
            .filter_map(|price| {
                Some(SpotPrice {
                    instance_type: price.instance_type()?.as_str().to_owned(),
                    zone: price.availability_zone()?.parse().ok()?,
                    usd_per_hour: price.spot_price()?.parse().ok()?,
                })
            })
            .collect())
    }

    /// The spot prices of these types from one time to another, the one that was in force at the beginning included.
    pub(crate) async fn spot_price_history(
        &self,
        types: &[&str],
        from: SystemTime,
        to: SystemTime,
    ) -> Result<Vec<SpotPriceSince>, Ec2Error> {
        let types = types.iter().map(|t| SdkInstanceType::from(*t)).collect();
        let history = self
            .client
            .describe_spot_price_history()
            .set_instance_types(Some(types))
            .product_descriptions("Linux/UNIX")
            .start_time(DateTime::from(from))
            .end_time(DateTime::from(to));
        all_pages(DESCRIBE_SPOT_PRICE_HISTORY, |token| {
            let asking = history.clone().set_next_token(token).send();
            async {
                let page = asking
                    .await
                    .map_err(|error| Ec2Error::from_sdk(DESCRIBE_SPOT_PRICE_HISTORY, &error))?;
                let prices = page.spot_price_history().iter().filter_map(since);
                Ok((prices.collect(), page.next_token))
            }
        })
        .await
    }
}

fn since(price: &SdkSpotPrice) -> Option<SpotPriceSince> {
    Some(SpotPriceSince {
        instance_type: price.instance_type()?.as_str().to_owned(),
        zone: price.availability_zone()?.parse().ok()?,
        usd_per_hour: price.spot_price()?.parse().ok()?,
        since: (*price.timestamp()?).try_into().ok()?,
    })
}
