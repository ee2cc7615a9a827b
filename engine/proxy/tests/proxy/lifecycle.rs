//! Start, stop, start again.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use anyhow::Result;
use shipway_core::ports::router::{Router, RouterError};
use shipway_proxy::{Proxy, ProxyError, ProxyRouter};

use crate::harness::{Harness, config, key};
use crate::instance::Instance;

#[tokio::test]
async fn routes_survive_a_restart() -> Result<()> {
    let harness = Harness::start().await?;
    let app = Instance::start("app").await?;
    harness.route("app", &[&app]).await?;
    let before = harness.router.route(&key("app")?).await?;
    assert!(before.is_some());
    let folder = harness.stopped().await?;

    let harness = Harness::start_in(folder, |_| {}).await?;
    assert_eq!(
        harness.client().await?.get("app.test", "/").await?.text,
        "app"
    );
    assert_eq!(harness.router.route(&key("app")?).await?, before);
    Ok(())
}

/// A proxy that is killed leaves its socket, its lock and perhaps half a
/// state file beside; the next one starts over them.
#[tokio::test]
async fn what_a_killed_proxy_leaves_does_not_matter() -> Result<()> {
    let harness = Harness::start().await?;
    let app = Instance::start("app").await?;
    harness.route("app", &[&app]).await?;
    let folder = harness.stopped().await?;
    std::fs::write(folder.path().join("proxy.new"), "{\"vers")?;
    drop(std::os::unix::net::UnixListener::bind(
        folder.path().join("proxy.sock"),
    )?);

    let harness = Harness::start_in(folder, |_| {}).await?;
    assert_eq!(
        harness.client().await?.get("app.test", "/").await?.text,
        "app"
    );
    Ok(())
}

#[tokio::test]
async fn a_running_request_finishes_before_the_proxy_stops() -> Result<()> {
    let harness = Harness::start().await?;
    let app = Instance::start("app").await?;
    harness.route("app", &[&app]).await?;
    let mut idle = harness.client().await?;
    idle.get("app.test", "/").await?;
    let mut client = harness.client().await?;
    let slow = tokio::spawn(async move { client.get("app.test", "/slow").await });
    app.slow_request_arrived().await?;

    harness.begin_stop();
    idle.closed().await?;
    assert!(!slow.is_finished());
    app.let_one_answer();
    assert_eq!(slow.await??.text, "app");
    harness.stopped().await?;
    Ok(())
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_keep_the_proxy() -> Result<()> {
    let harness = Harness::start_with(|config| {
        config.limits.shutdown = Duration::from_millis(50);
    })
    .await?;
    let app = Instance::start("app").await?;
    harness.route("app", &[&app]).await?;
    let mut client = harness.client().await?;
    let slow = tokio::spawn(async move { client.get("app.test", "/slow").await });
    app.slow_request_arrived().await?;
    harness.stopped().await?;
    assert!(slow.await?.is_err());
    Ok(())
}

#[tokio::test]
async fn a_second_proxy_does_not_start() -> Result<()> {
    let harness = Harness::start().await?;
    let same_socket = Proxy::bind(config(harness.folder.path()));
    assert!(matches!(
        same_socket,
        Err(ProxyError::AlreadyRunning { .. })
    ));

    let elsewhere = tempfile::tempdir()?;
    let mut same_port = config(elsewhere.path());
    same_port.listen = vec![harness.address];
    let error = Proxy::bind(same_port).map(drop).unwrap_err();
    assert!(
        error.to_string().contains("another program listens there"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn the_admin_socket_is_for_one_user() -> Result<()> {
    let harness = Harness::start().await?;
    let socket = std::fs::metadata(&harness.router.admin_socket)?;
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
    Ok(())
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_unreachable() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let router = ProxyRouter::new(folder.path().join("proxy.sock"));
    let error = router.ready().await.unwrap_err();
    assert!(matches!(error, RouterError::Unreachable { .. }));
    assert!(
        error.to_string().contains("start it with `shipway proxy`"),
        "{error}"
    );
    Ok(())
}
