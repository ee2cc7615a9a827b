//! Builds everything, top to bottom. Here alone concrete adapters are named.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use shipway_api::ApiState;
use shipway_core::environment::RuntimeKind;
use shipway_core::ports::clock::Clock;
use shipway_core::ports::runtime::Runtime;
use shipway_core::ports::store::Store;
use shipway_executor::engine::Engine;
use shipway_executor::world::World;
use shipway_plugin_host::{Compiler, HostConfig, PluginHost};
use shipway_proxy::ProxyRouter;
use shipway_runtime::docker::{DockerConfig, DockerRuntime};
use shipway_runtime::health::NetProber;
use shipway_runtime::process::{ProcessConfig, ProcessRuntime};
use shipway_source::{GitConfig, GitPushes, GitSource, PushConfig};
use shipway_store::SqliteStore;

use crate::clock::SystemClock;
use crate::state_dir::StateDir;
use crate::vitals::{self, Recorder};

/// The control plane, wired and not yet serving.
#[derive(Debug)]
pub struct ControlPlane {
    pub store: Arc<dyn Store>,
    pub clock: Arc<dyn Clock>,
    pub engine: Engine,
    pub api: ApiState,
}

/// What `serve` decides and the wiring passes on.
#[derive(Debug, Clone)]
pub struct Choices {
    /// Of the keys that seal settings in the store.
    pub secrets_key: PathBuf,
    pub default_runtime: RuntimeKind,
    /// Bytes that one `git push` may bring.
    pub push_limit: u64,
}

pub async fn control_plane(state: &StateDir, choices: Choices) -> anyhow::Result<ControlPlane> {
    let recorder = Recorder::install()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = SqliteStore::open_with(&state.database(), &choices.secrets_key)
        .await
        .context("could not open the store")?;
    let store: Arc<SqliteStore> = Arc::new(store);
    let plugins = PluginHost::new(plugin_host(state.plugin_cache())?, store.clone())?;
    let world = World {
        store: store.clone(),
        source: Arc::new(GitSource::new(GitConfig::new(state.git()))?),
        runtimes: runtimes(state)?,
        router: Arc::new(ProxyRouter::new(state.proxy_socket())),
        prober: Arc::new(NetProber::default()),
        plugins: Arc::new(plugins),
        clock: clock.clone(),
    };
    let plugins = world.plugins.clone();
    let observed = world.clone();
    // The lock on the state directory makes its path name one engine: after a
    // crash the next one takes the leases up at once.
    let engine = Engine::new(world, state.path().display().to_string());
    let api = ApiState::new(
        store.clone(),
        Arc::new(engine.clone()),
        plugins,
        clock.clone(),
        choices.default_runtime,
    )
    .with_vitals(Arc::new(vitals::Engine {
        world: observed,
        proxy: ProxyRouter::new(state.proxy_socket()),
        pulse: engine.pulse(),
        recorder,
        default_runtime: choices.default_runtime,
        seen: vitals::Seen::default(),
    }));
    let mut pushes = PushConfig::new(state.git(), vec![own_program()?, "push-hook".into()]);
    pushes.push_limit = choices.push_limit;
    let api = api.with_pushes(Arc::new(GitPushes::open(pushes).await?));
    Ok(ControlPlane {
        store,
        clock,
        engine,
        api,
    })
}

/// The host of the engine and of authors' tests alike: components are compiled
/// by a child of this program.
pub fn plugin_host(cache: PathBuf) -> anyhow::Result<HostConfig> {
    let program = own_program()?;
    let mut config = HostConfig::new(cache);
    config.compiler = Compiler::Child(vec![program, "compile-plugin".into()]);
    Ok(config)
}

fn own_program() -> anyhow::Result<OsString> {
    let program = std::env::current_exe().context("could not find this program's own file")?;
    Ok(program.into_os_string())
}

/// Both runtimes are always there; whether Docker answers shows when it is used.
fn runtimes(state: &StateDir) -> anyhow::Result<BTreeMap<RuntimeKind, Arc<dyn Runtime>>> {
    let supervisor = vec![own_program()?, "supervise".into()];
    let process = ProcessRuntime::new(ProcessConfig::new(state.runtime(), supervisor));
    let docker = DockerRuntime::connect(DockerConfig::default())?;
    let all: [Arc<dyn Runtime>; 2] = [Arc::new(process), Arc::new(docker)];
    Ok(all
        .into_iter()
        .map(|runtime| (runtime.kind(), runtime))
        .collect())
}

/// The data plane's program: installed beside this one.
pub fn proxy_program() -> anyhow::Result<PathBuf> {
    Ok(PathBuf::from(own_program()?).with_file_name("shipway-proxy"))
}

/// How long `serve` waits for notifications on their way when it stops.
pub const SETTLE: Duration = Duration::from_secs(5);
