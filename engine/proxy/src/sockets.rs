//! All that another proxy needs to take over: the lock, the admin socket, and
//! the sockets that clients connect to.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::config::ProxyConfig;
use crate::error::ProxyError;
use crate::handover::line::{Offer, Offered, VERSION};
use crate::handover::take::Received;
use crate::listen::{self, Bound, Kind};

/// How long what another proxy has is waited for.
const PATIENCE: Duration = Duration::from_secs(1);
const AGAIN_AFTER: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(crate) struct Sockets {
    /// Held while any process has it open.
    pub lock: File,
    pub admin: UnixListener,
    pub bound: Vec<Bound>,
}

/// What one worker accepts from.
pub(crate) type Listeners = Vec<(Kind, TcpListener)>;

impl Sockets {
    /// A proxy that just ends, or has just been taken over from, is waited
    /// for a moment.
    pub fn bind(config: &ProxyConfig) -> Result<Self, ProxyError> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match Self::try_bind(config) {
                Err(error) if error.is_taken() && Instant::now() < deadline => sleep(AGAIN_AFTER),
                outcome => return outcome,
            }
        }
    }

    fn try_bind(config: &ProxyConfig) -> Result<Self, ProxyError> {
        let lock = lock(&config.admin_socket)?;
        let bound = bind(config, Vec::new())?;
        let admin =
            listen::admin(&config.admin_socket).map_err(|source| ProxyError::AdminSocket {
                path: config.admin_socket.clone(),
                source,
            })?;
        Ok(Self { lock, admin, bound })
    }

    /// With the sockets of a running proxy. Addresses that it has not are
    /// bound; those that are not asked for any more are closed.
    pub fn take(config: &ProxyConfig, received: Received) -> Result<Self, ProxyError> {
        let admin = received.admin;
        admin
            .set_nonblocking(true)
            .map_err(|source| ProxyError::TakeOver { source })?;
        let lock = received.lock;
        let bound = bind(config, received.listeners)?;
        Ok(Self { lock, admin, bound })
    }

    pub fn addresses(&self, kind: Kind) -> Vec<SocketAddr> {
        let bound = self.bound.iter().filter(|bound| bound.kind == kind);
        bound.filter_map(Bound::address).collect()
    }

    /// Every socket is some worker's, and every worker has one an address.
    pub fn by_worker(&self, workers: usize) -> std::io::Result<Vec<Listeners>> {
        let mut each: Vec<Listeners> = (0..workers).map(|_| Vec::new()).collect();
        for bound in &self.bound {
            for (index, socket) in bound.sockets.iter().enumerate() {
                if let Some(own) = each.get_mut(index % workers.max(1)) {
                    own.push((bound.kind, socket.try_clone()?));
                }
            }
        }
        Ok(each)
    }

    pub fn offer(&self, config: &ProxyConfig) -> Offer {
        let listeners = self.bound.iter().map(|bound| Offered {
            kind: bound.kind,
            configured: bound.configured,
            count: bound.sockets.len(),
        });
        Offer {
            version: VERSION,
            pid: std::process::id(),
            admin_socket: config.admin_socket.clone(),
            state_file: config.state_file.clone(),
            listeners: listeners.collect(),
        }
    }

    /// In the order of the offer.
    pub fn fds(&self) -> Vec<BorrowedFd<'_>> {
        let listeners = self.bound.iter().flat_map(|bound| &bound.sockets);
        [self.lock.as_fd(), self.admin.as_fd()]
            .into_iter()
            .chain(listeners.map(AsFd::as_fd))
            .collect()
    }
}

fn bind(config: &ProxyConfig, mut inherited: Vec<Bound>) -> Result<Vec<Bound>, ProxyError> {
    let plain = config.listen.iter().map(|address| (Kind::Plain, *address));
    let tls = config
        .tls_listen
        .iter()
        .map(|address| (Kind::Tls, *address));
    let mut bound = Vec::new();
    for (kind, address) in plain.chain(tls) {
        let at = inherited
            .iter()
            .position(|old| old.kind == kind && old.configured == address);
        let sockets = at.map(|at| inherited.remove(at).sockets);
        let workers = config.workers.get();
        let sockets = Bound::new(kind, address, sockets.unwrap_or_default(), workers)
            .map_err(|source| ProxyError::Listen { address, source })?;
        bound.push(sockets);
    }
    Ok(bound)
}

/// One proxy an admin socket. The lock goes with the last process that has
/// it, however that ends; the file stays.
fn lock(socket: &Path) -> Result<File, ProxyError> {
    let mut name = socket.as_os_str().to_owned();
    name.push(".lock");
    let path = PathBuf::from(name);
    let failed = |source| ProxyError::AdminSocket {
        path: socket.to_owned(),
        source,
    };
    let file = File::create(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(ProxyError::AlreadyRunning {
            socket: socket.to_owned(),
        }),
        Err(std::fs::TryLockError::Error(source)) => Err(failed(source)),
    }
}
