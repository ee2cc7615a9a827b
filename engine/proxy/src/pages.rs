//! The pages that the proxy answers with itself. They say what happened to a
//! visitor; whoever runs the site finds the cause in the proxy's log.

use std::net::SocketAddr;

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use crate::body::AnswerBody;
use crate::table::Miss;

/// Why a request got no answer of a target.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("the request names no host, or two")]
    NoHost,
    #[error("the method CONNECT is not served")]
    Connect,
    #[error("nothing is deployed for this host")]
    UnknownHost,
    #[error("no instance is routed for this host")]
    NoTarget,
    #[error("{address} refused the connection")]
    Refused {
        address: SocketAddr,
        source: std::io::Error,
    },
    #[error("{address} did not accept the connection in time")]
    ConnectTimeout { address: SocketAddr },
    #[error("{address} closed the connection or broke HTTP before its answer")]
    Broken {
        address: SocketAddr,
        source: hyper::Error,
    },
    #[error("{address} changed the protocol without being asked")]
    Unasked { address: SocketAddr },
    #[error("the body of the request is larger than is taken")]
    BodyTooLarge,
    #[error("the client sent the body of its request too slowly")]
    BodyTooSlow,
    #[error("the client did not send the body of its request to its end")]
    BodyBroken,
    #[error("{address} did not begin its answer in time")]
    AnswerTimeout { address: SocketAddr },
}

impl From<Miss> for Failure {
    fn from(miss: Miss) -> Self {
        match miss {
            Miss::UnknownHost => Self::UnknownHost,
            Miss::NoTarget => Self::NoTarget,
        }
    }
}

pub(crate) fn text(text: String) -> Response<AnswerBody> {
    let mut response = Response::new(AnswerBody::Page(Some(text.into())));
    let plain = HeaderValue::from_static("text/plain");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    response
}

/// To the same address by another scheme.
pub(crate) fn moved(to: &str) -> Response<AnswerBody> {
    let mut response = Response::new(AnswerBody::empty());
    // Which has no control characters: it comes from a request's own.
    if let Ok(to) = HeaderValue::from_str(to) {
        response.headers_mut().insert(LOCATION, to);
    }
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    response
}

impl Failure {
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NoHost | Self::BodyBroken => StatusCode::BAD_REQUEST,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Connect => StatusCode::METHOD_NOT_ALLOWED,
            Self::UnknownHost => StatusCode::NOT_FOUND,
            Self::NoTarget => StatusCode::SERVICE_UNAVAILABLE,
            Self::Refused { .. } | Self::Broken { .. } | Self::Unasked { .. } => {
                StatusCode::BAD_GATEWAY
            }
            Self::ConnectTimeout { .. } | Self::AnswerTimeout { .. } => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// A heading and a sentence, for a visitor.
    fn words(&self) -> (&'static str, &'static str) {
        match self {
            Self::NoHost => (
                "Which site?",
                "The request does not say which site it is for.",
            ),
            Self::Connect => ("Not served", "This server does not open tunnels."),
            Self::BodyTooLarge => (
                "Too large",
                "What was sent is larger than this server takes.",
            ),
            Self::BodyTooSlow | Self::BodyBroken => (
                "Not received",
                "What was sent did not arrive in whole, or not in time. Try again.",
            ),
            Self::UnknownHost => (
                "Nothing is deployed here",
                "This server is up, but no app is deployed for this address.",
            ),
            Self::NoTarget => (
                "Not available",
                "This site has no running instance at the moment.",
            ),
            Self::Refused { .. } | Self::Broken { .. } | Self::Unasked { .. } => (
                "The site does not answer",
                "The server is up, but the site behind it gave no answer. Try again in a moment.",
            ),
            Self::ConnectTimeout { .. } | Self::AnswerTimeout { .. } => (
                "The site takes too long",
                "The server is up, but the site behind it did not answer in time. Try again in a moment.",
            ),
        }
    }

    pub fn page(&self) -> Response<AnswerBody> {
        let status = self.status();
        let (heading, sentence) = self.words();
        let page = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>{heading}</title>\n\
             <style>body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:30rem;\
             margin:20vh auto 0;padding:0 1.5rem;color-scheme:light dark}}\
             h1{{font-size:1.5rem}}small{{opacity:.6}}</style>\n\
             <h1>{heading}</h1>\n<p>{sentence}</p>\n<small>{}</small>\n</html>\n",
            status.as_u16()
        );
        let mut response = Response::new(AnswerBody::Page(Some(page.into())));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        if status == StatusCode::METHOD_NOT_ALLOWED {
            let served = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
            headers.insert(ALLOW, HeaderValue::from_static(served));
        }
        response
    }
}
