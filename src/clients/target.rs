//! What every mode needs: an AWS region with credentials, a GitHub token, and the run it works for.

use secrecy::SecretString;

use crate::credentials::app_key::AppKey;
use crate::credentials::role::RoleSource;
use crate::credentials::{AccessKey, AwsCredentials, GithubCredentials};
use crate::http::extra_roots::ExtraRoots;
use crate::inputs::{InputError, Inputs, Mode, Problems};
use crate::values::account::AccountId;
use crate::values::per_region::{self, Regions};
use crate::values::repository::Repository;
use crate::values::run::{LOCAL, WorkflowRun};
use crate::values::scope::Scope;

/// Whom to talk to, and on whose behalf.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub regions: Regions,
    pub aws: AwsCredentials,
    pub github: GithubCredentials,
    /// `GITHUB_API_URL`: GitHub itself, an Enterprise Server, or a test's stand-in.
    pub github_api: http::Uri,
    /// Trusted beside the system's.
    pub extra_roots: ExtraRoots,
    pub run: WorkflowRun,
    /// The account that the credentials must be of, where `runner` names one.
    pub account: Option<AccountId>,
}

impl Target {
    /// Reads what all modes share.
    pub(crate) fn parse(
        mode: Mode,
        inputs: &Inputs,
        environment: impl Fn(&str) -> Option<String>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let in_workflow = environment("GITHUB_ACTIONS").as_deref() == Some("true");
        let regions = match inputs.get("aws-region") {
            Some(_) => problems.optional(inputs, "aws-region", |text| regions(mode, text)),
            None => problems.collect(Err(InputError::new(
                "aws-region",
                if in_workflow {
                    "it is empty; name the AWS region, such as `eu-central-1`"
                } else {
                    "it is empty; name the AWS region: `export AWS_REGION=eu-central-1`, or `--aws-region eu-central-1`"
                },
            ))),
        };
        let github = problems.collect(github_credentials(mode, inputs, in_workflow));
        let extra_roots = problems.collect(ExtraRoots::read(&environment));
        let github_api = problems.collect(github_api(&environment));
        let run = problems.collect(workflow_run(inputs, &environment));
        let aws = problems.collect(aws_credentials(inputs, run.as_ref(), &environment));
        Some(Self {
            regions: regions?,
            aws: aws?,
            github: github?,
            github_api: github_api?,
            extra_roots: extra_roots?,
            run: run?,
            account: inputs.account().cloned(),
        })
    }
}

fn regions(mode: Mode, text: &str) -> Result<Regions, String> {
    let regions = per_region::regions(text)?;
    if mode == Mode::Bake && regions.is_several() {
        return Err("one region: an image is made where it is to be used".to_owned());
    }
    Ok(regions)
}

fn aws_credentials(
    inputs: &Inputs,
    run: Option<&WorkflowRun>,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<AwsCredentials, InputError> {
    if let Some(role) = RoleSource::parse(inputs, run, environment)? {
        return Ok(AwsCredentials::Role(role));
    }
    Ok(access_key(inputs)?.map_or(AwsCredentials::Environment, AwsCredentials::Key))
}

fn access_key(inputs: &Inputs) -> Result<Option<AccessKey>, InputError> {
    let secret = |name| inputs.get(name).map(SecretString::from);
    let empty = |name: &str, other: &str| {
        Err(InputError::new(
            name,
            &format!(
                "it is empty while `{other}` is not; is the repository secret there? \
                 Workflows from forks and Dependabot do not get the repository's secrets"
            ),
        ))
    };
    match (
        inputs.get("aws-access-key-id"),
        secret("aws-secret-access-key"),
        secret("aws-session-token"),
    ) {
        (Some(id), Some(secret), session_token) => Ok(Some(AccessKey {
            id: id.to_owned(),
            secret,
            session_token,
        })),
        (Some(_), None, _) => empty("aws-secret-access-key", "aws-access-key-id"),
        (None, Some(_), _) => empty("aws-access-key-id", "aws-secret-access-key"),
        (None, None, Some(_)) => empty("aws-access-key-id", "aws-session-token"),
        (None, None, None) => Ok(None),
    }
}

fn github_credentials(
    mode: Mode,
    inputs: &Inputs,
    in_workflow: bool,
) -> Result<GithubCredentials, InputError> {
    let Some(app) = AppKey::parse(inputs)? else {
        return github_token(mode, inputs, in_workflow).map(GithubCredentials::Token);
    };
    if inputs.get("github-token").is_some() {
        let why = "it is given beside `github-app-id`: leave one of them out";
        return Err(InputError::new("github-token", why));
    }
    match inputs.get("scope") {
        Some(scope) if scope.starts_with("enterprise") => {
            let why = "`repo` or `org` with a GitHub App: an enterprise's runners need a classic token, as `github-token`";
            Err(InputError::wrong("scope", scope, why))
        }
        _ => Ok(GithubCredentials::App(app)),
    }
}

fn github_token(
    mode: Mode,
    inputs: &Inputs,
    in_workflow: bool,
) -> Result<SecretString, InputError> {
    let token = inputs.get("github-token").ok_or_else(|| {
        let why = match mode {
            Mode::Rerun if !in_workflow => {
                "it is empty; `export SPRINTERS_TOKEN=github_pat_…`, a fine-grained token with the repository permission \
                 `Actions: write`"
            }
            _ if !in_workflow => {
                "it is empty; `export SPRINTERS_TOKEN=github_pat_…`, a fine-grained token with the repository permission \
                 `Administration: write`, or sign in with `--github-app-id`"
            }
            Mode::Rerun => {
                "it is empty; give the job `permissions: {actions: write, checks: read}` and pass its own token, \
                 `${{ github.token }}`"
            }
            _ => {
                "it is empty; put a fine-grained token with the repository permission `Administration: write` into a \
                 repository secret and pass that, such as `${{ secrets.SPRINTERS_TOKEN }}`, or sign in with \
                 `github-app-id`. Workflows from forks and Dependabot do not get the repository's secrets: with `fallback`, \
                 their jobs run elsewhere"
            }
        };
        InputError::new("github-token", why)
    })?;
    // Anything else could not stand in a header, and is most likely a file pasted by mistake.
    if token.chars().all(|c| c.is_ascii_graphic()) {
        Ok(token.into())
    } else {
        Err(InputError::new(
            "github-token",
            "it has characters that no GitHub token has; is it the right secret?",
        ))
    }
}

pub(crate) fn github_api(
    environment: impl Fn(&str) -> Option<String>,
) -> Result<http::Uri, InputError> {
    let url = environment("GITHUB_API_URL").unwrap_or_else(|| "https://api.github.com".to_owned());
    let parsed: Option<http::Uri> = url.parse().ok();
    parsed
        .filter(|uri| {
            matches!(uri.scheme_str(), Some("http" | "https")) && uri.authority().is_some()
        })
        .ok_or_else(|| InputError::wrong("GITHUB_API_URL", &url, "the URL of GitHub's REST API"))
}

pub(crate) fn workflow_run(
    inputs: &Inputs,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<WorkflowRun, InputError> {
    let text = environment("GITHUB_REPOSITORY").ok_or_else(|| {
        let why = "it is not set; GitHub sets it in a workflow, at a terminal you do: `export GITHUB_REPOSITORY=owner/name`";
        InputError::new("GITHUB_REPOSITORY", why)
    })?;
    let repository: Repository = text
        .parse()
        .map_err(|accepted: String| InputError::wrong("GITHUB_REPOSITORY", &text, &accepted))?;
    let numbered = |name: &str, fallback: &str| match environment(name) {
        None => Ok(fallback.to_owned()),
        Some(number)
            if (1..=20).contains(&number.len()) && number.chars().all(|c| c.is_ascii_digit()) =>
        {
            Ok(number)
        }
        Some(other) => Err(InputError::wrong(
            name,
            &other,
            "a number, as GitHub sets it",
        )),
    };
    Ok(WorkflowRun {
        scope: scope(inputs, &repository)?,
        repository,
        id: numbered("GITHUB_RUN_ID", LOCAL)?,
        attempt: numbered("GITHUB_RUN_ATTEMPT", "1")?,
        job: environment("GITHUB_JOB").unwrap_or_else(|| LOCAL.to_owned()),
        // Servers that do not know `job.check_run_id` yet make an empty text of it; whatever else it is, it only helps.
        job_id: environment("SPRINTERS_JOB_ID").and_then(|id| id.parse().ok()),
    })
}

/// Without the input, runners register at the repository.
fn scope(inputs: &Inputs, repository: &Repository) -> Result<Scope, InputError> {
    match inputs.get("scope") {
        None => Ok(Scope::Repository(repository.clone())),
        Some(text) => Scope::parse(text, repository)
            .map_err(|accepted| InputError::wrong("scope", text, &accepted)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;
    use std::collections::BTreeMap;

    /// What a workflow step has; an empty text takes a variable away.
    fn environment(others: &[(&str, &str)], name: &str) -> Option<String> {
        let other = others.iter().find(|(other, _)| *other == name);
        match (other, name) {
            (Some((_, value)), _) => (!value.is_empty()).then(|| (*value).to_owned()),
            (None, "GITHUB_ACTIONS") => Some("true".to_owned()),
            (None, "GITHUB_REPOSITORY") => Some("octo/app".to_owned()),
            (None, "GITHUB_RUN_ID") => Some("42".to_owned()),
            (None, "GITHUB_RUN_ATTEMPT") => Some("2".to_owned()),
            (None, "GITHUB_JOB") => Some("start".to_owned()),
            (None, "SPRINTERS_JOB_ID") => Some("77".to_owned()),
            _ => None,
        }
    }

    fn target(
        mode: Mode,
        others: &[(&str, &str)],
        inputs: &[(&str, &str)],
    ) -> Result<Target, String> {
        let given: BTreeMap<_, _> = [
            ("aws-region", "us-east-1"),
            ("github-token", "github_pat_1"),
        ]
        .into_iter()
        .chain(inputs.iter().copied())
        .collect();
        let json = serde_json::to_string(&given).unwrap_or_default();
        let (_, inputs) = Inputs::gather(BTreeMap::new(), Some(&json), |_| None)
            .unwrap_or_else(|error| unreachable!("{error}"));
        let mut problems = Problems::default();
        let target = Target::parse(
            mode,
            &inputs,
            |name| environment(others, name),
            &mut problems,
        );
        let wrong: Vec<String> = problems
            .into_errors()
            .iter()
            .map(ToString::to_string)
            .collect();
        target.ok_or_else(|| wrong.join("; "))
    }

    fn start(others: &[(&str, &str)], inputs: &[(&str, &str)]) -> Result<Target, String> {
        target(Mode::Start, others, inputs)
    }

    #[test]
    fn a_step_says_which_run_it_is_of() {
        let run = start(&[], &[]).map(|target| target.run);
        let run = run.unwrap_or_else(|wrong| unreachable!("{wrong}"));
        assert_eq!(
            (run.id.as_str(), run.attempt.as_str(), run.job.as_str()),
            ("42", "2", "start")
        );
        assert_eq!(
            (run.job_id, run.scope.path().as_str()),
            (Some(77), "repos/octo/app")
        );
        let by_hand = [
            ("GITHUB_ACTIONS", ""),
            ("GITHUB_RUN_ID", ""),
            ("GITHUB_RUN_ATTEMPT", ""),
            ("GITHUB_JOB", ""),
            ("SPRINTERS_JOB_ID", ""),
        ];
        let run = start(&by_hand, &[("scope", "org")]).map(|target| target.run);
        let run = run.unwrap_or_else(|wrong| unreachable!("{wrong}"));
        assert_eq!(
            (run.id.as_str(), run.attempt.as_str(), run.job.as_str()),
            (LOCAL, "1", LOCAL)
        );
        assert_eq!((run.job_id, run.scope.path().as_str()), (None, "orgs/octo"));
    }

    #[test]
    fn variables_that_cannot_be_github_s_are_refused() {
        for (name, value, why) in [
            ("GITHUB_REPOSITORY", "", "it is not set"),
            ("GITHUB_REPOSITORY", "octo", "`owner/name`"),
            ("GITHUB_RUN_ID", "4 2", "a number"),
            ("GITHUB_RUN_ID", "123456789012345678901", "a number"),
            ("GITHUB_RUN_ATTEMPT", "-1", "a number"),
            ("GITHUB_API_URL", "api.github.com", "REST API"),
            ("GITHUB_API_URL", "ftp://api.github.com", "REST API"),
            ("GITHUB_API_URL", "/api/v3", "REST API"),
        ] {
            let wrong = start(&[(name, value)], &[]).err().unwrap_or_default();
            assert!(
                wrong.contains(name) && wrong.contains(why),
                "{name}={value}: {wrong}"
            );
        }
        let longest = start(&[("GITHUB_RUN_ID", "12345678901234567890")], &[]);
        assert!(longest.is_ok());
        let api = |others| start(others, &[]).map(|target| target.github_api.to_string());
        assert_eq!(api(&[]).as_deref(), Ok("https://api.github.com/"));
        assert_eq!(
            api(&[("GITHUB_API_URL", "http://127.0.0.1:8080/api/v3")]).as_deref(),
            Ok("http://127.0.0.1:8080/api/v3")
        );
    }

    #[test]
    fn a_region_is_needed_and_a_bake_takes_one() {
        let without = |others| {
            start(others, &[("aws-region", "")])
                .err()
                .unwrap_or_default()
        };
        assert!(without(&[]).ends_with("such as `eu-central-1`"));
        assert!(without(&[("GITHUB_ACTIONS", "")]).contains("`export AWS_REGION=eu-central-1`"));
        let several = [("aws-region", "us-east-1, us-west-2")];
        assert!(start(&[], &several).is_ok_and(|target| target.regions.is_several()));
        let bake = |inputs| target(Mode::Bake, &[], inputs);
        assert!(bake(&several).is_err_and(|why| why.contains("an image is made where")));
        assert!(bake(&[]).is_ok());
    }

    #[test]
    fn half_an_access_key_is_none() {
        let id = ("aws-access-key-id", "AKIA1");
        let secret = ("aws-secret-access-key", "hush");
        let session = ("aws-session-token", "brief");
        assert!(
            start(&[], &[]).is_ok_and(|target| matches!(target.aws, AwsCredentials::Environment))
        );
        let key = start(&[], &[id, secret, session]).map(|target| target.aws);
        let Ok(AwsCredentials::Key(key)) = key else {
            unreachable!("{key:?}")
        };
        assert_eq!(
            (key.id.as_str(), key.secret.expose_secret()),
            ("AKIA1", "hush")
        );
        assert_eq!(
            key.session_token.as_ref().map(ExposeSecret::expose_secret),
            Some("brief")
        );
        for (inputs, empty, other) in [
            (&[id][..], "aws-secret-access-key", "aws-access-key-id"),
            (&[secret], "aws-access-key-id", "aws-secret-access-key"),
            (&[session], "aws-access-key-id", "aws-session-token"),
        ] {
            let wrong = start(&[], inputs).err().unwrap_or_default();
            assert!(
                wrong.contains(&format!("`{empty}`: it is empty while `{other}` is not")),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_role_needs_a_token_of_the_job() {
        let role = ("aws-role-arn", "arn:aws:iam::111122223333:role/ci");
        let offered = [
            (
                "ACTIONS_ID_TOKEN_REQUEST_URL",
                "https://oidc.example/token?x=1",
            ),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "hush"),
        ];
        let taken = start(&offered, &[role]).map(|target| target.aws);
        let Ok(AwsCredentials::Role(source)) = taken else {
            unreachable!("{taken:?}")
        };
        assert_eq!(
            source.token_url,
            "https://oidc.example/token?x=1&audience=sts.amazonaws.com"
        );
        assert_eq!(source.session, "sprinters-42-2-app");
        let bare = [
            ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://oidc.example/token"),
            offered[1],
        ];
        let taken = start(&bare, &[role]).map(|target| target.aws);
        assert!(matches!(taken, Ok(AwsCredentials::Role(source))
            if source.token_url == "https://oidc.example/token?audience=sts.amazonaws.com"));
        for others in [&[][..], &offered[..1], &offered[1..]] {
            let wrong = start(others, &[role]).err().unwrap_or_default();
            assert!(wrong.contains("id-token: write"), "{wrong}");
        }
        let both = [role, ("aws-access-key-id", "AKIA1")];
        let wrong = start(&offered, &both).err().unwrap_or_default();
        assert!(wrong.contains("beside `aws-access-key-id`"), "{wrong}");
        let odd = [("ACTIONS_ID_TOKEN_REQUEST_URL", "no url"), offered[1]];
        let wrong = start(&odd, &[role]).err().unwrap_or_default();
        assert!(wrong.contains("ACTIONS_ID_TOKEN_REQUEST_URL"), "{wrong}");
    }

    #[test]
    fn a_token_that_is_missing_is_asked_for_as_the_place_needs_it() {
        let none = [("github-token", "")];
        let by_hand = [("GITHUB_ACTIONS", "")];
        for (mode, others, why) in [
            (Mode::Start, &[][..], "secrets.SPRINTERS_TOKEN"),
            (Mode::Rerun, &[], "github.token"),
            (Mode::Start, &by_hand, "--github-app-id"),
            (Mode::Rerun, &by_hand, "`Actions: write`"),
        ] {
            let wrong = target(mode, others, &none).err().unwrap_or_default();
            assert!(wrong.contains(why), "{wrong}");
        }
        let pasted = start(&[], &[("github-token", "a file\nof lines")]);
        assert!(
            pasted
                .is_err_and(|why| why.contains("no GitHub token has") && !why.contains("of lines"))
        );
    }
}
