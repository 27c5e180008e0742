//! What EC2 refuses, and what that means for the launch.

mod remedy;
mod sdk;

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::http::extra_roots;
use crate::retry::Transient;

pub(crate) use remedy::statement_for;

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

    /// Whether the id is (not yet, or no longer) known to EC2.
    pub(crate) fn is_unknown_instance(&self) -> bool {
        self.code() == Some("InvalidInstanceID.NotFound")
    }

    /// Of a search, which names no id: that an id is not known cannot be its answer, and says nothing about what was searched for.
    pub(super) fn of_search(self) -> Self {
        let unknown_id = self.code().filter(|code| code.ends_with(".NotFound"));
        let Some(code) = unknown_id else {
            return self;
        };
        let message = format!("`{code}`, although no id was asked for");
        Self {
            kind: Kind::Unreadable,
            message,
            ..self
        }
    }

    /// Whether a launch mapped a device that is not the image's root, and so named a new volume without a size.
    pub(crate) fn is_other_root_device(&self) -> bool {
        self.code() == Some("MissingParameter") && self.message.contains("size or snapshotId")
    }

    /// Whether EC2 refuses what a volume is asked to be: too fast for its size or for the region, or smaller than the image.
    pub(crate) fn is_about_volume(&self) -> bool {
        let message = self.message.to_ascii_lowercase();
        let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
        match self.code() {
            Some("InvalidParameterCombination" | "InvalidParameterValue") => says(&[
                "iops",
                "throughput",
                "volume size",
                "volumesize",
                "initialization",
            ]),
            Some("InvalidBlockDeviceMapping") => says(&["size"]),
            _ => false,
        }
    }

    /// Whether the image does not exist, or no longer does.
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

    /// Whether it is a quota, which each region has of its own.
    pub(crate) fn is_quota(&self) -> bool {
        matches!(
            self.code(),
            Some("VcpuLimitExceeded" | "InstanceLimitExceeded" | "MaxSpotInstanceCountExceeded")
        )
    }

    /// Whether the region is the problem: not enabled for the account, not allowed by the policy, without a default VPC, or
    /// out of reach. Another region may still launch.
    pub(crate) fn is_about_region(&self) -> bool {
        self.is_unauthorized()
            || self.is_not_enabled()
            || self.is_transient()
            || matches!(
                self.code(),
                Some(
                    "Blocked"
                        | "PendingVerification"
                        | "MissingInput"
                        | "VPCIdNotSpecified"
                        | "DefaultVpcDoesNotExist"
                )
            )
    }

    /// Whether the region is not enabled for the account, so that nothing can be running there. AWS answers wrong credentials
    /// the same, but those are wrong in every region.
    pub(crate) fn is_not_enabled(&self) -> bool {
        matches!(
            self.code(),
            Some(
                "OptInRequired"
                    | "AuthFailure"
                    | "InvalidClientTokenId"
                    | "UnrecognizedClientException"
            )
        )
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

impl Transient for Ec2Error {
    fn timed_out(call: &'static str, within: Duration) -> Self {
        Self::without_answer(
            call,
            Kind::NoAnswer,
            format!("waited {:.1} s", within.as_secs_f64()),
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
    fn a_search_for_no_id_cannot_be_told_that_it_is_unknown() {
        let of_search = |code: &str| Ec2Error::coded("ec2:DescribeInstances", code).of_search();
        for code in ["InvalidInstanceID.NotFound", "InvalidAMIID.NotFound"] {
            let error = of_search(code);
            assert!(error.is_transient() && error.to_string().contains(code));
        }
        for code in ["UnauthorizedOperation", "RequestExpired"] {
            assert!(!of_search(code).is_transient(), "{code}");
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
    fn what_a_volume_cannot_be_names_its_inputs() {
        for (code, message, inputs) in [
            (
                "InvalidParameterCombination",
                "The parameter iops to volume size ratio of 625.0 is too high; maximum is 500",
                "`root`",
            ),
            (
                "InvalidParameterValue",
                "Volume throughput of 2000 MiB/s is too high; maximum is 1000",
                "`root`",
            ),
            (
                "InvalidBlockDeviceMapping",
                "Volume of size 4GB is smaller than snapshot 'snap-0a', expect size >= 8GB",
                "`root-size`",
            ),
        ] {
            let refused = error(code, message);
            assert!(refused.is_about_volume(), "{message}");
            assert_eq!(refused.next(), Next::Final);
            let remedy = "us-east-1"
                .parse()
                .map(|region| refused.remedy(&region))
                .unwrap_or_default();
            assert!(remedy.contains(inputs), "{remedy}");
        }
        let other = error("InvalidParameterValue", "Invalid value for instanceType");
        assert!(!other.is_about_volume());
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

    fn of_kind(kind: Kind, message: &str) -> Ec2Error {
        Ec2Error::without_answer("ec2:RunInstances", kind, message.to_owned())
    }

    /// What is thought of an error, in a line.
    fn thought(error: &Ec2Error) -> String {
        let marks = [
            (error.may_have_acted(), "may have acted"),
            (error.is_throttle(), "throttle"),
            (error.is_transient(), "transient"),
            (error.is_quota(), "quota"),
            (error.is_about_region(), "about the region"),
            (error.is_not_enabled(), "not enabled"),
            (error.is_unauthorized(), "unauthorized"),
            (error.is_unknown_image(), "unknown image"),
            (error.is_unknown_instance(), "unknown instance"),
            (error.is_dry_run_success(), "would succeed"),
        ];
        let marks = marks
            .iter()
            .filter(|(holds, _)| *holds)
            .map(|(_, mark)| *mark);
        let marks: Vec<&str> = marks.collect();
        format!("{:?}: {}", error.next(), marks.join(", "))
    }

    fn table(errors: impl IntoIterator<Item = Ec2Error>) -> String {
        let region = "us-east-1".parse().unwrap_or_else(|e| unreachable!("{e}"));
        let entry = |error: Ec2Error| {
            format!(
                "{error}\n  {}\n  {}\n",
                thought(&error),
                error.remedy(&region)
            )
        };
        errors.into_iter().map(entry).collect()
    }

    #[test]
    fn each_code_has_a_meaning_and_a_remedy() {
        let codes = [
            "InsufficientInstanceCapacity",
            "InsufficientFreeAddressesInSubnet",
            "Unsupported",
            "MaxSpotInstanceCountExceeded",
            "AuthFailure.ServiceLinkedRoleCreationNotPermitted",
            "VcpuLimitExceeded",
            "MaxIOPSLimitExceeded",
            "InternalError",
            "RequestTimeout",
            "RequestLimitExceeded",
            "SlowDown",
            "ConcurrentTagAccess",
            "UnauthorizedOperation",
            "AuthFailure",
            "OptInRequired",
            "SignatureDoesNotMatch",
            "RequestExpired",
            "OperationNotPermitted",
            "InvalidKMSKey.InvalidState",
            "KMSKeyDisabledException",
            "InvalidBlockDeviceMapping",
            "InvalidParameterValue",
            "InvalidAMIID.NotFound",
            "InvalidSubnetID.NotFound",
            "InvalidGroup.NotFound",
            "InvalidInstanceID.NotFound",
            "VPCIdNotSpecified",
            "Blocked",
            "IncorrectInstanceState",
            "DryRunOperation",
        ];
        insta::assert_snapshot!(table(codes.map(|code| error(code, "says EC2"))));
    }

    #[test]
    fn what_has_no_code_has_a_meaning_and_a_remedy() {
        let untrusted = "invalid peer certificate: UnknownIssuer";
        let errors = [
            of_kind(Kind::ServerError(500), ""),
            of_kind(Kind::ServerError(429), ""),
            of_kind(Kind::ServerError(413), ""),
            of_kind(Kind::ServerError(403), ""),
            of_kind(Kind::NoAnswer, "timed out"),
            of_kind(Kind::NoAnswer, untrusted),
            of_kind(Kind::NotSent, "refused"),
            of_kind(Kind::NotSent, untrusted),
            of_kind(Kind::NoCredentials, "none"),
            of_kind(Kind::NoCredentials, "needs a cargo feature"),
            of_kind(Kind::NoRole { help: "ask".into() }, "no role"),
            of_kind(Kind::Redirect(302), "https://portal.example"),
            of_kind(Kind::Unreadable, "not XML"),
            Ec2Error {
                skew: Some(Duration::from_mins(17)),
                ..error("AuthFailure", "no")
            },
        ];
        insta::assert_snapshot!(table(errors));
    }

    #[test]
    fn a_volume_of_another_root_device_is_told_apart() {
        let says = "The request must contain the parameter size or snapshotId";
        assert!(error("MissingParameter", says).is_other_root_device());
        assert!(!error("MissingParameter", "subnetId").is_other_root_device());
        assert!(!error("InvalidParameterValue", says).is_other_root_device());
    }

    #[test]
    fn what_was_not_heard_in_time_says_how_long() {
        let late =
            <Ec2Error as Transient>::timed_out("ec2:RunInstances", Duration::from_millis(1_500));
        assert_eq!(
            late.to_string(),
            "`ec2:RunInstances` got no answer from EC2 (waited 1.5 s)"
        );
        assert_eq!(
            (Transient::call(&late), Transient::wait(&late)),
            ("ec2:RunInstances", None)
        );
        assert!(Transient::is_transient(&late));
        let told = Ec2Error {
            wait: Some(Duration::from_secs(3)),
            ..late
        };
        assert_eq!(Transient::wait(&told), Some(Duration::from_secs(3)));
    }
}
