//! Instances that are dead, slow or wrong.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use http::{Request, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::client::{body, raw};
use crate::harness::{Harness, dead_address};
use crate::instance::Instance;

#[tokio::test]
async fn a_dead_instance_is_passed_over() -> Result<()> {
    let harness = Harness::start().await?;
    let alive = Instance::start("alive").await?;
    harness
        .route_to("app", &[dead_address().await?, alive.address])
        .await?;
    let mut client = harness.client().await?;
    for _ in 0..10 {
        assert_eq!(client.get("app.test", "/").await?.text, "alive");
    }
    let retries = harness.router.stats().await?.counts.retries;
    assert!((1..10).contains(&retries), "{retries}");
    Ok(())
}

#[tokio::test]
async fn nobody_there_is_502_and_nobody_routed_503() -> Result<()> {
    let harness = Harness::start().await?;
    let mut client = harness.client().await?;
    harness
        .route_to("app", &[dead_address().await?, dead_address().await?])
        .await?;
    let dead = client.get("app.test", "/").await?;
    assert_eq!(dead.status, StatusCode::BAD_GATEWAY);
    assert!(dead.text.contains("does not answer"), "{}", dead.text);
    harness.route_to("app", &[]).await?;
    let none = client.get("app.test", "/").await?;
    assert_eq!(none.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(none.headers.contains_key("retry-after"));
    Ok(())
}

#[tokio::test]
async fn a_request_with_a_body_is_sent_to_one_instance_only() -> Result<()> {
    let harness = Harness::start().await?;
    let alive = Instance::start("alive").await?;
    harness
        .route_to("app", &[dead_address().await?, alive.address])
        .await?;
    let mut client = harness.client().await?;
    let mut failed = 0;
    for _ in 0..2 {
        let request = Request::post("/upload").header("host", "app.test");
        let answer = client.send(request.body(body("abc"))?).await?;
        failed += u32::from(answer.status == StatusCode::BAD_GATEWAY);
    }
    assert_eq!((failed, alive.requests()), (1, 1));
    Ok(())
}

#[tokio::test]
async fn an_instance_that_starts_again_is_found_again() -> Result<()> {
    let harness = Harness::start().await?;
    let first = Instance::start("first").await?;
    let address = first.address;
    harness.route("app", &[&first]).await?;
    let mut client = harness.client().await?;
    assert_eq!(client.get("app.test", "/").await?.text, "first");
    drop(first);
    crate::harness::eventually("the instance is gone", async || {
        Ok(client.get("app.test", "/").await?.status == StatusCode::BAD_GATEWAY)
    })
    .await?;
    let _second = Instance::start_at("second", address).await?;
    assert_eq!(client.get("app.test", "/").await?.text, "second");
    Ok(())
}

/// An instance that does with each connection what it is told.
async fn strange<F>(with: impl Fn(TcpStream, usize) -> F + Send + 'static) -> Result<SocketAddr>
where
    F: Future<Output = std::io::Result<()>> + Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async move {
        let mut number = 0;
        while let Ok((stream, _)) = listener.accept().await {
            let _ = with(stream, number).await;
            number += 1;
        }
    });
    Ok(address)
}

/// Reads a request without a body.
async fn read_head(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(())
}

#[tokio::test]
async fn a_kept_connection_closed_at_the_wrong_moment_is_no_failure() -> Result<()> {
    let harness = Harness::start().await?;
    // Answers one request a connection, promises to keep it, and closes it
    // when the next request has come, by turns politely and not.
    let address = strange(async |mut stream, number| {
        read_head(&mut stream).await?;
        let text = number.to_string();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        );
        stream.write_all(answer.as_bytes()).await?;
        if number % 2 == 0 {
            read_head(&mut stream).await?;
        } else {
            // Closed with the request unread: the system sends a reset.
            stream.peek(&mut [0]).await?;
        }
        Ok(())
    })
    .await?;
    harness.route_to("app", &[address]).await?;
    let mut client = harness.client().await?;
    for number in 0..5 {
        assert_eq!(client.get("app.test", "/").await?.text, number.to_string());
    }
    Ok(())
}

#[tokio::test]
async fn a_body_is_not_sent_to_a_kept_connection_that_was_closed() -> Result<()> {
    let harness = Harness::start().await?;
    let (sender, mut closed) = tokio::sync::mpsc::unbounded_channel();
    // Promises to keep the connection, and closes it after its answer.
    let address = strange(move |mut stream, number| {
        let sender = sender.clone();
        async move {
            read_head(&mut stream).await?;
            if number > 0 {
                stream.read_exact(&mut [0; 4]).await?;
            }
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{number}");
            stream.write_all(answer.as_bytes()).await?;
            drop(stream);
            let _ = sender.send(number);
            Ok(())
        }
    })
    .await?;
    harness.route_to("app", &[address]).await?;
    let mut client = harness.client().await?;
    assert_eq!(client.get("app.test", "/").await?.text, "0");
    assert_eq!(closed.recv().await, Some(0));
    let request = Request::post("/").header("host", "app.test");
    let answer = client.send(request.body(body("body"))?).await?;
    assert_eq!(answer.text, "1");
    Ok(())
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_is_502_and_not_repeated() -> Result<()> {
    let harness = Harness::start().await?;
    let (sender, mut requests) = tokio::sync::mpsc::unbounded_channel();
    let address = strange(move |mut stream, number| {
        let sender = sender.clone();
        async move {
            read_head(&mut stream).await?;
            let _ = sender.send(number);
            Ok(())
        }
    })
    .await?;
    harness.route_to("app", &[address]).await?;
    let answer = harness.client().await?.get("app.test", "/").await?;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert_eq!(requests.recv().await, Some(0));
    assert!(requests.try_recv().is_err());
    Ok(())
}

#[tokio::test]
async fn an_instance_that_never_answers_is_504() -> Result<()> {
    let harness = Harness::start_with(|config| {
        config.limits.answer = Duration::from_millis(50);
    })
    .await?;
    let app = Instance::start("app").await?;
    harness.route("app", &[&app]).await?;
    let answer = harness.client().await?.get("app.test", "/slow").await?;
    assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
    assert!(answer.text.contains("takes too long"));
    Ok(())
}

#[tokio::test]
async fn clients_have_limits() -> Result<()> {
    let harness = Harness::start_with(|config| {
        config.limits.header_bytes = 8192;
        config.limits.client_idle = Duration::from_millis(50);
    })
    .await?;
    let long = format!(
        "GET / HTTP/1.1\r\nHost: app.test\r\nX-Long: {}\r\n\r\n",
        "a".repeat(20_000)
    );
    let answer = raw(harness.address, &long).await?;
    assert!(answer.contains(" 431 "), "{answer}");
    // A head that never ends, and no head at all: both are closed.
    for slow in ["GET / HTTP/1.1\r\nHost: app", ""] {
        let answer = raw(harness.address, slow).await?;
        assert!(answer.is_empty() || answer.contains(" 408 "), "{answer}");
    }
    Ok(())
}
