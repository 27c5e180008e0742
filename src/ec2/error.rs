//! What EC2 refuses, what that means for the ladder, and what a person can do about it.

use std::error::Error;
use std::fmt;
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::operation::RequestId;

use aws_smithy_runtime_api::http::Headers as SdkHeaders;

use super::http_response::ResponseParts;
use super::role_error::RoleError;
use crate::http::cause::{Unanswered, innermost, shortened};
use crate::http::extra_roots;
use crate::http::headers::Headers;
use crate::retry::Transient;
use crate::values::region::Region;

/// A call to EC2 that failed.
#[derive(Clone, Debug)]
pub(crate) struct Ec2Error {
    /// The permission's name: `ec2:RunInstances`.
    pub action: &'static str,
    pub kind: Kind,
    /// EC2's own message, or the connection's.
    pub message: String,
    pub request_id: Option<String>,
    /// How long EC2 asked to wait.
    pub wait: Option<Duration>,
    /// How far this machine's clock is from EC2's, where that is too far for a signature.
    pub skew: Option<Duration>,
}

/// Signatures that are older or younger than this are refused.
const TOLERATED_SKEW: Duration = Duration::from_mins(5);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// EC2 answered with this error code.
    Code(String),
    /// EC2 answered with an error status but no code that can be read.
    ServerError(u16),
    /// No answer arrived: the call may or may not have been carried out.
    NoAnswer,
    /// The call never left this machine: no address, no connection.
    NotSent,
    /// The call never left: no credentials were found.
    NoCredentials,
    /// The call never left: the role that it needs could not be taken.
    NoRole { help: Box<str> },
    /// An answer that sends elsewhere, which EC2's never do; the message is where.
    Redirect(u16),
    /// An answer that is not what the API describes.
    Unreadable,
}

/// What the launch does after an error (the table in the book, page "How it works").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// The same candidate again, with the same client token.
    SameAgain,
    AnotherCandidate,
    /// No more spot candidates.
    DropSpot,
    /// No more candidates of this family in this market: a vCPU quota spans both.
    OtherFamilyOrMarket,
    /// Once more with the baseline volume.
    BaselineVolume,
    Final,
}

impl Ec2Error {
    /// From any failed call of the SDK.
    pub(crate) fn from_sdk<E, R>(action: &'static str, error: &SdkError<E, R>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: fmt::Debug + 'static,
        SdkError<E, R>: RequestId + Error + ResponseParts,
    {
        let request_id = error.request_id().map(str::to_owned);
        let headers = error.headers();
        if let Some(role) = cause::<RoleError>(error) {
            return Self::without_answer(
                action,
                Kind::NoRole {
                    help: role.help.as_str().into(),
                },
                role.to_string(),
            );
        }
        let (kind, message) = match error {
            SdkError::ServiceError(context) => {
                let service = context.err();
                match (service.code(), error.http_status()) {
                    (Some(code), _) => (
                        Kind::Code(code.to_owned()),
                        shortened(service.message().unwrap_or("no message")),
                    ),
                    (None, Some(status)) if status >= 400 => {
                        (Kind::ServerError(status), "no error code".to_owned())
                    }
                    (None, Some(status @ 300..400)) => redirect(status, headers),
                    // Not even an error: a page that some proxy sent with status 200, say.
                    (None, _) => (Kind::Unreadable, innermost(error)),
                }
            }
            SdkError::ResponseError(_) => match error.http_status() {
                Some(status) if status >= 400 => {
                    (Kind::ServerError(status), "no error code".to_owned())
                }
                Some(status @ 300..400) => redirect(status, headers),
                _ => (Kind::Unreadable, innermost(error)),
            },
            other if cause::<CredentialsError>(other).is_some() => {
                (Kind::NoCredentials, innermost(other))
            }
            other => {
                let cause = Unanswered::new(other);
                let kind = if cause.was_sent {
                    Kind::NoAnswer
                } else {
                    Kind::NotSent
                };
                (kind, cause.message)
            }
        };
        Self {
            action,
            kind,
            message,
            request_id,
            wait: headers.and_then(Headers::retry_after),
            skew: headers.and_then(Headers::date).and_then(skew),
        }
    }

    /// An answer that is not what the API describes.
    pub(crate) fn unreadable(action: &'static str, message: &str) -> Self {
        Self::without_answer(action, Kind::Unreadable, message.to_owned())
    }

    #[cfg(test)]
    pub(crate) fn coded(action: &'static str, code: &str) -> Self {
        Self::without_answer(action, Kind::Code(code.to_owned()), String::new())
    }

    fn without_answer(action: &'static str, kind: Kind, message: String) -> Self {
        Self {
            action,
            kind,
            message,
            request_id: None,
            wait: None,
            skew: None,
        }
    }

    pub(crate) fn code(&self) -> Option<&str> {
        match &self.kind {
            Kind::Code(code) => Some(code),
            _ => None,
        }
    }

    pub(crate) fn is_unauthorized(&self) -> bool {
        matches!(
            self.code(),
            Some("UnauthorizedOperation" | "AccessDenied" | "AccessDeniedException")
        )
    }

    /// Whether the id is (not yet, or no more) known to EC2.
    pub(crate) fn is_unknown_instance(&self) -> bool {
        self.code() == Some("InvalidInstanceID.NotFound")
    }

    /// Whether a launch mapped a device that is not the image's root, and so named a new volume without a size.
    pub(crate) fn is_other_root_device(&self) -> bool {
        self.code() == Some("MissingParameter") && self.message.contains("size or snapshotId")
    }

    /// Whether the image does not exist, or no more.
    pub(crate) fn is_unknown_image(&self) -> bool {
        self.code()
            .is_some_and(|code| code.starts_with("InvalidAMIID"))
    }

    /// `DryRunOperation`: the call would have succeeded.
    pub(crate) fn is_dry_run_success(&self) -> bool {
        self.code() == Some("DryRunOperation")
    }

    /// Whether EC2 may have carried the call out although it failed.
    pub(crate) fn may_have_acted(&self) -> bool {
        match &self.kind {
            Kind::NoAnswer => !extra_roots::is_untrusted(&self.message),
            Kind::Unreadable | Kind::Redirect(_) => true,
            Kind::ServerError(status) => *status >= 500,
            Kind::NotSent | Kind::NoCredentials | Kind::NoRole { .. } => false,
            Kind::Code(code) => matches!(
                code.as_str(),
                "InternalError"
                    | "InternalFailure"
                    | "Unavailable"
                    | "ServiceUnavailable"
                    | "RequestTimeout"
                    | "RequestTimeoutException"
            ),
        }
    }

    /// Whether EC2 refused because too much was asked at once.
    pub(crate) fn is_throttle(&self) -> bool {
        match &self.kind {
            Kind::ServerError(status) => *status == 429,
            _ => matches!(
                self.code(),
                Some(
                    "RequestLimitExceeded"
                        | "Throttling"
                        | "ThrottlingException"
                        | "ThrottledException"
                        | "RequestThrottled"
                        | "RequestThrottledException"
                        | "EC2ThrottledException"
                        | "TooManyRequestsException"
                        | "BandwidthLimitExceeded"
                        | "LimitExceededException"
                        | "PriorRequestNotComplete"
                        | "SlowDown"
                )
            ),
        }
    }

    /// Whether the same call may succeed a little later.
    pub(crate) fn is_transient(&self) -> bool {
        // EC2's own refusals have a code. One without was cut off on its way, unless a proxy refuses us.
        let was_cut_off = matches!(self.kind, Kind::ServerError(status) if !matches!(status, 401 | 403 | 404 | 407));
        // Two requests that tag the same resource at once.
        let is_concurrent = self.code() == Some("ConcurrentTagAccess");
        let never_left = self.kind == Kind::NotSent && !extra_roots::is_untrusted(&self.message);
        self.may_have_acted() || self.is_throttle() || was_cut_off || is_concurrent || never_left
    }

    /// What a failed `RunInstances` means for the ladder. Capacity can arrive as HTTP 500, so only the code counts.
    pub(crate) fn next(&self) -> Next {
        let Some(code) = self.code() else {
            return if self.is_transient() {
                Next::SameAgain
            } else {
                Next::Final
            };
        };
        match code {
            "InsufficientInstanceCapacity"
            | "InsufficientHostCapacity"
            | "InsufficientReservedInstanceCapacity"
            | "InsufficientCapacity"
            | "UnfulfillableCapacity"
            | "SpotMaxPriceTooLow"
            | "Unsupported"
            | "InsufficientFreeAddressesInSubnet" => Next::AnotherCandidate,
            "MaxSpotInstanceCountExceeded"
            | "AuthFailure.ServiceLinkedRoleCreationNotPermitted" => Next::DropSpot,
            "VcpuLimitExceeded" | "InstanceLimitExceeded" => Next::OtherFamilyOrMarket,
            "MaxIOPSLimitExceeded" | "VolumeLimitExceeded" => Next::BaselineVolume,
            _ if self.is_transient() => Next::SameAgain,
            _ => Next::Final,
        }
    }

    /// The denied action and resource, read from EC2's message where it tells them.
    fn denied(&self) -> (String, Option<String>) {
        let after = |marker: &str| {
            let rest = self.message.split_once(marker)?.1;
            rest.split_whitespace()
                .next()
                .map(|word| word.trim_end_matches(['.', ',']).to_owned())
        };
        let action = after("not authorized to perform: ").filter(|action| action.contains(':'));
        (
            action.unwrap_or_else(|| self.action.to_owned()),
            after("on resource: "),
        )
    }

    /// What the person who reads the log can do about it. A clock that is off comes first: AWS calls a signature of another
    /// time by many codes, none of which says so.
    pub(crate) fn remedy(&self, region: &Region) -> String {
        let remedy = self.remedy_for_kind(region);
        match self.skew {
            Some(skew) => format!(
                "this machine's clock is {} minutes off EC2's: set it right (EC2 refuses signatures of another time); otherwise, \
                 {remedy}",
                skew.as_secs() / 60
            ),
            None => remedy,
        }
    }

    fn remedy_for_kind(&self, region: &Region) -> String {
        match &self.kind {
            Kind::Redirect(_) => "check AWS_ENDPOINT_URL_EC2 and that no proxy or portal answers in EC2's place".to_owned(),
            Kind::NoAnswer | Kind::NotSent => extra_roots::remedy(&self.message).map_or_else(
                || format!("check that EC2's endpoint of `{region}` can be reached from this runner, and run the job again"),
                str::to_owned,
            ),
            Kind::NoCredentials if self.message.contains("cargo feature") => {
                "the AWS profile takes its credentials from `credential_process`, SSO or `aws login`, which this program does not \
                 run: put them into the environment first, with `eval \"$(aws configure export-credentials --format env)\"`"
                    .to_owned()
            }
            Kind::NoCredentials => "pass `aws-access-key-id` and `aws-secret-access-key`, or set up credentials in the \
                                    environment with a step before this one"
                .to_owned(),
            Kind::NoRole { help } => help.to_string(),
            Kind::Unreadable => "check that no proxy changes EC2's answers".to_owned(),
            Kind::ServerError(_) => "EC2 has a problem (see https://health.aws.amazon.com); run the job again".to_owned(),
            Kind::Code(code) => self.remedy_for(code, region),
        }
    }

    fn remedy_for(&self, code: &str, region: &Region) -> String {
        match code {
            _ if self.is_unauthorized() => {
                let (action, resource) = self.denied();
                let on = resource.map_or_else(String::new, |resource| format!(" (refused on `{resource}`)"));
                format!("{}{on}", statement_for(&action))
            }
            "AuthFailure" | "InvalidClientTokenId" | "UnrecognizedClientException" => {
                "the access key is wrong, deleted or inactive: make a new one in IAM, and update the secrets that \
                 `aws-access-key-id` and `aws-secret-access-key` come from (AWS answers the same where the region is not \
                 enabled for the account)"
                    .to_owned()
            }
            "SignatureDoesNotMatch" => "`aws-secret-access-key` does not belong to `aws-access-key-id`: copy both again".to_owned(),
            "RequestExpired" => {
                "the credentials have expired: a step before this one must get new ones that last long enough".to_owned()
            }
            "OperationNotPermitted" => {
                "if EC2's message speaks of termination protection (`disableApiTermination`), switch it off for this instance and \
                 terminate it"
                    .to_owned()
            }
            code if code.starts_with("InvalidKMSKey") || code.starts_with("KMS") => {
                "the key's policy must let these credentials use it: see `KMS key policy for encrypted volumes` in the EC2 \
                 documentation, or use another key for the account's default EBS encryption"
                    .to_owned()
            }
            "OptInRequired" => format!("enable `{region}` for this AWS account, or sign up for EC2 in it"),
            "AuthFailure.ServiceLinkedRoleCreationNotPermitted" => {
                "spot needs a service-linked role, once per account: aws iam create-service-linked-role \
                 --aws-service-name spot.amazonaws.com"
                    .to_owned()
            }
            "VcpuLimitExceeded" | "InstanceLimitExceeded" | "MaxSpotInstanceCountExceeded" => {
                format!("ask for a higher EC2 quota in `{region}` (Service Quotas), or list more instance types")
            }
            code if code.starts_with("InvalidAMIID") => {
                format!("check that this image exists in `{region}` and is shared with this account: AMI ids differ by region")
            }
            code if code.starts_with("InvalidSubnetID") || code.starts_with("InvalidGroup") => {
                format!("check the id, and that it is in `{region}` and this account")
            }
            "MissingInput" | "VPCIdNotSpecified" | "DefaultVpcDoesNotExist" => {
                format!("`{region}` has no default VPC in this account: name a `subnet`")
            }
            "IncorrectInstanceState" => "see EC2's message above".to_owned(),
            code if self.next() == Next::AnotherCandidate => {
                debug_assert!(!code.is_empty());
                "list more instance types or zones, or use `spot: auto`".to_owned()
            }
            _ => "see EC2's message above; the code is explained at \
                  https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html"
                .to_owned(),
        }
    }
}

/// The statement that grants an action.
pub(crate) fn statement_for(action: &str) -> String {
    format!(
        r#"add to the IAM policy: {{"Effect": "Allow", "Action": "{action}", "Resource": "*"}}"#
    )
}

impl fmt::Display for Ec2Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            action, message, ..
        } = self;
        match &self.kind {
            Kind::Code(_) if self.is_unauthorized() => {
                write!(f, "AWS refused `{}`", self.denied().0)
            }
            Kind::Code(code) => write!(f, "`{action}` failed with `{code}`: {message}"),
            Kind::ServerError(status) => write!(f, "`{action}` failed with HTTP {status}"),
            Kind::NoAnswer => write!(f, "`{action}` got no answer from EC2 ({message})"),
            Kind::NotSent => write!(f, "`{action}` could not reach EC2 ({message})"),
            Kind::NoCredentials => write!(f, "no AWS credentials for `{action}` ({message})"),
            Kind::NoRole { .. } => f.write_str(message),
            Kind::Redirect(status) => write!(
                f,
                "`{action}` was redirected with HTTP {status} to `{message}`, which is not followed"
            ),
            Kind::Unreadable => write!(f, "`{action}` got an unreadable answer ({message})"),
        }
    }
}

impl Error for Ec2Error {}

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

impl Transient for Ec2Error {
    fn timed_out(call: &'static str, within: Duration) -> Self {
        Self::without_answer(
            call,
            Kind::NoAnswer,
            format!("nothing for {:.1} s", within.as_secs_f64()),
        )
    }

    fn call(&self) -> &'static str {
        self.action
    }

    fn is_transient(&self) -> bool {
        Self::is_transient(self)
    }

    fn wait(&self) -> Option<Duration> {
        self.wait
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: &str, message: &str) -> Ec2Error {
        Ec2Error {
            message: message.to_owned(),
            ..Ec2Error::coded("ec2:RunInstances", code)
        }
    }

    #[test]
    fn the_ladder_s_table() {
        for (code, next) in [
            ("InsufficientInstanceCapacity", Next::AnotherCandidate),
            ("Unsupported", Next::AnotherCandidate),
            ("MaxSpotInstanceCountExceeded", Next::DropSpot),
            ("VcpuLimitExceeded", Next::OtherFamilyOrMarket),
            ("RequestLimitExceeded", Next::SameAgain),
            ("InternalError", Next::SameAgain),
            ("MaxIOPSLimitExceeded", Next::BaselineVolume),
            ("UnauthorizedOperation", Next::Final),
            ("InvalidParameterValue", Next::Final),
            ("InvalidAMIID.NotFound", Next::Final),
        ] {
            assert_eq!(error(code, "").next(), next, "{code}");
        }
    }

    #[test]
    fn a_refusal_names_the_action_that_was_refused() {
        let refused = error(
            "UnauthorizedOperation",
            "You are not authorized to perform this operation. User: arn:aws:iam::123456789012:user/ci is not authorized \
             to perform: ec2:CreateTags on resource: arn:aws:ec2:us-east-1:123456789012:instance/* because no \
             identity-based policy allows the ec2:CreateTags action",
        );
        assert_eq!(refused.to_string(), "AWS refused `ec2:CreateTags`");
        let remedy = "us-east-1"
            .parse()
            .map(|region| refused.remedy(&region))
            .unwrap_or_default();
        assert!(remedy.contains(r#""Action": "ec2:CreateTags""#), "{remedy}");
        assert!(remedy.contains("instance/*"), "{remedy}");
    }
}
