//! From where a request comes. `X-Forwarded-For` is believed only as far as
//! proxies that the operator named have written it.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use axum::extract::{ConnectInfo, Request};
use http::HeaderMap;
use ip_network::IpNetwork;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Addresses whose word is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrustedProxy(IpNetwork);

#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no address such as 10.0.0.1, and no network such as 10.0.0.0/8")]
pub struct NoNetwork(String);

impl FromStr for TrustedProxy {
    type Err = NoNetwork;

    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let network = text.parse::<IpNetwork>().ok();
        let network = network.or_else(|| text.parse::<IpAddr>().ok().map(IpNetwork::from));
        network.map(Self).ok_or_else(|| NoNetwork(text.to_owned()))
    }
}

/// The peer's address, or behind trusted proxies the nearest that is not one of
/// them.
pub fn address(request: &Request, trusted: &[TrustedProxy]) -> Option<IpAddr> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map(|ConnectInfo(peer)| peer.ip().to_canonical())?;
    let is_trusted = |ip: &IpAddr| trusted.iter().any(|proxy| proxy.0.contains(*ip));
    let mut nearest = peer;
    for ip in forwarded(request.headers()).into_iter().rev() {
        if !is_trusted(&nearest) {
            break;
        }
        // What is no address was written by somebody who is not trusted.
        let Some(ip) = ip else { break };
        nearest = ip;
    }
    Some(nearest)
}

/// The addresses on the way, the farthest first.
fn forwarded(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let values = headers.get_all(FORWARDED_FOR).iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    let parts = texts.flat_map(|text| text.split(','));
    parts.map(|part| ip(part.trim())).collect()
}

/// Some proxies write a port too.
fn ip(text: &str) -> Option<IpAddr> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<IpAddr>().ok();
    let address = address.or_else(|| text.parse::<SocketAddr>().ok().map(|it| it.ip()));
    address.map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn from(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut request = Request::builder();
        for value in forwarded {
            request = request.header(FORWARDED_FOR, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        let peer = SocketAddr::new(peer.parse().unwrap(), 9999);
        request.extensions_mut().insert(ConnectInfo(peer));
        let trusted: Vec<TrustedProxy> = trusted.iter().map(|it| it.parse().unwrap()).collect();
        address(&request, &trusted).unwrap().to_string()
    }

    #[test]
    fn nobody_is_believed_unless_trusted() {
        assert_eq!(from("192.0.2.1", &["198.51.100.7"], &[]), "192.0.2.1");
        assert_eq!(
            from("192.0.2.1", &["198.51.100.7"], &["10.0.0.0/8"]),
            "192.0.2.1"
        );
    }

    #[test]
    fn behind_trusted_proxies_it_is_the_nearest_stranger() {
        let trusted = ["10.0.0.0/8", "::1"];
        let spoofed = ["203.0.113.9, 198.51.100.7", "10.0.0.2"];
        assert_eq!(from("10.0.0.1", &spoofed, &trusted), "198.51.100.7");
        assert_eq!(
            from("::1", &["198.51.100.7:4711"], &trusted),
            "198.51.100.7"
        );
        assert_eq!(from("::1", &["[2001:db8::1]:80"], &trusted), "2001:db8::1");
        assert_eq!(
            from("::ffff:10.0.0.1", &["198.51.100.7"], &trusted),
            "198.51.100.7"
        );
    }

    #[test]
    fn nonsense_ends_the_way() {
        let trusted = ["10.0.0.0/8"];
        assert_eq!(
            from("10.0.0.1", &["198.51.100.7, unknown"], &trusted),
            "10.0.0.1"
        );
        assert_eq!(from("10.0.0.1", &[], &trusted), "10.0.0.1");
        assert_eq!(from("10.0.0.1", &["10.0.0.9"], &trusted), "10.0.0.9");
    }

    #[test]
    fn a_network_that_is_none_is_named() {
        let error = "10.0.0.0/99".parse::<TrustedProxy>().unwrap_err();
        assert!(error.to_string().contains("10.0.0.0/99"));
    }
}
