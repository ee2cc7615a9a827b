//! The admin socket.

use anyhow::Result;
use shipway_core::ports::router::{Router, RouterError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use crate::harness::{Harness, key, route};
use crate::instance::Instance;

#[tokio::test]
async fn two_environments_cannot_have_one_domain() -> Result<()> {
    let harness = Harness::start().await?;
    let (shop, thief) = (
        Instance::start("shop").await?,
        Instance::start("thief").await?,
    );
    harness.route("shop", &[&shop]).await?;
    let stolen = route("thief", &["thief.test", "shop.test"], &[thief.address])?;
    let error = harness.router.switch(&stolen).await.unwrap_err();
    assert!(matches!(error, RouterError::Refused { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        "the proxy refused: the domain shop.test belongs to shop/live; \
         remove it there before thief/live can have it"
    );
    let mut client = harness.client().await?;
    assert_eq!(client.get("shop.test", "/").await?.text, "shop");
    assert_eq!(harness.router.route(&key("thief")?).await?, None);

    harness.router.remove(&key("shop")?).await?;
    harness.router.switch(&stolen).await?;
    assert_eq!(client.get("shop.test", "/").await?.text, "thief");
    Ok(())
}

#[tokio::test]
async fn a_removed_route_is_gone_and_removing_is_repeatable() -> Result<()> {
    let harness = Harness::start().await?;
    let app = Instance::start("app").await?;
    harness.route("app", &[&app]).await?;
    for _ in 0..2 {
        harness.router.remove(&key("app")?).await?;
    }
    assert_eq!(
        harness.client().await?.get("app.test", "/").await?.status,
        404
    );
    assert!(harness.router.routes().await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn a_route_that_cannot_be_saved_is_not_served() -> Result<()> {
    let harness = Harness::start().await?;
    let (old, new) = (Instance::start("old").await?, Instance::start("new").await?);
    harness.route("app", &[&old]).await?;
    // A folder in the way of the file beside: even root cannot write it.
    std::fs::create_dir(harness.folder.path().join("proxy.new"))?;
    let moved = route("app", &["app.test"], &[new.address])?;
    let error = harness.router.switch(&moved).await.unwrap_err();
    assert_eq!(error.to_string(), "could not switch the route of app/live");
    let cause = std::error::Error::source(&error)
        .map(ToString::to_string)
        .unwrap_or_default();
    assert!(cause.contains("cannot write the state file"), "{cause}");
    assert_eq!(
        harness.client().await?.get("app.test", "/").await?.text,
        "old"
    );
    Ok(())
}

#[tokio::test]
async fn health_and_counters_are_told() -> Result<()> {
    let harness = Harness::start().await?;
    let app = Instance::start("app").await?;
    harness.route("app", &[&app]).await?;
    let mut client = harness.client().await?;
    client.get("app.test", "/").await?;
    client.get("nobody.test", "/").await?;
    let health = harness.router.ready().await?;
    assert_eq!((health.listen, health.routes), (vec![harness.address], 1));
    let stats = harness.router.stats().await?;
    assert_eq!(
        (
            stats.counts.requests,
            stats.counts.own_pages,
            stats.counts.connections
        ),
        (2, 1, 1)
    );
    let targets: Vec<_> = stats
        .routes
        .iter()
        .flat_map(|route| &route.targets)
        .collect();
    assert_eq!(targets.len(), 1);
    assert!(
        targets
            .iter()
            .all(|t| t.address == app.address && t.in_flight == 0)
    );
    Ok(())
}

#[tokio::test]
async fn nonsense_is_refused_with_words() -> Result<()> {
    let harness = Harness::start().await?;
    for (request, words) in [
        (
            "PUT /routes/app/live HTTP/1.1\r\nHost: p\r\nContent-Length: 2\r\n",
            "not what it should be",
        ),
        (
            "GET /routes/App/live HTTP/1.1\r\nHost: p\r\n",
            "is no app name",
        ),
        (
            "POST /rout HTTP/1.1\r\nHost: p\r\n",
            "the proxy knows no POST /rout",
        ),
    ] {
        let mut stream = UnixStream::connect(&harness.router.admin_socket).await?;
        stream
            .write_all(format!("{request}Connection: close\r\n\r\n{{}}").as_bytes())
            .await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        assert!(
            answer.starts_with("HTTP/1.1 4") && answer.contains(words),
            "{answer}"
        );
    }
    Ok(())
}
