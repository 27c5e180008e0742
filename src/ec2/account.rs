//! Whose account the credentials are of. STS tells everyone about themselves: no policy can allow or forbid it.

use super::{Ec2, Ec2Error};

pub(crate) const GET_CALLER_IDENTITY: &str = "sts:GetCallerIdentity";

impl Ec2 {
    /// The id of the account that the credentials belong to.
    pub(crate) async fn account(&self) -> Result<String, Ec2Error> {
        let identity = self
            .sts
            .get_caller_identity()
            .send()
            .await
            .map_err(|error| Ec2Error::from_sdk(GET_CALLER_IDENTITY, &error))?;
        identity
            .account
            .ok_or_else(|| Ec2Error::unreadable(GET_CALLER_IDENTITY, "no account in the answer"))
    }
}
