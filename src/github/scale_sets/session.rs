//! The one session of a scale set: its message queue, and the token for it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use aws_smithy_types::body::SdkBody;
use http::{Method, Request, StatusCode, Uri};
use secrecy::{ExposeSecret, SecretString};

use super::exchange::Response;
use super::queue::{self, Message};
use super::sign_in::{bearer, json};
use super::wire::{Acquired, NewSession, OpenSession, Statistics};
use super::{SETS, ScaleSetError, ScaleSets};

// What is tried, in words: an error's message begins with them.
pub(crate) const OPEN: &str = "open the scale set's session";
const REFRESH: &str = "renew the scale set's session";
pub(crate) const CLOSE: &str = "close the scale set's session";
pub(crate) const NEXT: &str = "get the next message";
pub(crate) const ACKNOWLEDGE: &str = "acknowledge a message";
pub(crate) const ACQUIRE: &str = "acquire jobs";

/// The service holds a request for the next message for about 50 s.
const LONG_POLL: Duration = Duration::from_secs(58);
const SHORT: Duration = Duration::from_secs(15);
/// How many runners the set may have in all; the service assigns no more jobs than that.
const MAX_CAPACITY: &str = "x-scalesetmaxcapacity";

/// While it lives, nobody else can serve the set.
pub(crate) struct Session {
    sets: ScaleSets,
    set: u64,
    id: String,
    /// As of the session's beginning.
    pub statistics: Option<Statistics>,
    queue: Mutex<Queue>,
    /// Held while the queue's token is renewed.
    renewal: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Queue {
    url: Uri,
    token: SecretString,
}

impl Session {
    pub(crate) async fn open(
        sets: &ScaleSets,
        set: u64,
        owner: &str,
    ) -> Result<Self, ScaleSetError> {
        let path = format!("{SETS}/{set}/sessions");
        let body = NewSession { owner_name: owner };
        let answer = sets
            .call(OPEN, Method::POST, &path, Some(json(OPEN, &body)?))
            .await?;
        let opened: OpenSession = answer.json(OPEN)?;
        let queue = queue_of(sets, OPEN, &opened)?;
        Ok(Self {
            sets: sets.clone(),
            set,
            id: opened.session_id,
            statistics: opened.statistics,
            queue: Mutex::new(queue),
            renewal: tokio::sync::Mutex::default(),
        })
    }

    /// The next message, or `None` where the service had none for a while. What cannot be read as a message does not count as one.
    pub(crate) async fn next(
        &self,
        last: Option<u64>,
        capacity: usize,
    ) -> Result<Option<Message>, ScaleSetError> {
        let response = self
            .with_queue(NEXT, |queue| {
                let uri = with_query(&queue.url, last);
                Request::get(uri)
                    .header(
                        http::header::ACCEPT,
                        "application/json; api-version=6.0-preview",
                    )
                    .header(MAX_CAPACITY, capacity.to_string())
            })
            .await?;
        if response.status == StatusCode::ACCEPTED {
            return Ok(None);
        }
        response.expect(NEXT, StatusCode::OK)?;
        Ok(queue::parse(response.text()))
    }

    /// Says that a message has been dealt with; else it comes again.
    pub(crate) async fn acknowledge(&self, message: u64) -> Result<(), ScaleSetError> {
        let response = self
            .with_queue(ACKNOWLEDGE, |queue| {
                Request::delete(with_segment(&queue.url, message))
            })
            .await?;
        match response.status {
            StatusCode::NOT_FOUND => Ok(()),
            _ => response.expect(ACKNOWLEDGE, StatusCode::NO_CONTENT),
        }
    }

    /// Takes jobs that are on offer; the answer tells which of them we got.
    pub(crate) async fn acquire(&self, requests: &[i64]) -> Result<Vec<i64>, ScaleSetError> {
        let path = format!("{SETS}/{}/acquirejobs", self.set);
        let body = json(ACQUIRE, &requests)?;
        let acquire =
            async |token: SecretString| self.sets.call_with(ACQUIRE, &token, &path, &body).await;
        let token = self.queue().token;
        let mut response = acquire(token.clone()).await?;
        if response.status == StatusCode::UNAUTHORIZED {
            response = acquire(self.refreshed(&token).await?.token).await?;
        }
        let Acquired { value } = response.json(ACQUIRE)?;
        Ok(value)
    }

    /// Ends the session, so that the next listener need not wait; one that is gone is as good.
    pub(crate) async fn close(&self) -> Result<(), ScaleSetError> {
        let path = format!("{SETS}/{}/sessions/{}", self.set, self.id);
        let response = self.sets.call(CLOSE, Method::DELETE, &path, None).await?;
        match response.status {
            StatusCode::NOT_FOUND => Ok(()),
            _ => response.expect(CLOSE, StatusCode::NO_CONTENT),
        }
    }

    /// A request with the queue's token, which is renewed where it is not taken any more.
    async fn with_queue(
        &self,
        operation: &'static str,
        request: impl Fn(&Queue) -> http::request::Builder,
    ) -> Result<Response, ScaleSetError> {
        let queue = self.queue();
        let response = self.ask_queue(operation, &queue, request(&queue)).await?;
        if response.status != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let renewed = self.refreshed(&queue.token).await?;
        self.ask_queue(operation, &renewed, request(&renewed)).await
    }

    async fn ask_queue(
        &self,
        operation: &'static str,
        queue: &Queue,
        request: http::request::Builder,
    ) -> Result<Response, ScaleSetError> {
        let built = request
            .header(
                http::header::AUTHORIZATION,
                bearer(&queue.token, operation)?,
            )
            .body(SdkBody::empty())
            .map_err(|error| ScaleSetError::unreadable(operation, error.to_string()))?;
        let within = if operation == NEXT { LONG_POLL } else { SHORT };
        self.sets.exchange(operation, built, within).await
    }

    /// The queue with another token than the one that was refused. Calls that are refused together renew it once: each renewal
    /// may end the token before it.
    async fn refreshed(&self, refused: &SecretString) -> Result<Queue, ScaleSetError> {
        let _renewing = self.renewal.lock().await;
        let known = self.queue();
        if known.token.expose_secret() != refused.expose_secret() {
            return Ok(known);
        }
        let path = format!("{SETS}/{}/sessions/{}", self.set, self.id);
        let answer = self.sets.call(REFRESH, Method::PATCH, &path, None).await?;
        let renewed = queue_of(&self.sets, REFRESH, &answer.json(REFRESH)?)?;
        *self.queue.lock().unwrap_or_else(PoisonError::into_inner) = renewed.clone();
        Ok(renewed)
    }

    fn queue(&self) -> Queue {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.clone()
    }
}

fn queue_of(
    sets: &ScaleSets,
    operation: &'static str,
    session: &OpenSession,
) -> Result<Queue, ScaleSetError> {
    sets.mask(&session.message_queue_access_token);
    let url: Option<Uri> = session.message_queue_url.parse().ok();
    let url = url.filter(|url| sets.is_trusted(url)).ok_or_else(|| {
        let why = "the message queue's address is not an HTTPS URL".to_owned();
        ScaleSetError::unreadable(operation, why)
    })?;
    Ok(Queue {
        url,
        token: session.message_queue_access_token.as_str().into(),
    })
}

fn with_query(url: &Uri, last: Option<u64>) -> String {
    match (last, url.query()) {
        (None, _) => url.to_string(),
        (Some(last), None) => format!("{url}?lastMessageId={last}"),
        (Some(last), Some(_)) => format!("{url}&lastMessageId={last}"),
    }
}

fn with_segment(url: &Uri, message: u64) -> String {
    let scheme = url.scheme_str().unwrap_or("https");
    let authority = url.authority().map_or("", |authority| authority.as_str());
    let path = url.path().trim_end_matches('/');
    let query = url
        .query()
        .map_or_else(String::new, |query| format!("?{query}"));
    format!("{scheme}://{authority}{path}/{message}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_s_address_keeps_its_query() {
        let plain: Uri = "https://q.example/m".parse().unwrap_or_default();
        let keyed: Uri = "https://q.example/m/?key=1".parse().unwrap_or_default();
        assert_eq!(with_query(&plain, None), "https://q.example/m");
        assert_eq!(
            with_query(&plain, Some(3)),
            "https://q.example/m?lastMessageId=3"
        );
        assert_eq!(
            with_query(&keyed, Some(3)),
            "https://q.example/m/?key=1&lastMessageId=3"
        );
        assert_eq!(with_segment(&keyed, 3), "https://q.example/m/3?key=1");
    }
}
