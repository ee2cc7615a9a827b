//! Bodies pass through frame by frame, both ways; nothing is gathered.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use tokio::time::Instant;

use crate::config::Limits;
use crate::meter::Meter;
use crate::pool::{self, Line};
use crate::target::InFlight;
use crate::worker::Worker;

/// What is sent to a target.
#[derive(Debug)]
pub(crate) enum RequestBody {
    Empty,
    Stream {
        body: Incoming,
        progress: Arc<Progress>,
        meter: Meter,
    },
}

/// Why a body ended before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the client did not send it to its end")]
    Client(#[source] hyper::Error),
    #[error("it is larger than is taken")]
    TooLarge,
    #[error("the client sent it too slowly")]
    TooSlow,
}

/// When a byte of a request's body last moved.
#[derive(Debug)]
pub(crate) struct Progress {
    start: Instant,
    millis: AtomicU64,
    waits_for_client: AtomicBool,
}

impl Progress {
    fn new() -> Self {
        Self {
            start: Instant::now(),
            millis: AtomicU64::new(0),
            waits_for_client: AtomicBool::new(false),
        }
    }

    fn moved(&self) {
        let millis = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.millis.store(millis, Ordering::Relaxed);
        self.waits_for_client.store(false, Ordering::Relaxed);
    }

    /// Now, while the client is waited for: that has limits of its own.
    pub fn last(&self) -> Instant {
        if self.waits_for_client.load(Ordering::Relaxed) {
            return Instant::now();
        }
        self.start + Duration::from_millis(self.millis.load(Ordering::Relaxed))
    }
}

impl RequestBody {
    pub fn new(body: Incoming, limits: &Limits) -> Self {
        if body.is_end_stream() {
            return Self::Empty;
        }
        Self::Stream {
            body,
            progress: Arc::new(Progress::new()),
            meter: Meter::new(limits),
        }
    }

    pub fn progress(&self) -> Option<Arc<Progress>> {
        match self {
            Self::Empty => None,
            Self::Stream { progress, .. } => Some(Arc::clone(progress)),
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Self::Stream {
            body,
            progress,
            meter,
        } = self.get_mut()
        else {
            return Poll::Ready(None);
        };
        let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) else {
            progress.waits_for_client.store(true, Ordering::Relaxed);
            return meter.wait(cx).map(|error| Some(Err(error)));
        };
        progress.moved();
        Poll::Ready(frame.map(|frame| {
            let frame = frame.map_err(BodyError::Client)?;
            meter.take(frame.data_ref().map_or(0, Bytes::len))?;
            Ok(frame)
        }))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty => true,
            Self::Stream { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Stream { body, .. } => body.size_hint(),
        }
    }
}

/// What a client is sent: a page of our own, or a target's answer.
pub(crate) enum AnswerBody {
    Page(Option<Bytes>),
    Stream { body: Incoming, lease: Lease },
}

impl AnswerBody {
    pub fn empty() -> Self {
        Self::Page(None)
    }
}

/// The connection an answer comes from, and the request's place in the count
/// of its target: both end with the answer's body. If that was read to its
/// end, the connection serves again; if the client left, it is closed.
pub(crate) struct Lease {
    worker: Arc<Worker>,
    /// Always there until the lease is dropped.
    line: Option<Line>,
    in_flight: InFlight,
    end: End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Awaited,
    Seen,
}

impl Lease {
    pub fn new(worker: &Arc<Worker>, line: Line, in_flight: InFlight) -> Self {
        Self {
            worker: Arc::clone(worker),
            line: Some(line),
            in_flight,
            end: End::Awaited,
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let (End::Seen, Some(line)) = (self.end, self.line.take()) {
            pool::put_back(&self.worker, &self.in_flight, line);
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Self::Page(page) => Poll::Ready(page.take().map(|page| Ok(Frame::data(page)))),
            Self::Stream { body, lease } => {
                let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
                if frame.is_none() {
                    lease.end = End::Seen;
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Page(page) => page.is_none(),
            Self::Stream { body, .. } => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Page(page) => SizeHint::with_exact(page.as_ref().map_or(0, |p| p.len() as u64)),
            Self::Stream { body, .. } => body.size_hint(),
        }
    }
}

/// A body of known length is not asked for its end; its length tells.
impl Drop for AnswerBody {
    fn drop(&mut self) {
        if let Self::Stream { body, lease } = self
            && body.is_end_stream()
        {
            lease.end = End::Seen;
        }
    }
}
