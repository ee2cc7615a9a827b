//! Sockets. Where the system shares a port between sockets, each worker has
//! one of its own and the kernel spreads the connections; elsewhere all
//! workers accept from one.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, TcpKeepalive, Type};
use tokio::net::TcpStream;

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// What is spoken on a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Plain,
    Tls,
}

/// The sockets of one address, all on the same port.
#[derive(Debug)]
pub(crate) struct Bound {
    pub kind: Kind,
    /// As it was asked for, with port 0 if it was.
    pub configured: SocketAddr,
    /// At least one; with those of an earlier proxy, perhaps more than
    /// workers.
    pub sockets: Vec<TcpListener>,
}

impl Bound {
    /// One socket for each of `count` workers. `inherited` are used first, and
    /// all of them: what waits in one would be lost with it.
    pub fn new(
        kind: Kind,
        configured: SocketAddr,
        inherited: Vec<TcpListener>,
        count: usize,
    ) -> io::Result<Self> {
        let mut sockets = inherited;
        for socket in &sockets {
            socket.set_nonblocking(true)?;
        }
        if sockets.is_empty() {
            sockets.push(first(configured)?);
        }
        while let (Some(last), true) = (sockets.last(), sockets.len() < count) {
            let next = if cfg!(target_os = "linux") {
                bind(last.local_addr()?, Port::Shared)?
            } else {
                last.try_clone()?
            };
            sockets.push(next);
        }
        Ok(Self {
            kind,
            configured,
            sockets,
        })
    }

    /// With the port that was really taken.
    pub fn address(&self) -> Option<SocketAddr> {
        self.sockets.first()?.local_addr().ok()
    }
}

fn first(address: SocketAddr) -> io::Result<TcpListener> {
    if cfg!(target_os = "linux") {
        // A shared port is open to every program of this user. So first take
        // it alone: that fails if anyone listens there.
        drop(bind(address, Port::Alone)?);
        bind(address, Port::Shared)
    } else {
        bind(address, Port::Alone)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Port {
    Alone,
    Shared,
}

fn bind(address: SocketAddr, port: Port) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // So that connections of an earlier proxy, long closed, do not matter.
    socket.set_reuse_address(true)?;
    #[cfg(target_os = "linux")]
    if port == Port::Shared {
        socket.set_reuse_port(true)?;
    }
    socket.bind(&address.into())?;
    if port == Port::Shared || cfg!(not(target_os = "linux")) {
        socket.listen(BACKLOG)?;
    }
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// The admin socket, closed to other users from its first moment: no one can
/// connect before `listen`.
pub(crate) fn admin(path: &Path) -> io::Result<UnixListener> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Small writes leave at once; a peer that is gone is found in two minutes.
/// Either failing is no reason to refuse a connection.
pub(crate) fn tune(stream: &TcpStream) {
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(60))
        .with_interval(Duration::from_secs(15))
        .with_retries(4);
    let tuned = stream
        .set_nodelay(true)
        .and_then(|()| SockRef::from(stream).set_tcp_keepalive(&keepalive));
    if let Err(error) = tuned {
        tracing::debug!(%error, "a connection could not be tuned");
    }
}

/// As many open files as this user may have: each request needs two.
pub(crate) fn raise_open_files() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
    if let Err(error) = raised {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}
