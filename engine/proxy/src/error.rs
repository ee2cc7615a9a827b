//! Why the proxy could not start, or stopped.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    #[error("the proxy was given no address to listen on; pass one, such as 0.0.0.0:80")]
    NoAddress,
    #[error("TLS needs certificates; pass the folder they are in")]
    NoCertificates,
    #[error("cannot read the certificates in {}", path.display())]
    Certificates { path: PathBuf, source: io::Error },
    #[error("cannot keep certificates in {}", path.display())]
    Acme { path: PathBuf, source: io::Error },
    #[error("cannot set up TLS")]
    Tls { source: rustls::Error },
    #[error("cannot listen on {address}{}", hint(source))]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    #[error(
        "another proxy serves with the admin socket {}; stop it first, or give this one a socket of its own",
        socket.display()
    )]
    AlreadyRunning { socket: PathBuf },
    #[error("cannot open the admin socket {}", path.display())]
    AdminSocket { path: PathBuf, source: io::Error },
    #[error("cannot read the state file {}", path.display())]
    ReadState { path: PathBuf, source: io::Error },
    #[error(
        "the state file {} is damaged; move it away to start without routes, then deploy again",
        path.display()
    )]
    DamagedState {
        path: PathBuf,
        source: serde_json::Error,
    },
    #[error("cannot write the state file {}; the routes are unchanged", path.display())]
    WriteState { path: PathBuf, source: io::Error },
    #[error("cannot write the process id to {}", path.display())]
    PidFile { path: PathBuf, source: io::Error },
    #[error("cannot take over from the proxy that runs")]
    TakeOver { source: io::Error },
    #[error("cannot take over from the proxy that runs: {why}")]
    NotTakenOver { why: String },
    #[error("cannot start the proxy's threads")]
    Threads { source: io::Error },
    #[error("a thread of the proxy ended by itself; this is a bug in Shipway")]
    WorkerEnded,
}

impl ProxyError {
    /// Whether another program has what this one needs, perhaps not for long.
    pub(crate) fn is_taken(&self) -> bool {
        match self {
            Self::AlreadyRunning { .. } => true,
            Self::Listen { source, .. } => source.kind() == io::ErrorKind::AddrInUse,
            _ => false,
        }
    }
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => ": another program listens there",
        io::ErrorKind::PermissionDenied => {
            ": ports below 1024 need root or the capability CAP_NET_BIND_SERVICE"
        }
        io::ErrorKind::AddrNotAvailable => ": this machine has no such address",
        _ => "",
    }
}

/// An error with all its causes, for people who see no log.
pub(crate) fn in_full(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
