//! The calls of EC2 and STS that Sprinters makes, their errors, and what they need permission for.

mod account;
mod claims;
mod console;
mod dry_run;
mod endpoint;
mod error;
mod http_response;
mod images;
mod instances;
mod launch;
mod launch_options;
mod pages;
mod regional;
mod role;
mod role_error;
mod spot_prices;
pub(crate) mod tags;
mod volumes;

pub(crate) use account::GET_CALLER_IDENTITY;
pub(crate) use console::GET_CONSOLE_OUTPUT;
pub(crate) use endpoint::{ping, ping_sts};
pub(crate) use error::{Ec2Error, Kind as Ec2ErrorKind, Next, statement_for};
pub(crate) use images::{
    CREATE_IMAGE, DELETE_SNAPSHOT, DEREGISTER_IMAGE, DESCRIBE_IMAGES, ImageState, MachineImage,
};
#[cfg(test)]
pub(crate) use instances::Usage;
pub(crate) use instances::{DESCRIBE_INSTANCES, Instance, State, TERMINATE_INSTANCES};
pub(crate) use launch::{Launch, Launched, PowerOff, RUN_INSTANCES};
pub(crate) use regional::{Found, Regional, together};
pub(crate) use role::AssumedRole;
pub(crate) use role_error::RoleError;
#[cfg(test)]
pub(crate) use role_error::fuzzed as fuzzed_token;
pub(crate) use spot_prices::{DESCRIBE_SPOT_PRICE_HISTORY, SpotPrice, SpotPriceSince};

use std::sync::Arc;
use std::time::Duration;

use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region as AwsRegion};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use secrecy::ExposeSecret;

use crate::credentials::AwsCredentials;
use crate::credentials::mask::Mask;
use crate::values::per_region::Regions;
use crate::values::region::Region;
use role::{Provider, Role};

/// The region that the AWS profile of a person names. On GitHub's runners there is no such file.
#[cfg(not(target_family = "wasm"))]
pub(crate) async fn profile_region(environment: impl Fn(&str) -> Option<String>) -> Option<String> {
    use aws_config::meta::region::ProvideRegion;
    use aws_config::profile::ProfileFileRegionProvider;

    let named = ["AWS_PROFILE", "AWS_CONFIG_FILE"]
        .iter()
        .any(|name| environment(name).is_some());
    let file = std::path::Path::new(&environment("HOME")?).join(".aws/config");
    if !named && !file.exists() {
        return None;
    }
    let region = ProfileFileRegionProvider::builder()
        .build()
        .region()
        .await?;
    Some(region.as_ref().to_owned())
}

/// The portable program runs in workflows alone.
#[cfg(target_family = "wasm")]
pub(crate) async fn profile_region(_: impl Fn(&str) -> Option<String>) -> Option<String> {
    None
}

/// A client for EC2 in one region.
#[derive(Clone)]
pub(crate) struct Ec2 {
    pub region: Region,
    client: aws_sdk_ec2::Client,
    /// For nothing but the caller's own account.
    sts: aws_sdk_sts::Client,
    /// What its credentials come from, where that is a role.
    role: Option<Arc<Role>>,
    /// What its calls are signed with, in words.
    pub signed_with: &'static str,
}

/// One attempt of one call may take this long, connecting included.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(25);

impl Ec2 {
    /// Builds the client, and asks nobody anything: a role is taken, and the SDK's default chain looks through the
    /// environment, when the first call is made.
    ///
    /// The client is for the first of the regions; the others are where a role can be taken, too.
    pub(crate) async fn new(
        connector: &SharedHttpConnector,
        regions: &Regions,
        credentials: AwsCredentials,
        mask: Mask,
    ) -> Self {
        let region = regions.first_region();
        let loader = aws_config::defaults(BehaviorVersion::latest())
            .region(AwsRegion::new(region.as_str().to_owned()))
            .http_client(crate::http::client(connector))
            // Only the launch knows which of RunInstances' errors may be repeated, and how: see `Ec2Error::next`.
            .retry_config(RetryConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(crate::http::CONNECT_TIMEOUT)
                    .read_timeout(crate::http::READ_TIMEOUT)
                    .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                    .build(),
            )
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        #[cfg(target_family = "wasm")]
        let loader = loader.sleep_impl(aws_smithy_wasm::wasi::WasiSleep);
        let role = |source, config: &_| {
            Role::new(source, config, regions.regions(), connector.clone(), mask)
        };
        let loader = match &credentials {
            AwsCredentials::Key(key) => loader.credentials_provider(Credentials::new(
                key.id.clone(),
                key.secret.expose_secret(),
                key.session_token
                    .as_ref()
                    .map(|token| token.expose_secret().to_owned()),
                None,
                "inputs",
            )),
            AwsCredentials::Role(_) => loader.no_credentials(),
            AwsCredentials::Environment => loader,
        };
        let signed_with = match &credentials {
            AwsCredentials::Key(_) => "the inputs' access key",
            AwsCredentials::Role(_) => "the role's credentials",
            AwsCredentials::Environment => "what the environment has",
        };
        let mut config = loader.load().await;
        let role = match credentials {
            AwsCredentials::Role(source) => Some(Arc::new(role(source, &config))),
            AwsCredentials::Key(_) | AwsCredentials::Environment => None,
        };
        if let Some(role) = &role {
            let provider = SharedCredentialsProvider::new(Provider(role.clone()));
            config = config
                .into_builder()
                .credentials_provider(provider)
                .identity_cache(IdentityCache::lazy().load_timeout(ATTEMPT_TIMEOUT).build())
                .build();
        }
        Self {
            region: region.clone(),
            role,
            signed_with,
            client: aws_sdk_ec2::Client::new(&config),
            sts: aws_sdk_sts::Client::new(&config),
        }
    }

    /// The same client for another region.
    pub(crate) fn in_region(&self, region: &Region) -> Self {
        let there = AwsRegion::new(region.as_str().to_owned());
        let ec2 = self.client.config().to_builder().region(there.clone());
        let sts = self.sts.config().to_builder().region(there);
        Self {
            region: region.clone(),
            client: aws_sdk_ec2::Client::from_conf(ec2.build()),
            sts: aws_sdk_sts::Client::from_conf(sts.build()),
            role: self.role.clone(),
            signed_with: self.signed_with,
        }
    }

    /// Whether its credentials come from a role, so that no call leaves before STS has answered.
    pub(crate) fn takes_role(&self) -> bool {
        self.role.is_some()
    }

    /// Takes the role, where one is to be taken; it is kept for the calls that follow.
    pub(crate) async fn sign_in(&self) -> Result<Option<AssumedRole>, RoleError> {
        match &self.role {
            Some(role) => role.assume().await.map(Some),
            None => Ok(None),
        }
    }
}
