//! The engine's side of the admin socket.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use http::{Method, StatusCode};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use shipway_core::environment::EnvironmentKey;
use shipway_core::ports::router::{Drained, Route, Router, RouterError, Switched};
use tokio::net::UnixStream;
use tokio::time::{sleep, timeout};

use crate::call::{Call, Form, Reply};
use crate::protocol::{Health, RestartRequest, Restarted, Stats, route_path};

/// How long the proxy may take to answer; for a drain, beyond its limit.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// How long a restart may take: the new proxy has its limit several times.
const RESTART_LIMIT: Duration = Duration::from_secs(60);

/// How often a proxy that just hands over is asked again: soon another one
/// answers on the same socket. It has changed nothing.
const ATTEMPTS: u32 = 20;
const AGAIN_AFTER: Duration = Duration::from_millis(50);

/// The proxy behind an admin socket. Each call opens a connection of its own,
/// so a proxy may be restarted between two calls.
#[derive(Debug, Clone)]
pub struct ProxyRouter {
    pub admin_socket: PathBuf,
}

impl ProxyRouter {
    pub fn new(admin_socket: PathBuf) -> Self {
        Self { admin_socket }
    }

    /// Whether the proxy is there and serves; [`RouterError::Unreachable`]
    /// says what to do if it is not.
    pub async fn ready(&self) -> Result<Health, RouterError> {
        self.get("ask the proxy whether it is ready", "/health")
            .await
    }

    pub async fn stats(&self) -> Result<Stats, RouterError> {
        self.get("read the proxy's counters", "/stats").await
    }

    /// All routes, by environment.
    pub async fn routes(&self) -> Result<Vec<Route>, RouterError> {
        self.get("read the proxy's routes", "/routes").await
    }

    /// Has the proxy start its program anew, with the same arguments or with
    /// these, and hand over. Returns when the new one serves; if that fails,
    /// the one that was asked serves on.
    pub async fn restart(&self, arguments: Option<Vec<String>>) -> Result<Restarted, RouterError> {
        let mut call = Call::new("restart the proxy", Method::POST, "/restart")
            .with(&RestartRequest { arguments })?;
        call.limit = RESTART_LIMIT;
        self.call(&call).await?.read(&call)
    }

    async fn get<T: DeserializeOwned>(&self, what: &str, path: &str) -> Result<T, RouterError> {
        let call = Call::new(what, Method::GET, path);
        self.call(&call).await?.read(&call)
    }

    async fn call(&self, call: &Call) -> Result<Reply, RouterError> {
        let limit = call.limit.saturating_add(ANSWER_LIMIT);
        let exchanged = timeout(limit, self.persist(call)).await;
        exchanged.unwrap_or_else(|_| {
            Err(RouterError::Unreachable {
                message: format!(
                    "it listens on {} but gave no answer in {} s; look into its log, and restart it if it hangs",
                    self.admin_socket.display(),
                    limit.as_secs()
                ),
            })
        })
    }

    async fn persist(&self, call: &Call) -> Result<Reply, RouterError> {
        let mut attempt = 1;
        loop {
            let reply = self.exchange(call).await?;
            if reply.status != StatusCode::SERVICE_UNAVAILABLE || attempt == ATTEMPTS {
                return Ok(reply);
            }
            attempt += 1;
            sleep(AGAIN_AFTER).await;
        }
    }

    async fn exchange(&self, call: &Call) -> Result<Reply, RouterError> {
        let stream = UnixStream::connect(&self.admin_socket)
            .await
            .map_err(|error| self.unreachable(&error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| call.failed(error))?;
        let connection = tokio::spawn(connection);
        let response = sender.send_request(call.request(Form::Path)?).await;
        let response = response.map_err(|error| call.failed(error))?;
        let reply = Reply::of(call, response).await;
        connection.abort();
        reply
    }

    fn unreachable(&self, error: &io::Error) -> RouterError {
        let path = self.admin_socket.display();
        let message = match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                format!("nothing listens on {path}; start it with `shipway proxy`")
            }
            io::ErrorKind::PermissionDenied => format!(
                "{path} belongs to another user; run the engine as the user that runs the proxy"
            ),
            _ => format!("{path}: {error}"),
        };
        RouterError::Unreachable { message }
    }
}

#[async_trait]
impl Router for ProxyRouter {
    async fn switch(&self, route: &Route) -> Result<Switched, RouterError> {
        let call = Call::switch(route)?;
        self.call(&call).await?.read(&call)
    }

    async fn route(&self, key: &EnvironmentKey) -> Result<Option<Route>, RouterError> {
        let path = route_path(key);
        let what = format!("read the route of {key}");
        let call = Call::new(&what, Method::GET, &path);
        let reply = self.call(&call).await?;
        if reply.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        reply.read(&call).map(Some)
    }

    async fn drain(&self, targets: &[SocketAddr], limit: Duration) -> Result<Drained, RouterError> {
        let call = Call::drain(targets, limit)?;
        self.call(&call).await?.read(&call)
    }

    async fn remove(&self, key: &EnvironmentKey) -> Result<(), RouterError> {
        let call = Call::remove(key);
        self.call(&call).await?.check(&call)
    }
}
