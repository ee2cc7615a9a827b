//! What clients may send, and how slowly.

use std::num::NonZeroU32;
use std::time::Duration;

use anyhow::{Context, Result};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame};
use shipway_core::ports::router::Router;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{Body, body};
use crate::harness::{BOUND, Harness, eventually};
use crate::instance::Instance;

fn chunked(chunks: usize) -> Body {
    let chunk = Bytes::from(vec![7; 64 * 1024]);
    let chunks = futures::stream::iter((0..chunks).map(move |_| Ok(Frame::data(chunk.clone()))));
    BodyExt::boxed_unsync(StreamBody::new(chunks))
}

#[tokio::test]
async fn a_body_too_large_is_413_announced_or_not() -> Result<()> {
    let harness = Harness::start_with(|config| {
        config.limits.body_bytes = 1024 * 1024;
    })
    .await?;
    let app = Instance::start("app").await?;
    harness.route("app", &[&app]).await?;
    let request = || Request::post("/upload").header("host", "app.test");

    let mut client = harness.client().await?;
    let announced = request().body(body(vec![7; 1024 * 1024 + 1]))?;
    let answer = client.send(announced).await?;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.text.contains("Too large"), "{}", answer.text);
    assert_eq!(app.requests(), 0);

    // Just over: the client has sent all of it when it reads the answer.
    let answer = harness
        .client()
        .await?
        .send(request().body(chunked(17))?)
        .await?;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);

    let fits = request().body(chunked(16))?;
    let answer = harness.client().await?.send(fits).await?;
    assert_eq!(answer.text, (1024 * 1024).to_string());
    Ok(())
}

async fn post_head(harness: &Harness) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(harness.address).await?;
    stream
        .write_all(b"POST /upload HTTP/1.1\r\nHost: app.test\r\nContent-Length: 100000\r\n\r\n")
        .await?;
    Ok(stream)
}

async fn is_told_408(stream: &mut TcpStream) -> Result<()> {
    let mut answer = Vec::new();
    let mut bytes = [0; 1024];
    loop {
        match timeout(BOUND, stream.read(&mut bytes))
            .await
            .context("no answer")?
        {
            Ok(0) | Err(_) => break,
            Ok(read) => answer.extend(bytes.iter().take(read)),
        }
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    Ok(())
}

#[tokio::test]
async fn a_body_that_stands_still_is_408_and_leaves_the_instance() -> Result<()> {
    let harness = Harness::start_with(|config| {
        config.limits.body_idle = Duration::from_millis(50);
    })
    .await?;
    let app = Instance::start("app").await?;
    harness.route("app", &[&app]).await?;
    let mut stream = post_head(&harness).await?;
    stream.write_all(b"some of it").await?;
    is_told_408(&mut stream).await?;
    let drained = harness.router.drain(&[app.address], BOUND).await?;
    assert_eq!(drained.unfinished, 0);
    Ok(())
}

/// Each byte comes in time, and all of them take too long.
#[tokio::test]
async fn a_body_that_trickles_is_408() -> Result<()> {
    let harness = Harness::start_with(|config| {
        config.limits.body_idle = Duration::from_millis(400);
        config.limits.body_rate = NonZeroU32::MAX;
    })
    .await?;
    let app = Instance::start("app").await?;
    harness.route("app", &[&app]).await?;
    let stream = post_head(&harness).await?;
    let (mut read, mut write) = stream.into_split();
    let trickle = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(10));
        while write.write_all(b"x").await.is_ok() {
            ticks.tick().await;
        }
    });
    let mut answer = [0; 12];
    timeout(BOUND, read.read_exact(&mut answer)).await??;
    assert_eq!(&answer, b"HTTP/1.1 408");
    drop(read);
    timeout(BOUND, trickle).await??;
    Ok(())
}

/// An instance that reads slowly is not the client's fault.
#[tokio::test]
async fn a_slow_instance_costs_the_client_no_time() -> Result<()> {
    let harness = Harness::start_with(|config| {
        config.limits.body_idle = Duration::from_millis(300);
    })
    .await?;
    let app = Instance::start("app").await?;
    harness.route("app", &[&app]).await?;
    // More than all buffers on the way, and read only when it is let.
    let request = Request::post("/slow").header("host", "app.test");
    let request = request.body(chunked(300))?;
    let mut client = harness.client().await?;
    let answer = tokio::spawn(async move { client.send(request).await });
    app.slow_request_arrived().await?;
    tokio::time::sleep(Duration::from_millis(900)).await;
    app.let_one_answer();
    let answer = answer.await??;
    assert_eq!(
        (answer.status, answer.text.as_str()),
        (StatusCode::OK, "app")
    );
    Ok(())
}

#[tokio::test]
async fn a_client_that_reads_nothing_is_cut_off() -> Result<()> {
    let harness = Harness::start_with(|config| {
        config.limits.client_stall = Duration::from_millis(100);
    })
    .await?;
    let app = Instance::start("app").await?;
    harness.route("app", &[&app]).await?;
    let mut stream = TcpStream::connect(harness.address).await?;
    stream
        .write_all(b"GET /bytes?100000000 HTTP/1.1\r\nHost: app.test\r\n\r\n")
        .await?;
    stream.peek(&mut [0]).await?;
    eventually("the instance has nobody", async || {
        let stats = harness.router.stats().await?;
        let targets = stats.routes.iter().flat_map(|route| &route.targets);
        Ok(stats.counts.connections == 0 && targets.map(|t| t.in_flight).sum::<u64>() == 0)
    })
    .await
}

#[tokio::test]
async fn connections_beyond_the_limit_wait() -> Result<()> {
    let harness = Harness::start_with(|config| {
        config.limits.connections = 2;
        config.workers = std::num::NonZeroUsize::MIN;
    })
    .await?;
    let app = Instance::start("app").await?;
    harness.route("app", &[&app]).await?;
    let mut first = harness.client().await?;
    let mut second = harness.client().await?;
    assert_eq!(first.get("app.test", "/").await?.text, "app");
    assert_eq!(second.get("app.test", "/").await?.text, "app");
    let mut third = harness.client().await?;
    let waiting = tokio::spawn(async move { third.get("app.test", "/").await });
    assert_eq!(first.get("app.test", "/").await?.text, "app");
    assert_eq!(harness.router.stats().await?.counts.connections, 2);
    assert!(!waiting.is_finished());
    drop(first);
    assert_eq!(waiting.await??.text, "app");
    Ok(())
}
