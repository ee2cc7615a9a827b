//! An open connection to a target. Whoever waits for an answer moves its bytes
//! in passing: a request then wakes one task, the client's, and not two in
//! turn.

use std::future::Future;
use std::io;
use std::mem;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use http::{Request, Response};
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::body::RequestBody;
use crate::config::Limits;
use crate::deadline::Deadline;
use crate::listen;

/// Bytes that one connection reads ahead at most.
pub(crate) const BUFFER: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct Line {
    address: SocketAddr,
    sender: SendRequest<RequestBody>,
    carrier: Carrier,
    /// Of the answer that is waited for.
    deadline: Deadline,
}

/// Who moves the bytes.
#[derive(Debug)]
enum Carrier {
    Waiter(Box<http1::Connection<TokioIo<TcpStream>, RequestBody>>),
    /// For a request that is still sent while nobody takes its answer, and
    /// for what comes after an upgrade.
    Task,
    /// It is closed.
    Nobody,
}

/// An answer's head, or why there is none.
pub(crate) type Answer = Result<Response<Incoming>, TrySendError<Request<RequestBody>>>;

impl Line {
    pub async fn open(address: SocketAddr, limits: &Limits) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        listen::tune(&stream);
        let (sender, connection) = http1::Builder::new()
            .max_header_size(limits.header_bytes)
            .max_buf_size(BUFFER)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        Ok(Self {
            address,
            sender,
            carrier: Carrier::Waiter(Box::new(connection)),
            deadline: Deadline::default(),
        })
    }

    /// As far as is known: see [`Line::look`].
    pub fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    /// Whether it would take a request now.
    pub fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }

    /// Whether somebody sees to it that it becomes ready.
    pub fn is_carried(&self) -> bool {
        matches!(self.carrier, Carrier::Task)
    }

    /// Finds out whether the target has closed it. Nobody is woken later.
    pub fn look(&mut self) {
        self.carry(&mut Context::from_waker(Waker::noop()));
    }

    /// From here on a task moves its bytes.
    pub fn entrust(&mut self) {
        match mem::replace(&mut self.carrier, Carrier::Task) {
            Carrier::Waiter(connection) => {
                let address = self.address;
                tokio::spawn(async move {
                    let ended = connection.with_upgrades().await;
                    report(address, ended);
                });
            }
            other => self.carrier = other,
        }
    }

    /// The answer's head. `patience` is asked when `until` has passed, and
    /// tells until when to wait on.
    pub async fn send(
        &mut self,
        request: Request<RequestBody>,
        mut until: Instant,
        patience: impl Fn() -> Option<Instant>,
    ) -> Option<Answer> {
        let mut answer = std::pin::pin!(self.sender.try_send_request(request));
        let Self {
            address,
            carrier,
            deadline,
            ..
        } = self;
        std::future::poll_fn(|cx| {
            let answer = carrier.poll(*address, cx, |cx| answer.as_mut().poll(cx));
            if let Poll::Ready(answer) = answer {
                return Poll::Ready(Some(answer));
            }
            loop {
                ready!(deadline.poll(cx, until));
                match patience() {
                    Some(later) if later > until => until = later,
                    _ => return Poll::Ready(None),
                }
            }
        })
        .await
    }

    /// The next part of an answer's body.
    pub fn poll_frame(
        &mut self,
        body: &mut Incoming,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let body = Pin::new(body);
        self.carrier
            .poll(self.address, cx, |cx| body.poll_frame(cx))
    }

    fn carry(&mut self, cx: &mut Context<'_>) {
        self.carrier.carry(self.address, cx);
    }
}

impl Carrier {
    fn carry(&mut self, address: SocketAddr, cx: &mut Context<'_>) {
        if let Self::Waiter(connection) = self
            && let Poll::Ready(ended) = Pin::new(connection).poll(cx)
        {
            *self = Self::Nobody;
            report(address, ended);
        }
    }

    /// Moves bytes, then looks what came. What comes can only come of that:
    /// so whoever waits is woken by the connection alone, not by both.
    fn poll<T>(
        &mut self,
        address: SocketAddr,
        cx: &mut Context<'_>,
        look: impl FnOnce(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        self.carry(address, cx);
        match self {
            Self::Waiter(_) => look(&mut Context::from_waker(Waker::noop())),
            Self::Task | Self::Nobody => look(cx),
        }
    }
}

fn report(address: SocketAddr, ended: hyper::Result<()>) {
    if let Err(error) = ended {
        tracing::debug!(%address, %error, "a connection to a target ended early");
    }
}
