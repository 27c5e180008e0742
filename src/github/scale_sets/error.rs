//! What the Actions service refuses, and what that means.

use std::fmt;
use std::time::Duration;

use http::{HeaderMap, StatusCode};

use super::wire::Refusal;
use super::{FIND, REGISTER};
use crate::github::GithubError;
use crate::github::kind::{self, Kind};
use crate::http::cause::{Unanswered, shortened};
use crate::http::extra_roots;
use crate::http::headers::Headers;
use crate::retry::Transient;
use crate::values::scope::Scope;

/// A call to the Actions service that failed.
#[derive(Debug)]
pub(crate) struct ScaleSetError {
    /// What was tried, in words: `open the scale set's session`.
    pub operation: &'static str,
    source: Source,
    /// The service's own message, or the connection's.
    message: String,
    /// The exception's name: `RunnerScaleSetSessionConflictException`.
    type_name: Option<String>,
    /// What GitHub's support asks for.
    ids: Vec<String>,
    wait: Option<Duration>,
}

/// Who failed.
#[derive(Debug)]
enum Source {
    Service(Kind),
    /// GitHub's REST API, where the service's tokens come from.
    Github(Box<GithubError>),
}

impl From<GithubError> for ScaleSetError {
    fn from(error: GithubError) -> Self {
        Self {
            operation: error.operation,
            wait: error.wait,
            message: String::new(),
            type_name: None,
            ids: Vec::new(),
            source: Source::Github(Box::new(error)),
        }
    }
}

/// As the launch sees it, whose other source of records is GitHub's API.
impl From<ScaleSetError> for GithubError {
    fn from(error: ScaleSetError) -> Self {
        let detail = error.detail();
        match error.source {
            Source::Github(error) => *error,
            Source::Service(kind) => Self {
                operation: error.operation,
                kind,
                message: format!("{}{detail}", error.message),
                wait: error.wait,
            },
        }
    }
}

impl ScaleSetError {
    fn new(operation: &'static str, kind: Kind, message: String) -> Self {
        Self {
            operation,
            source: Source::Service(kind),
            message,
            type_name: None,
            ids: Vec::new(),
            wait: None,
        }
    }

    /// From an exchange that broke off.
    pub(super) fn unanswered(operation: &'static str, cause: Unanswered) -> Self {
        Self::new(operation, Kind::unanswered(&cause), cause.message)
    }

    pub(super) fn unreadable(operation: &'static str, message: String) -> Self {
        Self::new(operation, Kind::Unreadable, message)
    }

    /// From a response that is not a success.
    pub(super) fn refused(
        operation: &'static str,
        status: StatusCode,
        headers: &HeaderMap,
        body: &str,
    ) -> Self {
        let refusal: Refusal = serde_json::from_str(body).unwrap_or_default();
        let is_text = headers
            .text("content-type")
            .is_some_and(|kind| kind.starts_with("text/plain"));
        let message = refusal
            .message
            .or_else(|| is_text.then(|| first_line(body)))
            .filter(|message| !message.trim().is_empty())
            .or_else(|| status.canonical_reason().map(str::to_owned))
            .map(|message| shortened(&message))
            .unwrap_or_default();
        let id =
            |name: &'static str, header: &str| Some(format!("{name} {}", headers.text(header)?));
        let ids = [
            id("ActivityId", "activityid"),
            id("X-GitHub-Request-Id", "x-github-request-id"),
        ];
        Self {
            operation,
            source: Source::Service(Kind::refused(status, headers, &message)),
            message,
            // `GitHub.….AgentExistsException, …` as well as the bare name.
            type_name: refusal.type_name.map(|name| {
                let name = name.split(',').next().unwrap_or_default();
                name.rsplit('.').next().unwrap_or_default().to_owned()
            }),
            ids: ids.into_iter().flatten().collect(),
            wait: kind::wait(headers),
        }
    }

    /// The service's own words.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn status(&self) -> Option<StatusCode> {
        match &self.source {
            Source::Service(kind) => kind.status(),
            Source::Github(error) => error.status(),
        }
    }

    /// The exception's name, and what GitHub's support asks for.
    fn detail(&self) -> String {
        let name = self.type_name.as_ref();
        let mut detail = name.map_or_else(String::new, |name| format!(" ({name})"));
        if !self.ids.is_empty() {
            detail.push_str(&format!(" [{}]", self.ids.join(", ")));
        }
        detail
    }

    fn is(&self, type_name: &str) -> bool {
        self.type_name.as_deref() == Some(type_name)
    }

    /// Another session of the set lives: only one listener may serve it.
    pub(crate) fn is_session_conflict(&self) -> bool {
        self.is("RunnerScaleSetSessionConflictException")
            || (self.status() == Some(StatusCode::CONFLICT) && !self.is("AgentExistsException"))
    }

    /// What was to be made is there already.
    pub(crate) fn is_conflict(&self) -> bool {
        self.status() == Some(StatusCode::CONFLICT)
    }

    /// The token that was sent is not, or no longer, valid.
    pub(crate) fn is_unauthorized(&self) -> bool {
        self.status() == Some(StatusCode::UNAUTHORIZED)
    }

    /// What was asked for is gone: a session, or the set itself.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(
            self.status(),
            Some(StatusCode::NOT_FOUND | StatusCode::GONE)
        )
    }

    /// What the person who reads the log can do about it.
    pub(crate) fn remedy(&self, scope: &Scope) -> String {
        let kind = match &self.source {
            Source::Github(error) => return error.remedy(scope),
            Source::Service(kind) => kind,
        };
        match kind {
            Kind::NoAnswer | Kind::NotSent => extra_roots::remedy(&self.message)
                .unwrap_or(
                    "check that GitHub's Actions service (`*.actions.githubusercontent.com`) can be reached from here",
                )
                .to_owned(),
            Kind::SlowDown | Kind::FreshToken => "nothing needs to be done: it is asked again later".to_owned(),
            Kind::Unreadable => "check that no proxy changes GitHub's answers".to_owned(),
            Kind::Status(status) => match (self.operation, status.as_u16()) {
                (REGISTER | FIND, 404) => {
                    "this server has no runner scale sets: they need GitHub Enterprise Server 3.9 or later, or github.com; \
                     `mode: start` works without them"
                        .to_owned()
                }
                (REGISTER, 401 | 403) => {
                    format!("give the token {} for {scope}", scope.permission())
                }
                (_, 500..) => "GitHub has a problem (see https://www.githubstatus.com)".to_owned(),
                _ => "see GitHub's message above".to_owned(),
            },
        }
    }
}

impl Transient for ScaleSetError {
    fn timed_out(call: &'static str, within: Duration) -> Self {
        let message = format!("waited {:.1} s", within.as_secs_f64());
        Self::unanswered(call, Unanswered::sent(message))
    }

    fn call(&self) -> &'static str {
        self.operation
    }

    fn is_transient(&self) -> bool {
        match &self.source {
            Source::Service(kind) => kind.is_transient(&self.message),
            Source::Github(error) => error.is_transient(),
        }
    }

    fn wait(&self) -> Option<Duration> {
        self.wait
    }
}

impl fmt::Display for ScaleSetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation, message, ..
        } = self;
        let kind = match &self.source {
            Source::Github(error) => return error.fmt(f),
            Source::Service(kind) => kind,
        };
        match kind {
            Kind::NoAnswer | Kind::NotSent => write!(
                f,
                "could not {operation}: GitHub's Actions service did not answer ({message})"
            )?,
            Kind::SlowDown => write!(
                f,
                "could not {operation}: the Actions service asks to slow down (`{message}`)"
            )?,
            Kind::FreshToken => write!(
                f,
                "could not {operation}: the Actions service does not know the token yet (`{message}`)"
            )?,
            Kind::Unreadable => write!(
                f,
                "could not {operation}: the Actions service's answer is unreadable ({message})"
            )?,
            Kind::Status(status) => write!(
                f,
                "could not {operation}: the Actions service answered {} `{message}`",
                status.as_u16()
            )?,
        }
        f.write_str(&self.detail())
    }
}

impl std::error::Error for ScaleSetError {}

/// The service's plain texts have one line.
fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::github::LIST;

    fn refused(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> ScaleSetError {
        let headers = headers
            .iter()
            .map(|(name, value)| {
                (
                    http::HeaderName::from_static(name),
                    http::HeaderValue::from_static(value),
                )
            })
            .collect();
        ScaleSetError::refused(
            "open a session",
            StatusCode::from_u16(status).unwrap_or_default(),
            &headers,
            body,
        )
    }

    #[test]
    fn a_conflict_is_reported_by_its_exception_and_with_the_ids() {
        let error = refused(
            409,
            &[("activityid", "a-1"), ("x-github-request-id", "B:2")],
            r#"{"typeName": "GitHub.Actions.RunnerScaleSetSessionConflictException, GitHub.Actions", "message": "taken"}"#,
        );
        assert!(error.is_session_conflict() && !error.is_transient());
        assert_eq!(
            error.to_string(),
            "could not open a session: the Actions service answered 409 `taken` \
             (RunnerScaleSetSessionConflictException) [ActivityId a-1, X-GitHub-Request-Id B:2]"
        );
        let taken = refused(409, &[], r#"{"typeName": "AgentExistsException"}"#);
        assert!(!taken.is_session_conflict());
    }

    #[test]
    fn plain_text_is_a_message_and_a_page_is_none() {
        let text = refused(
            500,
            &[("content-type", "text/plain; charset=utf-8")],
            "boom\nmore",
        );
        assert!(text.to_string().contains("500 `boom`") && text.is_transient());
        let page = refused(502, &[("content-type", "text/html")], "<html>");
        assert!(page.to_string().contains("502 `Bad Gateway`"));
    }

    #[test]
    fn an_unknown_server_is_explained() {
        let mut error = refused(404, &[], "");
        error.operation = REGISTER;
        let scope = Scope::Organization("octo".to_owned());
        assert!(error.remedy(&scope).contains("3.9 or later"));
    }

    #[test]
    fn each_refusal_says_what_it_means_and_what_to_do() {
        let scope = Scope::Organization("octo".to_owned());
        let of = |operation: &'static str, status: u16| ScaleSetError {
            operation,
            ..refused(status, &[], r#"{"message": "no"}"#)
        };
        let unheard = |message: &str, was_sent| {
            let message = message.to_owned();
            ScaleSetError::unanswered(FIND, Unanswered { message, was_sent })
        };
        let mut table = String::new();
        for error in [
            of(REGISTER, 401),
            of(REGISTER, 403),
            of(FIND, 404),
            of(FIND, 403),
            of(FIND, 409),
            of(FIND, 410),
            of(FIND, 500),
            of(FIND, 429),
            ScaleSetError::new(FIND, Kind::FreshToken, "no".to_owned()),
            ScaleSetError::unreadable(FIND, "not JSON".to_owned()),
            unheard("timed out", true),
            unheard("refused", false),
            unheard("UnknownIssuer", true),
            GithubError::refused(LIST, StatusCode::NOT_FOUND, &HeaderMap::new(), "no").into(),
        ] {
            let marks = [
                (error.is_transient(), "transient"),
                (error.is_session_conflict(), "another session"),
                (error.is_conflict(), "conflict"),
                (error.is_unauthorized(), "unauthorized"),
                (error.is_gone(), "gone"),
            ];
            let marks = marks
                .iter()
                .filter(|(holds, _)| *holds)
                .map(|(_, mark)| *mark);
            let marks: Vec<&str> = marks.collect();
            let status = error.status().map(|status| status.as_u16());
            let remedy = error.remedy(&scope);
            table.push_str(&format!(
                "{error}\n  {status:?} {}\n  {remedy}\n",
                marks.join(", ")
            ));
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn a_launch_sees_it_as_an_error_of_github_s() {
        let error = refused(
            503,
            &[("activityid", "a-1"), ("retry-after", "9")],
            r#"{"typeName": "BusyException", "message": "later"}"#,
        );
        assert_eq!(
            (error.message(), Transient::call(&error)),
            ("later", "open a session")
        );
        assert_eq!(Transient::wait(&error), Some(Duration::from_secs(9)));
        let seen = GithubError::from(error);
        assert_eq!(
            seen.to_string(),
            "could not open a session: GitHub asks to slow down (`later (BusyException) [ActivityId a-1]`)"
        );
        assert_eq!(seen.wait, Some(Duration::from_secs(9)));
        let own = GithubError::refused(LIST, StatusCode::NOT_FOUND, &HeaderMap::new(), "no");
        let there_and_back = GithubError::from(ScaleSetError::from(own));
        assert_eq!(
            there_and_back.to_string(),
            "could not list runners: GitHub answered 404 `no`"
        );
    }

    #[test]
    fn what_was_not_heard_in_time_says_how_long() {
        let late = <ScaleSetError as Transient>::timed_out(FIND, Duration::from_millis(1_500));
        assert!(late.to_string().ends_with("did not answer (waited 1.5 s)"));
        assert!(late.is_transient() && Transient::wait(&late).is_none());
    }
}
