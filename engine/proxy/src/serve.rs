//! How the proxy starts, runs, restarts and stops.

use std::ffi::OsString;
use std::future::{Future, pending};
use std::net::SocketAddr;
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::acme::Acme;
use crate::admin::Admin;
use crate::config::ProxyConfig;
use crate::control::Control;
use crate::error::{ProxyError, in_full};
use crate::handover::earlier::Earlier;
use crate::handover::give::{self, HandOverError, Successor};
use crate::handover::{Inherited, Program};
use crate::leaving::{Leaving, all_gone};
use crate::listen::Kind;
use crate::phase::{CutOnDrop, Phase};
use crate::pid_file::PidFile;
use crate::sockets::Sockets;
use crate::state_file::StateFile;
use crate::stats::Stats;
use crate::table::Routing;
use crate::threads::Threads;
use crate::tls::Tls;
use crate::worker::Worker;
use crate::{health, listen, notify};

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
    sockets: Sockets,
    tls: Option<Tls>,
    routing: Arc<Routing>,
    control: Arc<Control>,
    /// The proxy that runs and waits for this one, and its process id.
    inherited: Option<(Inherited, u32)>,
    handle: ProxyHandle,
    asks: mpsc::Receiver<Ask>,
}

/// To ask a proxy that serves for a restart.
#[derive(Debug, Clone)]
pub struct ProxyHandle {
    asks: mpsc::Sender<Ask>,
}

#[derive(Debug)]
struct Ask {
    arguments: Option<Vec<OsString>>,
    answer: oneshot::Sender<Result<u32, HandOverError>>,
}

impl ProxyHandle {
    /// Returns when the proxy stops, or another one has taken over from it.
    pub async fn gone(&self) {
        self.asks.closed().await;
    }

    /// Starts the program anew, with the same arguments or with these, and
    /// hands over to it. Returns its process id when it serves; this proxy
    /// then finishes what is under way and ends. After an error this one
    /// serves on as if nothing had been asked.
    pub async fn restart(&self, arguments: Option<Vec<OsString>>) -> Result<u32, HandOverError> {
        let (answer, answered) = oneshot::channel();
        let asked = self.asks.send(Ask { arguments, answer }).await;
        asked.map_err(|_| HandOverError::Leaving)?;
        answered.await.map_err(|_| HandOverError::Leaving)?
    }
}

impl Proxy {
    pub fn bind(config: ProxyConfig) -> Result<Self, ProxyError> {
        check(&config)?;
        let tls = Tls::of(&config)?;
        let sockets = Sockets::bind(&config)?;
        Self::with(config, sockets, tls, None)
    }

    /// In the place of the proxy that started this program. It goes on
    /// serving until [`Proxy::serve`], and for good if this fails.
    pub fn take_over(config: ProxyConfig, mut inherited: Inherited) -> Result<Self, ProxyError> {
        match prepare(&config, &mut inherited) {
            Ok((sockets, tls, pid)) => Self::with(config, sockets, tls, Some((inherited, pid))),
            Err(error) => {
                inherited.failed(&error);
                Err(error)
            }
        }
    }

    fn with(
        config: ProxyConfig,
        sockets: Sockets,
        tls: Option<Tls>,
        mut inherited: Option<(Inherited, u32)>,
    ) -> Result<Self, ProxyError> {
        let routing = Arc::new(Routing::default());
        let file = StateFile::new(config.state_file.clone());
        let started = Control::start(Arc::clone(&routing), file, config.workers.get());
        let control = started.inspect_err(|error| {
            if let Some((inherited, _)) = &mut inherited {
                inherited.failed(error);
            }
        })?;
        let (sender, asks) = mpsc::channel(1);
        Ok(Self {
            config,
            sockets,
            tls,
            routing,
            control: Arc::new(control),
            inherited,
            handle: ProxyHandle { asks: sender },
            asks,
        })
    }

    /// Where clients connect, with the ports that were really taken.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.addresses(Kind::Plain)
    }

    /// Where they connect with TLS.
    pub fn tls_addresses(&self) -> Vec<SocketAddr> {
        self.sockets.addresses(Kind::Tls)
    }

    pub fn handle(&self) -> ProxyHandle {
        self.handle.clone()
    }

    /// As [`run`], after binding. Also returns when another proxy has taken
    /// over and nothing is under way here any more, at the latest after
    /// [`Limits::linger`](crate::Limits).
    pub async fn serve(self, shutdown: impl Future<Output = ()>) -> Result<(), ProxyError> {
        let shutdown = pin!(shutdown);
        self.start().await?.run(shutdown).await
    }

    fn acme(&self) -> Option<Acme> {
        let certificates = Arc::clone(&self.tls.as_ref()?.certificates);
        let config = self.config.acme.clone()?;
        Some(Acme::new(config, certificates, Arc::clone(&self.control)))
    }

    async fn start(self) -> Result<Running, ProxyError> {
        let phase = Arc::new(Phase::default());
        // If this future is dropped, the threads stop too.
        let cut_on_drop = CutOnDrop(Arc::clone(&phase));
        let failed = |source| ProxyError::Threads { source };
        let workers = self.config.workers.get();
        let mut threads = Threads::new();
        let mut stats = Vec::new();
        let each = self.sockets.by_worker(workers).map_err(failed)?;
        let to = self.sockets.addresses(Kind::Tls);
        let acme = self.acme();
        let redirect = self
            .tls
            .as_ref()
            .and_then(|tls| tls.redirect(&self.config, &to));
        for (index, listeners) in each.into_iter().enumerate() {
            let worker = Worker {
                index,
                routing: Arc::clone(&self.routing),
                stats: Arc::new(Stats::default()),
                limits: self.config.limits.clone(),
                trusted_forwarders: self.config.trusted_forwarders.clone(),
                tls: self.tls.as_ref().map(|tls| tls.acceptor.clone()),
                challenges: acme.as_ref().map(|acme| Arc::clone(&acme.challenges)),
                redirect: redirect.clone(),
                tasks: TaskTracker::new(),
                phase: Arc::clone(&phase),
            };
            stats.push(Arc::clone(&worker.stats));
            threads.start(worker, listeners).map_err(failed)?;
        }
        let admin = Arc::new(Admin {
            control: Arc::clone(&self.control),
            stats,
            addresses: self.sockets.addresses(Kind::Plain),
            tls_addresses: self.sockets.addresses(Kind::Tls),
            proxy: self.handle,
        });
        let pid_file = PidFile::new(self.config.pid_file.clone());
        pid_file.write()?;
        if let Some((inherited, pid)) = self.inherited {
            lead(&self.control, inherited, pid).await?;
        }
        let listener = self.sockets.admin.try_clone().map_err(failed)?;
        let listener = tokio::net::UnixListener::from_std(listener).map_err(failed)?;
        let serving = Arc::clone(&admin).serve(listener);
        tokio::spawn(phase.deaf.clone().run_until_cancelled_owned(serving));
        // Also after a restart, for what is still under way here.
        let looks = health::watch(self.routing, self.config.limits.connect);
        tokio::spawn(phase.cut.clone().run_until_cancelled_owned(looks));
        if let Some(acme) = acme {
            tokio::spawn(phase.deaf.clone().run_until_cancelled_owned(acme.run()));
        }
        if let Some(tls) = self.tls {
            let watch = tls.certificates.watch();
            tokio::spawn(phase.deaf.clone().run_until_cancelled_owned(watch));
        }
        notify::ready();
        Ok(Running {
            config: self.config,
            sockets: self.sockets,
            control: self.control,
            admin,
            pid_file,
            asks: self.asks,
            threads,
            phase,
            _cut_on_drop: cut_on_drop,
        })
    }
}

fn check(config: &ProxyConfig) -> Result<(), ProxyError> {
    if config.listen.is_empty() && config.tls_listen.is_empty() {
        return Err(ProxyError::NoAddress);
    }
    listen::raise_open_files();
    Ok(())
}

/// Everything that may fail; then waits until the routes are frozen.
fn prepare(
    config: &ProxyConfig,
    inherited: &mut Inherited,
) -> Result<(Sockets, Option<Tls>, u32), ProxyError> {
    let received = inherited.receive(&config.admin_socket, &config.state_file)?;
    check(config)?;
    let tls = Tls::of(config)?;
    let pid = received.pid;
    let sockets = Sockets::take(config, received)?;
    inherited.wait_for_go()?;
    Ok((sockets, tls, pid))
}

/// The threads accept already. From here on this proxy owns the routes.
async fn lead(control: &Control, inherited: Inherited, pid: u32) -> Result<(), ProxyError> {
    let line = inherited.lead()?;
    match Earlier::on(line, pid).await {
        Ok(earlier) => control.tell(Arc::new(earlier)).await,
        Err(error) => tracing::debug!(%error, "the earlier proxy is gone"),
    }
    tracing::info!(from = pid, "took over from the proxy that ran");
    Ok(())
}

/// A proxy that serves.
struct Running {
    config: ProxyConfig,
    sockets: Sockets,
    control: Arc<Control>,
    admin: Arc<Admin>,
    pid_file: PidFile,
    asks: mpsc::Receiver<Ask>,
    threads: Threads,
    phase: Arc<Phase>,
    _cut_on_drop: CutOnDrop,
}

/// Why a proxy ends.
enum Ending {
    Asked,
    HandedOver(Successor),
}

impl Running {
    async fn run(
        mut self,
        mut shutdown: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<(), ProxyError> {
        let ending = tokio::select! {
            () = &mut shutdown => Ending::Asked,
            () = self.threads.one_ended() => return Err(ProxyError::WorkerEnded),
            successor = hand_over_when_asked(
                &mut self.asks, &self.config, &self.sockets, &self.control, &self.pid_file,
            ) => Ending::HandedOver(successor),
        };
        match ending {
            Ending::Asked => self.stop().await,
            Ending::HandedOver(successor) => self.retire(successor, shutdown).await,
        }
        Ok(())
    }

    /// Who comes now is refused; who is served is served to the end.
    async fn stop(mut self) {
        // The lock is held to the end.
        let Sockets {
            lock: _lock,
            admin,
            bound,
        } = self.sockets;
        drop((admin, bound, self.asks));
        self.phase.leave();
        let earlier = self.control.earlier().await;
        if let Some(earlier) = &earlier {
            earlier.end();
        }
        let limit = self.config.limits.shutdown;
        let gone = all_gone(&mut self.threads, earlier.as_deref());
        if timeout(limit, gone).await.is_err() {
            self.phase.cut();
            self.threads.all_ended().await;
        }
        remove(&self.config.admin_socket);
        self.pid_file.remove();
    }

    /// Another proxy accepts, leads, and has the files. This one follows it
    /// until the last connection is done.
    async fn retire(self, successor: Successor, shutdown: Pin<&mut impl Future<Output = ()>>) {
        self.phase.retire();
        // The lock too: it must be free when the new proxy has ended.
        drop((self.sockets, self.asks));
        notify::main_process(successor.pid);
        tracing::info!(
            to = successor.pid,
            "another proxy has taken over; this one finishes"
        );
        let mut leaving = Leaving {
            limits: self.config.limits,
            control: self.control,
            threads: self.threads,
            phase: self.phase,
            hurry: CancellationToken::new(),
        };
        let hurry = leaving.hurry.clone();
        let follow = async {
            tokio::select! {
                () = shutdown => {}
                () = self.admin.serve_successor(successor.line) => {}
            }
            hurry.cancel();
            pending::<()>().await;
        };
        tokio::select! {
            () = follow => {}
            () = leaving.finish() => {}
        }
    }
}

/// Returns with the proxy that has taken over; until then each failed attempt
/// is answered, and all goes on.
async fn hand_over_when_asked(
    asks: &mut mpsc::Receiver<Ask>,
    config: &ProxyConfig,
    sockets: &Sockets,
    control: &Control,
    pid_file: &PidFile,
) -> Successor {
    while let Some(Ask { arguments, answer }) = asks.recv().await {
        let outcome = hand_over(arguments, config, sockets, control).await;
        let (answered, successor) = match outcome {
            Ok(successor) => (Ok(successor.pid), Some(successor)),
            Err(error) => {
                tracing::error!("the proxy was not restarted: {}", in_full(&error));
                // The new one may have come as far as to write its own.
                if let Err(error) = pid_file.write() {
                    tracing::error!("{}", in_full(&error));
                }
                (Err(error), None)
            }
        };
        // Whoever asked may have left.
        let _ = answer.send(answered);
        if let Some(successor) = successor {
            return successor;
        }
    }
    pending().await
}

async fn hand_over(
    arguments: Option<Vec<OsString>>,
    config: &ProxyConfig,
    sockets: &Sockets,
    control: &Control,
) -> Result<Successor, HandOverError> {
    let program = config.program.as_ref().ok_or(HandOverError::NoProgram)?;
    let program = Program {
        path: program.path.clone(),
        arguments: arguments.unwrap_or_else(|| program.arguments.clone()),
    };
    let limit = config.limits.take_over;
    let offer = sockets.offer(config);
    give::hand_over(&program, offer, &sockets.fds(), control, limit).await
}

fn remove(socket: &Path) {
    if let Err(error) = std::fs::remove_file(socket) {
        tracing::debug!(%error, "the admin socket could not be removed");
    }
}
