//! Calls through the plugin host, with all that it does for a call.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use shipway_core::ports::plugins::{Call, Plugins};
use shipway_plugin_host::{Compiler, HostConfig, Limits, PluginHost};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::stage::{self, NoRegistry, Plugin};

/// Commands in the Releasefile.
const COMMANDS: usize = 3;
/// How long as many calls as possible are made.
const FLOOD: Duration = Duration::from_secs(3);

#[derive(Debug, Default)]
pub struct Setup {
    /// A `shipway` that compiles in a child; none compiles in this process.
    pub compiler: Option<PathBuf>,
    /// How many components stay ready; none is the host's own number.
    pub ready: Option<usize>,
}

/// A host with one plugin.
#[derive(Debug)]
pub struct Ours {
    pub host: PluginHost,
    pub call: Call,
    pub cache: TempDir,
}

impl Ours {
    pub fn new(runtime: &Runtime, plugin: &Plugin, setup: Setup) -> Result<Self> {
        let cache = tempfile::tempdir()?;
        let mut config = HostConfig::new(cache.path().join("compiled"));
        if let Some(program) = setup.compiler {
            config.compiler = Compiler::Child(vec![program.into(), "compile-plugin".into()]);
        }
        config.limits.ready = setup.ready.unwrap_or(Limits::default().ready);
        let host = PluginHost::new(config, Arc::new(NoRegistry))?;
        let description = runtime.block_on(host.inspect(&plugin.bytes))?;
        let call = stage::call(description)?;
        Ok(Self { host, call, cache })
    }

    pub async fn once(&self) -> Result<()> {
        let collected = self.host.collect(&self.call).await?;
        ensure!(collected.commands.len() == COMMANDS, "{collected:?}");
        Ok(())
    }

    pub fn compiled_in(&self) -> Option<Duration> {
        self.host.took(&self.call.plugin.description.digest)
    }
}

/// Nanoseconds of each of so many calls, one after the other, on the thread that
/// asks, as all who are compared: one core of a machine may be busier.
pub async fn timed(ours: &Ours, calls: usize) -> Result<Vec<u64>> {
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let started = Instant::now();
        ours.once().await?;
        times.push(u64::try_from(started.elapsed().as_nanos())?);
    }
    Ok(times)
}

/// As many calls as all cores can make: their number, and the seconds.
pub async fn flood(ours: &Arc<Ours>) -> Result<(u64, f64)> {
    let made = Arc::new(AtomicU64::new(0));
    let started = Instant::now();
    let callers = (0..Limits::default().calls_at_once).map(|_| {
        let (ours, made) = (Arc::clone(ours), Arc::clone(&made));
        tokio::spawn(async move {
            while started.elapsed() < FLOOD {
                ours.once().await?;
                made.fetch_add(1, Ordering::Relaxed);
            }
            anyhow::Ok(())
        })
    });
    for caller in callers.collect::<Vec<_>>() {
        caller.await??;
    }
    Ok((
        made.load(Ordering::Relaxed),
        started.elapsed().as_secs_f64(),
    ))
}
