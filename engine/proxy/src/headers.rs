//! What is changed on the way: the host is read, headers between two
//! neighbours are taken off, and the target is told for whom it answers.

use std::borrow::Cow;
use std::net::IpAddr;

use http::header::{
    CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Version, request};
use hyper::body::Bytes;

use crate::forward::{Origin, Scheme};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Why a request names no host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NoHost;

/// The host as a client wrote it, with its port. The request line's own wins
/// over the header, as RFC 9112 has it; two headers are an attack.
pub(crate) fn written_host<B>(request: &Request<B>) -> Result<HeaderValue, NoHost> {
    if let Some(authority) = request.uri().authority() {
        let host = authority.as_str().rsplit('@').next().unwrap_or_default();
        return HeaderValue::from_str(host).map_err(|_| NoHost);
    }
    let mut values = request.headers().get_all(HOST).iter();
    match (values.next(), values.next()) {
        (Some(host), None) => Ok(host.clone()),
        _ => Err(NoHost),
    }
}

/// The host as routes have it: lower case, without port or last dot.
pub(crate) fn routed_host(written: &HeaderValue) -> Result<Cow<'_, str>, NoHost> {
    let text = written.to_str().map_err(|_| NoHost)?.trim();
    let name = match text.strip_prefix('[') {
        Some(address) => address.split(']').next(),
        None => text.split(':').next(),
    };
    let name = name.unwrap_or_default();
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() {
        return Err(NoHost);
    }
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Ok(name.to_ascii_lowercase().into());
    }
    Ok(name.into())
}

/// Takes off what is meant for the neighbour only.
pub(crate) fn strip(headers: &mut HeaderMap) {
    take_off(headers, is_between_neighbours);
}

/// These, and what is meant for the neighbour only. Most messages have few of
/// all that might be meant, and to look at each name that is there takes less
/// than to search for each that might be.
fn take_off(headers: &mut HeaderMap, is_meant: impl Fn(&HeaderName) -> bool) {
    if headers.keys().any(|name| *name == CONNECTION) {
        for name in named_by_connection(headers) {
            headers.remove(name);
        }
    }
    if headers.keys().any(|name| *name == TRANSFER_ENCODING) {
        headers.remove(CONTENT_LENGTH);
    }
    while let Some(name) = headers.keys().find(|name| is_meant(name)).cloned() {
        headers.remove(name);
    }
}

fn is_between_neighbours(name: &HeaderName) -> bool {
    match *name {
        CONNECTION | PROXY_AUTHENTICATE | PROXY_AUTHORIZATION | TE | TRAILER
        | TRANSFER_ENCODING | UPGRADE => true,
        _ => matches!(
            name.as_str(),
            "keep-alive" | "proxy-connection" | "http2-settings"
        ),
    }
}

fn is_for_the_proxy(name: &HeaderName) -> bool {
    match *name {
        // The proxy itself has asked the client for the body.
        EXPECT => true,
        // Becomes the variable HTTP_PROXY in CGI programs, which then trust it.
        _ => name.as_str() == "proxy",
    }
}

fn says_for_whom(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "x-forwarded-for"
            | "x-forwarded-proto"
            | "x-forwarded-host"
            | "x-forwarded-port"
            | "x-real-ip"
            | "forwarded"
    )
}

fn named_by_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .filter(|name| *name != CONTENT_LENGTH && *name != HOST)
        .collect()
}

/// Makes a client's request head one for a target.
pub(crate) fn for_target(
    head: &mut request::Parts,
    host: &HeaderValue,
    origin: &Origin,
    trusted: &[IpAddr],
) {
    let headers = &mut head.headers;
    let forwarder = Forwarder::of(origin, trusted);
    take_off(headers, |name| {
        is_between_neighbours(name)
            || is_for_the_proxy(name)
            || (forwarder == Forwarder::Doubted && says_for_whom(name))
    });
    if head.version > Version::HTTP_11 {
        join_cookies(headers);
    }
    tell_for_whom(headers, host, origin);
    if head.uri.authority().is_some() || !headers.contains_key(HOST) {
        headers.insert(HOST, host.clone());
    }
    head.version = Version::HTTP_11;
    // The path and query alone; the host is in its header.
    head.uri = match head.uri.path_and_query() {
        Some(path) if head.uri.authority().is_some() => path.clone().into(),
        _ => std::mem::take(&mut head.uri),
    };
}

/// HTTP/2 may spread cookies over several headers, HTTP/1.1 may not
/// (RFC 9113, 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    if headers.get_all(COOKIE).iter().nth(1).is_none() {
        return;
    }
    let all: Vec<_> = headers
        .get_all(COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if let Ok(joined) = HeaderValue::from_bytes(&all.join(&b"; "[..])) {
        headers.insert(COOKIE, joined);
    }
}

/// Whether it is believed for whom a client asks: a proxy in front is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Forwarder {
    Trusted,
    Doubted,
}

impl Forwarder {
    fn of(origin: &Origin, trusted: &[IpAddr]) -> Self {
        match trusted.contains(&origin.client.ip().to_canonical()) {
            true => Self::Trusted,
            false => Self::Doubted,
        }
    }
}

/// What is still there is believed, and kept and added to.
fn tell_for_whom(headers: &mut HeaderMap, host: &HeaderValue, origin: &Origin) {
    let scheme = match origin.scheme {
        Scheme::Http => "http",
        Scheme::Https => "https",
    };
    headers.insert(X_FORWARDED_FOR, chain(headers, &origin.address));
    headers
        .entry(X_FORWARDED_PROTO)
        .or_insert(HeaderValue::from_static(scheme));
    headers
        .entry(X_FORWARDED_HOST)
        .or_insert_with(|| host.clone());
}

/// The clients so far, as far as they can be read, with this one.
fn chain(headers: &HeaderMap, client: &HeaderValue) -> HeaderValue {
    let mut chain = Vec::new();
    for earlier in headers.get_all(X_FORWARDED_FOR) {
        if earlier.to_str().is_ok() {
            chain.extend_from_slice(earlier.as_bytes());
            chain.extend_from_slice(b", ");
        }
    }
    if chain.is_empty() {
        return client.clone();
    }
    chain.extend_from_slice(client.as_bytes());
    HeaderValue::from_maybe_shared(Bytes::from(chain)).unwrap_or_else(|_| client.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(headers: &[(&str, &str)]) -> request::Parts {
        let mut request = Request::builder().uri("/a?b=c");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn from(address: [u8; 4]) -> Origin {
        Origin::new((address, 1).into(), Scheme::Http)
    }

    fn host(text: &'static str) -> HeaderValue {
        HeaderValue::from_static(text)
    }

    #[test]
    fn a_host_is_read_without_case_port_or_last_dot() {
        for text in [
            "Shop.Example.com",
            "shop.example.com:8080",
            "shop.example.com.",
            "SHOP.example.com.:80",
        ] {
            assert_eq!(routed_host(&host(text)).unwrap(), "shop.example.com");
        }
        assert_eq!(routed_host(&host("[::1]:80")).unwrap(), "::1");
        assert_eq!(routed_host(&host(":80")), Err(NoHost));
    }

    #[test]
    fn the_request_line_wins_and_two_hosts_are_refused() {
        let request = |uri: &str, hosts: &[&str]| {
            let mut request = Request::builder().uri(uri);
            for host in hosts {
                request = request.header(HOST, *host);
            }
            written_host(&request.body(()).unwrap())
        };
        assert_eq!(request("/", &["a.com"]).unwrap(), "a.com");
        assert_eq!(
            request("http://me@b.com:81/", &["a.com"]).unwrap(),
            "b.com:81"
        );
        assert_eq!(request("/", &["a.com", "b.com"]), Err(NoHost));
        assert_eq!(request("/", &[]), Err(NoHost));
    }

    #[test]
    fn what_is_for_the_neighbour_is_taken_off() {
        let mut head = head(&[
            ("connection", "close, X-Mine , content-length"),
            ("x-mine", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("proxy", "http://evil"),
            ("content-length", "3"),
            ("accept", "*/*"),
        ]);
        for_target(&mut head, &host("a.com:80"), &from([10, 0, 0, 9]), &[]);
        let mut names: Vec<_> = head.headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "accept",
                "content-length",
                "host",
                "x-forwarded-for",
                "x-forwarded-host",
                "x-forwarded-proto"
            ]
        );
        assert_eq!(head.headers[X_FORWARDED_HOST], "a.com:80");
        assert_eq!(head.uri, "/a?b=c");
    }

    #[test]
    fn only_trusted_forwarders_are_believed() {
        let claims = [
            ("x-forwarded-for", "1.2.3.4"),
            ("x-forwarded-proto", "https"),
            ("x-real-ip", "1.2.3.4"),
        ];
        let front = from([10, 0, 0, 1]);
        let mut believed = head(&claims);
        for_target(&mut believed, &host("a.com"), &front, &[front.client.ip()]);
        assert_eq!(believed.headers[X_FORWARDED_FOR], "1.2.3.4, 10.0.0.1");
        assert_eq!(believed.headers[X_FORWARDED_PROTO], "https");

        let mut doubted = head(&claims);
        for_target(&mut doubted, &host("a.com"), &front, &[]);
        assert_eq!(doubted.headers[X_FORWARDED_FOR], "10.0.0.1");
        assert_eq!(doubted.headers[X_FORWARDED_PROTO], "http");
        assert!(!doubted.headers.contains_key("x-real-ip"));
    }

    #[test]
    fn tls_is_told_and_cookies_of_http_2_become_one() {
        let mut head = head(&[("cookie", "a=1"), ("cookie", "b=2")]);
        head.version = Version::HTTP_2;
        let origin = Origin {
            scheme: Scheme::Https,
            ..from([10, 0, 0, 9])
        };
        for_target(&mut head, &host("a.com"), &origin, &[]);
        assert_eq!(head.headers[COOKIE], "a=1; b=2");
        assert_eq!(head.headers.get_all(COOKIE).iter().count(), 1);
        assert_eq!(head.headers[X_FORWARDED_PROTO], "https");
        assert_eq!(head.version, Version::HTTP_11);
    }
}
