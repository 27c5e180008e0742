//! A failed call of the SDK, read.

use std::error::Error;
use std::fmt;
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::error::{ErrorMetadata, ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::operation::RequestId;
use aws_smithy_runtime_api::http::Headers as SdkHeaders;

use super::{Ec2Error, Kind};
use crate::ec2::http_response::ResponseParts;
use crate::ec2::role_error::RoleError;
use crate::http::cause::{Unanswered, innermost, shortened};
use crate::http::headers::Headers;

/// Signatures that are older or younger than this are refused.
const TOLERATED_SKEW: Duration = Duration::from_mins(5);

impl Ec2Error {
    /// From any failed call of the SDK.
    pub(crate) fn from_sdk<E, R>(action: &'static str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: fmt::Debug + 'static,
        SdkError<E, R>: RequestId + Error + ResponseParts,
    {
        let answer = Answer {
            service: error.as_service_error().map(ProvideErrorMetadata::meta),
            is_response: error.raw_response().is_some(),
            status: error.http_status(),
            headers: error.headers(),
            request_id: error.request_id(),
        };
        Self::from_answer(action, error, &answer)
    }

    fn from_answer(
        action: &'static str,
        error: &(dyn Error + 'static),
        answer: &Answer<'_>,
    ) -> Self {
        if let Some(role) = cause::<RoleError>(error) {
            return Self::without_answer(
                action,
                Kind::NoRole {
                    help: role.help.as_str().into(),
                },
                role.to_string(),
            );
        }
        let headers = answer.headers;
        let coded = answer.service.and_then(|meta| Some((meta.code()?, meta)));
        let (kind, message) = if let Some((code, meta)) = coded {
            let message = meta.message().unwrap_or("no message");
            (Kind::Code(code.to_owned()), shortened(message))
        } else if answer.is_response {
            match answer.status {
                Some(status) if status >= 400 => {
                    (Kind::ServerError(status), "no error code".to_owned())
                }
                Some(status @ 300..400) => redirect(status, headers),
                // Not even an error: a page that some proxy sent with status 200, say.
                _ => (Kind::Unreadable, innermost(error)),
            }
        } else if cause::<CredentialsError>(error).is_some() {
            (Kind::NoCredentials, innermost(error))
        } else {
            let cause = Unanswered::new(error);
            let kind = if cause.was_sent {
                Kind::NoAnswer
            } else {
                Kind::NotSent
            };
            (kind, cause.message)
        };
        Self {
            action,
            kind,
            message,
            request_id: answer.request_id.map(str::to_owned),
            wait: headers.and_then(Headers::retry_after),
            skew: headers.and_then(Headers::date).and_then(skew),
        }
    }
}

/// What is to be known of a call's answer, whatever the call was.
struct Answer<'a> {
    /// The service's own error.
    service: Option<&'a ErrorMetadata>,
    /// Whether there is an answer at all.
    is_response: bool,
    status: Option<u16>,
    headers: Option<&'a SdkHeaders>,
    request_id: Option<&'a str>,
}

fn redirect(status: u16, headers: Option<&SdkHeaders>) -> (Kind, String) {
    let location = headers.and_then(|headers| headers.get("location"));
    let location = shortened(location.unwrap_or("an unnamed place"));
    (Kind::Redirect(status), location)
}

/// How far this machine's clock is from a server's; `None` where no signature suffers from it.
fn skew(server: SystemTime) -> Option<Duration> {
    let now = SystemTime::now();
    let apart = now
        .duration_since(server)
        .or_else(|_| server.duration_since(now))
        .unwrap_or_default();
    (apart > TOLERATED_SKEW).then_some(apart)
}

/// The cause of that type, wherever it is in the chain.
fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}
