//! The switch: atomic, acknowledged, and without a failed request.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use shipway_core::ports::router::Router;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::client::{Client, body, no_body};
use crate::harness::{BOUND, Harness, eventually, key, route};
use crate::instance::Instance;

/// Many clients, and what they must see.
struct Load {
    address: std::net::SocketAddr,
    /// The newest version whose switch was acknowledged.
    acknowledged: AtomicU64,
    stop: AtomicBool,
    answered: Semaphore,
}

impl Load {
    /// One client until the end: a kept-alive connection, a new one every
    /// hundred requests, and now and then a body.
    async fn client(self: Arc<Self>) -> Result<u64> {
        let mut sent = 0;
        let mut client = Client::connect(self.address).await?;
        while !self.stop.load(Ordering::SeqCst) {
            if sent % 100 == 99 {
                client = Client::connect(self.address).await?;
            }
            let (method, text) = match sent % 5 {
                0 => ("POST", "a body"),
                _ => ("GET", ""),
            };
            let request = Request::builder()
                .method(method)
                .uri("/")
                .header("host", "shop.test");
            let at_least = self.acknowledged.load(Ordering::SeqCst);
            let answer = client.send(request.body(body(text))?).await?;
            ensure!(
                answer.status == StatusCode::OK,
                "{} {}",
                answer.status,
                answer.text
            );
            let version: u64 = answer.text.parse()?;
            ensure!(
                version >= at_least,
                "version {version} after the switch to {at_least}"
            );
            sent += 1;
            self.answered.add_permits(1);
        }
        Ok(sent)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_switches_under_load_fail_no_request() -> Result<()> {
    let harness = Harness::start().await?;
    let mut old = Instance::start("0").await?;
    harness.route("shop", &[&old]).await?;
    let load = Arc::new(Load {
        address: harness.address,
        acknowledged: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        answered: Semaphore::new(0),
    });
    let mut clients = JoinSet::new();
    for _ in 0..24 {
        clients.spawn(Arc::clone(&load).client());
    }
    for version in 1..=30 {
        let new = Instance::start(&version.to_string()).await?;
        timeout(BOUND, load.answered.acquire_many(100))
            .await??
            .forget();
        harness.route("shop", &[&new]).await?;
        load.acknowledged.store(version, Ordering::SeqCst);
        let drained = harness.router.drain(&[old.address], BOUND).await?;
        assert_eq!(drained.unfinished, 0);
        // Its sockets close at once, as when a process is killed.
        old = new;
    }
    load.stop.store(true, Ordering::SeqCst);
    let mut sent = 0;
    while let Some(client) = clients.join_next().await {
        sent += client??;
    }
    assert!(sent >= 3000, "{sent}");
    let stats = harness.router.stats().await?;
    assert_eq!((stats.counts.requests, stats.counts.own_pages), (sent, 0));
    Ok(())
}

#[tokio::test]
async fn a_switch_says_who_is_still_on_the_old_instances() -> Result<()> {
    let harness = Harness::start().await?;
    let (old, new) = (Instance::start("old").await?, Instance::start("new").await?);
    let first = harness.route("shop", &[&old]).await?;
    assert_eq!(first.in_flight_on_old, 0);
    let mut slow = harness.client().await?;
    let slow = tokio::spawn(async move { slow.get("shop.test", "/slow").await });
    old.slow_request_arrived().await?;

    let second = harness.route("shop", &[&new]).await?;
    assert_eq!(second.in_flight_on_old, 1);
    assert_eq!(
        harness.client().await?.get("shop.test", "/").await?.text,
        "new"
    );
    let unfinished = harness
        .router
        .drain(&[old.address], Duration::from_millis(20))
        .await?;
    assert_eq!(unfinished.unfinished, 1);

    let router = harness.router.clone();
    let address = old.address;
    let drain = tokio::spawn(async move { router.drain(&[address], BOUND).await });
    old.let_one_answer();
    assert_eq!(drain.await??.unfinished, 0);
    assert_eq!(slow.await??.text, "old");
    Ok(())
}

#[tokio::test]
async fn a_request_counts_until_the_end_of_its_answer() -> Result<()> {
    let harness = Harness::start().await?;
    let (old, new) = (Instance::start("old").await?, Instance::start("new").await?);
    harness.route("shop", &[&old]).await?;
    let events = old.events().await;
    let mut client = harness.client().await?;
    let mut answer = client.begin_get("shop.test", "/events").await?;
    events.send("one".into())?;
    timeout(BOUND, answer.body_mut().frame()).await?;

    assert_eq!(harness.route("shop", &[&new]).await?.in_flight_on_old, 1);
    drop(events);
    assert!(timeout(BOUND, answer.body_mut().frame()).await?.is_none());
    let drained = harness.router.drain(&[old.address], BOUND).await?;
    assert_eq!(drained.unfinished, 0);
    Ok(())
}

#[tokio::test]
async fn a_client_that_leaves_counts_no_more() -> Result<()> {
    let harness = Harness::start().await?;
    let old = Instance::start("old").await?;
    harness.route("shop", &[&old]).await?;
    let mut client = harness.client().await?;
    let slow = tokio::spawn(async move { client.get("shop.test", "/slow").await });
    old.slow_request_arrived().await?;
    harness.router.remove(&key("shop")?).await?;
    slow.abort();
    let drained = harness.router.drain(&[old.address], BOUND).await?;
    assert_eq!(drained.unfinished, 0);
    Ok(())
}

#[tokio::test]
async fn idle_connections_to_old_instances_are_closed() -> Result<()> {
    let harness = Harness::start().await?;
    let (old, new) = (Instance::start("old").await?, Instance::start("new").await?);
    harness.route("shop", &[&old]).await?;
    harness.client().await?.get("shop.test", "/").await?;
    assert_eq!(old.open(), 1);
    harness.route("shop", &[&new]).await?;
    eventually("the old instance has no connection", async || {
        Ok(old.open() == 0)
    })
    .await
}

#[tokio::test]
async fn an_instance_kept_by_a_switch_is_not_old() -> Result<()> {
    let harness = Harness::start().await?;
    let (kept, gone) = (
        Instance::start("kept").await?,
        Instance::start("gone").await?,
    );
    harness.route("shop", &[&kept]).await?;
    let mut client = harness.client().await?;
    let slow = tokio::spawn(async move { client.get("shop.test", "/slow").await });
    kept.slow_request_arrived().await?;
    let grown = harness.route("shop", &[&kept, &gone]).await?;
    assert_eq!(grown.in_flight_on_old, 0);
    let shrunk = harness.route("shop", &[&kept]).await?;
    assert_eq!(shrunk.in_flight_on_old, 0);
    assert_eq!(harness.route("shop", &[&gone]).await?.in_flight_on_old, 1);
    kept.let_one_answer();
    assert_eq!(slow.await??.text, "kept");
    Ok(())
}

#[tokio::test]
async fn other_apps_do_not_notice_a_switch() -> Result<()> {
    let harness = Harness::start().await?;
    let (shop, blog) = (
        Instance::start("shop").await?,
        Instance::start("blog").await?,
    );
    harness.route("shop", &[&shop]).await?;
    let mut client = harness.client().await?;
    client.get("shop.test", "/").await?;
    for _ in 0..5 {
        let moved = route("blog", &["blog.test"], &[blog.address])?;
        assert_eq!(harness.router.switch(&moved).await?.in_flight_on_old, 0);
    }
    let request = Request::get("/")
        .header("host", "shop.test")
        .body(no_body())?;
    assert_eq!(client.send(request).await?.text, "shop");
    assert_eq!(shop.connections(), 1);
    Ok(())
}
