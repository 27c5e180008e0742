//! The host's HTTP, `wasi:http`: the connector of the portable build.

use std::time::Duration;

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use tower::BoxError;
use wasip2::http::outgoing_handler::handle;
use wasip2::http::types::{
    ErrorCode, Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions,
    Scheme,
};
use wasip2::io::streams::StreamError;

use super::{CONNECT_TIMEOUT, READ_TIMEOUT};
use crate::http::extra_roots::ExtraRoots;
use crate::platform::reactor;

/// How much of a body is taken at a time.
const PART: u64 = 256 * 1024;

/// The host keeps connections, and whatever they need.
#[derive(Debug)]
pub(super) struct Connector;

impl Connector {
    /// Whom it trusts is the host's matter.
    pub(super) fn new(_: ExtraRoots, _: Duration) -> Self {
        Self
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(async move {
            exchange(request).await.map_err(|error| match error {
                Broken::Timeout(why) => ConnectorError::timeout(why.into()),
                Broken::Connection(why) => ConnectorError::io(why.into()),
                Broken::Request(why) => ConnectorError::user(why),
            })
        })
    }
}

/// Why there is no answer, as the SDK tells apart what may be repeated.
enum Broken {
    Timeout(String),
    Connection(String),
    Request(BoxError),
}

impl From<ErrorCode> for Broken {
    fn from(code: ErrorCode) -> Self {
        match code {
            ErrorCode::ConnectionTimeout => Self::Timeout("no connection in time".to_owned()),
            ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout => {
                Self::Timeout("no answer in time".to_owned())
            }
            ErrorCode::InternalError(Some(why)) => Self::Connection(why),
            ErrorCode::HttpRequestDenied => {
                Self::Request("the portable program may not reach this address".into())
            }
            code => Self::Connection(code.to_string()),
        }
    }
}

impl From<StreamError> for Broken {
    fn from(error: StreamError) -> Self {
        Self::Connection(match error {
            StreamError::LastOperationFailed(error) => error.to_debug_string(),
            StreamError::Closed => "the connection was closed".to_owned(),
        })
    }
}

/// A part of a request that the host does not take.
fn unfit(what: &'static str) -> impl FnOnce(()) -> Broken {
    move |()| Broken::Request(format!("the request's {what} is unfit").into())
}

async fn exchange(request: HttpRequest) -> Result<HttpResponse, Broken> {
    let request = request
        .try_into_http1x()
        .map_err(|error| Broken::Request(error.into()))?;
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(Broken::Request)?.to_bytes();
    let outgoing = head(&parts)?;
    let sink = outgoing.body().map_err(|()| unfit("body")(()))?;
    let answer = handle(outgoing, Some(options()))?;
    send(sink, &body).await?;
    let response = loop {
        match answer.get() {
            Some(Ok(response)) => break response?,
            Some(Err(())) => return Err(Broken::Connection("no answer".to_owned())),
            None => reactor::ready(answer.subscribe()).await,
        }
    };
    received(&response).await
}

fn head(parts: &http::request::Parts) -> Result<OutgoingRequest, Broken> {
    let entries: Vec<(String, Vec<u8>)> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect();
    let headers = Fields::from_list(&entries).map_err(|error| Broken::Request(error.into()))?;
    let request = OutgoingRequest::new(headers);
    let method = match parts.method.as_str() {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        other => Method::Other(other.to_owned()),
    };
    let scheme = match parts.uri.scheme_str() {
        Some("http") => Scheme::Http,
        _ => Scheme::Https,
    };
    let authority = parts.uri.authority().map(http::uri::Authority::as_str);
    let path = parts
        .uri
        .path_and_query()
        .map(http::uri::PathAndQuery::as_str);
    request.set_method(&method).map_err(unfit("method"))?;
    request.set_scheme(Some(&scheme)).map_err(unfit("scheme"))?;
    request.set_authority(authority).map_err(unfit("host"))?;
    request.set_path_with_query(path).map_err(unfit("path"))?;
    Ok(request)
}

/// A host that cannot keep a time limit ignores it; the callers have limits of their own around each call.
fn options() -> RequestOptions {
    let nanoseconds = |limit: Duration| u64::try_from(limit.as_nanos()).ok();
    let options = RequestOptions::new();
    let _ = options.set_connect_timeout(nanoseconds(CONNECT_TIMEOUT));
    let _ = options.set_first_byte_timeout(nanoseconds(READ_TIMEOUT));
    let _ = options.set_between_bytes_timeout(nanoseconds(READ_TIMEOUT));
    options
}

async fn send(sink: OutgoingBody, mut rest: &[u8]) -> Result<(), Broken> {
    let stream = sink.write().map_err(unfit("body"))?;
    while !rest.is_empty() {
        let room = usize::try_from(stream.check_write()?).unwrap_or(usize::MAX);
        if room == 0 {
            reactor::ready(stream.subscribe()).await;
            continue;
        }
        let (part, later) = rest.split_at(room.min(rest.len()));
        stream.write(part)?;
        rest = later;
    }
    drop(stream);
    OutgoingBody::finish(sink, None)?;
    Ok(())
}

async fn received(response: &IncomingResponse) -> Result<HttpResponse, Broken> {
    let closed = |()| Broken::Connection("the connection was closed".to_owned());
    let mut head = http::Response::builder().status(response.status());
    for (name, value) in response.headers().entries() {
        head = head.header(name, value);
    }
    let source = response.consume().map_err(closed)?;
    let stream = source.stream().map_err(closed)?;
    let mut body = Vec::new();
    loop {
        match stream.read(PART) {
            Ok(part) if part.is_empty() => reactor::ready(stream.subscribe()).await,
            Ok(part) => body.extend_from_slice(&part),
            Err(StreamError::Closed) => break,
            Err(error) => return Err(error.into()),
        }
    }
    let response = head
        .body(SdkBody::from(body))
        .map_err(|error| Broken::Request(error.into()))?;
    HttpResponse::try_from(response).map_err(|error| Broken::Request(error.into()))
}
