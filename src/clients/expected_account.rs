//! The account that a label or a profile names, held against the one that the credentials belong to.

use crate::clients::Clients;
use crate::ec2::{Ec2, Ec2Error, GET_CALLER_IDENTITY};
use crate::error::{Exit, Failure};
use crate::retry::{self, Deadline};
use crate::values::account::AccountId;

/// An account is the same everywhere: the first region that tells it is enough.
async fn account(clients: &Clients, deadline: Deadline) -> Result<String, Ec2Error> {
    let deadline = if clients.ec2.is_several() {
        deadline.within(deadline.left() / 2)
    } else {
        deadline
    };
    let mut answer = account_in(clients.ec2.home(), deadline).await;
    for ec2 in clients.ec2.each().skip(1) {
        if answer.is_ok() {
            break;
        }
        answer = account_in(ec2, deadline).await;
    }
    answer
}

async fn account_in(ec2: &Ec2, deadline: Deadline) -> Result<String, Ec2Error> {
    retry::until(GET_CALLER_IDENTITY, deadline, || ec2.account()).await
}

/// Nothing is launched before the answer; asks nobody where no account is named.
pub(crate) async fn check(
    clients: &Clients,
    wanted: Option<&AccountId>,
    deadline: Deadline,
) -> Result<(), Failure> {
    let Some(wanted) = wanted else {
        return Ok(());
    };
    let account = account(clients, deadline)
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
