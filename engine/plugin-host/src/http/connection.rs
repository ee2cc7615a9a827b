//! One connection to an address that was checked, plain or with TLS. It ends
//! with the request.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use url::{Host, Url};

use super::{Body, Trouble, cause};

/// Bytes of an answer's head.
const HEAD_LIMIT: usize = 64 << 10;
const MOST_HEADERS: usize = 128;

/// The first address that takes the connection. The request's timeout bounds
/// all tries together.
pub(super) async fn connect(addresses: &[SocketAddr], place: &str) -> Result<TcpStream, Trouble> {
    let mut last = "there is no address".to_owned();
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                stream.set_nodelay(true).ok();
                return Ok(stream);
            }
            Err(error) => last = error.to_string(),
        }
    }
    Err(Trouble::Connect(place.to_owned(), last))
}

pub(super) struct Connection {
    sender: SendRequest<Body>,
    driver: JoinHandle<()>,
}

impl Connection {
    pub(super) async fn send(
        &mut self,
        request: hyper::Request<Body>,
    ) -> hyper::Result<hyper::Response<Incoming>> {
        self.sender.send_request(request).await
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

pub(super) async fn open<S>(stream: S, place: &str) -> Result<Connection, Trouble>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let (sender, connection) = http1::Builder::new()
        .max_buf_size(HEAD_LIMIT)
        .max_headers(MOST_HEADERS)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(|error| Trouble::Broken(place.to_owned(), cause(&error)))?;
    let driver = tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a plugin's connection ended");
        }
    });
    Ok(Connection { sender, driver })
}

/// The certificate must be the URL's host's, whatever the address.
pub(super) async fn open_tls(
    stream: TcpStream,
    url: &Url,
    config: Arc<ClientConfig>,
    place: &str,
) -> Result<Connection, Trouble> {
    let failed = |why: String| Trouble::Tls(place.to_owned(), why);
    let name = server_name(url).map_err(failed)?;
    let stream = TlsConnector::from(config)
        .connect(name, stream)
        .await
        .map_err(|error| failed(error.to_string()))?;
    open(stream, place).await
}

fn server_name(url: &Url) -> Result<ServerName<'static>, String> {
    match url.host() {
        Some(Host::Domain(name)) => {
            ServerName::try_from(name.to_owned()).map_err(|error| error.to_string())
        }
        Some(Host::Ipv4(ip)) => Ok(ServerName::IpAddress(std::net::IpAddr::V4(ip).into())),
        Some(Host::Ipv6(ip)) => Ok(ServerName::IpAddress(std::net::IpAddr::V6(ip).into())),
        None => Err("the URL has no host".to_owned()),
    }
}

/// The system's certificate authorities, and the operator's own.
pub(super) fn tls_config(extra: Vec<CertificateDer<'static>>) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::warn!(%error, "some of the system's certificates could not be read");
    }
    roots.add_parsable_certificates(native.certs.into_iter().chain(extra));
    if roots.is_empty() {
        return Err("the system has no trusted certificates; install ca-certificates".to_owned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
