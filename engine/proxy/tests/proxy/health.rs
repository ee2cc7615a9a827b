//! Instances that are put aside, and come back.

use anyhow::{Context, Result};
use http::{Request, StatusCode};
use shipway_proxy::protocol::{TargetState, TargetStats};

use crate::client::body;
use crate::harness::{Harness, dead_address, eventually};
use crate::instance::Instance;

async fn target(harness: &Harness, at: std::net::SocketAddr) -> Result<TargetStats> {
    let stats = harness.router.stats().await?;
    let targets = stats.routes.into_iter().flat_map(|route| route.targets);
    let found = targets.into_iter().find(|target| target.address == at);
    found.context("no such target")
}

#[tokio::test]
async fn one_that_refused_is_aside_until_it_accepts() -> Result<()> {
    let harness = Harness::start().await?;
    let alive = Instance::start("alive").await?;
    let dead = dead_address().await?;
    harness.route_to("app", &[dead, alive.address]).await?;
    let mut client = harness.client().await?;
    for _ in 0..20 {
        assert_eq!(client.get("app.test", "/").await?.text, "alive");
    }
    let state = target(&harness, dead).await?;
    assert_eq!(state.state, TargetState::Aside);
    assert!(state.failures >= 1);
    assert_eq!(
        target(&harness, alive.address).await?.state,
        TargetState::InUse
    );
    assert_eq!(harness.router.stats().await?.counts.retries, 1);

    // Uploads are not sent there either: nobody would repeat them.
    for _ in 0..4 {
        let upload = Request::post("/upload").header("host", "app.test");
        let answer = client.send(upload.body(body("abc"))?).await?;
        assert_eq!(answer.status, StatusCode::OK);
    }

    let back = Instance::start_at("back", dead).await?;
    eventually("it is in use again", async || {
        Ok(target(&harness, dead).await?.state == TargetState::InUse)
    })
    .await?;
    eventually("it is asked again", async || {
        client.get("app.test", "/").await?;
        Ok(back.requests() > 0)
    })
    .await
}

#[tokio::test]
async fn when_all_are_aside_they_are_tried_anyway() -> Result<()> {
    let harness = Harness::start().await?;
    let dead = dead_address().await?;
    harness.route_to("app", &[dead]).await?;
    let mut client = harness.client().await?;
    assert_eq!(
        client.get("app.test", "/").await?.status,
        StatusCode::BAD_GATEWAY
    );
    assert_eq!(target(&harness, dead).await?.state, TargetState::Aside);
    let _back = Instance::start_at("back", dead).await?;
    assert_eq!(client.get("app.test", "/").await?.text, "back");
    assert_eq!(target(&harness, dead).await?.state, TargetState::InUse);
    Ok(())
}
