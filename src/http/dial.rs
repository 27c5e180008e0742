//! How a server is reached: by TCP, through the proxy that the environment names, and by TLS.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::HeaderValue;
use http::uri::{Scheme, Uri};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use rustls_pki_types::{InvalidDnsNameError, ServerName};
use tokio_rustls::TlsConnector;
use tower::{BoxError, Service, service_fn};

use super::CONNECT_TIMEOUT;
use super::tls::Tls;
use crate::platform::clock::timeout;

/// Makes the connections of a pool.
#[derive(Clone, Debug)]
pub(super) struct Dialer {
    tcp: HttpConnector,
    proxies: Arc<Matcher>,
    tls: Arc<Tls>,
}

impl Dialer {
    /// With the proxies that the environment names.
    pub(super) fn new(tls: Tls) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        Self {
            tcp,
            proxies: Arc::new(Matcher::from_env()),
            tls: Arc::new(tls),
        }
    }

    /// What a proxy wants to see of a request that it carries as it is. Through a tunnel, it sees none.
    pub(super) fn authorization(&self, server: &Uri) -> Option<HeaderValue> {
        if is_tls(server) {
            return None;
        }
        self.proxies.intercept(server)?.basic_auth().cloned()
    }

    async fn dial(self, server: Uri) -> Result<Stream, BoxError> {
        match self.proxies.intercept(&server) {
            None => self.reach(server).await,
            Some(proxy) if is_tls(&server) => self.tunnel(&proxy, server).await,
            Some(proxy) => {
                let stream = self.reach(proxy.uri().clone()).await;
                stream.map(Stream::forwarded)
            }
        }
    }

    async fn reach(mut self, host: Uri) -> Result<Stream, BoxError> {
        let stream = Stream::new(self.tcp.call(host.clone()).await?);
        if is_tls(&host) {
            self.secure(stream, &host).await
        } else {
            Ok(stream)
        }
    }

    /// TLS with the server itself, through the proxy: it sees the server's name, and nothing else.
    async fn tunnel(self, proxy: &Intercept, server: Uri) -> Result<Stream, BoxError> {
        let to_proxy = self.clone();
        // By boxes: a tunnel through a proxy that is itself reached by TLS would contain itself.
        let reach = service_fn(move |host| -> Dialing { Box::pin(to_proxy.clone().reach(host)) });
        let mut tunnel = Tunnel::new(proxy.uri().clone(), reach);
        if let Some(authorization) = proxy.basic_auth() {
            tunnel = tunnel.with_auth(authorization.clone());
        }
        let stream = tunnel.call(server.clone()).await?;
        self.secure(stream, &server).await
    }

    async fn secure(&self, stream: Stream, server: &Uri) -> Result<Stream, BoxError> {
        let stream = TlsConnector::from(self.tls.config()?)
            .connect(certified_name(server)?, TokioIo::new(stream))
            .await?;
        Ok(Stream::new(TokioIo::new(stream)))
    }
}

/// What the server's certificate has to name.
fn certified_name(server: &Uri) -> Result<ServerName<'static>, InvalidDnsNameError> {
    let name = server.host().unwrap_or_default();
    // An IPv6 address stands in brackets.
    let name = name.trim_start_matches('[').trim_end_matches(']');
    ServerName::try_from(name.to_owned())
}

fn is_tls(uri: &Uri) -> bool {
    uri.scheme() == Some(&Scheme::HTTPS)
}

type Dialing = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

impl Service<Uri> for Dialer {
    type Response = Stream;
    type Error = BoxError;
    type Future = Dialing;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, server: Uri) -> Dialing {
        let dialing = self.clone().dial(server);
        Box::pin(async move {
            if let Ok(dialed) = timeout(CONNECT_TIMEOUT, dialing).await {
                return dialed;
            }
            let why = format!("no connection within {} s", CONNECT_TIMEOUT.as_secs());
            Err(io::Error::new(io::ErrorKind::TimedOut, why).into())
        })
    }
}

trait Io: Read + Write + Send + Unpin {}

impl<T: Read + Write + Send + Unpin> Io for T {}

/// A connection, of whatever layers.
pub(super) struct Stream {
    io: Box<dyn Io>,
    /// To a proxy that carries each request to the server that it names.
    is_forwarded: bool,
}

impl Stream {
    fn new(io: impl Io + 'static) -> Self {
        Self {
            io: Box::new(io),
            is_forwarded: false,
        }
    }

    fn forwarded(self) -> Self {
        Self {
            is_forwarded: true,
            ..self
        }
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new().proxy(self.is_forwarded)
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(context, parts)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_names_the_host() {
        let name = |uri: &'static str| {
            let name = certified_name(&Uri::from_static(uri)).ok()?;
            Some(name.to_str().into_owned())
        };
        assert_eq!(
            name("https://ec2.us-east-1.amazonaws.com/").as_deref(),
            Some("ec2.us-east-1.amazonaws.com")
        );
        assert_eq!(name("https://[::1]:8443/api/v3").as_deref(), Some("::1"));
        assert_eq!(name("https://127.0.0.1:8443").as_deref(), Some("127.0.0.1"));
        assert_eq!(name("/no-host"), None);
    }
}
