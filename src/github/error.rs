//! What GitHub refuses, and what that means.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

use super::kind::{self, Kind};
use super::operation::{INSTALLATION, MINT, MINT_FOR, is_about_runs, is_sign_in};
use crate::http::cause::{Unanswered, shortened};
use crate::http::extra_roots;
use crate::http::headers::Headers;
use crate::retry::Transient;
use crate::values::scope::Scope;

/// A call to GitHub that failed.
#[derive(Debug)]
pub(crate) struct GithubError {
    /// What was tried, in words: `create a just-in-time runner`.
    pub operation: &'static str,
    pub kind: Kind,
    /// GitHub's own message, or the connection's.
    pub message: String,
    /// How long GitHub asked to wait.
    pub wait: Option<Duration>,
}

impl GithubError {
    /// From a response that is not a success.
    pub(crate) fn refused(
        operation: &'static str,
        status: StatusCode,
        headers: &HeaderMap,
        message: &str,
    ) -> Self {
        // Not followed: the token is for GitHub alone.
        let elsewhere = headers.text("location").filter(|_| status.is_redirection());
        let message = match elsewhere {
            Some(location) => shortened(&format!("redirect to {location}")),
            None if message.is_empty() => {
                status.canonical_reason().unwrap_or("no message").to_owned()
            }
            None => shortened(message),
        };
        Self {
            operation,
            kind: Kind::refused(status, headers, &message),
            message,
            wait: kind::wait(headers),
        }
    }

    /// The same refusal, of a token that GitHub has only just made.
    pub(super) fn of_fresh_token(self) -> Self {
        Self {
            kind: Kind::FreshToken,
            ..self
        }
    }

    /// From an exchange that broke off.
    pub(crate) fn unanswered(operation: &'static str, cause: Unanswered) -> Self {
        Self {
            operation,
            kind: Kind::unanswered(&cause),
            message: cause.message,
            wait: None,
        }
    }

    /// A success by its status, but not the one that the API describes: some proxy or portal has answered.
    pub(crate) fn unexpected(operation: &'static str, status: StatusCode) -> Self {
        Self::unreadable(operation, format!("HTTP {}", status.as_u16()))
    }

    /// A 404 about a record that GitHub lists.
    pub(crate) fn contradicted(operation: &'static str) -> Self {
        let why = "GitHub answered 404, and lists the record all the same";
        Self::unreadable(operation, why.to_owned())
    }

    pub(crate) fn unreadable(operation: &'static str, message: String) -> Self {
        Self {
            operation,
            kind: Kind::Unreadable,
            message,
            wait: None,
        }
    }

    pub(crate) fn status(&self) -> Option<StatusCode> {
        self.kind.status()
    }

    /// Whether the call may have been carried out although it failed: then what it made must be looked for.
    pub(crate) fn may_have_acted(&self) -> bool {
        !is_sign_in(self.operation) && self.kind.may_have_acted(&self.message)
    }

    /// Whether GitHub may still be at it: nothing has been heard.
    pub(crate) fn may_be_acting(&self) -> bool {
        self.kind == Kind::NoAnswer && self.may_have_acted()
    }

    /// Whether the same call may succeed a little later.
    pub(crate) fn is_transient(&self) -> bool {
        self.kind.is_transient(&self.message)
    }

    /// Whether GitHub refused because too much was asked at once.
    pub(crate) fn is_throttle(&self) -> bool {
        self.kind == Kind::SlowDown
    }

    /// What the person who reads the log can do about it.
    pub(crate) fn remedy(&self, scope: &Scope) -> String {
        match self.kind {
            Kind::NoAnswer | Kind::NotSent => extra_roots::remedy(&self.message)
                .unwrap_or("check that GITHUB_API_URL can be reached from this runner, and run the job again")
                .to_owned(),
            Kind::SlowDown => {
                let later = match self.wait {
                    Some(wait) => format!("in {} min", wait.as_secs().div_ceil(60)),
                    None => "later".to_owned(),
                };
                format!("the token's rate limit is used up; run the job again {later}, or with another token")
            }
            Kind::FreshToken => "GitHub does not know the App's new token yet; run the job again".to_owned(),
            Kind::Unreadable => "check that GITHUB_API_URL is GitHub's REST API and that no proxy changes its answers".to_owned(),
            Kind::Status(status) => self.remedy_for(status, scope),
        }
    }

    fn remedy_for(&self, status: StatusCode, scope: &Scope) -> String {
        if is_about_runs(self.operation) && matches!(status.as_u16(), 403 | 404) {
            return remedy_for_runs(&self.message);
        }
        let permission = scope.permission();
        if let Some(remedy) = self.remedy_for_app(status, scope) {
            return remedy;
        }
        if self.message.contains("not accessible by integration") {
            return format!(
                "the workflow's own GITHUB_TOKEN cannot manage runners: it has no administration scope. Make a token for \
                 {scope} with {permission} and pass it as `github-token`"
            );
        }
        match status.as_u16() {
            401 => "`github-token` is wrong, expired or revoked: make a new one and update the repository secret".to_owned(),
            403 => format!("give the token {permission} for {scope}"),
            404 => unseen(scope),
            301 | 302 | 307 | 308 => format!(
                "GitHub redirects where a repository or its owner has another name now: check the names. If {scope} still has its \
                 own, check GITHUB_API_URL and that no proxy or portal answers in GitHub's place"
            ),
            422 => "GitHub refused a value of the request; its message above says which".to_owned(),
            500..=599 => "GitHub has a problem (see https://www.githubstatus.com); run the job again".to_owned(),
            _ => "see GitHub's message above".to_owned(),
        }
    }
}

impl GithubError {
    /// What concerns the App rather than its token.
    fn remedy_for_app(&self, status: StatusCode, scope: &Scope) -> Option<String> {
        let permission = scope.permission();
        match (self.operation, status.as_u16()) {
            (INSTALLATION | MINT | MINT_FOR, 401) => Some(
                "`github-app-private-key` is not a key of the App that `github-app-id` names (any more), or this machine's clock \
                 is wrong: GitHub's message says which"
                    .to_owned(),
            ),
            (INSTALLATION, 404) => Some(match scope {
                Scope::Repository(_) => format!(
                    "install the App for {scope}: in the App's settings, *Install App*, then *Only select repositories*"
                ),
                _ => format!("install the App in {scope}: in the App's settings, *Install App*"),
            }),
            (MINT_FOR, 404 | 422) => Some(format!(
                "leave `github-app-installation-id` out: then the log tells the number of the App's installation in {scope}. If it is \
                 this one, give the App {permission} (its settings, *Permissions & events*), and have an owner accept that"
            )),
            (MINT | MINT_FOR, 403 | 404) => Some(format!(
                "the App's installation in {scope} is suspended or was just removed: see the installation's settings"
            )),
            (MINT, 422) => Some(format!(
                "give the App {permission} (its settings, *Permissions & events*); then an owner must accept that in the \
                 installation's settings"
            )),
            _ => None,
        }
    }
}

/// GitHub says 404 of what a token may not see, as it does of what does not exist.
fn unseen(scope: &Scope) -> String {
    let permission = scope.permission();
    match scope {
        Scope::Repository(_) => format!(
            "the token cannot see {scope}: give it access to this repository, with {permission}"
        ),
        Scope::Organization(_) => format!(
            "the token cannot see {scope}, or the `runner-group` does not exist, or the owner is a person (use `scope: repo` \
             then): make a token whose resource owner is the organization, with {permission}"
        ),
        Scope::Enterprise(_) => format!(
            "the token cannot see {scope}, or the `runner-group` does not exist: check the slug, and pass a token with \
             {permission}"
        ),
    }
}

impl Transient for GithubError {
    fn timed_out(call: &'static str, within: Duration) -> Self {
        let message = format!("waited {:.1} s", within.as_secs_f64());
        Self::unanswered(call, Unanswered::sent(message))
    }

    fn call(&self) -> &'static str {
        self.operation
    }

    fn is_transient(&self) -> bool {
        Self::is_transient(self)
    }

    fn wait(&self) -> Option<Duration> {
        self.wait
    }
}

impl fmt::Display for GithubError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation, message, ..
        } = self;
        match self.kind {
            Kind::NoAnswer => write!(
                f,
                "could not {operation}: GitHub did not answer ({message})"
            ),
            Kind::NotSent => write!(
                f,
                "could not {operation}: GitHub could not be reached ({message})"
            ),
            Kind::SlowDown => write!(
                f,
                "could not {operation}: GitHub asks to slow down (`{message}`)"
            ),
            Kind::FreshToken => write!(
                f,
                "could not {operation}: GitHub answered 401 `{message}` to a new token"
            ),
            Kind::Unreadable => write!(
                f,
                "could not {operation}: GitHub's answer is unreadable ({message})"
            ),
            Kind::Status(status) => {
                write!(
                    f,
                    "could not {operation}: GitHub answered {} `{message}`",
                    status.as_u16()
                )
            }
        }
    }
}

impl std::error::Error for GithubError {}

/// What to do about a refusal that concerns runs.
fn remedy_for_runs(message: &str) -> String {
    let token = "give the job `permissions: {actions: write, checks: read}` and pass `github-token: ${{ github.token }}`; an App of your \
         own needs the repository permissions `Actions: Read and write` and `Checks: Read-only`";
    if message.contains("not accessible") {
        token.to_owned()
    } else if message.contains("cannot be") {
        // `This workflow run cannot be retried`: older than 30 days, or its logs are gone.
        "start the workflow again: GitHub no longer re-runs this run".to_owned()
    } else {
        format!("check that it is a run of this repository. If it is: {token}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::operation::{CANCEL, CREATE, LIST, RERUN};
    use super::*;
    use crate::values::repository::Repository;

    fn refused(
        status: u16,
        headers: &[(&'static str, &'static str)],
        message: &str,
    ) -> GithubError {
        let headers = headers
            .iter()
            .map(|(name, value)| {
                (
                    http::HeaderName::from_static(name),
                    http::HeaderValue::from_static(value),
                )
            })
            .collect();
        GithubError::refused(
            "list runners",
            StatusCode::from_u16(status).unwrap_or_default(),
            &headers,
            message,
        )
    }

    #[test]
    fn the_two_meanings_of_403() {
        let no_right = refused(
            403,
            &[("x-ratelimit-remaining", "4999")],
            "Resource not accessible by personal access token",
        );
        assert_eq!(no_right.status(), Some(StatusCode::FORBIDDEN));
        let slow = refused(
            403,
            &[("retry-after", "7")],
            "You have exceeded a secondary rate limit.",
        );
        assert_eq!(slow.wait, Some(Duration::from_secs(7)));
        assert!(slow.is_transient() && !slow.may_have_acted());
    }

    #[test]
    fn a_call_whose_sign_in_failed_has_made_nothing() {
        let failed = |operation| GithubError::unexpected(operation, StatusCode::ACCEPTED);
        assert!(failed(CREATE).may_have_acted());
        for sign_in in [INSTALLATION, MINT, MINT_FOR] {
            assert!(!failed(sign_in).may_have_acted() && failed(sign_in).is_transient());
        }
    }

    #[test]
    fn a_401_passes_while_the_token_is_fresh() {
        let refused = || refused(401, &[], "Bad credentials");
        let early = refused().of_fresh_token();
        assert!(early.is_transient() && !early.may_have_acted());
        assert!(!refused().is_transient());
    }

    #[test]
    fn a_redirect_says_where_to() {
        let moved = refused(301, &[("location", "https://api.github.com/x")], "");
        assert_eq!(
            moved.to_string(),
            "could not list runners: GitHub answered 301 `redirect to https://api.github.com/x`"
        );
        assert!(!moved.is_transient() && !moved.may_have_acted());
    }

    #[test]
    fn the_workflow_token_is_explained() {
        let error = refused(403, &[], "Resource not accessible by integration");
        assert!(
            error
                .remedy(&Scope::Organization("o".to_owned()))
                .contains("GITHUB_TOKEN cannot manage runners")
        );
    }

    #[test]
    fn a_server_error_may_have_acted() {
        let error = refused(502, &[], "");
        assert_eq!(
            error.to_string(),
            "could not list runners: GitHub answered 502 `Bad Gateway`"
        );
        assert!(error.may_have_acted());
    }

    #[test]
    fn each_refusal_has_a_remedy() {
        let repository: Repository = "octo/app".parse().unwrap_or_else(|e| unreachable!("{e}"));
        let scopes = [
            Scope::Repository(repository),
            Scope::Organization("octo".to_owned()),
            Scope::Enterprise("acme".to_owned()),
        ];
        let mut table = String::new();
        let mut tell = |operation: &'static str, status: u16, message: &str, scopes: &[Scope]| {
            for scope in scopes {
                let status = StatusCode::from_u16(status).unwrap_or_default();
                let error = GithubError::refused(operation, status, &HeaderMap::new(), message);
                let marks = (
                    error.is_transient(),
                    error.may_have_acted(),
                    error.is_throttle(),
                );
                table.push_str(&format!("{error} {marks:?}\n  {}\n", error.remedy(scope)));
            }
        };
        for status in [403, 404] {
            tell(LIST, status, "no", &scopes);
        }
        for status in [401, 301, 308, 422, 429, 500, 599, 418] {
            tell(LIST, status, "", &scopes[..1]);
        }
        tell(
            LIST,
            403,
            "Resource not accessible by integration",
            &scopes[..1],
        );
        tell(INSTALLATION, 404, "no", &scopes);
        for status in [401, 403, 404, 422, 500] {
            tell(MINT, status, "no", &scopes[1..2]);
        }
        tell(INSTALLATION, 401, "no", &scopes[..1]);
        tell(
            RERUN,
            403,
            "Resource not accessible by integration",
            &scopes[..1],
        );
        tell(
            RERUN,
            403,
            "This workflow run cannot be retried",
            &scopes[..1],
        );
        tell(CANCEL, 404, "Not Found", &scopes[..1]);
        tell(RERUN, 500, "", &scopes[..1]);
        insta::assert_snapshot!(table);
    }

    #[test]
    fn what_is_no_refusal_has_a_remedy() {
        let scope = Scope::Organization("octo".to_owned());
        let of = |message: &str, was_sent| {
            let message = message.to_owned();
            GithubError::unanswered(LIST, Unanswered { message, was_sent })
        };
        let slow = |wait| GithubError {
            wait,
            ..refused(429, &[], "too much")
        };
        let untrusted = "invalid peer certificate: UnknownIssuer";
        let mut table = String::new();
        for error in [
            of("timed out", true),
            of("refused", false),
            of(untrusted, true),
            of(untrusted, false),
            slow(None),
            slow(Some(Duration::from_secs(61))),
            refused(401, &[], "Bad credentials").of_fresh_token(),
            GithubError::unexpected(LIST, StatusCode::ACCEPTED),
            GithubError::contradicted(LIST),
        ] {
            let marks = (
                error.is_transient(),
                error.may_have_acted(),
                error.may_be_acting(),
            );
            table.push_str(&format!("{error} {marks:?}\n  {}\n", error.remedy(&scope)));
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn what_was_not_heard_in_time_says_how_long() {
        let late = <GithubError as Transient>::timed_out(LIST, Duration::from_millis(2_500));
        assert_eq!(
            late.to_string(),
            "could not list runners: GitHub did not answer (waited 2.5 s)"
        );
        assert_eq!(
            (Transient::call(&late), Transient::wait(&late)),
            (LIST, None)
        );
        assert!(Transient::is_transient(&late) && late.may_be_acting());
        let slow = refused(429, &[("retry-after", "7")], "");
        assert_eq!(Transient::wait(&slow), Some(Duration::from_secs(7)));
    }
}
