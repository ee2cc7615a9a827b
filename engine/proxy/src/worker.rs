//! One thread of the proxy: it accepts connections and serves them, and
//! shares nothing with the others but the table.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use crate::acme::challenges::Challenges;
use crate::config::Limits;
use crate::listen::Kind;
use crate::phase::Phase;
use crate::stats::Stats;
use crate::table::Routing;
use crate::tls::Redirect;
use crate::{connection, pool};

/// How often kept-alive connections are looked at.
const SWEEP: Duration = Duration::from_secs(10);

/// How long accepting pauses when the system has no descriptor left.
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) struct Worker {
    pub index: usize,
    pub routing: Arc<Routing>,
    pub stats: Arc<Stats>,
    pub limits: Limits,
    pub trusted_forwarders: Vec<IpAddr>,
    pub tls: Option<TlsAcceptor>,
    /// Set if certificates are obtained here.
    pub challenges: Option<Arc<Challenges>>,
    /// Set if plain HTTP only sends clients to TLS.
    pub redirect: Option<Redirect>,
    /// What must finish before the worker may stop.
    pub tasks: TaskTracker,
    pub phase: Arc<Phase>,
}

impl Worker {
    /// Serves until told to leave, and then until the last request is done or
    /// what is left is cut.
    pub async fn serve(self: Arc<Self>, listeners: Vec<(Kind, TcpListener)>) {
        let places = Arc::new(Semaphore::new(self.limits.connections));
        for (kind, listener) in listeners {
            let accepting = Arc::clone(&self).accept(kind, listener, Arc::clone(&places));
            tokio::spawn(self.phase.deaf.clone().run_until_cancelled_owned(accepting));
        }
        tokio::spawn(Arc::clone(&self).tidy());
        self.phase.leave.cancelled().await;
        self.tasks.close();
        tokio::select! {
            () = self.tasks.wait() => {}
            () = self.phase.cut.cancelled() => {
                let cut = self.tasks.len();
                tracing::warn!(connections = cut, "connections were cut: the proxy stops");
            }
        }
    }

    async fn accept(self: Arc<Self>, kind: Kind, listener: TcpListener, places: Arc<Semaphore>) {
        // The semaphore is never closed; if it were, accepting would end.
        while let Ok(place) = Arc::clone(&places).acquire_owned().await {
            let (stream, client) = match listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            let worker = Arc::clone(&self);
            self.tasks.spawn(async move {
                let _place = place;
                connection::serve(worker, stream, client, kind).await;
            });
        }
    }

    async fn tidy(self: Arc<Self>) {
        let mut ticks = interval(SWEEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            pool::sweep(&self);
        }
    }
}
