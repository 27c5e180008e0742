//! AWS credentials from inputs.

use secrecy::SecretString;

/// An access key as given by the inputs. Without one, the SDK's default chain applies.
#[derive(Clone, Debug)]
pub(crate) struct AccessKey {
    pub id: String,
    pub secret: SecretString,
    pub session_token: Option<SecretString>,
}
