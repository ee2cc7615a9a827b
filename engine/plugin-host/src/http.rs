//! HTTP for guests: one request to an address that was decided before, one
//! answer of bounded size. It follows no redirect, keeps no connection and
//! knows no proxy. Who may send what where, [`crate::imports::http`] decides.

mod address;
mod connection;
mod outside;
mod request;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use rustls::pki_types::CertificateDer;
use tokio::sync::OnceCell;

pub(crate) use address::Reach;
pub use outside::{Names, Outside, OutsideAnswer, OutsideRequest, SystemNames};
pub(crate) use request::{Invalid, Outgoing, Wish};

/// The client that all guests share; it holds the trusted certificates and no
/// connection.
#[derive(Debug)]
pub(crate) struct Http {
    body_limit: usize,
    extra_roots: Vec<CertificateDer<'static>>,
    names: Arc<dyn Names>,
    /// Answers instead of the network, in a rehearsal.
    outside: Option<Arc<dyn Outside>>,
    tls: OnceCell<Arc<rustls::ClientConfig>>,
}

/// Where a request goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// To the candidate, at exactly this address.
    Candidate(SocketAddr),
    /// To whatever the name resolves to, as far as it may be reached.
    Resolved(Reach),
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error("{0} is no public address")]
    NotPublic(String),
    #[error("{0} is not known: {1}")]
    Unresolved(String, String),
    #[error("no connection to {0}: {1}")]
    Connect(String, String),
    #[error("no secure connection to {0}: {1}")]
    Tls(String, String),
    #[error("the connection to {0} broke: {1}")]
    Broken(String, String),
    #[error("the answer's body is larger than {0} bytes")]
    TooLarge(usize),
    #[error("no answer in {0} ms")]
    Timeout(u128),
}

impl Http {
    pub(crate) fn new(
        extra_roots: Vec<CertificateDer<'static>>,
        names: Arc<dyn Names>,
        body_limit: usize,
    ) -> Self {
        Self {
            body_limit,
            extra_roots,
            names,
            outside: None,
            tls: OnceCell::new(),
        }
    }

    /// The same client, with something else for the network.
    pub(crate) fn rehearsing(&self, outside: Arc<dyn Outside>) -> Self {
        Self {
            body_limit: self.body_limit,
            extra_roots: self.extra_roots.clone(),
            names: self.names.clone(),
            outside: Some(outside),
            tls: OnceCell::new(),
        }
    }

    /// Sends it and reads the whole answer, within the request's own time.
    pub(crate) async fn exchange(&self, outgoing: Outgoing, way: Way) -> Result<Answer, Trouble> {
        let limit = outgoing.timeout;
        tokio::time::timeout(limit, self.exchange_unbounded(outgoing, way))
            .await
            .unwrap_or(Err(Trouble::Timeout(limit.as_millis())))
    }

    async fn exchange_unbounded(&self, outgoing: Outgoing, way: Way) -> Result<Answer, Trouble> {
        let place = outgoing.place();
        if let (Some(outside), Way::Resolved(reach)) = (&self.outside, way) {
            address::check_literal(&outgoing.url, reach)?;
            return self.rehearse(&**outside, &outgoing, &place).await;
        }
        let addresses = address::resolve(&outgoing.url, way, &*self.names).await?;
        let stream = connection::connect(&addresses, &place).await?;
        let broken = |error: hyper::Error| Trouble::Broken(place.clone(), cause(&error));
        let mut connection = match outgoing.url.scheme() {
            "https" => {
                let tls = self.tls().await?;
                connection::open_tls(stream, &outgoing.url, tls, &place).await?
            }
            _ => connection::open(stream, &place).await?,
        };
        let request = outgoing
            .into_hyper()
            .map_err(|error| Trouble::Broken(place.clone(), error.to_string()))?;
        let response = connection.send(request).await.map_err(broken)?;
        self.read(response, &place).await
    }

    async fn rehearse(
        &self,
        outside: &dyn Outside,
        outgoing: &Outgoing,
        place: &str,
    ) -> Result<Answer, Trouble> {
        let nobody = || Trouble::Connect(place.to_owned(), "nobody answers there".to_owned());
        let answer = outside
            .answer(outgoing.as_outside())
            .await
            .ok_or_else(nobody)?;
        match answer.body.len() > self.body_limit {
            true => Err(Trouble::TooLarge(self.body_limit)),
            false => Ok(Answer {
                status: answer.status,
                headers: answer.headers,
                body: answer.body,
            }),
        }
    }

    async fn read(
        &self,
        response: hyper::Response<hyper::body::Incoming>,
        place: &str,
    ) -> Result<Answer, Trouble> {
        let (head, body) = response.into_parts();
        let body = Limited::new(body, self.body_limit).collect().await;
        let body = body.map_err(|error| match error.is::<LengthLimitError>() {
            true => Trouble::TooLarge(self.body_limit),
            false => Trouble::Broken(place.to_owned(), error.to_string()),
        })?;
        let headers = head.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        Ok(Answer {
            status: head.status.as_u16(),
            headers: headers.collect(),
            body: body.to_bytes().to_vec(),
        })
    }

    /// The system's certificates are read when the first https request is sent.
    async fn tls(&self) -> Result<Arc<rustls::ClientConfig>, Trouble> {
        let extra = self.extra_roots.clone();
        let made = self
            .tls
            .get_or_try_init(|| async move {
                tokio::task::spawn_blocking(move || connection::tls_config(extra))
                    .await
                    .map_err(|error| error.to_string())?
            })
            .await;
        made.cloned()
            .map_err(|error: String| Trouble::Tls("any host".to_owned(), error))
    }
}

/// The innermost cause; hyper's own words say little.
fn cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

pub(crate) type Body = Full<Bytes>;
