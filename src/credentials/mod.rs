//! How AWS and GitHub know us, from the inputs.

pub(crate) mod app_key;
pub(crate) mod mask;
pub(crate) mod role;
pub(crate) mod withheld;

use secrecy::SecretString;

use app_key::AppKey;
use role::RoleSource;

/// Where AWS's credentials come from.
#[derive(Clone, Debug)]
pub(crate) enum AwsCredentials {
    Key(AccessKey),
    /// A role, taken with GitHub's OIDC token.
    Role(RoleSource),
    /// The SDK's default chain looks through the environment.
    Environment,
}

/// An access key as given by the inputs.
#[derive(Clone, Debug)]
pub(crate) struct AccessKey {
    pub id: String,
    pub secret: SecretString,
    pub session_token: Option<SecretString>,
}

/// How GitHub knows us.
#[derive(Clone, Debug)]
pub(crate) enum GithubCredentials {
    Token(SecretString),
    App(AppKey),
}
