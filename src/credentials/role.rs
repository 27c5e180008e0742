//! An IAM role, taken with GitHub's OIDC token instead of a key.

use std::fmt;
use std::str::FromStr;

use secrecy::SecretString;

use crate::inputs::{InputError, Inputs};
use crate::values::account::AccountId;
use crate::values::run::WorkflowRun;

/// `arn:aws:iam::111122223333:role/sprinters-role`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RoleArn {
    text: String,
    pub partition: String,
    pub account: AccountId,
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl RoleArn {
    /// Whom AWS expects the token to be made for.
    pub(crate) fn audience(&self) -> &'static str {
        match self.partition.as_str() {
            "aws-cn" => "sts.amazonaws.com.cn",
            _ => "sts.amazonaws.com",
        }
    }
}

impl FromStr for RoleArn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let accepted =
            || "a role's ARN, such as `arn:aws:iam::111122223333:role/sprinters-role`".to_owned();
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let [arn, partition, service, region, account, role] = parts[..] else {
            return Err(accepted());
        };
        if role.starts_with("instance-profile/") || role.starts_with("user/") {
            return Err(format!(
                "{}; this one belongs to something else",
                accepted()
            ));
        }
        let is_name = |name: &str| {
            !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "+=,.@_-/".contains(c))
        };
        let is_partition = partition.starts_with("aws")
            && partition
                .chars()
                .all(|c| c.is_ascii_lowercase() || c == '-');
        if (arn, service, region) != ("arn", "iam", "")
            || !is_partition
            || !role.strip_prefix("role/").is_some_and(is_name)
        {
            return Err(accepted());
        }
        Ok(Self {
            text: text.to_owned(),
            partition: partition.to_owned(),
            account: account.parse()?,
        })
    }
}

/// The role, and where GitHub hands out this job's OIDC tokens.
#[derive(Clone, Debug)]
pub(crate) struct RoleSource {
    pub arn: RoleArn,
    pub token_url: http::Uri,
    pub request_token: SecretString,
    /// Stands in `CloudTrail` beside everything that is done with the role.
    pub session: String,
}

/// AWS takes at most so many characters.
const LONGEST_SESSION: usize = 64;

impl RoleSource {
    /// Reads `aws-role-arn`, and from the environment what GitHub gives to a job that may have OIDC tokens.
    pub(crate) fn parse(
        inputs: &Inputs,
        run: Option<&WorkflowRun>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, InputError> {
        const ROLE: &str = "aws-role-arn";
        let Some(text) = inputs.get(ROLE) else {
            return Ok(None);
        };
        let arn: RoleArn = text
            .parse()
            .map_err(|accepted: String| InputError::wrong(ROLE, text, &accepted))?;
        let keys = ["aws-access-key-id", "aws-secret-access-key"];
        if let Some(key) = keys.into_iter().find(|key| inputs.get(key).is_some()) {
            let why = format!("it is given beside `{key}`: leave one of them out");
            return Err(InputError::new(ROLE, &why));
        }
        let url = environment("ACTIONS_ID_TOKEN_REQUEST_URL");
        let (Some(url), Some(token)) = (url, environment("ACTIONS_ID_TOKEN_REQUEST_TOKEN")) else {
            return Err(InputError::new(
                ROLE,
                "GitHub offers this job no OIDC token to assume the role with: give the job `permissions: {id-token: write, \
                 contents: read}`. Workflows from forks never get one, and at a terminal there is none",
            ));
        };
        let separator = if url.contains('?') { '&' } else { '?' };
        let token_url = format!("{url}{separator}audience={}", arn.audience())
            .parse()
            .map_err(|_| {
                InputError::wrong(
                    "ACTIONS_ID_TOKEN_REQUEST_URL",
                    &url,
                    "a URL, as GitHub sets it",
                )
            })?;
        Ok(Some(Self {
            arn,
            token_url,
            request_token: token.into(),
            session: run.map_or_else(|| "sprinters".to_owned(), session),
        }))
    }
}

/// The run and its repository.
fn session(run: &WorkflowRun) -> String {
    let name = format!(
        "sprinters-{}-{}-{}",
        run.id,
        run.attempt,
        run.repository.name()
    );
    name.chars().take(LONGEST_SESSION).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_arns() {
        for text in [
            "arn:aws:iam::111122223333:role/sprinters-role",
            "arn:aws-cn:iam::111122223333:role/a/path/role",
            "arn:aws-us-gov:iam::111122223333:role/role+=,.@_-",
        ] {
            assert_eq!(
                text.parse::<RoleArn>()
                    .map(|arn| arn.to_string())
                    .as_deref(),
                Ok(text)
            );
        }
        for text in [
            "sprinters-role",
            "arn:aws:iam::1111:role/sprinters-role",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam::111122223333:user/octo",
            "arn:aws:iam::111122223333:instance-profile/octo",
            "arn:aws:sts::111122223333:assumed-role/role/session",
            "arn:aws:iam:eu-central-1:111122223333:role/role",
            "arn:aws:iam::111122223333:role/ro le",
        ] {
            assert!(text.parse::<RoleArn>().is_err(), "{text}");
        }
        let china: Result<RoleArn, _> = "arn:aws-cn:iam::111122223333:role/r".parse();
        assert_eq!(china.map(|arn| arn.audience()), Ok("sts.amazonaws.com.cn"));
    }

    #[test]
    fn the_arn_of_something_else_is_told_apart() {
        for (text, is_elsewhere) in [
            ("arn:aws:iam::111122223333:instance-profile/ci", true),
            ("arn:aws:iam::111122223333:user/ci", true),
            ("arn:aws:iam::111122223333:group/ci", false),
        ] {
            let why = text.parse::<RoleArn>().err().unwrap_or_default();
            assert_eq!(
                why.contains("belongs to something else"),
                is_elsewhere,
                "{text}: {why}"
            );
        }
    }
}
