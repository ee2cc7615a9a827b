//! What passes through takes no memory, however much it is.

use anyhow::{Context, Result, ensure};
use http::Request;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame};
use libtest_mimic::Trial;
use tokio::time::timeout;

use crate::fixture::Fixture;
use crate::harness::BOUND;
use crate::instance::Instance;
use crate::trial;

pub fn trials() -> Vec<Trial> {
    vec![trial("long_bodies_take_no_memory", long_bodies)]
}

const LENGTH: usize = 400 * 1024 * 1024;
/// Beyond what the proxy had before: buffers of a few connections.
const GROWTH: usize = 24 * 1024 * 1024;

async fn long_bodies() -> Result<()> {
    let fixture = Fixture::start().await?;
    let app = Instance::start("app").await?;
    fixture.route("app", &app).await?;
    fixture.client().await?.get("app.test", "/").await?;
    let before = highest(fixture.pid().await?)?;

    let path = format!("/bytes?{LENGTH}");
    let mut answer = fixture.client().await?.begin_get("app.test", &path).await?;
    let mut received = 0;
    while let Some(frame) = timeout(BOUND, answer.body_mut().frame()).await? {
        received += frame?.data_ref().map_or(0, Bytes::len);
    }
    ensure!(received == LENGTH, "{received}");

    let chunk = Bytes::from(vec![7; 64 * 1024]);
    let chunks = LENGTH / chunk.len();
    let frames = futures::stream::iter((0..chunks).map(move |_| Ok(Frame::data(chunk.clone()))));
    let request = Request::post("/upload").header("host", "app.test");
    let request = request.body(BodyExt::boxed_unsync(StreamBody::new(frames)))?;
    let answer = fixture.client().await?.send(request).await?;
    ensure!(answer.text == LENGTH.to_string(), "{}", answer.text);

    let after = highest(fixture.pid().await?)?;
    ensure!(after < before + GROWTH, "{before} bytes, then {after}");
    Ok(())
}

/// The most bytes a process ever had in memory.
fn highest(pid: u32) -> Result<usize> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(kib.context("no VmHWM")?.parse::<usize>()? * 1024)
}
