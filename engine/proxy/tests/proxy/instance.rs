//! An instance of an app: a small HTTP server that says its name, and does on
//! other paths what apps do.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, Semaphore, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::client::{Body, body, no_body};

pub struct Instance {
    pub address: SocketAddr,
    app: Arc<App>,
    _kill: DropGuard,
}

struct App {
    name: String,
    requests: AtomicU64,
    connections: AtomicU64,
    open: AtomicU64,
    /// One permit lets one request to `/slow` be answered.
    gate: Semaphore,
    arrived: Semaphore,
    events: Mutex<Option<mpsc::UnboundedReceiver<Bytes>>>,
}

impl Instance {
    pub async fn start(name: &str) -> Result<Self> {
        Self::start_at(name, ([127, 0, 0, 1], 0).into()).await
    }

    pub async fn start_at(name: &str, address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let app = Arc::new(App {
            name: name.to_owned(),
            requests: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            open: AtomicU64::new(0),
            gate: Semaphore::new(0),
            arrived: Semaphore::new(0),
            events: Mutex::new(None),
        });
        let kill = CancellationToken::new();
        tokio::spawn(kill.clone().run_until_cancelled_owned(accept(
            listener,
            Arc::clone(&app),
            kill.clone(),
        )));
        Ok(Self {
            address,
            app,
            _kill: kill.drop_guard(),
        })
    }

    pub fn requests(&self) -> u64 {
        self.app.requests.load(Ordering::SeqCst)
    }

    pub fn connections(&self) -> u64 {
        self.app.connections.load(Ordering::SeqCst)
    }

    /// Connections that are open now.
    pub fn open(&self) -> u64 {
        self.app.open.load(Ordering::SeqCst)
    }

    /// Waits for one more request to have come to `/slow`.
    pub async fn slow_request_arrived(&self) -> Result<()> {
        self.app.arrived.acquire().await?.forget();
        Ok(())
    }

    pub fn let_one_answer(&self) {
        self.app.gate.add_permits(1);
    }

    /// What is sent here comes out of the next `/events`.
    pub async fn events(&self) -> mpsc::UnboundedSender<Bytes> {
        let (sender, receiver) = mpsc::unbounded_channel();
        *self.app.events.lock().await = Some(receiver);
        sender
    }
}

async fn accept(listener: TcpListener, app: Arc<App>, kill: CancellationToken) {
    while let Ok((stream, _)) = listener.accept().await {
        app.connections.fetch_add(1, Ordering::SeqCst);
        app.open.fetch_add(1, Ordering::SeqCst);
        let counted = Arc::clone(&app);
        let app = Arc::clone(&app);
        let service = service_fn(move |request| {
            let app = Arc::clone(&app);
            async move { app.answer(request).await }
        });
        let connection = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let kill = kill.clone();
        tokio::spawn(async move {
            let _ = kill.run_until_cancelled(connection).await;
            counted.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

impl App {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let path = request.uri().path().to_owned();
        let answer = match path.as_str() {
            "/headers" => Response::new(body(described(&request))),
            "/slow" => self.slow(request).await,
            "/events" => self.stream().await,
            "/upload" => upload(request).await,
            "/echo" => echo(request),
            "/odd" => odd(),
            "/close" => closing(&self.name),
            "/bytes" => bytes(&request),
            "/empty" => status(StatusCode::NO_CONTENT),
            _ => {
                // An app reads what it is sent.
                let _ = request.into_body().collect().await;
                Response::new(body(self.name.clone()))
            }
        };
        Ok(answer)
    }

    /// Reads nothing before it is let, and answers when it has read all.
    async fn slow(&self, request: Request<Incoming>) -> Response<Body> {
        self.arrived.add_permits(1);
        if let Ok(permit) = self.gate.acquire().await {
            permit.forget();
        }
        let _ = request.into_body().collect().await;
        Response::new(body(self.name.clone()))
    }

    async fn stream(&self) -> Response<Body> {
        let Some(receiver) = self.events.lock().await.take() else {
            return status(StatusCode::CONFLICT);
        };
        let frames = futures::stream::unfold(receiver, async |mut receiver| {
            receiver
                .recv()
                .await
                .map(|bytes| (Ok(Frame::data(bytes)), receiver))
        });
        let mut response = Response::new(BodyExt::boxed_unsync(StreamBody::new(frames)));
        response.headers_mut().insert(
            "content-type",
            http::HeaderValue::from_static("text/event-stream"),
        );
        response
    }
}

async fn upload(request: Request<Incoming>) -> Response<Body> {
    let mut bytes = 0;
    let mut body_in = request.into_body();
    while let Some(Ok(frame)) = body_in.frame().await {
        bytes += frame.data_ref().map_or(0, Bytes::len);
    }
    Response::new(body(bytes.to_string()))
}

/// As many as the query says, made as they are sent.
fn bytes(request: &Request<Incoming>) -> Response<Body> {
    const CHUNK: usize = 64 * 1024;
    let asked = request.uri().query().and_then(|query| query.parse().ok());
    let mut left: usize = asked.unwrap_or_default();
    let chunk = Bytes::from(vec![b'x'; CHUNK]);
    let frames = std::iter::from_fn(move || {
        let next = left.min(CHUNK);
        left -= next;
        (next > 0).then(|| Ok(Frame::data(chunk.slice(..next))))
    });
    let frames = futures::stream::iter(frames);
    Response::new(BodyExt::boxed_unsync(StreamBody::new(frames)))
}

/// Any protocol: what comes in goes out.
fn echo(mut request: Request<Incoming>) -> Response<Body> {
    let upgrade = hyper::upgrade::on(&mut request);
    let asked = request.headers().get("upgrade").cloned();
    let Some(asked) = asked else {
        return status(StatusCode::UPGRADE_REQUIRED);
    };
    tokio::spawn(async move {
        if let Ok(upgraded) = upgrade.await {
            let (mut read, mut write) = tokio::io::split(TokioIo::new(upgraded));
            let _ = tokio::io::copy(&mut read, &mut write).await;
        }
    });
    let mut response = status(StatusCode::SWITCHING_PROTOCOLS);
    response.headers_mut().insert("upgrade", asked);
    response
        .headers_mut()
        .insert("connection", http::HeaderValue::from_static("upgrade"));
    response
}

/// An answer with headers for the neighbour.
fn odd() -> Response<Body> {
    let mut response = Response::new(body("odd"));
    for (name, value) in [
        ("keep-alive", "timeout=5"),
        ("connection", "x-mine"),
        ("x-mine", "1"),
        ("x-app", "2"),
    ] {
        response
            .headers_mut()
            .insert(name, http::HeaderValue::from_static(value));
    }
    response
}

fn closing(name: &str) -> Response<Body> {
    let mut response = Response::new(body(name.to_owned()));
    response
        .headers_mut()
        .insert("connection", http::HeaderValue::from_static("close"));
    response
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(no_body());
    *response.status_mut() = status;
    response
}

fn described(request: &Request<Incoming>) -> String {
    let mut lines: BTreeMap<&str, String> = all(request.headers());
    let line = format!(
        "{} {} {:?}",
        request.method(),
        request.uri(),
        request.version()
    );
    lines.insert("", line);
    serde_json::to_string(&lines).unwrap_or_default()
}

fn all(headers: &HeaderMap) -> BTreeMap<&str, String> {
    let names = headers.keys().map(|name| {
        let values = headers.get_all(name).iter();
        let values: Vec<_> = values
            .map(|v| String::from_utf8_lossy(v.as_bytes()))
            .collect();
        (name.as_str(), values.join(" | "))
    });
    names.collect()
}
