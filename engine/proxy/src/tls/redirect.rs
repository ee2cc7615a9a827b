//! From plain HTTP to TLS.

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderMap, Request, Response, Uri};

use crate::body::AnswerBody;
use crate::forward::{Origin, Scheme};
use crate::pages;
use crate::tls::certificates::Certificates;

/// Only for hosts that have a certificate: the others would be cut off.
#[derive(Debug, Clone)]
pub(crate) struct Redirect {
    pub certificates: Arc<Certificates>,
    pub port: u16,
}

impl Redirect {
    pub fn applies<B>(
        &self,
        request: &Request<B>,
        origin: &Origin,
        host: &str,
        trusted: &[IpAddr],
    ) -> bool {
        origin.scheme == Scheme::Http
            && !came_by_tls(request.headers(), origin, trusted)
            && self.certificates.cover(host)
    }

    pub fn answer(&self, host: &str, uri: &Uri) -> Response<AnswerBody> {
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let to = match self.port {
            443 => format!("https://{host}{path}"),
            port => format!("https://{host}:{port}{path}"),
        };
        pages::moved(&to)
    }
}

/// A proxy in front has done TLS: sending its client there again would never
/// end.
fn came_by_tls(headers: &HeaderMap, origin: &Origin, trusted: &[IpAddr]) -> bool {
    trusted.contains(&origin.client.ip().to_canonical())
        && headers
            .get("x-forwarded-proto")
            .is_some_and(|proto| proto == "https")
}
