//! Why a role could not be taken, with the trust policy that would let it.

use std::time::Duration;

use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError as StsError;

use super::claims::Claims;
use super::http_response::ResponseParts;
use crate::credentials::role::RoleArn;
use crate::http::GetError;
use crate::http::cause::innermost;
use crate::http::extra_roots;
use crate::retry::Transient;

/// A sign-in to AWS that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("could not take the AWS role: {what}")]
pub(crate) struct RoleError {
    what: String,
    pub help: String,
    is_transient: bool,
    wait: Option<Duration>,
}

impl RoleError {
    fn new(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            help: help.into(),
            is_transient: false,
            wait: None,
        }
    }

    fn passing(self, is_transient: bool) -> Self {
        Self {
            is_transient,
            ..self
        }
    }

    pub(super) fn unreadable(what: &str) -> Self {
        Self::new(
            what,
            "check that no proxy changes the answers of GitHub and AWS",
        )
        .passing(true)
    }

    /// GitHub gave no OIDC token.
    pub(super) fn no_token(error: &GetError) -> Self {
        let help = match error {
            GetError::Status(400..=499, _) => {
                "give the job `permissions: {id-token: write, contents: read}`; workflows from forks never get a token"
            }
            GetError::NoAnswer(message) if extra_roots::is_untrusted(message) => {
                extra_roots::remedy(message).unwrap_or_default()
            }
            _ => {
                "check that GitHub's OIDC service can be reached from this runner, and run the job again"
            }
        };
        Self {
            wait: error.wait(),
            ..Self::new(format!("GitHub gave no OIDC token ({error})"), help)
        }
        .passing(error.is_transient())
    }

    /// AWS refused, or did not answer.
    pub(super) fn refused(
        role: &RoleArn,
        claims: &Claims,
        error: &SdkError<StsError>,
        is_asked_elsewhere: bool,
    ) -> Self {
        let SdkError::ServiceError(context) = error else {
            let status = error.http_status();
            let what = status.map_or_else(
                || format!("AWS STS did not answer ({})", innermost(error)),
                |status| format!("AWS STS answered HTTP {status}"),
            );
            let is_untrusted = extra_roots::is_untrusted(&what);
            let help = extra_roots::remedy(&what).unwrap_or(
                "check that AWS STS can be reached from this runner, and run the job again",
            );
            return Self::new(what, help).passing(!is_untrusted);
        };
        let code = context.err().code().unwrap_or("no error code");
        let message = context.err().message().unwrap_or("no message");
        let is_server = error.http_status().is_some_and(|status| status >= 500);
        let is_transient = is_server
            || (is_asked_elsewhere && code == "RegionDisabledException")
            || matches!(
                code,
                "IDPCommunicationError"
                    | "Throttling"
                    | "ThrottlingException"
                    | "RequestLimitExceeded"
            );
        Self::new(
            format!("`{code}` on `{role}`: {message}"),
            remedy(code, message, role, claims),
        )
        .passing(is_transient)
    }
}

fn remedy(code: &str, message: &str, role: &RoleArn, claims: &Claims) -> String {
    let issuer = issuer(claims);
    let audience = role.audience();
    match code {
        "AccessDenied" => format!(
            "the role does not exist, or its trust policy does not match this job's token, which has\n  sub: `{}`\n  aud: `{}`\n\
             A trust policy that matches (`repo:owner/name:*` in a `StringLike` lets all of a repository's branches in):\n{}",
            claims.sub,
            shown(&claims.aud),
            trust_policy(role, claims)
        ),
        "InvalidIdentityToken" if message.contains("audience") => format!(
            "the identity provider `{issuer}` in account `{}` must list the audience `{audience}`: aws iam \
             add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn {} --client-id {audience}",
            role.account,
            provider(role, claims)
        ),
        "InvalidIdentityToken" => format!(
            "account `{}` does not know GitHub yet; once per account: aws iam create-open-id-connect-provider --url \
             https://{issuer} --client-id-list {audience}",
            role.account
        ),
        "ExpiredTokenException" | "ExpiredToken" => {
            "GitHub's token was too old when it arrived: run the job again; if that does not help, this machine's clock is wrong".to_owned()
        }
        "RegionDisabledException" => "activate STS for this region in the account (IAM, *Account settings*)".to_owned(),
        _ => "see AWS's message above".to_owned(),
    }
}

/// Who makes the tokens: GitHub, or an Enterprise Server.
fn issuer(claims: &Claims) -> &str {
    match claims.iss.strip_prefix("https://") {
        Some(issuer) if !issuer.is_empty() => issuer,
        _ => "token.actions.githubusercontent.com",
    }
}

fn provider(role: &RoleArn, claims: &Claims) -> String {
    format!(
        "arn:{}:iam::{}:oidc-provider/{}",
        role.partition,
        role.account,
        issuer(claims)
    )
}

fn shown(audience: &serde_json::Value) -> String {
    audience
        .as_str()
        .map_or_else(|| audience.to_string(), str::to_owned)
}

/// Lets this very job in, and nobody else.
fn trust_policy(role: &RoleArn, claims: &Claims) -> String {
    let issuer = issuer(claims);
    let text = |text: &str| serde_json::Value::from(text).to_string();
    format!(
        r#"{{
  "Version": "2012-10-17",
  "Statement": [
    {{
      "Effect": "Allow",
      "Principal": {{ "Federated": {} }},
      "Action": "sts:AssumeRoleWithWebIdentity",
      "Condition": {{
        "StringEquals": {{
          {}: {},
          {}: {}
        }}
      }}
    }}
  ]
}}"#,
        text(&provider(role, claims)),
        text(&format!("{issuer}:aud")),
        text(role.audience()),
        text(&format!("{issuer}:sub")),
        text(&claims.sub)
    )
}

#[cfg(test)]
pub(crate) fn fuzzed(token: &str) {
    use base64::Engine;
    let role: RoleArn = "arn:aws:iam::111122223333:role/r".parse().expect("an ARN");
    let claims = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(token);
    for token in [token, &format!("x.{claims}.y")] {
        let policy = trust_policy(&role, &Claims::of(token));
        let read: Result<serde_json::Value, _> = serde_json::from_str(&policy);
        assert!(read.is_ok(), "{policy}");
    }
}

impl Transient for RoleError {
    fn timed_out(call: &'static str, within: Duration) -> Self {
        let what = format!(
            "nothing was heard for {:.1} s (tried to {call})",
            within.as_secs_f64()
        );
        let help = "check that GitHub's OIDC service and AWS STS can be reached from this runner, and run the job again";
        Self::new(what, help).passing(true)
    }

    fn call(&self) -> &'static str {
        "assume the role"
    }

    fn is_transient(&self) -> bool {
        self.is_transient
    }

    fn wait(&self) -> Option<Duration> {
        self.wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    #[test]
    fn the_trust_policy_is_one() {
        let role: RoleArn = "arn:aws:iam::111122223333:role/r".parse().expect("an ARN");
        let claims = Claims {
            iss: "https://ghes.example/_services/token".to_owned(),
            sub: "repo:o/r:environment:a \"b\"".to_owned(),
            aud: "sts.amazonaws.com".into(),
        };
        let policy: serde_json::Value =
            serde_json::from_str(&trust_policy(&role, &claims)).expect("JSON");
        let statement = &policy["Statement"][0];
        assert_eq!(
            statement["Principal"]["Federated"],
            "arn:aws:iam::111122223333:oidc-provider/ghes.example/_services/token"
        );
        assert_eq!(
            statement["Condition"]["StringEquals"]["ghes.example/_services/token:sub"],
            claims.sub.as_str()
        );
        let remedy = remedy("AccessDenied", "", &role, &claims);
        assert!(
            remedy.contains("sub: `repo:o/r:environment:a \"b\"`")
                && remedy.contains("aud: `sts.amazonaws.com`")
        );
    }

    fn claims() -> Claims {
        Claims {
            sub: "repo:o/r:ref:refs/heads/main".to_owned(),
            aud: "sts.amazonaws.com".into(),
            ..Claims::default()
        }
    }

    fn refused(code: &str, message: &str, status: u16, is_asked_elsewhere: bool) -> RoleError {
        let role: RoleArn = "arn:aws:iam::111122223333:role/r".parse().expect("an ARN");
        let meta = ErrorMetadata::builder().code(code).message(message).build();
        let status = StatusCode::try_from(status).expect("a status");
        let response = HttpResponse::new(status, SdkBody::empty());
        let error = SdkError::service_error(StsError::generic(meta), response);
        RoleError::refused(&role, &claims(), &error, is_asked_elsewhere)
    }

    #[test]
    fn each_code_of_sts_has_a_remedy() {
        let mut table = String::new();
        for (code, message, status, is_asked_elsewhere) in [
            (
                "InvalidIdentityToken",
                "Incorrect token audience",
                400,
                false,
            ),
            (
                "InvalidIdentityToken",
                "No OpenIDConnect provider found",
                400,
                false,
            ),
            ("ExpiredTokenException", "late", 400, false),
            ("RegionDisabledException", "off", 403, false),
            ("RegionDisabledException", "off", 403, true),
            ("IDPCommunicationError", "later", 400, false),
            ("Throttling", "later", 400, false),
            ("MalformedPolicyDocument", "no", 400, false),
            ("InternalFailure", "oops", 500, false),
        ] {
            let error = refused(code, message, status, is_asked_elsewhere);
            let transient = Transient::is_transient(&error);
            table.push_str(&format!(
                "{error}\n  transient: {transient}\n  {}\n",
                error.help
            ));
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn without_a_token_it_says_what_the_job_needs() {
        let of = |error: GetError| {
            let error = RoleError::no_token(&error);
            let marks = (Transient::is_transient(&error), Transient::wait(&error));
            (error.to_string(), error.help, marks)
        };
        let wait = Duration::from_secs(3);
        let (what, help, marks) = of(GetError::Status(403, None));
        assert!(
            what.contains("HTTP 403") && help.contains("id-token: write"),
            "{what}: {help}"
        );
        assert_eq!(marks, (false, None));
        let (_, help, marks) = of(GetError::Status(503, Some(wait)));
        assert!(help.contains("can be reached from this runner"), "{help}");
        assert_eq!(marks, (true, Some(wait)));
        let (_, help, marks) = of(GetError::NoAnswer("UnknownIssuer".to_owned()));
        assert!(help.contains("NODE_EXTRA_CA_CERTS"), "{help}");
        assert_eq!(marks, (false, None));
        let (_, help, marks) = of(GetError::NoAnswer("timed out".to_owned()));
        assert!(
            help.contains("can be reached from this runner") && marks.0,
            "{help}"
        );
    }

    #[test]
    fn what_nobody_answered_passes_unless_nobody_vouches_for_the_server() {
        let role: RoleArn = "arn:aws:iam::111122223333:role/r".parse().expect("an ARN");
        let of = |message: &str| {
            let error = SdkError::<StsError>::dispatch_failure(ConnectorError::io(message.into()));
            RoleError::refused(&role, &claims(), &error, false)
        };
        let lost = of("connection reset");
        assert!(
            lost.to_string()
                .contains("AWS STS did not answer (connection reset)")
        );
        assert!(lost.help.contains("can be reached") && Transient::is_transient(&lost));
        let untrusted = of("UnknownIssuer");
        assert!(untrusted.help.contains("NODE_EXTRA_CA_CERTS"));
        assert!(!Transient::is_transient(&untrusted));
        let garbled = SdkError::<StsError>::response_error(
            "no XML",
            HttpResponse::new(
                StatusCode::try_from(502).expect("a status"),
                SdkBody::empty(),
            ),
        );
        let garbled = RoleError::refused(&role, &claims(), &garbled, false);
        assert!(
            garbled.to_string().ends_with("AWS STS answered HTTP 502"),
            "{garbled}"
        );
        let late = <RoleError as Transient>::timed_out("assume the role", Duration::from_secs(2));
        assert!(
            late.to_string()
                .contains("for 2.0 s (tried to assume the role)"),
            "{late}"
        );
        assert!(Transient::is_transient(&late) && Transient::call(&late) == "assume the role");
        assert!(Transient::is_transient(&RoleError::unreadable(
            "it has no token"
        )));
    }

    #[test]
    fn another_issuer_and_several_audiences_are_shown_as_they_are() {
        assert_eq!(
            issuer(&Claims::default()),
            "token.actions.githubusercontent.com"
        );
        let https = Claims {
            iss: "https://".to_owned(),
            ..Claims::default()
        };
        assert_eq!(issuer(&https), "token.actions.githubusercontent.com");
        assert_eq!(shown(&"a".into()), "a");
        assert_eq!(shown(&serde_json::json!(["a", "b"])), r#"["a","b"]"#);
    }
}
