//! HTTP/2 to clients, over plain TCP by prior knowledge; with TLS in `tls`.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use http::{Request, StatusCode, Version};
use http_body_util::BodyExt;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use shipway_core::ports::router::Router;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::client::{Answer, Body, body, no_body};
use crate::harness::{BOUND, Harness, eventually};
use crate::instance::Instance;

/// A connection that carries many requests at once.
#[derive(Clone)]
pub struct Http2(SendRequest<Body>);

impl Http2 {
    pub async fn on<S>(stream: S) -> Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    async fn to(harness: &Harness) -> Result<Self> {
        Self::on(TcpStream::connect(harness.address).await?).await
    }

    pub async fn send(&self, request: Request<Body>) -> Result<Answer> {
        let mut sender = self.0.clone();
        timeout(BOUND, sender.ready()).await??;
        let response = timeout(BOUND, sender.send_request(request)).await??;
        assert_eq!(response.version(), Version::HTTP_2);
        let (head, body) = response.into_parts();
        let body = timeout(BOUND, body.collect()).await??.to_bytes();
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            text: String::from_utf8(body.to_vec())?,
        })
    }

    pub async fn get(&self, uri: &str) -> Result<Answer> {
        self.send(Request::get(uri).body(no_body())?).await
    }

    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }
}

#[tokio::test]
async fn requests_of_one_connection_are_answered_side_by_side() -> Result<()> {
    let harness = Harness::start().await?;
    let (shop, blog) = (
        Instance::start("shop").await?,
        Instance::start("blog").await?,
    );
    harness.route("shop", &[&shop]).await?;
    harness.route("blog", &[&blog]).await?;
    let client = Http2::to(&harness).await?;
    let slow = {
        let client = client.clone();
        tokio::spawn(async move { client.get("http://shop.test/slow").await })
    };
    shop.slow_request_arrived().await?;
    let mut others = JoinSet::new();
    for _ in 0..50 {
        let client = client.clone();
        others.spawn(async move { client.get("http://blog.test/").await });
    }
    while let Some(answer) = others.join_next().await {
        assert_eq!(answer??.text, "blog");
    }
    assert!(!slow.is_finished());
    shop.let_one_answer();
    assert_eq!(slow.await??.text, "shop");
    assert_eq!(harness.router.stats().await?.counts.connections, 1);
    Ok(())
}

#[tokio::test]
async fn an_instance_is_asked_in_http_1() -> Result<()> {
    let harness = Harness::start().await?;
    let app = Instance::start("app").await?;
    harness.route("app", &[&app]).await?;
    let request = Request::get("http://app.test/headers?a=b")
        .header("cookie", "a=1")
        .header("cookie", "b=2")
        .header("te", "trailers")
        .body(no_body())?;
    let answer = Http2::to(&harness).await?.send(request).await?;
    for part in [
        "GET /headers?a=b HTTP/1.1",
        r#""host":"app.test""#,
        r#""cookie":"a=1; b=2""#,
        r#""x-forwarded-proto":"http""#,
    ] {
        assert!(answer.text.contains(part), "{part} in {}", answer.text);
    }
    assert!(!answer.text.contains("trailers"), "{}", answer.text);
    Ok(())
}

#[tokio::test]
async fn bodies_pass_both_ways() -> Result<()> {
    const LENGTH: usize = 5_000_000;
    let harness = Harness::start().await?;
    let app = Instance::start("app").await?;
    harness.route("app", &[&app]).await?;
    let client = Http2::to(&harness).await?;
    let request = Request::post("http://app.test/upload").body(body(vec![7; LENGTH]))?;
    assert_eq!(client.send(request).await?.text, LENGTH.to_string());
    let download = format!("http://app.test/bytes?{LENGTH}");
    assert_eq!(client.get(&download).await?.text.len(), LENGTH);
    for _ in 0..3 {
        let empty = client.get("http://app.test/empty").await?;
        assert_eq!(empty.status, StatusCode::NO_CONTENT);
        let odd = client.get("http://app.test/odd").await?;
        assert_eq!(odd.text, "odd");
        assert!(!odd.headers.contains_key("connection"));
    }
    Ok(())
}

#[tokio::test]
async fn our_own_pages_and_tunnels_are_told_apart() -> Result<()> {
    let harness = Harness::start().await?;
    let client = Http2::to(&harness).await?;
    let nobody = client.get("http://nobody.test/").await?;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
    let tunnel = Request::connect("nobody.test:443").body(no_body())?;
    let tunnel = client.send(tunnel).await?;
    assert_eq!(tunnel.status, StatusCode::METHOD_NOT_ALLOWED);
    Ok(())
}

#[tokio::test]
async fn a_client_that_resets_its_request_counts_no_more() -> Result<()> {
    let harness = Harness::start().await?;
    let app = Instance::start("app").await?;
    harness.route("app", &[&app]).await?;
    let client = Http2::to(&harness).await?;
    let slow = tokio::spawn({
        let client = client.clone();
        async move { client.get("http://app.test/slow").await }
    });
    app.slow_request_arrived().await?;
    slow.abort();
    let drained = harness.router.drain(&[app.address], BOUND).await?;
    assert_eq!(drained.unfinished, 0);
    assert_eq!(client.get("http://app.test/").await?.text, "app");
    Ok(())
}

/// Requests begun only to be reset cost this side more than the client.
#[tokio::test]
async fn a_client_that_only_resets_is_cut_off() -> Result<()> {
    let harness = Harness::start().await?;
    let app = Instance::start("app").await?;
    harness.route("app", &[&app]).await?;
    let client = Http2::to(&harness).await?;
    let client = Arc::new(client);
    eventually("the connection is closed", async || {
        let one = Arc::clone(&client);
        let request = tokio::spawn(async move { one.get("http://app.test/slow").await });
        tokio::select! {
            arrived = app.slow_request_arrived() => arrived?,
            () = closed(&client) => {}
        }
        request.abort();
        Ok(client.is_closed())
    })
    .await?;
    assert!(app.requests() >= 200, "{}", app.requests());
    // Others are served on.
    let other = Http2::to(&harness).await?;
    assert_eq!(other.get("http://app.test/").await?.text, "app");
    Ok(())
}

async fn closed(client: &Http2) {
    while !client.is_closed() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn a_quiet_connection_and_one_that_only_begins_are_closed() -> Result<()> {
    let harness = Harness::start_with(|config| {
        config.limits.client_idle = Duration::from_millis(50);
    })
    .await?;
    let client = Http2::to(&harness).await?;
    assert_eq!(client.get("http://nobody.test/").await?.status, 404);
    timeout(BOUND, closed(&client)).await?;
    for beginning in ["P", "PRI * HTTP/2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let mut stream = TcpStream::connect(harness.address).await?;
        stream.write_all(beginning.as_bytes()).await?;
        let mut rest = Vec::new();
        let read = timeout(BOUND, stream.read_to_end(&mut rest)).await;
        // Closed, perhaps with the beginning unread, which is a reset.
        let _ = read.context("it stays open")?;
    }
    Ok(())
}

#[tokio::test]
async fn a_proxy_that_stops_finishes_what_is_under_way() -> Result<()> {
    let harness = Harness::start().await?;
    let app = Instance::start("app").await?;
    harness.route("app", &[&app]).await?;
    let client = Http2::to(&harness).await?;
    let slow = tokio::spawn({
        let client = client.clone();
        async move { client.get("http://app.test/slow").await }
    });
    app.slow_request_arrived().await?;
    harness.begin_stop();
    app.let_one_answer();
    assert_eq!(slow.await??.text, "app");
    harness.stopped().await?;
    Ok(())
}
