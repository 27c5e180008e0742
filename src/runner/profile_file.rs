//! Where `.github/sprinters.yml` is read: in a workflow at the run's own commit, at a terminal in the current folder.
//!
//! What lies in a workspace may be older than the run, or another branch's: a machine that keeps its workspace must not decide
//! which script runs as root. `profiles: workspace` asks for that file all the same. GitHub's contents API takes the job's own
//! token, which reads the repository unless its workflow says otherwise, so that `github-token` needs no permission for it.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use crate::clients::{JOB_TOKEN, target};
use crate::credentials::GithubCredentials;
use crate::credentials::app_key::AppKey;
use crate::error::{Exit, Failure};
use crate::github::{Github, GithubError, Purpose, READ_FILE};
use crate::http::extra_roots::ExtraRoots;
use crate::inputs::{InputError, Inputs, Problems};
use crate::platform::clock::timeout;
use crate::platform::files;
use crate::report::Reporter;
use crate::retry::{self, Deadline};
use crate::runner::profile::FILE;

const PATIENCE: Duration = Duration::from_secs(20);
/// How long an App's sign-out may take; its token ends by itself within the hour.
const SIGN_OUT: Duration = Duration::from_secs(3);

/// The file's text.
pub(crate) async fn read(
    inputs: &Inputs,
    environment: impl Fn(&str) -> Option<String>,
    report: &Arc<Reporter>,
) -> Result<String, Failure> {
    let origin = origin(inputs, &environment).map_err(|error| Failure::inputs(&[error]))?;
    let workspace = environment("GITHUB_WORKSPACE").unwrap_or_else(|| ".".to_owned());
    let (text, from) = match origin {
        Origin::Commit => fetch(inputs, &environment, report).await?,
        Origin::Workspace => match files::read_below(Path::new(&workspace), FILE) {
            Ok(text) => (text, "the workspace".to_owned()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fetch(inputs, &environment, report).await?
            }
            Err(error) => {
                let why = format!("it cannot be read: {error}");
                return Err(Failure::inputs(&[InputError::new(FILE, &why)]));
            }
        },
    };
    report.line(format_args!(
        "· {FILE} from {from}, SHA-256 {}",
        digest(&text)
    ));
    Ok(text)
}

/// Which of the two files counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Commit,
    Workspace,
}

fn origin(
    inputs: &Inputs,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Origin, InputError> {
    match inputs.get("profiles") {
        Some("workspace") => Ok(Origin::Workspace),
        Some("commit") => Ok(Origin::Commit),
        Some(other) => Err(InputError::wrong(
            "profiles",
            other,
            "`commit` or `workspace`",
        )),
        // Only a workflow has a commit of its own.
        None => Ok(match environment("GITHUB_SHA") {
            Some(_) => Origin::Commit,
            None => Origin::Workspace,
        }),
    }
}

/// The beginning of its SHA-256, enough to tell one version from another.
fn digest(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let bytes = digest.as_ref().iter().take(6);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// From GitHub, with the job's own token, else with ours or our App's.
async fn fetch(
    inputs: &Inputs,
    environment: impl Fn(&str) -> Option<String>,
    report: &Arc<Reporter>,
) -> Result<(String, String), Failure> {
    let mut problems = Problems::default();
    let api = problems.collect(target::github_api(&environment));
    let run = problems.collect(target::workflow_run(inputs, &environment));
    let extra_roots = problems.collect(ExtraRoots::read(&environment));
    let app = problems.collect(AppKey::parse(inputs));
    let (Some(api), Some(run), Some(extra_roots), Some(app)) = (api, run, extra_roots, app) else {
        return Err(Failure::inputs(&problems.located(inputs)));
    };
    let commit = environment("GITHUB_SHA").filter(|sha| sha.chars().all(|c| c.is_ascii_hexdigit()));
    let own = environment(JOB_TOKEN).inspect(|token| report.mask(token));
    let deadline = Deadline::after(PATIENCE);
    let connector = crate::http::connector(extra_roots, crate::http::READ_TIMEOUT);
    let mut refused = None;
    let mask = {
        let report = report.clone();
        Arc::new(move |secret: &str| report.mask(secret))
    };
    for credentials in credentials(own, inputs.get("github-token"), app) {
        let (connector, mask) = (connector.clone(), mask.clone());
        let github = Github::new(connector, &api, credentials, &run, Purpose::Files, mask);
        let answer = retry::until(READ_FILE, deadline, || github.file(FILE, commit.as_deref()));
        let answer = answer.await;
        // Of a token that is left, nobody needs to hear: it reads files alone.
        let _ = timeout(SIGN_OUT, github.sign_out()).await;
        match answer {
            Ok(text) => {
                let at = commit.map_or_else(String::new, |commit| format!(" at `{commit}`"));
                return Ok((text, format!("{} on GitHub{at}", run.repository)));
            }
            Err(error) if is_refusal(&error) => refused = Some(error),
            Err(error) => {
                let help = error.remedy(&run.scope);
                return Err(Failure::new(error.to_string(), help));
            }
        }
    }
    Err(not_found(
        &run.repository.to_string(),
        commit.as_deref(),
        refused,
    ))
}

/// Whom to ask as, one after another.
fn credentials(
    own: Option<String>,
    given: Option<&str>,
    app: Option<AppKey>,
) -> impl Iterator<Item = GithubCredentials> {
    let tokens = own.into_iter().chain(given.map(str::to_owned));
    tokens
        .map(|token| GithubCredentials::Token(SecretString::from(token.trim())))
        .chain(app.map(GithubCredentials::App))
}

/// Whether another token may see more. GitHub answers 404 for what a token may not know of, and 422 where an App may not read
/// files.
fn is_refusal(error: &GithubError) -> bool {
    error
        .status()
        .is_some_and(|status| matches!(status.as_u16(), 401 | 403 | 404 | 422))
}

fn not_found(repository: &str, commit: Option<&str>, refused: Option<GithubError>) -> Failure {
    let at = commit.map_or_else(String::new, |commit| format!(" at `{commit}`"));
    let why = refused.map_or_else(
        || "there is no token to ask GitHub with".to_owned(),
        |error| format!("of `{repository}`{at}, {error}"),
    );
    Failure {
        exit: Exit::WrongInput,
        place: None,
        ladder: Vec::new(),
        what: format!("`{FILE}` was not found; {why}"),
        help: vec![
            format!("commit `{FILE}`, or pass a label such as `sprinters:aws:eu-central-1:m7i.large` as `runner`"),
            if commit.is_some() {
                "if it is there: give the job `permissions: contents: read`, or put `actions/checkout` before this step and \
                 set `profiles: workspace`"
            } else {
                "if it is there: give the token, or the App, the repository permission `Contents: Read`, or run this in a \
                 folder with a checkout"
            }
            .to_owned(),
        ],
    }
}
