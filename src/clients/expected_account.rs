//! The account that a label or a profile names, held against the one that the credentials belong to.

use crate::clients::Clients;
use crate::ec2::GET_CALLER_IDENTITY;
use crate::error::{Exit, Failure};
use crate::retry::{self, Deadline};
use crate::values::account::AccountId;

/// Nothing is launched before the answer; asks nobody where no account is named.
pub(crate) async fn check(
    clients: &Clients,
    wanted: Option<&AccountId>,
    deadline: Deadline,
) -> Result<(), Failure> {
    let Some(wanted) = wanted else {
        return Ok(());
    };
    let account = retry::until(GET_CALLER_IDENTITY, deadline, || clients.ec2.account())
        .await
        .map_err(|error| clients.ec2_failure(&error))?;
    if account == wanted.as_str() {
        return Ok(());
    }
    Err(Failure {
        exit: Exit::WrongInput,
        place: None,
        ladder: Vec::new(),
        what: format!(
            "the input `runner` wants the AWS account `{wanted}`; the credentials are of `{account}`"
        ),
        help: vec![format!(
            "pass credentials of `{wanted}`, or write `{account}` into the label or profile; nothing was launched"
        )],
    })
}
