//! Connections to targets: opened when needed, kept alive between requests.

use std::io;
use std::time::{Duration, Instant};

use http::Request;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::body::RequestBody;
use crate::deadline::Deadline;
use crate::listen;
use crate::target::{InFlight, Target};
use crate::worker::Worker;

/// A kept-alive connection younger than this is taken for one that the target
/// does not close just now: application servers keep theirs for 2 s or more.
const SURELY_OPEN: Duration = Duration::from_secs(1);

/// An open connection to a target.
#[derive(Debug)]
pub(crate) struct Line {
    pub sender: SendRequest<RequestBody>,
    /// Of the answer that is waited for.
    pub deadline: Deadline,
}

/// A connection that waits for its next request. It may still be finishing
/// its last one.
#[derive(Debug)]
pub(crate) struct Idle {
    line: Line,
    since: Instant,
}

impl Idle {
    fn new(line: Line) -> Self {
        Self {
            line,
            since: Instant::now(),
        }
    }

    pub fn is_closed(&self) -> bool {
        self.line.sender.is_closed()
    }

    fn is_stale(&self, limit: Duration) -> bool {
        self.is_closed() || self.since.elapsed() > limit
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
    pub line: Line,
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
        if let Some(line) = kept_alive(&in_flight, worker, reuse) {
            let origin = Origin::KeptAlive;
            return Ok(Self {
                line,
                in_flight,
                origin,
            });
        }
        let opened = timeout(worker.limits.connect, open(&in_flight, worker)).await;
        match opened {
            Ok(Ok(line)) => {
                in_flight.answered();
                let origin = Origin::New;
                Ok(Self {
                    line,
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
}

/// Why a request has no answer: itself comes back if none of it was sent.
pub(crate) enum SendError {
    Unsent(Box<Request<RequestBody>>, hyper::Error),
    Broken(hyper::Error),
}

impl From<TrySendError<Request<RequestBody>>> for SendError {
    fn from(mut failed: TrySendError<Request<RequestBody>>) -> Self {
        match failed.take_message() {
            Some(request) => Self::Unsent(Box::new(request), failed.into_error()),
            None => Self::Broken(failed.into_error()),
        }
    }
}

/// The connection used last: it is the least likely to be closed, and those
/// that are not needed any more grow old.
fn kept_alive(target: &Target, worker: &Worker, reuse: Reuse) -> Option<Line> {
    let youngest = match reuse {
        Reuse::Never => return None,
        Reuse::SurelyOpen => SURELY_OPEN,
        Reuse::Any => worker.limits.target_idle,
    };
    let mut idle = target.idle(worker.index)?;
    let mut at = idle.len();
    loop {
        at = at.checked_sub(1)?;
        let connection = idle.get(at)?;
        if connection.is_closed() {
            idle.remove(at);
        } else if connection.since.elapsed() >= youngest {
            // So are all before it.
            return None;
        } else if connection.line.sender.is_ready() {
            return Some(idle.remove(at).line);
        }
    }
}

async fn open(target: &Target, worker: &Worker) -> io::Result<Line> {
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
    Ok(Line {
        sender,
        deadline: Deadline::default(),
    })
}

/// Bytes that one connection reads ahead at most.
pub(crate) const BUFFER: usize = 64 * 1024;

/// Puts a connection back once its answer has ended.
pub(crate) fn put_back(worker: &Worker, target: &Target, line: Line) {
    if !line.sender.is_closed() {
        target.keep(worker.index, Idle::new(line), worker.limits.idle_per_target);
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
