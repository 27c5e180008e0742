//! Credentials without a key: GitHub's OIDC token says which job this is, and AWS gives the role's credentials for it.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{
    self, ProvideCredentials, error::CredentialsError, future::ProvideCredentials as Provided,
};
use aws_sdk_sts::config::{Builder, Region as AwsRegion};
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityOutput as Output;
use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::claims::Claims;
use super::role_error::RoleError;
use crate::credentials::mask::Mask;
use crate::credentials::role::RoleSource;
use crate::http::get_text_as;
use crate::retry::{self, Deadline};
use crate::values::region::Region;

/// How long passing errors are waited out.
const PATIENCE: Duration = Duration::from_secs(15);
/// Credentials that end so soon are replaced.
const TOO_SHORT: Duration = Duration::from_mins(5);

/// Takes the role when it is first needed, and again when its credentials are about to end.
pub(super) struct Role {
    source: RoleSource,
    /// A client for each region, the preferred one first: the role's credentials are good in all of them, so any may give them.
    sts: Vec<aws_sdk_sts::Client>,
    /// Which of them is asked next.
    turn: AtomicUsize,
    connector: SharedHttpConnector,
    mask: Mask,
    assumed: Mutex<Option<AssumedRole>>,
}

/// A role that was assumed.
#[derive(Clone)]
pub(crate) struct AssumedRole {
    credentials: Credentials,
    /// The session's ARN, as `CloudTrail` has it.
    pub arn: String,
    /// Whom GitHub's token speaks for: `repo:octo/app:ref:refs/heads/main`.
    pub subject: String,
}

/// What GitHub answers.
#[derive(Deserialize)]
struct Answer {
    value: String,
}

impl Role {
    /// `config` says how AWS is reached, and has no credentials.
    pub(super) fn new<'r>(
        source: RoleSource,
        config: &SdkConfig,
        regions: impl Iterator<Item = &'r Region>,
        connector: SharedHttpConnector,
        mask: Mask,
    ) -> Self {
        let sts = regions.map(|region| {
            let there = Builder::from(config).region(AwsRegion::new(region.as_str().to_owned()));
            aws_sdk_sts::Client::from_conf(there.build())
        });
        Self {
            source,
            sts: sts.collect(),
            turn: AtomicUsize::default(),
            connector,
            mask,
            assumed: Mutex::default(),
        }
    }

    /// The role's credentials. Whoever asks meanwhile waits for the same ones.
    pub(super) async fn assume(&self) -> Result<AssumedRole, RoleError> {
        let mut assumed = self.assumed.lock().await;
        if let Some(assumed) = assumed.as_ref().filter(|assumed| assumed.lasts()) {
            return Ok(assumed.clone());
        }
        let fresh =
            retry::until("assume the role", Deadline::after(PATIENCE), || self.ask()).await?;
        *assumed = Some(fresh.clone());
        Ok(fresh)
    }

    async fn ask(&self) -> Result<AssumedRole, RoleError> {
        let token = self.token().await?;
        let claims = Claims::of(token.expose_secret());
        // One that does not answer in time is not asked again before the others were.
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let there = self.sts.get(turn % self.sts.len().max(1));
        let answer = there
            .ok_or_else(|| RoleError::unreadable("there is no region to ask"))?
            .assume_role_with_web_identity()
            .role_arn(self.source.arn.to_string())
            .role_session_name(&self.source.session)
            .web_identity_token(token.expose_secret())
            .send()
            .await
            .map_err(|error| {
                let is_asked_elsewhere = turn + 1 < self.sts.len();
                RoleError::refused(&self.source.arn, &claims, &error, is_asked_elsewhere)
            })?;
        self.turn.store(turn, Ordering::Relaxed);
        self.assumed(answer, claims)
            .ok_or_else(|| RoleError::unreadable("AWS's answer has no credentials"))
    }

    fn assumed(&self, answer: Output, claims: Claims) -> Option<AssumedRole> {
        let given = answer.credentials?;
        for secret in [
            &given.access_key_id,
            &given.secret_access_key,
            &given.session_token,
        ] {
            (self.mask)(secret);
        }
        let expires = SystemTime::try_from(given.expiration).ok();
        Some(AssumedRole {
            credentials: Credentials::new(
                given.access_key_id,
                given.secret_access_key,
                Some(given.session_token),
                expires,
                "aws-role-arn",
            ),
            arn: answer
                .assumed_role_user
                .map_or_else(|| self.source.arn.to_string(), |user| user.arn),
            subject: claims.sub,
        })
    }

    /// GitHub's OIDC token for this job.
    /// <https://docs.github.com/en/actions/reference/security/oidc>
    async fn token(&self) -> Result<SecretString, RoleError> {
        let RoleSource {
            token_url,
            request_token,
            ..
        } = &self.source;
        let text = get_text_as(&self.connector, token_url, request_token)
            .await
            .map_err(|error| RoleError::no_token(&error))?;
        let answer: Answer = serde_json::from_str(&text)
            .map_err(|_| RoleError::unreadable("GitHub's answer has no OIDC token"))?;
        (self.mask)(&answer.value);
        Ok(answer.value.into())
    }
}

impl AssumedRole {
    fn lasts(&self) -> bool {
        self.credentials
            .expiry()
            .is_none_or(|expiry| expiry > SystemTime::now() + TOO_SHORT)
    }
}

/// As the AWS SDK wants it.
#[derive(Clone, Debug)]
pub(super) struct Provider(pub std::sync::Arc<Role>);

impl ProvideCredentials for Provider {
    fn provide_credentials<'a>(&'a self) -> Provided<'a>
    where
        Self: 'a,
    {
        Provided::new(async { self.credentials().await })
    }
}

impl Provider {
    async fn credentials(&self) -> provider::Result {
        match self.0.assume().await {
            Ok(assumed) => Ok(assumed.credentials),
            Err(error) => Err(CredentialsError::provider_error(error)),
        }
    }
}

/// Tokens and credentials are not shown.
impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Role")
            .field("arn", &self.source.arn)
            .finish_non_exhaustive()
    }
}
