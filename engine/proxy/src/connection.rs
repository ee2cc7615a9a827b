//! One connection of a client, from its first byte to its last: TLS or plain,
//! HTTP/1.1 or HTTP/2.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::deadline::OneTimer;
use crate::forward::{self, Origin, Scheme};
use crate::listen::{self, Kind};
use crate::patient::Patient;
use crate::pool;
use crate::sniff::{self, Version};
use crate::stats::Open;
use crate::worker::Worker;

/// Requests at once on one HTTP/2 connection.
const STREAMS: u32 = 128;
/// Bytes of one request's body that are taken before its target takes them,
/// and of all on the connection.
const STREAM_WINDOW: u32 = 256 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// Bytes of one answer that wait for the client.
const SEND_BUFFER: usize = 128 * 1024;
/// An HTTP/2 client that is quiet is asked whether it is there.
const PING_EVERY: Duration = Duration::from_secs(30);
const PING_LIMIT: Duration = Duration::from_secs(15);
/// A client may give up this many requests on a connection, and half of all
/// beyond: more is the attack that begins requests to reset them.
const GIVEN_UP: u64 = 200;

/// Serves it until it ends, here or at the client.
pub(crate) async fn serve(worker: Arc<Worker>, stream: TcpStream, client: SocketAddr, kind: Kind) {
    let _open = Open::new(&worker.stats.connections);
    listen::tune(&stream);
    let served = match kind {
        Kind::Plain => plain(&worker, stream, client).await,
        Kind::Tls => secure(&worker, stream, client).await,
    };
    if let Err(error) = served {
        tracing::debug!(%client, %error, "a connection of a client ended early");
    }
}

type Outcome = Result<(), Box<dyn std::error::Error + Send + Sync>>;

async fn plain(worker: &Arc<Worker>, stream: TcpStream, client: SocketAddr) -> Outcome {
    let origin = Origin::new(client, Scheme::Http);
    let limit = worker.limits.client_idle;
    let Some(version) = begun(worker, limit, sniff::version(&stream)).await? else {
        return Ok(());
    };
    let stream = Patient::new(stream, worker.limits.client_stall);
    speak(worker, stream, origin, version).await
}

async fn secure(worker: &Arc<Worker>, stream: TcpStream, client: SocketAddr) -> Outcome {
    let Some(tls) = &worker.tls else {
        return Err("there is no TLS".into());
    };
    let origin = Origin::new(client, Scheme::Https);
    let stream = Patient::new(stream, worker.limits.client_stall);
    let limit = worker.limits.handshake;
    let Some(stream) = begun(worker, limit, tls.accept(stream)).await? else {
        return Ok(());
    };
    let version = match stream.get_ref().1.alpn_protocol() {
        Some(b"h2") => Version::Http2,
        _ => Version::Http1,
    };
    speak(worker, stream, origin, version).await
}

/// What comes before a connection's first request: it has a limit, and a
/// proxy that leaves does not wait for it.
async fn begun<T>(
    worker: &Worker,
    limit: Duration,
    beginning: impl Future<Output = io::Result<T>>,
) -> io::Result<Option<T>> {
    tokio::select! {
        begun = timeout(limit, beginning) => match begun {
            Ok(begun) => begun.map(Some),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        },
        () = worker.phase.leave.cancelled() => Ok(None),
    }
}

async fn speak<S>(worker: &Arc<Worker>, stream: S, origin: Origin, version: Version) -> Outcome
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    match version {
        Version::Http1 => Ok(one(worker, stream, origin).await?),
        Version::Http2 => Ok(two(worker, stream, origin).await?),
    }
}

async fn one<S>(worker: &Arc<Worker>, stream: S, origin: Origin) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = &worker.limits;
    let service = service_fn(|request| async {
        Ok::<_, Infallible>(forward::answer(worker, &origin, request).await)
    });
    let connection = http1::Builder::new()
        .timer(OneTimer::default())
        .header_read_timeout(limits.client_idle)
        .max_header_size(limits.header_bytes)
        .max_buf_size(pool::BUFFER.max(limits.header_bytes))
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    tokio::select! {
        biased;
        served = &mut connection => served,
        () = worker.phase.left() => {
            // Idle ones end at once, others after their answer.
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}

async fn two<S>(worker: &Arc<Worker>, stream: S, origin: Origin) -> hyper::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = &worker.limits;
    let visits = Arc::new(Visits::default());
    let client = origin.client;
    let origin = Arc::new(origin);
    let service = service_fn(|request| {
        let (worker, origin) = (Arc::clone(worker), Arc::clone(&origin));
        let visit = Visit::begin(&visits);
        async move {
            let answer = forward::answer(&worker, &origin, request).await;
            visit.answered();
            Ok::<_, Infallible>(answer)
        }
    });
    let header_bytes = u32::try_from(limits.header_bytes).unwrap_or(u32::MAX);
    let connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .max_header_list_size(header_bytes)
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_LIMIT)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    tokio::select! {
        served = &mut connection => return served,
        // It says which requests it still takes: none is lost.
        () = worker.phase.deaf.cancelled() => {}
        () = visits.idle(limits.client_idle) => {}
        () = visits.too_many_given_up.cancelled() => {
            tracing::warn!(%client, "an HTTP/2 client begins requests to reset them: closed");
            return Ok(());
        }
    }
    if visits.begun.load(Ordering::Relaxed) == 0 {
        // Not even its settings may have come.
        return Ok(());
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}

/// The requests of one HTTP/2 connection.
#[derive(Debug, Default)]
struct Visits {
    begun: AtomicU64,
    given_up: AtomicU64,
    too_many_given_up: CancellationToken,
}

impl Visits {
    /// Until no request has begun for as long as `limit`. Those under way are
    /// served nevertheless.
    async fn idle(&self, limit: Duration) {
        let mut before = None;
        loop {
            let begun = self.begun.load(Ordering::Relaxed);
            if before == Some(begun) {
                return;
            }
            before = Some(begun);
            sleep(limit).await;
        }
    }
}

struct Visit {
    visits: Arc<Visits>,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Answered,
    GivenUp,
}

impl Visit {
    fn begin(visits: &Arc<Visits>) -> Self {
        visits.begun.fetch_add(1, Ordering::Relaxed);
        Self {
            visits: Arc::clone(visits),
            end: End::GivenUp,
        }
    }

    fn answered(mut self) {
        self.end = End::Answered;
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if self.end == End::Answered {
            return;
        }
        let given_up = self.visits.given_up.fetch_add(1, Ordering::Relaxed) + 1;
        let begun = self.visits.begun.load(Ordering::Relaxed);
        if given_up > GIVEN_UP && given_up > begun / 2 {
            self.visits.too_many_given_up.cancel();
        }
    }
}
