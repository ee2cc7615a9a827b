//! The docker runtime: images are built from the repository's Dockerfile, and
//! instances are containers of a Docker engine (20.10 or newer).
//!
//! Start at [`DockerRuntime`]. Each module below does one of the port's deeds:
//! `build` (with `context` and `ignore`) makes images, `image` finds and prunes
//! them, `probe` and `commands` run one-off containers, `resume` goes on with those of
//! another engine, `instance` runs the app, `exec` a command beside it, and `aside`
//! keeps what failed for a look inside.
//!
//! Everything made carries labels (`label`), and nothing without them is ever
//! touched. No command is run by a shell of this machine, no registry is needed
//! for a base image that the engine has, and every request has a time limit.

mod aside;
mod attended;
mod build;
mod commands;
mod container;
mod context;
mod driver;
mod engine;
mod exec;
mod failure;
mod ignore;
mod image;
mod instance;
mod label;
mod marks;
mod one_off;
mod output;
mod probe;
mod progress;
mod resume;
mod supervise;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shipway_core::environment::{EnvironmentKey, RuntimeKind};
use shipway_core::journal::{Image, Instance};
use shipway_core::name::{AppName, DeploymentId};
use shipway_core::ports::Output;
use shipway_core::ports::runtime::{
    BuildRequest, CommandRun, CommandWatcher, ExecRequest, ImageKey, InstanceStatus, Kept,
    OpenCommand, Owned, ProbeOutput, ProbeRequest, Resumed, Runtime, RuntimeError, StartRequest,
};

use engine::Engine;

/// How to use a Docker engine. The default is what the `docker` command would
/// do: `DOCKER_HOST`, else the local socket.
#[derive(Debug, Clone)]
pub struct DockerConfig {
    /// `unix://`, `tcp://`, `http://` or `https://`; over `DOCKER_HOST`.
    /// `DOCKER_TLS_VERIFY` and `DOCKER_CERT_PATH` are honoured.
    pub host: Option<String>,
    /// The network of instances and release containers. Docker's default
    /// bridge unless set; it must exist.
    pub network: Option<String>,
    pub builder: Builder,
    pub reach: Reach,
    /// An instance that has run for so long is started again when it exits, also
    /// where an engine ended before it could say that it is proven
    /// ([`Runtime::proven`]). Before, an exit is an exit, for the deployment to
    /// see. 180 s unless set, which is more than the health rule takes.
    pub proven: Duration,
}

impl Default for DockerConfig {
    fn default() -> Self {
        Self {
            host: None,
            network: None,
            builder: Builder::default(),
            reach: Reach::default(),
            // 300 tries of 0.4 s, 20 s for an answer, and some room.
            proven: Duration::from_secs(180),
        }
    }
}

/// Which of the engine's two builders makes images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Builder {
    /// BuildKit, and the classic one where the engine has no BuildKit.
    #[default]
    Auto,
    BuildKit,
    Classic,
}

/// How this machine reaches an instance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reach {
    /// The container's own address on Linux, a published port where the engine
    /// runs in a virtual machine (Docker Desktop).
    #[default]
    Auto,
    /// The container's own address on its network.
    Container,
    /// A free port on this machine's loopback.
    Published,
}

/// See the module's documentation.
#[derive(Debug)]
pub struct DockerRuntime {
    engine: Engine,
}

impl DockerRuntime {
    /// Contacts nothing yet: whether the engine is there, [`Runtime::ready`]
    /// says. It fails only for a host that could never be contacted.
    pub fn connect(config: DockerConfig) -> Result<Self, RuntimeError> {
        Ok(Self {
            engine: Engine::new(config)?,
        })
    }

    /// The engine's version and that of its API, once it is [`Runtime::ready`].
    pub async fn version(&self) -> Result<String, RuntimeError> {
        self.engine.ready().await?;
        let docker = self.engine.docker().await?;
        let version = docker.version();
        let version = self.engine.call("ask for its version", version).await?;
        let known = |part: Option<String>| part.unwrap_or_else(|| "unknown".to_owned());
        Ok(format!(
            "{}, API {}",
            known(version.version),
            known(version.api_version)
        ))
    }
}

#[async_trait]
impl Runtime for DockerRuntime {
    fn kind(&self) -> RuntimeKind {
        RuntimeKind::Docker
    }

    async fn ready(&self) -> Result<(), RuntimeError> {
        self.engine.ready().await
    }

    async fn find_image(&self, key: &ImageKey) -> Result<Option<Image>, RuntimeError> {
        image::find(&self.engine, key).await
    }

    async fn has_image(&self, image: &Image) -> Result<bool, RuntimeError> {
        image::exists(&self.engine, image).await
    }

    async fn build(
        &self,
        request: &BuildRequest,
        output: Arc<dyn Output>,
    ) -> Result<Image, RuntimeError> {
        build::build(&self.engine, request, output).await
    }

    async fn prune_images(
        &self,
        app: &AppName,
        keep: &[String],
    ) -> Result<Vec<String>, RuntimeError> {
        image::prune(&self.engine, app, keep).await
    }

    async fn probe(&self, request: &ProbeRequest) -> Result<ProbeOutput, RuntimeError> {
        probe::probe(&self.engine, request).await
    }

    async fn run_commands(
        &self,
        run: &CommandRun,
        watcher: Arc<dyn CommandWatcher>,
    ) -> Result<(), RuntimeError> {
        commands::run(&self.engine, run, &*watcher).await
    }

    async fn resume_commands(
        &self,
        run: &CommandRun,
        open: Option<&OpenCommand>,
        watcher: Arc<dyn CommandWatcher>,
    ) -> Result<Resumed, RuntimeError> {
        resume::resume(&self.engine, run, open, &*watcher).await
    }

    async fn start(&self, request: &StartRequest) -> Result<Instance, RuntimeError> {
        instance::start(&self.engine, request).await
    }

    async fn exec(&self, request: &ExecRequest) -> Result<ProbeOutput, RuntimeError> {
        exec::exec(&self.engine, request).await
    }

    async fn proven(&self, instance: &Instance) -> Result<(), RuntimeError> {
        supervise::now(&self.engine, instance).await
    }

    async fn status(&self, instance: &Instance) -> Result<InstanceStatus, RuntimeError> {
        instance::status(&self.engine, instance).await
    }

    async fn last_lines(
        &self,
        instance: &Instance,
        count: usize,
    ) -> Result<Vec<String>, RuntimeError> {
        instance::last_lines(&self.engine, instance, count).await
    }

    async fn stop(&self, instance: &Instance, grace: Duration) -> Result<(), RuntimeError> {
        instance::stop(&self.engine, instance, grace).await
    }

    async fn instances(&self, key: &EnvironmentKey) -> Result<Vec<Owned>, RuntimeError> {
        instance::list(&self.engine, key).await
    }

    async fn set_aside(&self, deployment: DeploymentId) -> Result<Vec<Kept>, RuntimeError> {
        aside::set_aside(&self.engine, deployment).await
    }

    async fn discard_runs(&self, deployment: DeploymentId) -> Result<(), RuntimeError> {
        let roles = [label::Role::Commands, label::Role::Probe];
        container::remove_roles(&self.engine, deployment, &roles).await
    }

    async fn clean_up(&self, deployment: DeploymentId) -> Result<(), RuntimeError> {
        container::remove_all_of(&self.engine, deployment).await
    }
}
