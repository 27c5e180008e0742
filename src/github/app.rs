//! A GitHub App's sign-in: an installation token that may manage runners in one place and nothing else, made when it is first
//! needed and revoked when the step is over.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::client::http::SharedHttpConnector;
use http::StatusCode;
use octocrab::Octocrab;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::operation::{INSTALLATION, MINT, MINT_FOR, REVOKE};
use super::{Caller, GithubError, answered, client};
use crate::credentials::app_key::AppKey;
use crate::credentials::mask::Mask;
use crate::values::run::WorkflowRun;
use crate::values::scope::Scope;

/// GitHub's installation tokens live for an hour; a start with a long timeout may need a second one.
const RENEW_AFTER: Duration = Duration::from_mins(45);
/// How long some of GitHub's servers may not know a new token yet, and answer 401.
const FRESH: Duration = Duration::from_secs(5);
/// After that nothing is left to revoke: a listener goes on for months.
const LIFETIME: Duration = Duration::from_hours(1);

// What is tried, in words: an error's message begins with them.

/// One App, speaking for one place.
pub(super) struct App {
    connector: SharedHttpConnector,
    api: http::Uri,
    key: AppKey,
    place: Installation,
    mask: Mask,
    tokens: Mutex<Vec<Token>>,
    /// The installation's number, where GitHub had to be asked for it.
    looked_up: OnceLock<u64>,
}

struct Token {
    client: Octocrab,
    made: Instant,
}

#[derive(Deserialize)]
struct InstallationId {
    id: u64,
}

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Runners, where they register.
    Runners,
    /// Workflow runs of the repository.
    Runs,
    /// Files of the repository.
    Files,
}

/// Where the App speaks, and what its token is limited to there.
pub(super) struct Installation {
    installation: String,
    limits: Limits,
}

#[derive(Serialize)]
struct Limits {
    #[serde(skip_serializing_if = "Option::is_none")]
    repositories: Option<[String; 1]>,
    permissions: BTreeMap<&'static str, &'static str>,
}

impl Installation {
    pub(super) fn of(run: &WorkflowRun, purpose: Purpose) -> Self {
        let (permissions, is_repository) = match (purpose, &run.scope) {
            (Purpose::Runs, _) => (&[("actions", "write"), ("checks", "read")][..], true),
            (Purpose::Files, _) => (&[("contents", "read")][..], true),
            (Purpose::Runners, Scope::Repository(_)) => (&[("administration", "write")][..], true),
            // This permission opens no repository, so that there is none to name.
            (Purpose::Runners, _) => (&[("organization_self_hosted_runners", "write")][..], false),
        };
        Self {
            installation: format!("/{}/installation", run.scope.path()),
            limits: Limits {
                repositories: is_repository.then(|| [run.repository.name().to_owned()]),
                permissions: permissions.iter().copied().collect(),
            },
        }
    }
}

#[derive(Deserialize)]
struct Minted {
    token: String,
}

#[cfg(test)]
pub(crate) fn fuzzed(body: &str) {
    let _ = serde_json::from_str::<InstallationId>(body);
    let _ = serde_json::from_str::<Minted>(body);
    super::groups::fuzzed(body);
}

impl App {
    pub(super) fn new(
        connector: SharedHttpConnector,
        api: http::Uri,
        key: AppKey,
        place: Installation,
        mask: Mask,
    ) -> Self {
        Self {
            connector,
            api,
            key,
            place,
            mask,
            tokens: Mutex::default(),
            looked_up: OnceLock::new(),
        }
    }

    pub(super) fn key(&self) -> &AppKey {
        &self.key
    }

    pub(super) fn looked_up(&self) -> Option<u64> {
        self.looked_up.get().copied()
    }

    /// What anybody may ask, and what costs no rate limit.
    pub(super) fn rate_limit(&self) -> Option<http::Uri> {
        let api = self.api.to_string();
        format!("{}/rate_limit", api.trim_end_matches('/'))
            .parse()
            .ok()
    }

    /// A client with a token that is still good. Whoever asks meanwhile waits for the same one.
    pub(super) async fn caller(&self) -> Result<Caller, GithubError> {
        let mut tokens = self.tokens.lock().await;
        if let Some(token) = tokens.last()
            && token.made.elapsed() < RENEW_AFTER
        {
            return Ok(Caller {
                client: token.client.clone(),
                has_fresh_token: token.made.elapsed() < FRESH,
            });
        }
        let token = self.mint().await?;
        (self.mask)(token.expose_secret());
        let client = client(self.connector.clone(), &self.api, token);
        tokens.retain(|token| token.made.elapsed() < LIFETIME);
        tokens.push(Token {
            client: client.clone(),
            made: Instant::now(),
        });
        Ok(Caller {
            client,
            has_fresh_token: true,
        })
    }

    async fn mint(&self) -> Result<SecretString, GithubError> {
        let jwt = self
            .key
            .jwt(SystemTime::now())
            .map_err(|why| GithubError::unreadable(INSTALLATION, why.to_owned()))?;
        (self.mask)(jwt.expose_secret());
        let app = client(self.connector.clone(), &self.api, jwt);
        let (id, operation) = match self.key.installation {
            Some(id) => (id, MINT_FOR),
            None => (self.look_up(&app).await?, MINT),
        };
        let path = format!("/app/installations/{id}/access_tokens");
        let minted = app.post(path, Some(&self.place.limits)).await;
        let Minted { token } = answered(operation, minted)?.json(operation, StatusCode::CREATED)?;
        Ok(token.into())
    }

    /// The installation in our place, which takes a round trip more.
    async fn look_up(&self, app: &Octocrab) -> Result<u64, GithubError> {
        let found = app.get(&self.place.installation, None::<&()>).await;
        let InstallationId { id } =
            answered(INSTALLATION, found)?.json(INSTALLATION, StatusCode::OK)?;
        let _ = self.looked_up.set(id);
        Ok(id)
    }

    /// Revokes every token that was made, one try each. What GitHub does not hear of ends by itself within the hour.
    pub(super) async fn sign_out(&self) -> Result<(), GithubError> {
        let tokens = std::mem::take(&mut *self.tokens.lock().await);
        for Token { client, .. } in tokens {
            let answer = client.delete("/installation/token", None::<&()>).await;
            answered(REVOKE, answer)?.expect(REVOKE, StatusCode::NO_CONTENT)?;
        }
        Ok(())
    }
}

/// The key and the tokens are not shown.
impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}
