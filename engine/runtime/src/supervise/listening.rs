//! Whether a port is open, seen without connecting to it: a connection would
//! show up in the app's own log.

/// Whether anything on this machine listens on the port.
#[cfg(target_os = "linux")]
pub fn is_open(port: u16) -> bool {
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .into_iter()
        .any(|table| {
            let table = std::fs::read_to_string(table).unwrap_or_default();
            has_listener(&table, port)
        })
}

#[cfg(not(target_os = "linux"))]
pub fn is_open(port: u16) -> bool {
    use std::net::{Ipv4Addr, SocketAddr, TcpStream};
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    TcpStream::connect_timeout(&address, std::time::Duration::from_millis(200)).is_ok()
}

/// `SLOT: ADDRESS:PORT ADDRESS:PORT STATE …`, numbers in hexadecimal.
#[cfg(target_os = "linux")]
fn has_listener(table: &str, port: u16) -> bool {
    const LISTEN: &str = "0A";
    let wanted = format!(":{port:04X}");
    table.lines().skip(1).any(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let local = fields.next().is_some_and(|local| local.ends_with(&wanted));
        local && fields.nth(1) == Some(LISTEN)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_port_is_seen_and_a_closed_one_is_not() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(is_open(port));
        drop(listener);
        assert!(!is_open(port));
    }
}
