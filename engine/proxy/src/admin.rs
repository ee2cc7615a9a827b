//! The admin socket's side of [`protocol`](crate::protocol).

use std::convert::Infallible;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shipway_core::environment::EnvironmentKey;
use shipway_core::ports::router::Route;
use tokio::net::{UnixListener, UnixStream};
use tokio::time::{sleep, timeout};

use crate::control::{Asker, ChangeError, Control};
use crate::error::in_full;
use crate::handover::HandOverError;
use crate::protocol::{
    BODY_LIMIT, Counts, DRAIN_LIMIT, DrainRequest, Health, Problem, RestartRequest, Restarted,
    Stats,
};
use crate::serve::ProxyHandle;
use crate::stats;

/// For a request's head, and again for its body.
const READ_LIMIT: Duration = Duration::from_secs(10);

/// How long accepting pauses when the system has no descriptor left.
const PAUSE: Duration = Duration::from_millis(50);

pub(crate) struct Admin {
    pub control: Arc<Control>,
    pub stats: Vec<Arc<stats::Stats>>,
    pub addresses: Vec<SocketAddr>,
    pub tls_addresses: Vec<SocketAddr>,
    pub proxy: ProxyHandle,
}

type Reply = Result<Response<Full<Bytes>>, Refusal>;

/// A status, and words for people.
struct Refusal(StatusCode, String);

impl Admin {
    /// Never returns; the one who started it ends it.
    pub async fn serve(self: Arc<Self>, listener: UnixListener) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    tokio::spawn(Arc::clone(&self).connection(stream));
                }
                Err(error) => {
                    tracing::warn!(%error, "the admin socket could not accept a connection");
                    sleep(PAUSE).await;
                }
            }
        }
    }

    async fn connection(self: Arc<Self>, stream: UnixStream) {
        let service = service_fn(|request| {
            let admin = Arc::clone(&self);
            async move { Ok::<_, Infallible>(admin.reply(Asker::Engine, request).await) }
        });
        let served = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(READ_LIMIT)
            .serve_connection(TokioIo::new(stream), service)
            .await;
        if let Err(error) = served {
            tracing::debug!(%error, "a connection to the admin socket ended early");
        }
    }

    /// Until the proxy that has taken over is gone.
    pub async fn serve_successor(self: Arc<Self>, line: UnixStream) {
        let service = service_fn(|request| {
            let admin = Arc::clone(&self);
            async move { Ok::<_, Infallible>(admin.reply(Asker::Successor, request).await) }
        });
        let served = http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(line), service)
            .await;
        if let Err(error) = served {
            tracing::debug!(%error, "the line to the new proxy ended early");
        }
    }

    async fn reply(&self, asker: Asker, request: Request<Incoming>) -> Response<Full<Bytes>> {
        self.act(asker, request)
            .await
            .unwrap_or_else(|Refusal(status, error)| json(status, &Problem { error }))
    }

    async fn act(&self, asker: Asker, request: Request<Incoming>) -> Reply {
        let path = request.uri().path().to_owned();
        let parts: Vec<_> = path.trim_start_matches('/').split('/').collect();
        match (request.method(), parts.as_slice()) {
            (&Method::GET, ["health"]) => Ok(json(StatusCode::OK, &self.health())),
            (&Method::GET, ["stats"]) => Ok(json(StatusCode::OK, &self.stats())),
            (&Method::GET, ["routes"]) => Ok(json(StatusCode::OK, &self.control.routes().await)),
            (&Method::GET, ["routes", app, environment]) => {
                self.route(&key(app, environment)?).await
            }
            (&Method::PUT, ["routes", app, environment]) => {
                let key = key(app, environment)?;
                self.switch(asker, key, body(request).await?).await
            }
            (&Method::DELETE, ["routes", app, environment]) => {
                self.remove(asker, key(app, environment)?).await
            }
            (&Method::POST, ["drain"]) => self.drain(body(request).await?).await,
            (&Method::POST, ["restart"]) => self.restart(optional_body(request).await?).await,
            (method, _) => Err(Refusal(
                StatusCode::NOT_FOUND,
                format!(
                    "the proxy knows no {method} {path}; the engine and the proxy may be of different versions"
                ),
            )),
        }
    }

    fn health(&self) -> Health {
        let (routes, generation) = self.control.size();
        Health {
            listen: self.addresses.clone(),
            tls_listen: self.tls_addresses.clone(),
            routes,
            generation,
            pid: std::process::id(),
        }
    }

    fn stats(&self) -> Stats {
        let mut counts = Counts::default();
        for stats in &self.stats {
            stats.add_to(&mut counts);
        }
        let routes = self.control.stats();
        Stats {
            counts,
            routes,
            changes: self.control.changes(),
        }
    }

    async fn route(&self, key: &EnvironmentKey) -> Reply {
        match self.control.route(key).await {
            Some(route) => Ok(json(StatusCode::OK, &route)),
            None => Err(Refusal(
                StatusCode::NOT_FOUND,
                format!("{key} has no route"),
            )),
        }
    }

    /// In a task of its own: whoever asked may leave, a change is finished.
    async fn switch(&self, asker: Asker, key: EnvironmentKey, route: Route) -> Reply {
        if route.key != key {
            let words = format!("the route is of {}, the path is of {key}", route.key);
            return Err(Refusal(StatusCode::BAD_REQUEST, words));
        }
        let control = Arc::clone(&self.control);
        let switch = tokio::spawn(async move { control.switch(asker, route).await });
        let switched = switch.await.map_err(|_| ChangeError::Stopped)??;
        Ok(json(StatusCode::OK, &switched))
    }

    async fn remove(&self, asker: Asker, key: EnvironmentKey) -> Reply {
        let control = Arc::clone(&self.control);
        let remove = tokio::spawn(async move { control.remove(asker, &key).await });
        remove.await.map_err(|_| ChangeError::Stopped)??;
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(response)
    }

    async fn drain(&self, request: DrainRequest) -> Reply {
        let limit = Duration::from_millis(request.limit_ms).min(DRAIN_LIMIT);
        let drained = self.control.drain(&request.targets, limit).await;
        Ok(json(StatusCode::OK, &drained))
    }

    async fn restart(&self, request: RestartRequest) -> Reply {
        let arguments = request.arguments;
        let arguments = arguments.map(|a| a.into_iter().map(OsString::from).collect());
        let pid = self.proxy.restart(arguments).await?;
        Ok(json(StatusCode::OK, &Restarted { pid }))
    }
}

impl From<HandOverError> for Refusal {
    fn from(error: HandOverError) -> Self {
        let status = match error {
            HandOverError::NoProgram | HandOverError::Leaving => StatusCode::CONFLICT,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self(status, in_full(&error))
    }
}

impl From<ChangeError> for Refusal {
    fn from(error: ChangeError) -> Self {
        let status = match error {
            ChangeError::DomainTaken { .. } | ChangeError::Outdated { .. } => StatusCode::CONFLICT,
            ChangeError::HandedOver => StatusCode::SERVICE_UNAVAILABLE,
            ChangeError::NotSaved(_) | ChangeError::Stopped => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self(status, in_full(&error))
    }
}

fn key(app: &str, environment: &str) -> Result<EnvironmentKey, Refusal> {
    let invalid = |error: shipway_core::name::InvalidName| {
        Refusal(StatusCode::BAD_REQUEST, error.to_string())
    };
    Ok(EnvironmentKey {
        app: app.parse().map_err(invalid)?,
        environment: environment.parse().map_err(invalid)?,
    })
}

async fn body<T: DeserializeOwned>(request: Request<Incoming>) -> Result<T, Refusal> {
    parse(&read(request).await?)
}

async fn optional_body<T: DeserializeOwned + Default>(
    request: Request<Incoming>,
) -> Result<T, Refusal> {
    let text = read(request).await?;
    match text.is_empty() {
        true => Ok(T::default()),
        false => parse(&text),
    }
}

async fn read(request: Request<Incoming>) -> Result<Bytes, Refusal> {
    let refused = |error: String| Refusal(StatusCode::BAD_REQUEST, error);
    let limited = Limited::new(request.into_body(), BODY_LIMIT);
    let body = timeout(READ_LIMIT, limited.collect())
        .await
        .map_err(|_| refused("the body of the request did not come in time".to_owned()))?
        .map_err(|error| refused(format!("the body of the request cannot be read: {error}")))?;
    Ok(body.to_bytes())
}

fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(text).map_err(|error| {
        let words = format!("the body of the request is not what it should be: {error}");
        Refusal(StatusCode::BAD_REQUEST, words)
    })
}

fn json<T: Serialize>(status: StatusCode, value: &T) -> Response<Full<Bytes>> {
    // Our own types always become JSON.
    let text = serde_json::to_vec(value).unwrap_or_default();
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
