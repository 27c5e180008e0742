//! The five EC2 calls that Sprinters makes.

mod account;
mod dry_run;
mod error;
mod instances;
mod launch;
mod spot_prices;
pub(crate) mod tags;
mod volumes;

pub(crate) use account::GET_CALLER_IDENTITY;
pub(crate) use error::{Ec2Error, Kind as Ec2ErrorKind, Next, statement_for};
#[cfg(test)]
pub(crate) use instances::Usage;
pub(crate) use instances::{DESCRIBE_INSTANCES, Instance, State, TERMINATE_INSTANCES};
pub(crate) use launch::{Launch, Launched, RUN_INSTANCES};
pub(crate) use spot_prices::{DESCRIBE_SPOT_PRICE_HISTORY, SpotPrice, SpotPriceSince};

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region as AwsRegion};
use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use secrecy::ExposeSecret;

use crate::http_edge;
use crate::spec::credentials::AccessKey;
use crate::spec::region::Region;

/// A client for EC2 in one region.
#[derive(Clone)]
pub(crate) struct Ec2 {
    client: aws_sdk_ec2::Client,
    /// For nothing but the caller's own account.
    sts: aws_sdk_sts::Client,
}

/// One attempt of one call may take this long, connecting included.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(25);

impl Ec2 {
    /// Builds the client. With an access key from the inputs nobody is asked anything; without one, the SDK's default
    /// chain looks through the environment when the first call is made.
    pub(crate) async fn new(
        connector: &SharedHttpConnector,
        region: &Region,
        access_key: Option<&AccessKey>,
    ) -> Self {
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .region(AwsRegion::new(region.as_str().to_owned()))
            .http_client(http_edge::client(connector))
            // Only the launch knows which of RunInstances' errors may be repeated, and how: see `Ec2Error::next`.
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder()
                    .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                    .build(),
            )
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        let loader = match access_key {
            Some(key) => loader.credentials_provider(Credentials::new(
                key.id.clone(),
                key.secret.expose_secret(),
                key.session_token
                    .as_ref()
                    .map(|token| token.expose_secret().to_owned()),
                None,
                "inputs",
            )),
            None => loader,
        };
        let config = loader.load().await;
        Self {
            client: aws_sdk_ec2::Client::new(&config),
            sts: aws_sdk_sts::Client::new(&config),
        }
    }
}
