//! The proxy that served before this one, while it still has requests under
//! way: it is told of every change of the routes, and asked who is still on
//! an instance.

use std::io;
use std::net::{Shutdown, SocketAddr};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use shipway_core::environment::EnvironmentKey;
use shipway_core::ports::router::{Drained, Route, RouterError, Switched};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::call::{Call, Form, Reply};

/// It answers from memory.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Earlier {
    pid: u32,
    sender: SendRequest<Full<Bytes>>,
    line: UnixStream,
    gone: CancellationToken,
}

impl Earlier {
    pub async fn on(line: UnixStream, pid: u32) -> io::Result<Self> {
        line.set_nonblocking(true)?;
        let stream = tokio::net::UnixStream::from_std(line.try_clone()?)?;
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        let gone = CancellationToken::new();
        let ended = gone.clone().drop_guard();
        tokio::spawn(async move {
            let _ended = ended;
            if let Err(error) = connection.await {
                tracing::debug!(%error, "the line to the earlier proxy ended early");
            }
        });
        Ok(Self {
            pid,
            sender,
            line,
            gone,
        })
    }

    /// The requests it has on the targets that were routed before.
    pub async fn switch(&self, route: &Route) -> u64 {
        let answer = match Call::switch(route) {
            Ok(call) => self.ask::<Switched>(&call).await,
            Err(error) => Err(error),
        };
        self.or_none(answer)
            .map_or(0, |switched| switched.in_flight_on_old)
    }

    pub async fn remove(&self, key: &EnvironmentKey) {
        let answer = self.reply(&Call::remove(key)).await;
        self.or_none(answer);
    }

    pub async fn drain(&self, targets: &[SocketAddr], limit: Duration) -> u64 {
        let answer = match Call::drain(targets, limit) {
            Ok(call) => self.ask::<Drained>(&call).await,
            Err(error) => Err(error),
        };
        self.or_none(answer).map_or(0, |drained| drained.unfinished)
    }

    /// Tells it that this proxy ends: it has the usual time to end as well.
    pub fn end(&self) {
        if let Err(error) = self.line.shutdown(Shutdown::Both) {
            tracing::debug!(%error, "the earlier proxy was gone");
        }
    }

    /// Until it has ended.
    pub async fn gone(&self) {
        self.gone.cancelled().await;
    }

    async fn ask<T: serde::de::DeserializeOwned>(&self, call: &Call) -> Result<T, RouterError> {
        self.reply(call).await?.read(call)
    }

    async fn reply(&self, call: &Call) -> Result<Reply, RouterError> {
        let limit = call.limit.saturating_add(ANSWER_LIMIT);
        let exchange = async {
            let request = call.request(Form::Absolute)?;
            let response = self.sender.clone().send_request(request).await;
            let response = response.map_err(|error| call.failed(error))?;
            Reply::of(call, response).await
        };
        let exchanged = timeout(limit, exchange).await;
        exchanged.unwrap_or_else(|_| {
            let message = format!("process {} gave no answer in time", self.pid);
            Err(RouterError::Unreachable { message })
        })
    }

    /// One that has ended has no requests. One that hangs is not waited for:
    /// this proxy serves, and is asked to.
    fn or_none<T>(&self, answer: Result<T, RouterError>) -> Option<T> {
        answer
            .inspect_err(|error| {
                if !self.gone.is_cancelled() {
                    let cause = std::error::Error::source(error).map(ToString::to_string);
                    tracing::warn!(pid = self.pid, %error, cause, "the earlier proxy was not told");
                }
            })
            .ok()
    }
}
