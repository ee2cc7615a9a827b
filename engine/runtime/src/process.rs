//! The process runtime: no containers, nothing to install. An image is a
//! release directory, an instance a group of processes under a small
//! supervisor, a release container a group of processes with a scratch folder.
//!
//! Programs see exactly: `PATH`, `HOME`, `TMPDIR` and `LANG` as this runtime
//! sets them, the variables they are given (which win), and `PORT`. They run as
//! the engine's own user and are not shut off from the machine: this runtime is
//! for apps that its operator trusts.
//!
//! Start reading at [`ProcessRuntime`]; the folder on disk is in `process/state.rs`.

use std::ffi::{OsStr, OsString};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::try_join_all;
use shipway_core::environment::{EnvironmentKey, RuntimeKind};
use shipway_core::journal::{Image, Instance};
use shipway_core::name::{AppName, DeploymentId};
use shipway_core::ports::Output;
use shipway_core::ports::runtime::{
    BuildRequest, CommandRun, CommandWatcher, ExecRequest, ImageKey, InstanceStatus, Kept,
    OpenCommand, Owned, ProbeOutput, ProbeRequest, Resumed, Runtime, RuntimeError, StartRequest,
};

pub(crate) mod state;

mod copy;
mod images;
mod instances;
mod launch;
mod ports;
mod proven;
mod volumes;

mod commands;
mod exec;
mod follow;
mod probe;
mod run;
pub(crate) mod running;

pub(crate) mod cgroup;
pub(crate) mod child;
pub(crate) mod identity;
mod isolation;
pub(crate) mod stray;

use cgroup::Cgroups;
use state::State;

/// How long instances of a deployment that is cleaned up may take to stop: they
/// have served nobody.
const CLEAN_UP_GRACE: Duration = Duration::from_secs(5);
/// How long the disk may take to show that it is there.
const READY: Duration = Duration::from_secs(5);
/// Where programs are looked for when the engine has no `PATH` itself.
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[derive(Debug, Clone)]
pub struct ProcessConfig {
    /// Where images, instances and logs are kept. On the machine's own disk.
    pub state_dir: PathBuf,
    /// The program and arguments that run [`crate::supervise::run`].
    pub supervisor: Vec<OsString>,
    /// `PATH` of every program that is run. The engine's own unless set.
    pub search_path: OsString,
    /// Instances are given ports from here. 20000 to 29999 unless set.
    pub ports: RangeInclusive<u16>,
    /// Bytes of one log file of an instance; two are kept. 10 MiB unless set.
    pub log_bytes: u64,
}

impl ProcessConfig {
    pub fn new(state_dir: impl Into<PathBuf>, supervisor: Vec<OsString>) -> Self {
        Self {
            state_dir: state_dir.into(),
            supervisor,
            search_path: std::env::var_os("PATH").unwrap_or_else(|| SEARCH_PATH.into()),
            ports: ports::RANGE,
            log_bytes: 10 * 1024 * 1024,
        }
    }
}

/// The limits of instances that this machine gives the engine no way to keep.
pub fn limits_lacking() -> Vec<&'static str> {
    Cgroups::find().lacking()
}

/// Keeps nothing in memory that matters: another one on the same folder finds
/// everything again.
#[derive(Debug)]
pub struct ProcessRuntime {
    config: ProcessConfig,
    state: State,
    cgroups: OnceLock<Cgroups>,
    /// Held from the choice of a port to the record that says so.
    choosing_ports: tokio::sync::Mutex<()>,
}

impl ProcessRuntime {
    /// Touches nothing yet; [`Runtime::ready`] says whether it will work.
    pub fn new(config: ProcessConfig) -> Self {
        Self {
            state: State::new(&config.state_dir),
            config,
            cgroups: OnceLock::new(),
            choosing_ports: tokio::sync::Mutex::default(),
        }
    }

    fn cgroups(&self) -> &Cgroups {
        self.cgroups.get_or_init(Cgroups::find)
    }

    fn search_path(&self) -> &OsStr {
        &self.config.search_path
    }

    fn not_ready(&self, message: String) -> RuntimeError {
        RuntimeError::NotReady {
            kind: self.kind(),
            message,
        }
    }
}

#[async_trait]
impl Runtime for ProcessRuntime {
    fn kind(&self) -> RuntimeKind {
        RuntimeKind::Process
    }

    async fn ready(&self) -> Result<(), RuntimeError> {
        let root = self.state.root().to_owned();
        let writing = tokio::task::spawn_blocking(move || {
            let probe = root.join("ready.json");
            state::make_private(&root)?;
            state::write_record(&probe, &())
        });
        let problem = match tokio::time::timeout(READY, writing).await {
            Ok(Ok(Ok(()))) => None,
            Ok(Ok(Err(error))) => Some(error.to_string()),
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some(format!("nothing happened for {} s", READY.as_secs())),
        };
        if let Some(problem) = problem {
            let root = self.state.root().display();
            return Err(self.not_ready(format!("{root} cannot be written: {problem}")));
        }
        if !Path::new("/bin/sh").exists() {
            return Err(self.not_ready("there is no /bin/sh".to_owned()));
        }
        match self.config.supervisor.first().map(Path::new) {
            Some(program) if program.is_absolute() && !program.exists() => {
                Err(self.not_ready(format!("there is no supervisor {}", program.display())))
            }
            Some(_) => Ok(()),
            None => Err(self.not_ready("no supervisor is configured".to_owned())),
        }
    }

    async fn find_image(&self, key: &ImageKey) -> Result<Option<Image>, RuntimeError> {
        images::find(&self.state, key)
    }

    async fn has_image(&self, image: &Image) -> Result<bool, RuntimeError> {
        Ok(images::resolve(&self.state, image).is_ok())
    }

    async fn build(
        &self,
        request: &BuildRequest,
        output: Arc<dyn Output>,
    ) -> Result<Image, RuntimeError> {
        images::build(self, request, output).await
    }

    async fn prune_images(
        &self,
        app: &AppName,
        keep: &[String],
    ) -> Result<Vec<String>, RuntimeError> {
        let (state, app, keep) = (self.state.clone(), app.clone(), keep.to_vec());
        state::blocking("prune images", move || images::prune(&state, &app, &keep)).await
    }

    async fn probe(&self, request: &ProbeRequest) -> Result<ProbeOutput, RuntimeError> {
        probe::run(self, request).await
    }

    async fn run_commands(
        &self,
        run: &CommandRun,
        watcher: Arc<dyn CommandWatcher>,
    ) -> Result<(), RuntimeError> {
        commands::run(self, run, watcher).await
    }

    async fn resume_commands(
        &self,
        run: &CommandRun,
        open: Option<&OpenCommand>,
        watcher: Arc<dyn CommandWatcher>,
    ) -> Result<Resumed, RuntimeError> {
        commands::resume(self, run, open, watcher).await
    }

    async fn start(&self, request: &StartRequest) -> Result<Instance, RuntimeError> {
        instances::start(self, request).await
    }

    async fn exec(&self, request: &ExecRequest) -> Result<ProbeOutput, RuntimeError> {
        exec::exec(self, request).await
    }

    async fn proven(&self, instance: &Instance) -> Result<(), RuntimeError> {
        proven::note(&self.state, instance).await
    }

    async fn status(&self, instance: &Instance) -> Result<InstanceStatus, RuntimeError> {
        Ok(instances::status(&self.state, instance))
    }

    async fn last_lines(
        &self,
        instance: &Instance,
        count: usize,
    ) -> Result<Vec<String>, RuntimeError> {
        instances::last_lines(&self.state, instance, count)
    }

    async fn stop(&self, instance: &Instance, grace: Duration) -> Result<(), RuntimeError> {
        instances::stop(&self.state, &instance.id, grace).await
    }

    async fn instances(&self, key: &EnvironmentKey) -> Result<Vec<Owned>, RuntimeError> {
        instances::of_environment(&self.state, key)
    }

    async fn set_aside(&self, deployment: DeploymentId) -> Result<Vec<Kept>, RuntimeError> {
        let ids = instances::of_deployment(&self.state, deployment)?;
        let ends = ids
            .iter()
            .map(|id| instances::set_aside(&self.state, id, CLEAN_UP_GRACE));
        let instances = try_join_all(ends).await?;
        let state = self.state.clone();
        let runs = state::blocking("end what runs", move || {
            images::remove_half_built(&state, deployment)?;
            run::set_aside(&state, deployment)
        });
        let runs = runs.await?.into_iter();
        let all = runs.map(|(run, folder)| (format!("{run} commands"), folder));
        let kept = |(what, folder): (String, PathBuf)| Kept {
            what,
            place: format!("folder {}", folder.display()),
        };
        Ok(all
            .chain(instances.into_iter().flatten())
            .map(kept)
            .collect())
    }

    async fn discard_runs(&self, deployment: DeploymentId) -> Result<(), RuntimeError> {
        let state = self.state.clone();
        state::blocking("end what runs", move || run::end_all(&state, deployment)).await
    }

    async fn clean_up(&self, deployment: DeploymentId) -> Result<(), RuntimeError> {
        let ids = instances::of_deployment(&self.state, deployment)?;
        let stops = ids
            .iter()
            .map(|id| instances::stop(&self.state, id, CLEAN_UP_GRACE));
        try_join_all(stops).await?;
        let state = self.state.clone();
        state::blocking("clean up", move || {
            run::end_all(&state, deployment)?;
            images::remove_half_built(&state, deployment)
        })
        .await
    }
}
