//! TLS towards clients.
//!
//! - [`certificates`]: the folder of certificates, looked at again and again
//! - [`file`]: one certificate with its key, read from disk
//! - [`validity`]: from when until when it is valid
//! - [`redirect`]: from plain HTTP to TLS

pub(crate) mod certificates;
pub(crate) mod file;

mod redirect;
mod validity;

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use tokio_rustls::TlsAcceptor;

use crate::acme;
use crate::config::{Plain, ProxyConfig};
use crate::error::ProxyError;

use certificates::{Certificates, Source};
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
        let mut folders = Vec::new();
        if let Some(folder) = &config.certificates {
            folders.push((Source::Given, folder.clone()));
        }
        if let Some(acme) = &config.acme {
            acme::prepare(acme)?;
            folders.push((Source::Obtained, acme.folder.clone()));
        }
        if folders.is_empty() {
            return Err(ProxyError::NoCertificates);
        }
        let certificates = Certificates::load(folders)?;
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
