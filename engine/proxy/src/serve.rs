//! How the proxy starts, runs and stops.

use std::fs::File;
use std::future::Future;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admin::Admin;
use crate::config::ProxyConfig;
use crate::control::Control;
use crate::error::ProxyError;
use crate::listen;
use crate::state_file::StateFile;
use crate::stats::Stats;
use crate::table::Routing;
use crate::worker::Worker;

/// The whole proxy: binds, serves until `shutdown` is ready, lets running
/// requests finish for at most [`Limits::shutdown`](crate::Limits), returns.
/// The admin socket is served by the runtime that polls this; requests are
/// served by threads of their own.
pub async fn run(
    config: ProxyConfig,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ProxyError> {
    Proxy::bind(config)?.serve(shutdown).await
}

/// A proxy that has its sockets and its routes and does not serve yet.
/// Connections that come before [`Proxy::serve`] wait.
#[derive(Debug)]
pub struct Proxy {
    config: ProxyConfig,
    addresses: Vec<SocketAddr>,
    /// For each worker, one listener an address.
    listeners: Vec<Vec<TcpListener>>,
    admin: UnixListener,
    routing: Arc<Routing>,
    control: Arc<Control>,
    /// Held while the proxy lives.
    _lock: File,
}

impl Proxy {
    pub fn bind(config: ProxyConfig) -> Result<Self, ProxyError> {
        if config.listen.is_empty() {
            return Err(ProxyError::NoAddress);
        }
        listen::raise_open_files();
        let lock = lock(&config.admin_socket)?;
        let workers = config.workers.get();
        let routing = Arc::new(Routing::default());
        let file = StateFile::new(config.state_file.clone());
        let control = Arc::new(Control::start(Arc::clone(&routing), file, workers)?);
        let (addresses, listeners) = listeners(&config.listen, workers)?;
        let admin = admin_listener(&config.admin_socket)?;
        Ok(Self {
            config,
            addresses,
            listeners,
            admin,
            routing,
            control,
            _lock: lock,
        })
    }

    /// Where clients connect, with the ports that were really taken.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// As [`run`], after binding.
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> Result<(), ProxyError> {
        let stop = CancellationToken::new();
        // If this future is dropped, the threads stop too.
        let _stop_with_this = stop.clone().drop_guard();
        let (ended, mut ends) = mpsc::unbounded_channel();
        let mut stats = Vec::new();
        let count = self.listeners.len();
        for (index, listeners) in self.listeners.into_iter().enumerate() {
            let worker = Worker {
                index,
                routing: Arc::clone(&self.routing),
                stats: Arc::new(Stats::default()),
                limits: self.config.limits.clone(),
                trusted_forwarders: self.config.trusted_forwarders.clone(),
                tasks: TaskTracker::new(),
                stop: stop.clone(),
            };
            stats.push(Arc::clone(&worker.stats));
            start_thread(worker, listeners, Ended(ended.clone()))?;
        }
        let admin = Arc::new(Admin {
            control: self.control,
            stats,
            addresses: self.addresses,
        });
        let listener = tokio::net::UnixListener::from_std(self.admin)
            .map_err(|source| ProxyError::Threads { source })?;

        tokio::select! {
            () = shutdown => {}
            () = admin.serve(listener) => {}
            _ = ends.recv() => return Err(ProxyError::WorkerEnded),
        }
        stop.cancel();
        for _ in 0..count {
            ends.recv().await;
        }
        remove(&self.config.admin_socket);
        Ok(())
    }
}

/// Tells that its thread has ended, by return or by panic.
struct Ended(mpsc::UnboundedSender<()>);

impl Drop for Ended {
    fn drop(&mut self) {
        // Nobody waits any more: nobody needs to know.
        let _ = self.0.send(());
    }
}

fn start_thread(
    worker: Worker,
    listeners: Vec<TcpListener>,
    ended: Ended,
) -> Result<(), ProxyError> {
    let failed = |source| ProxyError::Threads { source };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let listeners = {
        let _inside = runtime.enter();
        let listeners = listeners.into_iter().map(tokio::net::TcpListener::from_std);
        listeners.collect::<Result<Vec<_>, _>>().map_err(failed)?
    };
    thread::Builder::new()
        .name(format!("proxy-{}", worker.index))
        .spawn(move || {
            let _ended = ended;
            runtime.block_on(Arc::new(worker).serve(listeners));
        })
        .map_err(failed)?;
    Ok(())
}

type Listeners = (Vec<SocketAddr>, Vec<Vec<TcpListener>>);

fn listeners(addresses: &[SocketAddr], workers: usize) -> Result<Listeners, ProxyError> {
    let mut taken = Vec::new();
    let mut each: Vec<Vec<_>> = (0..workers).map(|_| Vec::new()).collect();
    for address in addresses {
        let listeners = listen::tcp(*address, workers).map_err(|source| ProxyError::Listen {
            address: *address,
            source,
        })?;
        taken.extend(listeners.first().and_then(|l| l.local_addr().ok()));
        for (worker, listener) in each.iter_mut().zip(listeners) {
            worker.push(listener);
        }
    }
    Ok((taken, each))
}

fn admin_listener(path: &Path) -> Result<UnixListener, ProxyError> {
    listen::admin(path).map_err(|source| ProxyError::AdminSocket {
        path: path.to_owned(),
        source,
    })
}

/// One proxy an admin socket. The lock goes with the process, however it
/// ends; the file stays.
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

fn remove(socket: &Path) {
    if let Err(error) = std::fs::remove_file(socket) {
        tracing::debug!(%error, "the admin socket could not be removed");
    }
}
