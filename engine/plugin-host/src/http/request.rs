//! A guest's request, with its secrets filled in and its form checked.

use std::time::Duration;

use bytes::Bytes;
use hyper::Method;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::{Body, OutsideRequest};
use crate::secrets::{BodyForm, Secrets, Used};

const TIMEOUT: Duration = Duration::from_secs(10);
const LONGEST_TIMEOUT: Duration = Duration::from_secs(60);
const LONGEST_URL: usize = 8 << 10;
const MOST_HEADERS: usize = 64;
/// Bytes of all headers together.
const HEADER_LIMIT: usize = 32 << 10;

/// Headers that belong to the connection, and so to the host.
const NOT_A_GUESTS: [HeaderName; 9] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// What a guest asks for, with placeholders.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) timeout_ms: Option<u32>,
}

/// What goes out. It holds secrets, and so has no `Debug`.
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) timeout: Duration,
    /// The secrets that are in it.
    pub(crate) used: Used,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// What is wrong with a request; without its values, which may be secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Invalid {
    #[error("{0}")]
    Form(String),
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
}

impl Outgoing {
    pub(crate) fn fill(wish: Wish, secrets: &Secrets, body_limit: usize) -> Result<Self, Invalid> {
        let mut used = Used::default();
        let method = Method::from_bytes(wish.method.as_bytes())
            .ok()
            .filter(|method| *method != Method::CONNECT)
            .ok_or_else(|| form("the method is none"))?;
        let url = parse_url(&wish.url, secrets, &mut used)?;
        let headers = parse_headers(&wish.headers, secrets, &mut used)?;
        let body = secrets.fill_body(wish.body, body_form(&headers), &mut used);
        if body.len() > body_limit {
            return Err(Invalid::TooLarge(body_limit));
        }
        let timeout = wish.timeout_ms.map(|ms| Duration::from_millis(ms.into()));
        Ok(Self {
            method,
            url,
            timeout: timeout.unwrap_or(TIMEOUT).min(LONGEST_TIMEOUT),
            used,
            headers,
            body,
        })
    }

    /// Whether the guest chose the `Host` header itself.
    pub(crate) fn names_host(&self) -> bool {
        self.headers.contains_key(header::HOST)
    }

    /// `host:port`, for messages.
    pub(crate) fn place(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        let port = self.url.port_or_known_default().unwrap_or_default();
        format!("{host}:{port}")
    }

    /// What leaves, as a rehearsal sees it.
    pub(crate) fn as_outside(&self) -> OutsideRequest {
        let headers = self.headers.iter().map(|(name, value)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        });
        OutsideRequest {
            method: self.method.to_string(),
            url: self.url.to_string(),
            headers: headers.collect(),
            body: self.body.clone(),
        }
    }

    pub(crate) fn into_hyper(self) -> Result<hyper::Request<Body>, hyper::http::Error> {
        let mut request = hyper::Request::builder()
            .method(self.method)
            .uri(path_and_query(&self.url))
            .body(Body::new(Bytes::from(self.body)))?;
        let host = HeaderValue::from_str(&authority(&self.url))?;
        let headers = request.headers_mut();
        *headers = self.headers;
        headers.entry(header::HOST).or_insert(host);
        headers
            .entry(header::USER_AGENT)
            .or_insert(HeaderValue::from_static(concat!(
                "shipway/",
                env!("CARGO_PKG_VERSION")
            )));
        Ok(request)
    }
}

fn parse_url(url: &str, secrets: &Secrets, used: &mut Used) -> Result<Url, Invalid> {
    if url.len() > LONGEST_URL {
        return Err(form("the URL is longer than 8 KiB"));
    }
    let url = secrets
        .fill_url(url, used)
        .map_err(|error| form(format!("the URL is none: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(form("the URL's scheme is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(form("the URL holds a user; send an authorization header"));
    }
    match url.host() {
        Some(_) => Ok(url),
        None => Err(form("the URL has no host")),
    }
}

fn parse_headers(
    wished: &[(String, String)],
    secrets: &Secrets,
    used: &mut Used,
) -> Result<HeaderMap, Invalid> {
    if wished.len() > MOST_HEADERS {
        return Err(form("there are more than 64 headers"));
    }
    let mut headers = HeaderMap::new();
    let mut bytes = 0;
    for (name, value) in wished {
        let name = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| form("the name of a header is none"))?;
        if NOT_A_GUESTS.contains(&name)
            || matches!(name.as_str(), "keep-alive" | "proxy-connection")
        {
            return Err(form(format!("the header {name} is the host's to set")));
        }
        let value = HeaderValue::from_str(&secrets.fill_header(name.as_str(), value, used))
            .map_err(|_| form(format!("the value of the header {name} cannot be sent")))?;
        bytes += name.as_str().len() + value.len();
        headers.append(name, value);
    }
    match bytes > HEADER_LIMIT || headers.get_all(header::HOST).iter().count() > 1 {
        true => Err(form(
            "the headers are larger than 32 KiB, or there are two hosts",
        )),
        false => Ok(headers),
    }
}

fn body_form(headers: &HeaderMap) -> BodyForm {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::to_str);
    let kind = kind
        .and_then(Result::ok)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    match kind {
        "application/x-www-form-urlencoded" => BodyForm::UrlEncoded,
        kind if kind.ends_with("/json") || kind.ends_with("+json") => BodyForm::Json,
        _ => BodyForm::Other,
    }
}

fn path_and_query(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

/// The value of `Host`: with the port when it is not the scheme's own.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

fn form(what: impl Into<String>) -> Invalid {
    Invalid::Form(what.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(method: &str, url: &str, headers: &[(&str, &str)]) -> Wish {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Wish {
            method: method.into(),
            url: url.into(),
            headers: headers.iter().map(own).collect(),
            body: Vec::new(),
            timeout_ms: Some(600_000),
        }
    }

    fn refused(wish: Wish) -> String {
        let filled = Outgoing::fill(wish, &Secrets::default(), 10);
        filled
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn a_request_is_sent_as_it_is_asked_for() {
        let asked = wish("GET", "http://example.com:8080/a?b=c#d", &[("x-y", "z")]);
        let outgoing = Outgoing::fill(asked, &Secrets::default(), 10).ok().unwrap();
        assert_eq!(outgoing.timeout, LONGEST_TIMEOUT);
        let request = outgoing.into_hyper().unwrap();
        assert_eq!(request.uri(), "/a?b=c");
        assert_eq!(request.headers()["host"], "example.com:8080");
        assert_eq!(request.headers()["x-y"], "z");
    }

    #[test]
    fn what_could_break_out_of_a_request_is_refused() {
        assert!(refused(wish("GE T", "http://a/", &[])).contains("method"));
        assert!(refused(wish("CONNECT", "http://a/", &[])).contains("method"));
        assert!(refused(wish("GET", "file:///etc/passwd", &[])).contains("scheme"));
        assert!(refused(wish("GET", "http://u:p@a/", &[])).contains("user"));
        assert!(refused(wish("GET", "http://a/", &[("a b", "c")])).contains("name of a header"));
        assert!(refused(wish("GET", "http://a/", &[("a", "c\r\nd: e")])).contains("value"));
        for name in [
            "Connection",
            "Transfer-Encoding",
            "Content-Length",
            "Keep-Alive",
        ] {
            assert!(refused(wish("GET", "http://a/", &[(name, "x")])).contains("host's to set"));
        }
        let two = [("host", "a"), ("Host", "b")];
        assert!(refused(wish("GET", "http://a/", &two)).contains("two hosts"));
        let mut large = wish("POST", "http://a/", &[]);
        large.body = vec![0; 11];
        assert!(refused(large).contains("larger than 10 bytes"));
    }
}
