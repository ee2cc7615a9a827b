//! The engine's side of the admin socket.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use http::header::HOST;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use shipway_core::environment::EnvironmentKey;
use shipway_core::ports::router::{Drained, Route, Router, RouterError, Switched};
use tokio::net::UnixStream;
use tokio::time::timeout;

use crate::protocol::{BODY_LIMIT, DrainRequest, Health, Problem, Stats, route_path};

/// How long the proxy may take to answer; for a drain, beyond its limit.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// The proxy behind an admin socket. Each call opens a connection of its own,
/// so a proxy may be restarted between two calls.
#[derive(Debug, Clone)]
pub struct ProxyRouter {
    pub admin_socket: PathBuf,
}

/// A call, in words and in HTTP.
struct Call<'a> {
    /// What could not be done if it fails: "could not …".
    what: String,
    method: Method,
    path: &'a str,
    body: Vec<u8>,
    limit: Duration,
}

struct Reply {
    status: StatusCode,
    body: Bytes,
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

    async fn get<T: DeserializeOwned>(&self, what: &str, path: &str) -> Result<T, RouterError> {
        let call = Call::new(what, Method::GET, path);
        self.call(&call).await?.read(&call)
    }

    async fn call(&self, call: &Call<'_>) -> Result<Reply, RouterError> {
        let exchanged = timeout(call.limit, self.exchange(call)).await;
        exchanged.unwrap_or_else(|_| {
            Err(RouterError::Unreachable {
                message: format!(
                    "it listens on {} but gave no answer in {} s; look into its log, and restart it if it hangs",
                    self.admin_socket.display(),
                    call.limit.as_secs()
                ),
            })
        })
    }

    async fn exchange(&self, call: &Call<'_>) -> Result<Reply, RouterError> {
        let stream = UnixStream::connect(&self.admin_socket)
            .await
            .map_err(|error| self.unreachable(&error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| call.failed(error))?;
        let connection = tokio::spawn(connection);
        let request = Request::builder()
            .method(&call.method)
            .uri(call.path)
            .header(HOST, "proxy")
            .body(Full::<Bytes>::from(call.body.clone()))
            .map_err(|error| call.failed(error))?;
        let response = sender.send_request(request).await;
        let response = response.map_err(|error| call.failed(error))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), BODY_LIMIT).collect();
        let body = body
            .await
            .map_err(|error| RouterError::Other {
                what: call.what.clone(),
                source: error,
            })?
            .to_bytes();
        connection.abort();
        Ok(Reply { status, body })
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

impl<'a> Call<'a> {
    fn new(what: &str, method: Method, path: &'a str) -> Self {
        Self {
            what: what.to_owned(),
            method,
            path,
            body: Vec::new(),
            limit: ANSWER_LIMIT,
        }
    }

    fn with<T: Serialize>(mut self, body: &T) -> Result<Self, RouterError> {
        self.body = serde_json::to_vec(body).map_err(|error| self.failed(error))?;
        Ok(self)
    }

    fn failed(&self, error: impl Error + Send + Sync + 'static) -> RouterError {
        RouterError::Other {
            what: self.what.clone(),
            source: Box::new(error),
        }
    }
}

impl Reply {
    fn read<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, RouterError> {
        self.check(call)?;
        serde_json::from_slice(&self.body).map_err(|error| call.failed(error))
    }

    fn check(&self, call: &Call<'_>) -> Result<(), RouterError> {
        if self.status.is_success() {
            return Ok(());
        }
        let message = match serde_json::from_slice::<Problem>(&self.body) {
            Ok(problem) => problem.error,
            Err(_) => format!("it answered {}", self.status),
        };
        if self.status.is_client_error() {
            return Err(RouterError::Refused { message });
        }
        Err(RouterError::Other {
            what: call.what.clone(),
            source: message.into(),
        })
    }
}

#[async_trait]
impl Router for ProxyRouter {
    async fn switch(&self, route: &Route) -> Result<Switched, RouterError> {
        let what = format!("switch the route of {}", route.key);
        let path = route_path(&route.key);
        let call = Call::new(&what, Method::PUT, &path).with(route)?;
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
        let request = DrainRequest {
            targets: targets.to_vec(),
            limit_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
        };
        let mut call =
            Call::new("drain the old instances", Method::POST, "/drain").with(&request)?;
        call.limit = limit.saturating_add(ANSWER_LIMIT);
        self.call(&call).await?.read(&call)
    }

    async fn remove(&self, key: &EnvironmentKey) -> Result<(), RouterError> {
        let path = route_path(key);
        let what = format!("remove the route of {key}");
        let call = Call::new(&what, Method::DELETE, &path);
        self.call(&call).await?.check(&call)
    }
}
