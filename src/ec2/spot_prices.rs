//! `DescribeSpotPriceHistory`: what a zone costs now.

use aws_sdk_ec2::types::InstanceType as SdkInstanceType;
use aws_smithy_types::DateTime;

use super::{Ec2, Ec2Error};
use crate::spec::instance_type::InstanceType;
use crate::spec::region::Zone;

/// The current spot price of one type in one zone.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SpotPrice {
    pub instance_type: String,
    pub zone: Zone,
    pub usd_per_hour: f64,
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
        let now = DateTime::from(std::time::SystemTime::now());
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
}
