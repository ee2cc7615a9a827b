//! Where images are built and instances run. Every method is safe to repeat,
//! and everything made carries its deployment's id, so that it can be found
//! again after a crash and nothing of others is touched.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{BoxError, LineEnd, Output, Stream};
use crate::environment::{BuildSettings, EnvironmentKey, Limits, RuntimeKind, Volume};
use crate::journal::{Exit, Image, Instance};
use crate::name::{AppName, CommitId, DeploymentId, RunName};
use crate::process::Process;
use crate::release::{Entrypoint, Invocation};
use crate::secret::Secret;

#[async_trait]
pub trait Runtime: Send + Sync + std::fmt::Debug {
    fn kind(&self) -> RuntimeKind;

    /// Whether it can be used at all, within 5 s.
    async fn ready(&self) -> Result<(), RuntimeError>;

    /// An image that was built before for this key, and still exists.
    async fn find_image(&self, key: &ImageKey) -> Result<Option<Image>, RuntimeError>;

    /// Whether an image that an earlier deployment used is there still.
    async fn has_image(&self, image: &Image) -> Result<bool, RuntimeError>;

    /// Builds an image from a working directory, without the environment's
    /// variables.
    async fn build(
        &self,
        request: &BuildRequest,
        output: Arc<dyn Output>,
    ) -> Result<Image, RuntimeError>;

    /// Removes images of the app that are not among `keep` (by reference) and
    /// that no instance uses. Gives the references of those removed.
    async fn prune_images(
        &self,
        app: &AppName,
        keep: &[String],
    ) -> Result<Vec<String>, RuntimeError>;

    /// Runs one bounded command in an image: no network, no variables but
    /// these and the image's own, nothing it writes is kept.
    async fn probe(&self, request: &ProbeRequest) -> Result<ProbeOutput, RuntimeError>;

    /// Runs commands one after the other in one container, each in a shell or
    /// process of its own, until one fails. Asks `watcher` before each starts.
    /// The container is discarded afterwards, unless a command failed and
    /// `run.when_failed` says otherwise. One of the same deployment and name that
    /// is there already is ended first.
    ///
    /// When the future is dropped, or this whole process ends, the running
    /// command goes on to its end or its time limit, for
    /// [`Runtime::resume_commands`] or [`Runtime::clean_up`] to find; no further
    /// command starts by itself.
    async fn run_commands(
        &self,
        run: &CommandRun,
        watcher: Arc<dyn CommandWatcher>,
    ) -> Result<(), RuntimeError>;

    /// Goes on with a run that an engine before this one started: finds the
    /// container (process group) of that deployment and run name, passes on what
    /// the open command has written after what was stored, and goes on with the
    /// commands after it. The open command is one that `watcher` has let start and
    /// whose end it was not told; without one, the next is `run.from`.
    ///
    /// No command is ever run twice: an open command that had not begun begins
    /// now, and one whose end cannot be known makes the run [`Resumed::Lost`],
    /// which leaves nothing of it. An error leaves the run as it is, to be tried
    /// again.
    async fn resume_commands(
        &self,
        run: &CommandRun,
        open: Option<&OpenCommand>,
        watcher: Arc<dyn CommandWatcher>,
    ) -> Result<Resumed, RuntimeError>;

    /// Starts one instance. It need not be healthy yet.
    async fn start(&self, request: &StartRequest) -> Result<Instance, RuntimeError>;

    /// Runs one bounded command inside an instance, with the app's own
    /// environment. A program that is not there exits with 127, as a shell
    /// says it; an instance that is gone is an error.
    async fn exec(&self, request: &ExecRequest) -> Result<ProbeOutput, RuntimeError>;

    /// Told once the instance was found healthy: from now on it is started
    /// again when it ends. Until then an exit is an exit. One that has ended
    /// already is an error.
    async fn proven(&self, _instance: &Instance) -> Result<(), RuntimeError> {
        Ok(())
    }

    async fn status(&self, instance: &Instance) -> Result<InstanceStatus, RuntimeError>;

    /// What the instance printed last, oldest first.
    async fn last_lines(
        &self,
        instance: &Instance,
        count: usize,
    ) -> Result<Vec<String>, RuntimeError>;

    /// SIGTERM, `grace`, SIGKILL. An instance that is gone is stopped.
    async fn stop(&self, instance: &Instance, grace: Duration) -> Result<(), RuntimeError>;

    /// The instances of an environment that exist, of every deployment.
    async fn instances(&self, key: &EnvironmentKey) -> Result<Vec<Owned>, RuntimeError>;

    /// Ends all that a failed deployment has made and gives what is left for a
    /// look inside: its instances, and containers kept by [`WhenFailed::Keep`].
    /// Nothing of it runs any more, nothing starts it again; the rest is
    /// removed, as by [`Runtime::clean_up`], which later removes these too.
    async fn set_aside(&self, deployment: DeploymentId) -> Result<Vec<Kept>, RuntimeError>;

    /// Removes a deployment's release containers and probes; its instances go on.
    async fn discard_runs(&self, deployment: DeploymentId) -> Result<(), RuntimeError>;

    /// Removes whatever a deployment has left except its image: instances,
    /// release containers, half-built things.
    async fn clean_up(&self, deployment: DeploymentId) -> Result<(), RuntimeError>;
}

/// Something that ended and can be looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// `web.1`, `release commands`.
    pub what: String,
    /// Where a person finds it: `container NAME`, `folder PATH`.
    pub place: String,
}

/// An instance and the deployment that made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    pub deployment: DeploymentId,
    pub instance: Instance,
}

/// What makes two images interchangeable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageKey {
    pub app: AppName,
    pub commit: CommitId,
    pub build: BuildSettings,
}

#[derive(Debug, Clone)]
pub struct BuildRequest {
    pub key: ImageKey,
    pub environment: EnvironmentKey,
    pub deployment: DeploymentId,
    /// The checked-out commit.
    pub directory: PathBuf,
    /// The whole build must end within this.
    pub timeout: Duration,
}

#[derive(Debug, Clone)]
pub struct ProbeRequest {
    pub deployment: DeploymentId,
    pub image: Image,
    pub argv: Vec<String>,
    pub variables: Vec<(String, String)>,
    pub timeout: Duration,
    /// Bytes kept of each stream.
    pub limit: usize,
}

#[derive(Debug, Clone)]
pub struct ExecRequest {
    pub deployment: DeploymentId,
    pub instance: Instance,
    /// What the instance was started from.
    pub image: Image,
    pub argv: Vec<String>,
    /// What the instance was given.
    pub variables: Variables,
    pub timeout: Duration,
    /// Bytes kept of each stream.
    pub limit: usize,
}

/// What a probe or an exec left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeOutput {
    pub exit_code: i32,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    pub truncated: bool,
}

/// The environment that a process is given. `PORT` is not in it: the runtime
/// adds it, because only the runtime knows which port is free.
pub type Variables = Vec<(String, Secret)>;

#[derive(Debug, Clone)]
pub struct CommandRun {
    pub environment: EnvironmentKey,
    pub deployment: DeploymentId,
    /// Which run of the deployment this is (release, gate, after, failed, undo
    /// of what), so that it is found again.
    pub name: RunName,
    pub image: Image,
    pub commands: Vec<Command>,
    /// The first of `commands` to run; those before it have run already.
    /// Indexes told to the watcher are always those of `commands`.
    pub from: usize,
    pub when_failed: WhenFailed,
    pub variables: Variables,
    /// The port of the process type that is routed, told as `PORT`.
    pub port: Option<u16>,
    pub limits: Limits,
    /// Mounted (docker), or made as directories (process); the runtime adds
    /// each one's [`Volume::variable`].
    pub volumes: Vec<Volume>,
}

/// What becomes of the container of a run whose command failed; one that was
/// cancelled or halted is discarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenFailed {
    Discard,
    /// It stays, ended, until [`Runtime::clean_up`] or the next run of the same
    /// name.
    Keep,
}

impl CommandRun {
    /// Whether the container stays for a look inside after a command ended so.
    pub fn keeps(&self, exit: Exit) -> bool {
        let failed = !exit.is_success() && exit != Exit::Cancelled;
        failed && self.when_failed == WhenFailed::Keep
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    pub run: Invocation,
    pub entrypoint: Entrypoint,
    pub timeout: Duration,
}

/// A command that was allowed to start and whose end nobody was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCommand {
    pub index: usize,
    /// Lines of its standard output that are in the log already.
    pub stdout: u64,
    /// The same of its standard error.
    pub stderr: u64,
    /// How long ago it was started: its time limit goes on, it does not start
    /// again.
    pub started_before: Duration,
}

/// What came of going on with a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumed {
    /// Found, and seen to its end as `run_commands` would have.
    Ended,
    /// Nothing is left of the run, or it does not tell how the open command
    /// ended.
    Lost,
}

/// Hears of a run of commands as it happens; `index` counts from 0.
#[async_trait]
pub trait CommandWatcher: Send + Sync {
    /// Asked before the command starts; it must not start before this answers.
    async fn starting(&self, index: usize) -> Result<(), Halt>;

    async fn finished(&self, index: usize, exit: Exit, took: Duration) -> Result<(), Halt>;

    /// A line of the command's, or a piece of one, at most 16 KiB. Whoever is slow to take it holds
    /// the command back, or, after a resumption, its log fills on the disk; no
    /// line is dropped.
    async fn output(&self, index: usize, stream: Stream, piece: &str, end: LineEnd);

    /// Ends when the run must be stopped: the running command gets SIGTERM, 10 s,
    /// SIGKILL, and is finished with [`Exit::Cancelled`].
    async fn cancelled(&self);
}

/// The run must not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Halt;

#[derive(Debug, Clone)]
pub struct StartRequest {
    pub environment: EnvironmentKey,
    pub deployment: DeploymentId,
    pub image: Image,
    pub process: Process,
    /// Which of the process type's instances, from 1.
    pub number: u32,
    pub variables: Variables,
    pub limits: Limits,
    /// Mounted (docker), or made as directories (process); the runtime adds
    /// each one's [`Volume::variable`].
    pub volumes: Vec<Volume>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstanceStatus {
    Running(ImageHealth),
    Exited(Exit),
    Gone,
}

/// What the image's own health check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageHealth {
    /// The image has no health check.
    None,
    Starting,
    Healthy,
    Unhealthy,
}

#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    #[error("the {kind} runtime is not there: {message}")]
    NotReady { kind: RuntimeKind, message: String },
    #[error("there is no {path} in the commit")]
    NoDockerfile { path: String },
    #[error("the build failed: {message}")]
    BuildFailed { message: String },
    #[error("{what} took longer than {seconds} s")]
    Timeout { what: String, seconds: u64 },
    #[error("the disk is full: {what}")]
    DiskFull { what: String },
    #[error("not possible on the {kind} runtime: {what}")]
    Unsupported { kind: RuntimeKind, what: String },
    #[error("could not {what}")]
    Other {
        what: String,
        #[source]
        source: BoxError,
    },
}

impl RuntimeError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotReady {
                kind: RuntimeKind::Docker,
                ..
            } => Some(
                "start the Docker engine (`docker info` must answer), or use the process runtime",
            ),
            Self::NotReady { .. } => None,
            Self::NoDockerfile { .. } => Some(
                "add a Dockerfile, name another with build.dockerfile in shipway.toml, or use the process runtime",
            ),
            Self::BuildFailed { .. } => Some("the build's output is in the log above"),
            Self::DiskFull { .. } => Some("free some space, then deploy again"),
            Self::Timeout { .. } | Self::Unsupported { .. } | Self::Other { .. } => None,
        }
    }
}
