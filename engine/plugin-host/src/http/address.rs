//! Which addresses a guest may reach, in every spelling of them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ip_network::{Ipv4Network, Ipv6Network};
use url::{Host, Url};

use super::{Names, Trouble, Way};

/// Names with more addresses are not tried further.
const MOST_ADDRESSES: usize = 8;

/// Metadata services that stand on public addresses.
const METADATA: [Ipv4Addr; 1] = [Ipv4Addr::new(168, 63, 129, 16)];

/// How far a request may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    Public,
    /// Private ones too: the operator said so.
    Any,
}

/// Resolved once: what is connected to is what was checked.
pub(super) async fn resolve(
    url: &Url,
    way: Way,
    names: &dyn Names,
) -> Result<Vec<SocketAddr>, Trouble> {
    let reach = match way {
        Way::Candidate(address) => return Ok(vec![address]),
        Way::Resolved(reach) => reach,
    };
    let found = look_up(url, names).await?;
    let refused = found.first().map(|address| address.ip().to_string());
    let reachable: Vec<SocketAddr> = found
        .into_iter()
        .filter(|address| reach == Reach::Any || is_public(address.ip()))
        .take(MOST_ADDRESSES)
        .collect();
    match reachable.is_empty() {
        true => Err(Trouble::NotPublic(refused.unwrap_or_default())),
        false => Ok(reachable),
    }
}

async fn look_up(url: &Url, names: &dyn Names) -> Result<Vec<SocketAddr>, Trouble> {
    let port = url.port_or_known_default().unwrap_or_default();
    let name = match url.host() {
        Some(Host::Ipv4(ip)) => return Ok(vec![SocketAddr::new(ip.into(), port)]),
        Some(Host::Ipv6(ip)) => return Ok(vec![SocketAddr::new(ip.into(), port)]),
        Some(Host::Domain(name)) => name,
        None => "",
    };
    let unresolved = |why: String| Trouble::Unresolved(name.to_owned(), why);
    let found = names.addresses(name, port).await;
    let found = found.map_err(|error| unresolved(error.to_string()))?;
    match found.is_empty() {
        true => Err(unresolved("it has no address".to_owned())),
        false => Ok(found),
    }
}

/// The check of a URL that names an address, where nothing is looked up.
pub(super) fn check_literal(url: &Url, reach: Reach) -> Result<(), Trouble> {
    let address: IpAddr = match url.host() {
        Some(Host::Ipv4(ip)) => ip.into(),
        Some(Host::Ipv6(ip)) => ip.into(),
        _ => return Ok(()),
    };
    match reach == Reach::Any || is_public(address) {
        true => Ok(()),
        false => Err(Trouble::NotPublic(address.to_string())),
    }
}

/// Whether an address is one of the open internet, and no door to another
/// address that is not.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match embedded(v6) {
            Some(v4) => is_public_v4(v4),
            None => is_public_v6(v6),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    Ipv4Network::from(address).is_global()
        && !address.is_multicast()
        && address.octets()[0] < 240
        && !METADATA.contains(&address)
}

/// 2000::/3 is all that is given out; the rest of it that is not global is
/// known to `ip_network`.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let given_out = address.segments()[0] & 0xe000 == 0x2000;
    given_out && Ipv6Network::from(address).is_global() && !is_tunnel(address)
}

/// The IPv4 address that an IPv6 address stands for: mapped, compatible, or
/// translated by NAT64.
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let octets = address.octets();
    let (prefix, rest) = octets.split_at(12);
    let stands_for = matches!(
        prefix,
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
            | [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
            | [0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]
    );
    let rest: [u8; 4] = rest.try_into().ok()?;
    stands_for.then(|| Ipv4Addr::from(rest))
}

/// 6to4 and Teredo lead to an IPv4 address that nobody checked; so does a
/// local NAT64.
fn is_tunnel(address: Ipv6Addr) -> bool {
    matches!(
        address.segments(),
        [0x2002, ..] | [0x2001, 0, ..] | [0x0064, 0xff9b, 1, ..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::SystemNames;

    #[test]
    fn only_the_open_internet_is_public() {
        for public in [
            "1.1.1.1",
            "93.184.216.34",
            "2606:4700::1111",
            "64:ff9b::1.1.1.1",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for closed in [
            "127.0.0.1",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2001:0:7f00:1::",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
        ] {
            assert!(!is_public(closed.parse().unwrap()), "{closed}");
        }
    }

    #[tokio::test]
    async fn every_spelling_of_loopback_is_refused() {
        for url in [
            "http://localhost/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://127.1:8080/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://0/",
        ] {
            let url = Url::parse(url).unwrap();
            let refused = resolve(&url, Way::Resolved(Reach::Public), &SystemNames).await;
            assert!(
                matches!(refused, Err(Trouble::NotPublic(_))),
                "{url}: {refused:?}"
            );
            assert!(
                resolve(&url, Way::Resolved(Reach::Any), &SystemNames)
                    .await
                    .is_ok(),
                "{url}"
            );
        }
    }
}
