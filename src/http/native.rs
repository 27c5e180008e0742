//! Sockets and TLS of our own: the connector of every build for an operating system.

use std::io;
use std::time::Duration;

use aws_smithy_runtime_api::client::connection::{CaptureSmithyConnection, ConnectionMetadata};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use http::header::PROXY_AUTHORIZATION;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::dial::Dialer;
use super::tls::Tls;
use crate::http::extra_roots::ExtraRoots;
use crate::platform::clock::timeout;

/// A pool of connections. HTTP/1.1: EC2 speaks nothing else, and what asks GitHub many things at a time is `listen` alone, whose
/// connections are kept.
#[derive(Debug)]
pub(super) struct Connector {
    client: Client<Dialer, SdkBody>,
    dialer: Dialer,
    read_timeout: Duration,
}

impl Connector {
    pub(super) fn new(extra_roots: ExtraRoots, read_timeout: Duration) -> Self {
        let dialer = Dialer::new(Tls::new(extra_roots));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .build(dialer.clone());
        Self {
            client,
            dialer,
            read_timeout,
        }
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => {
                return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
            }
        };
        if let Some(authorization) = self.dialer.authorization(request.uri()) {
            let headers = request.headers_mut();
            headers.insert(PROXY_AUTHORIZATION, authorization);
        }
        let connection = capture_connection(&mut request);
        if let Some(capture) = request.extensions().get::<CaptureSmithyConnection>() {
            capture.set_connection_retriever(move || poisonable(&connection));
        }
        let answer = self.client.request(request);
        let within = self.read_timeout;
        HttpConnectorFuture::new(async move {
            match timeout(within, answer).await {
                Ok(Ok(response)) => HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                    .map_err(|error| ConnectorError::other(error.into(), None)),
                Ok(Err(error)) => Err(ConnectorError::io(error.into())),
                Err(_) => {
                    let why = format!("no answer within {} s", within.as_secs());
                    let error = io::Error::new(io::ErrorKind::TimedOut, why);
                    Err(ConnectorError::timeout(error.into()))
                }
            }
        })
    }
}

/// The connection of a request, for the SDK: it takes one out of the pool after an answer that may be the server's own trouble.
fn poisonable(connection: &CaptureConnection) -> Option<ConnectionMetadata> {
    connection.connection_metadata().as_ref()?;
    let connection = connection.clone();
    let poison = move || {
        if let Some(connection) = connection.connection_metadata().as_ref() {
            connection.poison();
        }
    };
    let metadata = ConnectionMetadata::builder().proxied(false);
    Some(metadata.poison_fn(poison).build())
}
