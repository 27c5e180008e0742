//! `GET /metrics` and `GET /healthz`, for whoever may reach the address that `--metrics` names.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::health::Health;
use super::metrics::Metrics;
use super::service::Service;

/// Connections at a time: Prometheus and a person.
const AT_ONCE: usize = 16;
/// How long a client may take to send its request.
const REQUEST_WITHIN: Duration = Duration::from_secs(10);
/// How long a connection may live, whatever it does.
const CONNECTION_WITHIN: Duration = Duration::from_mins(5);
/// What Prometheus asks for, and takes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

pub(super) async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Serves until it is dropped.
pub(super) async fn serve(listener: TcpListener, service: Arc<Service>) {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    loop {
        let Ok(turn) = turns.clone().acquire_owned().await else {
            return;
        };
        match listener.accept().await {
            Ok((stream, _)) => {
                let listening = service.clone();
                tokio::spawn(async move {
                    let _turn = turn;
                    converse(stream, listening).await;
                });
            }
            // Out of file descriptors, say: that passes, and must not keep a processor busy.
            Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
        }
    }
}

async fn converse(stream: TcpStream, listening: Arc<Service>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = answer(
            request.method(),
            request.uri().path(),
            &listening.metrics,
            &listening.health,
        );
        async move { Ok::<_, Infallible>(answer) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST_WITHIN)
        .serve_connection(TokioIo::new(stream), service);
    // Whatever goes wrong here is the client's to notice.
    let _ = tokio::time::timeout(CONNECTION_WITHIN, connection).await;
}

fn answer(
    method: &Method,
    path: &str,
    metrics: &Metrics,
    health: &Health,
) -> Response<Full<Bytes>> {
    const TEXT: &str = "text/plain; charset=utf-8";
    let (status, kind, body) = match (method, path) {
        (&Method::GET, "/metrics") => (StatusCode::OK, OPEN_METRICS, metrics.text()),
        (&Method::GET, "/healthz") => {
            let (is_well, text) = health.status(Instant::now());
            let status = if is_well {
                StatusCode::OK
            } else {
                StatusCode::SERVICE_UNAVAILABLE
            };
            (status, TEXT, text)
        }
        (&Method::GET, _) => (
            StatusCode::NOT_FOUND,
            TEXT,
            "/metrics or /healthz\n".to_owned(),
        ),
        _ => (
            StatusCode::METHOD_NOT_ALLOWED,
            TEXT,
            "GET only\n".to_owned(),
        ),
    };
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, http::HeaderValue::from_static(kind));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_pages_and_nothing_else() {
        let (metrics, health) = (Metrics::new(), Health::of(["a"].into_iter()));
        let status = |method: Method, path| answer(&method, path, &metrics, &health).status();
        assert_eq!(status(Method::GET, "/metrics"), StatusCode::OK);
        assert_eq!(status(Method::GET, "/healthz"), StatusCode::OK);
        assert_eq!(status(Method::GET, "/"), StatusCode::NOT_FOUND);
        assert_eq!(
            status(Method::POST, "/metrics"),
            StatusCode::METHOD_NOT_ALLOWED
        );
    }
}
