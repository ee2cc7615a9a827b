//! A restart loses nothing.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use hyper_util::rt::TokioIo;
use libtest_mimic::Trial;
use nix::sys::signal::Signal;
use shipway_core::ports::router::Router;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::client::{Client, no_body};
use crate::fixture::{Fixture, signal};
use crate::harness::{BOUND, key, route};
use crate::instance::Instance;
use crate::load::Load;
use crate::trial;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("restarts_under_load_fail_no_request", under_load),
        trial("switches_during_restarts_are_kept", with_switches),
        trial("a_websocket_outlives_restarts_and_counts", a_websocket),
        trial("a_download_outlives_a_restart", a_download),
        trial("a_restart_that_fails_changes_nothing", that_fails),
        trial("a_new_proxy_that_hangs_is_stopped", that_hangs),
        trial("settings_change_with_a_restart", with_settings),
        trial("a_killed_successor_can_be_started_again", killed_after),
        trial("a_stop_ends_the_old_proxies_too", stopped_after),
    ]
}

async fn under_load() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    let app = Instance::start("0").await?;
    fixture.route("app", &app).await?;
    let load = Load::start(fixture.address, 16);
    let mut old = Vec::new();
    for round in 0..6 {
        load.wait_for(300).await?;
        let before = fixture.pid().await?;
        if round % 2 == 0 {
            fixture.hang_up().await?;
        } else {
            let restarted = fixture.router.restart(None).await?;
            ensure!(restarted.pid == fixture.pid().await?);
        }
        old.push(before);
    }
    load.wait_for(300).await?;
    let sent = load.end().await?;
    ensure!(sent >= 2100, "{sent}");
    for pid in old {
        fixture.is_gone(pid).await?;
    }
    Ok(())
}

/// The old instance is gone the moment it is drained, as when it is killed:
/// a connection of an earlier proxy must not reach it either.
async fn with_switches() -> Result<()> {
    let fixture = Fixture::start().await?;
    let mut old = Instance::start("0").await?;
    fixture.route("app", &old).await?;
    let load = Load::start(fixture.address, 8);
    let restarts = async {
        for _ in 0..4 {
            load.wait_for(150).await?;
            fixture.router.restart(None).await?;
        }
        anyhow::Ok(())
    };
    let switches = async {
        for version in 1..=40 {
            let new = Instance::start(&version.to_string()).await?;
            fixture.route("app", &new).await?;
            load.acknowledge(version);
            let drained = fixture.router.drain(&[old.address], BOUND).await?;
            ensure!(drained.unfinished == 0);
            old = new;
        }
        Ok(old)
    };
    let (restarted, last) = tokio::join!(restarts, switches);
    restarted?;
    let last = last?;
    load.wait_for(100).await?;
    load.end().await?;
    let kept = fixture.router.route(&key("app")?).await?;
    ensure!(kept.context("no route")?.targets == [last.address]);
    Ok(())
}

async fn a_websocket() -> Result<()> {
    let fixture = Fixture::start().await?;
    let (old, new) = (Instance::start("old").await?, Instance::start("new").await?);
    fixture.route("app", &old).await?;
    let request = Request::get("/echo")
        .header("host", "app.test")
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .body(no_body())?;
    let response = fixture.client().await?.begin(request).await?;
    ensure!(response.status() == StatusCode::SWITCHING_PROTOCOLS);
    let mut socket = TokioIo::new(hyper::upgrade::on(response).await?);
    // Twice: the proxy that has it is then two behind the one that leads.
    for _ in 0..2 {
        fixture.router.restart(None).await?;
    }
    let switched = fixture.route("app", &new).await?;
    ensure!(switched.in_flight_on_old == 1, "{switched:?}");
    let brief = Duration::from_millis(50);
    let drained = fixture.router.drain(&[old.address], brief).await?;
    ensure!(drained.unfinished == 1, "{drained:?}");
    let mut answer = [0; 4];
    socket.write_all(b"ping").await?;
    timeout(BOUND, socket.read_exact(&mut answer)).await??;
    ensure!(&answer == b"ping");
    drop(socket);
    let drained = fixture.router.drain(&[old.address], BOUND).await?;
    ensure!(drained.unfinished == 0, "{drained:?}");
    Ok(())
}

async fn a_download() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    let app = Instance::start("app").await?;
    fixture.route("app", &app).await?;
    let events = app.events().await;
    let mut client = fixture.client().await?;
    let mut answer = client.begin_get("app.test", "/events").await?;
    events.send("one".into())?;
    timeout(BOUND, answer.body_mut().frame()).await?;
    let old = fixture.hang_up().await?;
    events.send("two".into())?;
    drop(events);
    let rest = timeout(BOUND, answer.into_body().collect()).await??;
    ensure!(rest.to_bytes() == "two");
    fixture.is_gone(old).await
}

/// Why a restart with these arguments does not come about.
async fn refused(fixture: &Fixture, arguments: Vec<String>) -> Result<String> {
    match fixture.router.restart(Some(arguments)).await {
        Ok(restarted) => anyhow::bail!("{restarted:?}"),
        Err(error) => Ok(std::error::Error::source(&error)
            .map(ToString::to_string)
            .unwrap_or_default()),
    }
}

async fn that_fails() -> Result<()> {
    let fixture = Fixture::start().await?;
    let app = Instance::start("0").await?;
    fixture.route("app", &app).await?;
    let load = Load::start(fixture.address, 4);
    let pid = fixture.pid().await?;
    let nonsense = vec!["proxy".to_owned()];
    let cause = refused(&fixture, nonsense).await?;
    ensure!(cause.contains("the new proxy ended at once"), "{cause}");
    ensure!(cause.contains("serves on"), "{cause}");

    // A port that another program has.
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let mut arguments = fixture.settings.arguments();
    arguments.push(taken.local_addr()?.to_string());
    let cause = refused(&fixture, arguments).await?;
    ensure!(cause.contains("another program listens there"), "{cause}");

    ensure!(fixture.pid().await? == pid && fixture.pid_file()? == pid);
    let new = Instance::start("1").await?;
    fixture.route("app", &new).await?;
    load.acknowledge(1);
    load.wait_for(100).await?;
    load.end().await?;
    fixture.hang_up().await?;
    Ok(())
}

async fn that_hangs() -> Result<()> {
    let fixture = Fixture::start_with(|settings| {
        settings.take_over = Duration::from_millis(200);
    })
    .await?;
    let app = Instance::start("0").await?;
    fixture.route("app", &app).await?;
    let load = Load::start(fixture.address, 4);
    let arguments = vec!["proxy".to_owned(), "hang".to_owned()];
    let cause = refused(&fixture, arguments).await?;
    ensure!(cause.contains("was not ready within"), "{cause}");
    fixture.route("app", &app).await?;
    load.wait_for(100).await?;
    load.end().await?;
    Ok(())
}

async fn with_settings() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    let app = Instance::start("0").await?;
    fixture.route("app", &app).await?;
    let load = Load::start(fixture.address, 8);
    for workers in [4, 1, 3] {
        load.wait_for(100).await?;
        fixture.settings.workers = workers;
        fixture.settings.listen.push(([127, 0, 0, 1], 0).into());
        let arguments = fixture.settings.arguments();
        fixture.router.restart(Some(arguments)).await?;
        let health = fixture.router.ready().await?;
        ensure!(health.listen.len() == fixture.settings.listen.len());
        ensure!(health.listen.first() == Some(&fixture.address));
        let added = *health.listen.last().context("no address")?;
        let answer = Client::connect(added).await?.get("app.test", "/").await?;
        ensure!(answer.text == "0");
    }
    load.wait_for(100).await?;
    load.end().await?;
    Ok(())
}

async fn killed_after() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    let app = Instance::start("app").await?;
    fixture.route("app", &app).await?;
    // The old proxy has a request under way and so stays.
    let mut slow = fixture.client().await?;
    let slow = tokio::spawn(async move { slow.get("app.test", "/slow").await });
    app.slow_request_arrived().await?;
    let old = fixture.hang_up().await?;
    fixture.kill_and_start_again().await?;
    for _ in 0..20 {
        let answer = fixture.client().await?.get("app.test", "/").await?;
        ensure!(answer.text == "app");
    }
    let route = route("other", &["other.test"], &[app.address])?;
    fixture.router.switch(&route).await?;
    app.let_one_answer();
    ensure!(slow.await??.text == "app");
    ensure!(fixture.pid().await? != old);
    Ok(())
}

async fn stopped_after() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    let app = Instance::start("app").await?;
    fixture.route("app", &app).await?;
    let mut slow = fixture.client().await?;
    let slow = tokio::spawn(async move { slow.get("app.test", "/slow").await });
    app.slow_request_arrived().await?;
    let mut old = Vec::new();
    for _ in 0..2 {
        old.push(fixture.hang_up().await?);
    }
    let last = fixture.pid().await?;
    signal(last, Signal::SIGTERM)?;
    old.push(last);
    for pid in old {
        fixture.is_gone(pid).await?;
    }
    ensure!(slow.await?.is_err(), "its time was over");
    let left = fixture.folder.path().join("proxy.pid");
    ensure!(!left.exists() && !fixture.router.admin_socket.exists());
    Ok(())
}
