//! The engine that dies: the executor with the real adapters, as `shipway serve`
//! has them, on the state directory of a site.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use shipway_core::environment::{EnvironmentKey, RuntimeKind};
use shipway_core::journal::{BuildWish, Event, Subject, Trigger};
use shipway_core::name::{DeploymentId, Timestamp};
use shipway_core::ports::clock::Clock;
use shipway_core::ports::runtime::Runtime;
use shipway_core::ports::store::{Created, Deployments as _};
use shipway_executor::command::Commands as _;
use shipway_executor::engine::Engine;
use shipway_executor::world::World;
use shipway_plugin_host::{HostConfig, PluginHost};
use shipway_proxy::ProxyRouter;
use shipway_runtime::docker::{DockerConfig, DockerRuntime};
use shipway_runtime::health::NetProber;
use shipway_runtime::process::{ProcessConfig, ProcessRuntime};
use shipway_source::{GitConfig, GitSource};
use shipway_store::SqliteStore;
use tokio::time::sleep;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::killer::Killer;
use crate::point::Point;

const LOOK_EVERY: Duration = Duration::from_millis(20);

#[derive(Debug, Args)]
pub struct Arguments {
    #[arg(long)]
    state_dir: PathBuf,
    /// The program that supervises processes
    #[arg(long)]
    shipway: PathBuf,
    /// What is deployed
    #[arg(long)]
    app: String,
    #[arg(long)]
    environment: String,
    /// Where it dies
    #[arg(long)]
    at: Point,
    /// Cancel while this command runs
    #[arg(long)]
    cancel_in: Option<String>,
}

/// Ends only if the point is never reached.
pub fn run(arguments: Arguments) -> Result<()> {
    tracing_subscriber::registry()
        .with(Killer::at(arguments.at))
        .init();
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(deploy(&arguments))
}

async fn deploy(arguments: &Arguments) -> Result<()> {
    let state = &arguments.state_dir;
    let store = Arc::new(SqliteStore::open(&state.join("shipway.db")).await?);
    let engine = wire(state, &arguments.shipway, store.clone())?;
    engine.recover().await?;
    let trigger = Trigger {
        key: EnvironmentKey {
            app: arguments.app.parse()?,
            environment: arguments.environment.parse()?,
        },
        reference: "main".to_owned(),
        by: "the crash loop".to_owned(),
        idempotency_key: None,
        build: BuildWish::Reuse,
        subject: Subject::Commit,
    };
    let id = match engine.trigger(trigger).await? {
        Created::New(deployment) | Created::Earlier(deployment) => deployment.id,
    };
    if let Some(label) = &arguments.cancel_in {
        while !is_running(&store, id, label).await? {
            sleep(LOOK_EVERY).await;
        }
        engine.cancel(id, "the crash loop").await?;
    }
    while !store.unfinished().await?.is_empty() {
        sleep(LOOK_EVERY).await;
    }
    Ok(())
}

async fn is_running(store: &SqliteStore, id: DeploymentId, label: &str) -> Result<bool> {
    let entries = store.journal(id, 0, 1_000).await?;
    Ok(entries.iter().any(|entry| {
        matches!(&entry.event, Event::CommandStarted { label: started, .. } if started.as_str() == label)
    }))
}

fn wire(state: &Path, shipway: &Path, store: Arc<SqliteStore>) -> Result<Engine> {
    let supervisor = vec![shipway.into(), "supervise".into()];
    let process = ProcessRuntime::new(ProcessConfig::new(state.join("runtime"), supervisor));
    let docker = DockerRuntime::connect(DockerConfig::default())?;
    let runtimes: [Arc<dyn Runtime>; 2] = [Arc::new(process), Arc::new(docker)];
    let runtimes: BTreeMap<RuntimeKind, _> = runtimes
        .into_iter()
        .map(|runtime| (runtime.kind(), runtime))
        .collect();
    let plugins = PluginHost::new(HostConfig::new(state.join("plugins")), store.clone())?;
    let world = World {
        store,
        source: Arc::new(GitSource::new(GitConfig::new(state.join("git")))?),
        runtimes,
        router: Arc::new(ProxyRouter::new(state.join("proxy.sock"))),
        prober: Arc::new(NetProber::default()),
        plugins: Arc::new(plugins),
        clock: Arc::new(MachineClock),
    };
    Ok(Engine::new(world, state.display().to_string()))
}

#[derive(Debug)]
struct MachineClock;

impl Clock for MachineClock {
    fn now(&self) -> Timestamp {
        Timestamp(time::OffsetDateTime::now_utc())
    }

    fn new_deployment_id(&self) -> DeploymentId {
        DeploymentId(uuid::Uuid::now_v7())
    }
}
