//! One thread of the proxy: it accepts connections and serves them, and
//! shares nothing with the others but the table.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::task::TaskTracker;

use crate::config::Limits;
use crate::listen::Kind;
use crate::phase::Phase;
use crate::stats::{Open, Stats};
use crate::table::Routing;
use crate::{forward, listen, pool};

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
    /// What must finish before the worker may stop.
    pub tasks: TaskTracker,
    pub phase: Arc<Phase>,
}

impl Worker {
    /// Serves until told to leave, and then until the last request is done or
    /// what is left is cut.
    pub async fn serve(self: Arc<Self>, listeners: Vec<(Kind, TcpListener)>) {
        let places = Arc::new(Semaphore::new(self.limits.connections));
        for (_kind, listener) in listeners {
            let accepting = Arc::clone(&self).accept(listener, Arc::clone(&places));
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

    async fn accept(self: Arc<Self>, listener: TcpListener, places: Arc<Semaphore>) {
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
                worker.connection(stream, client).await;
            });
        }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, client: SocketAddr) {
        let _open = Open::new(&self.stats.connections);
        listen::tune(&stream);
        let service = service_fn(|request| {
            let worker = Arc::clone(&self);
            async move { Ok::<_, Infallible>(forward::answer(worker, client, request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.limits.client_idle)
            .max_header_size(self.limits.header_bytes)
            .max_buf_size(pool::BUFFER.max(self.limits.header_bytes))
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut connection = pin!(connection);
        let served = tokio::select! {
            served = &mut connection => served,
            () = self.phase.leave.cancelled() => {
                // Idle ones end at once, others after their answer.
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = served {
            tracing::debug!(%client, %error, "a connection of a client ended early");
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
