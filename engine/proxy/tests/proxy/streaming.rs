//! Bodies and upgraded connections pass as they come.

use anyhow::{Context, Result};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper_util::rt::TokioIo;
use shipway_core::ports::router::Router;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::client::{no_body, raw};
use crate::harness::{BOUND, Harness};
use crate::instance::Instance;

#[tokio::test]
async fn server_sent_events_pass_one_by_one() -> Result<()> {
    let harness = Harness::start().await?;
    let app = Instance::start("app").await?;
    harness.route("app", &[&app]).await?;
    let events = app.events().await;
    let mut client = harness.client().await?;
    // The head passes before there is any event.
    let mut answer = client.begin_get("app.test", "/events").await?;
    for number in 0..20 {
        let event = format!("data: {number}\n\n");
        events.send(event.clone().into())?;
        let frame = timeout(BOUND, answer.body_mut().frame()).await?;
        let frame = frame.context("the stream ended")??;
        assert_eq!(frame.data_ref().map(Bytes::as_ref), Some(event.as_bytes()));
    }
    Ok(())
}

#[tokio::test]
async fn a_large_upload_streams() -> Result<()> {
    const CHUNK: usize = 64 * 1024;
    const CHUNKS: usize = 1600;
    let harness = Harness::start().await?;
    let app = Instance::start("app").await?;
    harness.route("app", &[&app]).await?;
    let chunk = Bytes::from(vec![7; CHUNK]);
    let chunks = futures::stream::iter((0..CHUNKS).map(move |_| Ok(Frame::data(chunk.clone()))));
    let request = Request::post("/upload").header("host", "app.test");
    let request = request.body(BodyExt::boxed_unsync(StreamBody::new(chunks)))?;
    let answer = harness.client().await?.send(request).await?;
    assert_eq!(answer.text, (CHUNK * CHUNKS).to_string());
    Ok(())
}

#[tokio::test]
async fn an_upload_reaches_the_instance_while_it_is_sent() -> Result<()> {
    let harness = Harness::start().await?;
    let app = Instance::start("app").await?;
    harness.route("app", &[&app]).await?;
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel::<Bytes>();
    let frames = futures::stream::unfold(receiver, async |mut receiver| {
        receiver
            .recv()
            .await
            .map(|bytes| (Ok(Frame::data(bytes)), receiver))
    });
    let request = Request::post("/upload").header("host", "app.test");
    let request = request.body(BodyExt::boxed_unsync(StreamBody::new(frames)))?;
    let mut client = harness.client().await?;
    let answer = tokio::spawn(async move { client.send(request).await });
    sender.send("first".into())?;
    crate::harness::eventually("the instance has the request", async || {
        Ok(app.requests() == 1)
    })
    .await?;
    sender.send(" second".into())?;
    drop(sender);
    assert_eq!(answer.await??.text, "12");
    Ok(())
}

#[tokio::test]
async fn a_chunked_answer_reaches_an_old_client() -> Result<()> {
    let harness = Harness::start().await?;
    let app = Instance::start("app").await?;
    harness.route("app", &[&app]).await?;
    let events = app.events().await;
    events.send("one".into())?;
    events.send("two".into())?;
    drop(events);
    let answer = raw(
        harness.address,
        "GET /events HTTP/1.0\r\nHost: app.test\r\n\r\n",
    )
    .await?;
    assert!(answer.ends_with("\r\n\r\nonetwo"), "{answer}");
    assert!(!answer.to_lowercase().contains("chunked"), "{answer}");
    Ok(())
}

#[tokio::test]
async fn a_websocket_passes_and_counts_until_it_is_closed() -> Result<()> {
    let harness = Harness::start().await?;
    let (old, new) = (Instance::start("old").await?, Instance::start("new").await?);
    harness.route("app", &[&old]).await?;
    let request = Request::get("/echo")
        .header("host", "app.test")
        .header("connection", "keep-alive, Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
        .body(no_body())?;
    let response = harness.client().await?.begin(request).await?;
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(
        response.headers().get("upgrade").map(|u| u.as_bytes()),
        Some(&b"websocket"[..])
    );
    let mut socket = TokioIo::new(hyper::upgrade::on(response).await?);
    let mut answer = [0; 4];
    for word in ["ping", "pong"] {
        socket.write_all(word.as_bytes()).await?;
        timeout(BOUND, socket.read_exact(&mut answer)).await??;
        assert_eq!(answer, word.as_bytes());
    }
    assert_eq!(harness.route("app", &[&new]).await?.in_flight_on_old, 1);
    socket.write_all(b"more").await?;
    timeout(BOUND, socket.read_exact(&mut answer)).await??;
    drop(socket);
    assert_eq!(
        harness
            .router
            .drain(&[old.address], BOUND)
            .await?
            .unfinished,
        0
    );
    Ok(())
}

#[tokio::test]
async fn an_upgrade_that_is_refused_is_an_answer() -> Result<()> {
    let harness = Harness::start().await?;
    let app = Instance::start("app").await?;
    harness.route("app", &[&app]).await?;
    for protocol in ["websocket", "h2c"] {
        let request = Request::get("/headers")
            .header("host", "app.test")
            .header("connection", "Upgrade, HTTP2-Settings")
            .header("upgrade", protocol)
            .header("http2-settings", "AAMAAABkAAQAoAAAAAIAAAAA")
            .body(no_body())?;
        let answer = harness.client().await?.send(request).await?;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.text.contains("\"upgrade\""), protocol == "websocket");
        assert!(!answer.text.contains("http2-settings"));
    }
    Ok(())
}
