//! Connections to targets: opened when needed, kept alive between requests.

use std::io;
use std::time::{Duration, Instant};

use http::Request;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::body::RequestBody;
use crate::listen;
use crate::target::{InFlight, Target};
use crate::worker::Worker;

/// A kept-alive connection younger than this is taken for one that the target
/// does not close just now: application servers keep theirs for 2 s or more.
const SURELY_OPEN: Duration = Duration::from_secs(1);

/// A connection that waits for its next request. It may still be finishing
/// its last one.
#[derive(Debug)]
pub(crate) struct Idle {
    sender: SendRequest<RequestBody>,
    since: Instant,
}

impl Idle {
    pub fn new(sender: SendRequest<RequestBody>) -> Self {
        Self {
            sender,
            since: Instant::now(),
        }
    }

    pub fn is_stale(&self, limit: Duration) -> bool {
        self.sender.is_closed() || self.since.elapsed() > limit
    }
}

/// Which kept-alive connections a request may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reuse {
    /// Any: if the target closes it at this moment, the request is repeated.
    Any,
    /// One that the target surely keeps: the request cannot be repeated.
    SurelyOpen,
    /// None: a kept-alive one has just failed.
    Never,
}

/// A connection for one request, which is counted on its target.
pub(crate) struct Connection {
    pub sender: SendRequest<RequestBody>,
    pub in_flight: InFlight,
    pub origin: Origin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    New,
    KeptAlive,
}

/// Why there is no connection: the target refused it, or did not answer.
pub(crate) enum ConnectError {
    Refused(io::Error),
    TimedOut,
}

impl Connection {
    pub async fn to(
        in_flight: InFlight,
        worker: &Worker,
        reuse: Reuse,
    ) -> Result<Self, ConnectError> {
        if let Some(sender) = kept_alive(&in_flight, worker, reuse) {
            let origin = Origin::KeptAlive;
            return Ok(Self {
                sender,
                in_flight,
                origin,
            });
        }
        let opened = timeout(worker.limits.connect, open(&in_flight, worker)).await;
        match opened {
            Ok(Ok(sender)) => {
                in_flight.answered();
                let origin = Origin::New;
                Ok(Self {
                    sender,
                    in_flight,
                    origin,
                })
            }
            Ok(Err(error)) => {
                in_flight.refused();
                Err(ConnectError::Refused(error))
            }
            Err(_) => {
                in_flight.refused();
                Err(ConnectError::TimedOut)
            }
        }
    }

    pub fn is_kept_alive(&self) -> bool {
        self.origin == Origin::KeptAlive
    }

    /// The request, or itself back if none of it was sent.
    pub async fn send(
        &mut self,
        request: Request<RequestBody>,
    ) -> Result<http::Response<hyper::body::Incoming>, SendError> {
        self.sender
            .try_send_request(request)
            .await
            .map_err(|mut failed| match failed.take_message() {
                Some(request) => SendError::Unsent(Box::new(request), failed.into_error()),
                None => SendError::Broken(failed.into_error()),
            })
    }
}

pub(crate) enum SendError {
    Unsent(Box<Request<RequestBody>>, hyper::Error),
    Broken(hyper::Error),
}

/// The connection used last: it is the least likely to be closed, and those
/// that are not needed any more grow old.
fn kept_alive(target: &Target, worker: &Worker, reuse: Reuse) -> Option<SendRequest<RequestBody>> {
    let youngest = match reuse {
        Reuse::Never => return None,
        Reuse::SurelyOpen => SURELY_OPEN,
        Reuse::Any => worker.limits.target_idle,
    };
    let mut idle = target.idle(worker.index)?;
    idle.retain(|connection| !connection.sender.is_closed());
    let found = idle.iter().rposition(|connection| {
        connection.sender.is_ready() && connection.since.elapsed() < youngest
    })?;
    Some(idle.remove(found).sender)
}

async fn open(target: &Target, worker: &Worker) -> io::Result<SendRequest<RequestBody>> {
    let stream = TcpStream::connect(target.address()).await?;
    listen::tune(&stream);
    let (sender, connection) = http1::Builder::new()
        .max_header_size(worker.limits.header_bytes)
        .max_buf_size(BUFFER)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(io::Error::other)?;
    let address = target.address();
    tokio::spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%address, %error, "a connection to a target ended early");
        }
    });
    Ok(sender)
}

/// Bytes that one connection reads ahead at most.
pub(crate) const BUFFER: usize = 64 * 1024;

/// Puts a connection back once its answer has ended.
pub(crate) fn put_back(worker: &Worker, target: &Target, sender: SendRequest<RequestBody>) {
    if !sender.is_closed() {
        target.keep(
            worker.index,
            Idle::new(sender),
            worker.limits.idle_per_target,
        );
    }
}

/// Closes what this worker has kept too long.
pub(crate) fn sweep(worker: &Worker) {
    for entry in &worker.routing.table().entries {
        for target in &entry.targets {
            if let Some(mut idle) = target.idle(worker.index) {
                idle.retain(|connection| !connection.is_stale(worker.limits.target_idle));
            }
        }
    }
}
