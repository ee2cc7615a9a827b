//! TLS towards clients.
//!
//! - [`certificates`]: the folder of certificates, looked at again and again
//! - [`file`]: one certificate with its key, read from disk
//! - [`redirect`]: from plain HTTP to TLS

pub(crate) mod certificates;
pub(crate) mod file;

mod redirect;

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use tokio_rustls::TlsAcceptor;

use crate::config::{Plain, ProxyConfig};
use crate::error::ProxyError;

use certificates::Certificates;
pub(crate) use redirect::Redirect;

/// TLS as the configuration wants it.
#[derive(Clone)]
pub(crate) struct Tls {
    pub certificates: Arc<Certificates>,
    pub acceptor: TlsAcceptor,
}

impl Tls {
    /// Nothing if nobody connects with TLS.
    pub fn of(config: &ProxyConfig) -> Result<Option<Self>, ProxyError> {
        if config.tls_listen.is_empty() {
            return Ok(None);
        }
        let folder = config.certificates.clone();
        let folder = folder.ok_or(ProxyError::NoCertificates)?;
        let certificates = Certificates::load(folder.clone());
        let certificates = certificates.map_err(|source| ProxyError::Certificates {
            path: folder,
            source,
        })?;
        let certificates = Arc::new(certificates);
        let acceptor = acceptor(Arc::clone(&certificates));
        let acceptor = acceptor.map_err(|source| ProxyError::Tls { source })?;
        Ok(Some(Self {
            certificates,
            acceptor,
        }))
    }

    /// To the first address with TLS, if the configuration wants that.
    pub fn redirect(&self, config: &ProxyConfig, to: &[SocketAddr]) -> Option<Redirect> {
        (config.plain == Plain::Redirects).then(|| Redirect {
            certificates: Arc::clone(&self.certificates),
            port: to.first().map_or(443, SocketAddr::port),
        })
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

/// TLS 1.2 and 1.3; HTTP/2 for clients that speak it. A client may resume a
/// session with a ticket, which needs no memory here.
fn acceptor(certificates: Arc<Certificates>) -> Result<TlsAcceptor, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(certificates);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = ring::Ticketer::new()?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
