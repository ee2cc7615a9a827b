//! Calls that never end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use async_trait::async_trait;
use shipway_core::grant::{Addresses, Permission};
use shipway_core::ports::plugins::{ImageProbe, PluginErrorKind};
use shipway_core::ports::runtime::{ProbeOutput, RuntimeError};
use shipway_tests::wait::{block, runtime};

use crate::attack::{Attack, Outcome, Seen, fails};
use crate::bench::{Bench, Role};
use crate::raw::Source;
use crate::world::World;

const CLASS: &str = "time";
const CPU: (PluginErrorKind, &str) = (PluginErrorKind::Timeout, "of processor time");
const WALL: (PluginErrorKind, &str) = (PluginErrorKind::Timeout, "it may take 1 s in all");
const FAILED: PluginErrorKind = PluginErrorKind::Failure;

pub fn attacks() -> Vec<Attack> {
    let two_seconds = (PluginErrorKind::Timeout, "it may use 2 s of processor time");
    let quickly =
        |act: &'static str| move |world: &World| Ok(vec![Bench::new(world, act).cpu_ms(200).go()]);
    let waiting = |act: &'static str| {
        move |world: &World| Ok(vec![Bench::new(world, act).wall_seconds(1).go()])
    };
    vec![
        fails(CLASS, "an endless loop", two_seconds, |world| {
            Ok(vec![Bench::new(world, "loop").go()])
        }),
        fails(
            CLASS,
            "an endless loop of host calls",
            CPU,
            quickly("loop-of-calls"),
        ),
        fails(
            CLASS,
            "an endless loop of searches in the commit",
            CPU,
            |world| {
                let bench = Bench::new(world, "requests").files(&[("a", "")]);
                Ok(vec![bench.cpu_ms(200).go()])
            },
        ),
        fails(
            CLASS,
            "a loop that waits for a clock",
            CPU,
            quickly("clock"),
        ),
        fails(
            CLASS,
            "a flood of random numbers",
            CPU,
            quickly("random-flood"),
        ),
        fails(CLASS, "an hour of sleep", WALL, waiting("sleep")),
        fails(
            CLASS,
            "a wait for an event in an hour",
            WALL,
            waiting("wait"),
        ),
        fails(
            CLASS,
            "an endless loop when memory is asked for",
            CPU,
            |world| {
                let source = Source {
                    realloc: "(loop $for_ever (br $for_ever)) unreachable".to_owned(),
                    ..Source::default()
                };
                Ok(vec![source.bench(world)?.cpu_ms(200).go()])
            },
        ),
        fails(
            CLASS,
            "more endless loops at once than calls may run",
            CPU,
            a_crowd,
        ),
        fails(
            CLASS,
            "a host call that never ends: a name that nobody answers for",
            WALL,
            |world| {
                let origin = "http://never.example.test";
                Ok(vec![asking(world, origin, 60_000).wall_seconds(1).go()])
            },
        ),
        fails(
            CLASS,
            "a host call that never ends: an answer byte by byte",
            (FAILED, "(timeout): no answer in 300 ms"),
            |world| {
                let url = format!("{}/drip", world.hook.origin());
                Ok(vec![asking(world, &url, 300).go()])
            },
        ),
        fails(
            CLASS,
            "a host call that never ends: an answer without an end",
            (FAILED, "(too-large)"),
            |world| {
                let url = format!("{}/endless", world.hook.origin());
                Ok(vec![asking(world, &url, 60_000).go()])
            },
        ),
        fails(
            CLASS,
            "a probe of the image, again and again, with endless output",
            (FAILED, "(limit): a call may run 8 commands"),
            probes,
        ),
    ]
}

/// A request to what is granted, with a timeout in ms.
fn asking(world: &World, url: &str, timeout: u32) -> Bench {
    let parsed = url.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    Bench::new(world, "http")
        .set("url", url)
        .set("timeout", &timeout.to_string())
        .http(&parsed, Addresses::Any, &[])
}

fn a_crowd(world: &World) -> Result<Vec<Seen>> {
    let calls = (0..24).map(|_| {
        let bench = Bench::new(world, "loop").cpu_ms(100);
        runtime().spawn(async move { bench.called(Role::Source).await })
    });
    let all: Vec<_> = calls.collect();
    all.into_iter()
        .map(|call| Ok(block(call)?))
        .collect::<Result<_>>()
}

/// A runtime that is slow, asked more often than it may be.
fn probes(world: &World) -> Result<Vec<Seen>> {
    let bench = Bench::new(world, "image-often true")
        .grant(|grants| grants.image = Permission::Granted)
        .change(|call| call.image = Some(Arc::new(Slow)));
    let began = Instant::now();
    let seen = bench.go();
    ensure!(began.elapsed() < Duration::from_secs(10), "it went on");
    ensure!(matches!(seen.outcome, Outcome::Failed(_)), "{seen:?}");
    Ok(vec![seen])
}

#[derive(Debug)]
struct Slow;

#[async_trait]
impl ImageProbe for Slow {
    async fn run(
        &self,
        _: Vec<String>,
        _: Vec<(String, String)>,
    ) -> Result<ProbeOutput, RuntimeError> {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok(ProbeOutput {
            exit_code: 0,
            stdout: vec![b'x'; 8 << 20],
            stderr: vec![b'y'; 8 << 20],
            truncated: false,
        })
    }
}
