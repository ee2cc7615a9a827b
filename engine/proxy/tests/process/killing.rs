//! What a proxy that is killed has on disk.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use nix::sys::signal::Signal;
use shipway_core::ports::router::Router;

use crate::fixture::{Fixture, signal};
use crate::harness::{key, route};
use crate::trial;

pub fn trials() -> Vec<Trial> {
    vec![trial(
        "routes_survive_a_kill_during_a_write",
        during_a_write,
    )]
}

/// Routes are written as fast as they can be, many beside them, so that each
/// write takes a while. The version is the target's port.
async fn during_a_write() -> Result<()> {
    let mut fixture = Fixture::start().await?;
    for number in 0..200 {
        let other = route(
            &format!("other-{number}"),
            &[&format!("o{number}.test")],
            &[([127, 0, 0, 1], 1).into()],
        )?;
        fixture.router.switch(&other).await?;
    }
    // The first one is there before anything is killed.
    let first = route("app", &["app.test"], &[([127, 0, 0, 1], 1).into()])?;
    fixture.router.switch(&first).await?;
    let acknowledged = AtomicU64::new(1);
    let mut next = 2;
    for round in 0..12 {
        let writing = async {
            loop {
                let target = ([127, 0, 0, 1], u16::try_from(next)?).into();
                let version = route("app", &["app.test"], &[target])?;
                if fixture.router.switch(&version).await.is_err() {
                    return anyhow::Ok(());
                }
                acknowledged.store(next, Ordering::SeqCst);
                next += 1;
            }
        };
        let pid = fixture.pid().await?;
        let killing = async {
            // Anywhere in a write: each round a little later.
            tokio::time::sleep(Duration::from_micros(20_000 + 700 * round)).await;
            signal(pid, Signal::SIGKILL)
        };
        let (written, killed) = tokio::join!(writing, killing);
        written?;
        killed?;
        fixture.start_again(pid).await?;
        let kept = fixture.router.route(&key("app")?).await?;
        let kept = kept.context("the route is lost")?;
        let version = kept.targets.first().context("no target")?.port();
        let (version, last) = (u64::from(version), acknowledged.load(Ordering::SeqCst));
        // The last one may have been written and not been acknowledged.
        ensure!(
            (last..=last + 1).contains(&version),
            "{version} after {last}"
        );
        ensure!(fixture.router.routes().await?.len() == 201);
        // Whoever reads it may rely on it: from here on it counts.
        acknowledged.store(version, Ordering::SeqCst);
        next = version + 1;
    }
    Ok(())
}
