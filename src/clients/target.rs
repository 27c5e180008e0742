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
