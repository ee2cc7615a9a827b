//! A world in memory: what runs, what is routed, what was written. Each port
//! call passes a gate that lets it through, fails it, or holds it for ever, as
//! a crash would.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use shipway_core::environment::{EnvironmentKey, RuntimeKind};
use shipway_core::health::HealthRule;
use shipway_core::journal::{Commit, Entry, Exit, Image, Instance};
use shipway_core::name::{AppName, DeploymentId, Digest, Domain, Timestamp};
use shipway_core::plan::Collected;
use shipway_core::plugin::Description;
use shipway_core::ports::Output;
use shipway_core::ports::clock::Clock;
use shipway_core::ports::plugins::{Call, Check, PluginError, Plugins};
use shipway_core::ports::prober::{Healthy, Prober, ServiceDown, Unhealthy};
use shipway_core::ports::router::{Drained, Route, Router, RouterError, Switched};
use shipway_core::ports::runtime::{
    BuildRequest, CommandRun, CommandWatcher, ExecRequest, ImageHealth, ImageKey, InstanceStatus,
    Kept, OpenCommand, Owned, ProbeOutput, ProbeRequest, Resumed, Runtime, RuntimeError,
    StartRequest,
};
use shipway_core::ports::source::{
    Checkout, CheckoutRequest, Files, FilesError, Source, SourceError,
};
use shipway_core::secret::Secret;
use tokio::sync::Notify;

/// What goes wrong, and at which port call, counted from 1.
#[derive(Debug, Clone, Copy)]
pub struct Trouble {
    kind: Kind,
    at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    None,
    Fail,
    CrashBefore,
    CrashAfter,
    /// Nothing goes wrong; somebody cancels while the call is under way.
    Cancel,
}

impl Trouble {
    pub fn none() -> Self {
        Self {
            kind: Kind::None,
            at: 0,
        }
    }
    pub fn fail_at(at: usize) -> Self {
        Self {
            kind: Kind::Fail,
            at,
        }
    }
    pub fn crash_before(at: usize) -> Self {
        Self {
            kind: Kind::CrashBefore,
            at,
        }
    }
    pub fn crash_after(at: usize) -> Self {
        Self {
            kind: Kind::CrashAfter,
            at,
        }
    }
    pub fn cancel_at(at: usize) -> Self {
        Self {
            kind: Kind::Cancel,
            at,
        }
    }
    pub fn is_crash(self) -> bool {
        matches!(self.kind, Kind::CrashBefore | Kind::CrashAfter)
    }
}

/// Everything outside the engine.
#[derive(Debug)]
pub struct FakeWorld {
    state: Mutex<WorldState>,
    trouble: Mutex<Trouble>,
    calls: AtomicUsize,
    /// Rung when the trouble has come.
    pub came: Notify,
    pub resume: Notify,
    clock: AtomicI64,
}

#[derive(Debug, Default)]
pub struct WorldState {
    pub running: BTreeMap<SocketAddr, (DeploymentId, Instance)>,
    pub healthy: BTreeSet<SocketAddr>,
    pub route: Option<Route>,
    pub working_directories: BTreeSet<DeploymentId>,
    pub open_containers: BTreeSet<DeploymentId>,
    pub images: BTreeSet<String>,
    /// The commands that had an effect, in order.
    pub effects: Vec<String>,
    pub violations: Vec<String>,
    pub trouble_came: bool,
    next_port: u16,
}

/// A call that was made to fail.
#[derive(Debug)]
struct Refused;

impl FakeWorld {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            trouble: Mutex::new(Trouble::none()),
            calls: AtomicUsize::new(0),
            came: Notify::new(),
            resume: Notify::new(),
            clock: AtomicI64::new(1_700_000_000_000),
        })
    }

    /// From now on, counted from the next call.
    pub fn expect(&self, trouble: Trouble) {
        *self.trouble.lock().unwrap() = trouble;
        self.calls.store(0, Ordering::SeqCst);
    }

    pub fn state(&self) -> MutexGuard<'_, WorldState> {
        self.state.lock().unwrap()
    }

    fn come(&self) {
        self.state().trouble_came = true;
        self.came.notify_one();
    }

    /// Each port call goes through here.
    async fn call<T>(&self, act: impl FnOnce(&mut WorldState) -> T) -> Result<T, Refused> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let trouble = *self.trouble.lock().unwrap();
        let kind = if number == trouble.at {
            trouble.kind
        } else {
            Kind::None
        };
        match kind {
            Kind::None => Ok(act(&mut self.state())),
            Kind::Fail => {
                self.come();
                Err(Refused)
            }
            Kind::CrashBefore => {
                self.come();
                std::future::pending().await
            }
            Kind::CrashAfter => {
                act(&mut self.state());
                self.come();
                std::future::pending().await
            }
            Kind::Cancel => {
                self.come();
                self.resume.notified().await;
                Ok(act(&mut self.state()))
            }
        }
    }
}

impl From<Refused> for RuntimeError {
    fn from(_: Refused) -> Self {
        Self::Other {
            what: "do as asked".into(),
            source: "made to fail".into(),
        }
    }
}

impl From<Refused> for RouterError {
    fn from(_: Refused) -> Self {
        Self::Unreachable {
            message: "made to fail".into(),
        }
    }
}

impl From<Refused> for SourceError {
    fn from(_: Refused) -> Self {
        Self::Other {
            what: "do as asked".into(),
            source: "made to fail".into(),
        }
    }
}

impl Clock for FakeWorld {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock.fetch_add(1, Ordering::SeqCst))
    }

    fn new_deployment_id(&self) -> DeploymentId {
        let millis = self.clock.fetch_add(1, Ordering::SeqCst);
        DeploymentId(uuid::Uuid::from_u128(
            u128::from(millis.unsigned_abs()) << 80,
        ))
    }
}

#[async_trait]
impl Source for FakeWorld {
    async fn check_out(&self, request: &CheckoutRequest) -> Result<Checkout, SourceError> {
        self.call(|state| state.working_directories.insert(request.deployment))
            .await?;
        Ok(Checkout {
            commit: Commit {
                id: "c".repeat(40).parse().unwrap(),
                subject: "A change".into(),
                author: "Somebody".into(),
            },
            directory: PathBuf::from("/nowhere"),
            files: Arc::new(NoFiles),
        })
    }

    async fn discard(&self, deployment: DeploymentId) -> Result<(), SourceError> {
        self.call(|state| state.working_directories.remove(&deployment))
            .await?;
        Ok(())
    }
}

#[derive(Debug)]
struct NoFiles;

impl Files for NoFiles {
    fn read(&self, path: &str, _: u64) -> Result<Vec<u8>, FilesError> {
        match path {
            "Procfile" => Ok(b"web: serve\n".to_vec()),
            _ => Err(FilesError::NotFound(path.to_owned())),
        }
    }

    fn find(&self, _: &str, _: usize) -> Result<Vec<String>, FilesError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl Runtime for FakeWorld {
    fn kind(&self) -> RuntimeKind {
        RuntimeKind::Process
    }

    async fn ready(&self) -> Result<(), RuntimeError> {
        Ok(())
    }

    async fn find_image(&self, _: &ImageKey) -> Result<Option<Image>, RuntimeError> {
        Ok(self.call(|_| None).await?)
    }

    async fn has_image(&self, image: &Image) -> Result<bool, RuntimeError> {
        Ok(self
            .call(|state| state.images.contains(&image.reference))
            .await?)
    }

    async fn build(
        &self,
        request: &BuildRequest,
        output: Arc<dyn Output>,
    ) -> Result<Image, RuntimeError> {
        output.line(shipway_core::ports::Stream::Stdout, "building");
        let name = format!("image-{}", request.deployment);
        self.call(|state| state.images.insert(name.clone())).await?;
        Ok(Image {
            reference: name.clone(),
            tag: name,
            reused: false,
        })
    }

    async fn prune_images(
        &self,
        _: &AppName,
        keep: &[String],
    ) -> Result<Vec<String>, RuntimeError> {
        self.call(|state| state.images.retain(|image| keep.contains(image)))
            .await?;
        Ok(Vec::new())
    }

    async fn probe(&self, _: &ProbeRequest) -> Result<ProbeOutput, RuntimeError> {
        Ok(ProbeOutput {
            exit_code: 0,
            stdout: Vec::new(),
            stderr: Vec::new(),
            truncated: false,
        })
    }

    async fn exec(&self, _: &ExecRequest) -> Result<ProbeOutput, RuntimeError> {
        Ok(ProbeOutput {
            exit_code: 0,
            stdout: Vec::new(),
            stderr: Vec::new(),
            truncated: false,
        })
    }

    async fn run_commands(
        &self,
        run: &CommandRun,
        watcher: Arc<dyn CommandWatcher>,
    ) -> Result<(), RuntimeError> {
        self.call(|state| state.open_containers.insert(run.deployment))
            .await?;
        for (index, command) in run.commands.iter().enumerate() {
            if watcher.starting(index).await.is_err() {
                break;
            }
            let effect = command.run.to_string();
            let done = tokio::select! {
                done = self.call(|state| state.effects.push(effect)) => done.is_ok(),
                () = watcher.cancelled() => {
                    let _ = watcher.finished(index, Exit::Cancelled, Duration::ZERO).await;
                    break;
                }
            };
            let exit = Exit::Code {
                code: i32::from(!done),
            };
            if watcher
                .finished(index, exit, Duration::from_millis(1))
                .await
                .is_err()
                || !done
            {
                break;
            }
        }
        self.state().open_containers.remove(&run.deployment);
        Ok(())
    }

    async fn resume_commands(
        &self,
        run: &CommandRun,
        _: Option<&OpenCommand>,
        _: Arc<dyn CommandWatcher>,
    ) -> Result<Resumed, RuntimeError> {
        self.call(|state| state.open_containers.remove(&run.deployment))
            .await?;
        Ok(Resumed::Lost)
    }

    async fn start(&self, request: &StartRequest) -> Result<Instance, RuntimeError> {
        let (process, deployment) = (request.process.name.clone(), request.deployment);
        let number = request.number;
        let instance = self
            .call(|state| {
                state.next_port += 1;
                let address = SocketAddr::from(([127, 0, 0, 1], 10_000 + state.next_port));
                let id = format!("{deployment}-{number}");
                let instance = Instance {
                    id,
                    process,
                    address: Some(address),
                };
                state
                    .running
                    .insert(address, (deployment, instance.clone()));
                instance
            })
            .await?;
        Ok(instance)
    }

    async fn status(&self, instance: &Instance) -> Result<InstanceStatus, RuntimeError> {
        let runs = instance
            .address
            .is_some_and(|address| self.state().running.contains_key(&address));
        Ok(if runs {
            InstanceStatus::Running(ImageHealth::None)
        } else {
            InstanceStatus::Gone
        })
    }

    async fn last_lines(&self, _: &Instance, _: usize) -> Result<Vec<String>, RuntimeError> {
        Ok(vec!["its last line".into()])
    }

    async fn stop(&self, instance: &Instance, _: Duration) -> Result<(), RuntimeError> {
        let Some(address) = instance.address else {
            return Ok(());
        };
        Ok(self.call(|state| state.stop(address)).await?)
    }

    async fn instances(&self, _: &EnvironmentKey) -> Result<Vec<Owned>, RuntimeError> {
        let all = self
            .call(|state| {
                let owned = |(deployment, instance): &(DeploymentId, Instance)| Owned {
                    deployment: *deployment,
                    instance: instance.clone(),
                };
                state.running.values().map(owned).collect()
            })
            .await?;
        Ok(all)
    }

    async fn set_aside(&self, deployment: DeploymentId) -> Result<Vec<Kept>, RuntimeError> {
        Runtime::clean_up(self, deployment).await?;
        Ok(Vec::new())
    }

    async fn discard_runs(&self, deployment: DeploymentId) -> Result<(), RuntimeError> {
        self.call(|state| state.open_containers.remove(&deployment))
            .await?;
        Ok(())
    }

    async fn clean_up(&self, deployment: DeploymentId) -> Result<(), RuntimeError> {
        self.call(|state| {
            let theirs: Vec<_> = state
                .running
                .iter()
                .filter(|(_, (owner, _))| *owner == deployment)
                .map(|(a, _)| *a)
                .collect();
            for address in theirs {
                state.stop(address);
            }
            state.open_containers.remove(&deployment);
        })
        .await?;
        Ok(())
    }
}

impl WorldState {
    fn stop(&mut self, address: SocketAddr) {
        if self
            .route
            .as_ref()
            .is_some_and(|route| route.targets.contains(&address))
        {
            self.violations
                .push(format!("{address} was stopped while it was routed"));
        }
        self.running.remove(&address);
        self.healthy.remove(&address);
    }
}

#[async_trait]
impl Router for FakeWorld {
    async fn switch(&self, route: &Route) -> Result<Switched, RouterError> {
        self.call(|state| {
            for target in &route.targets {
                if !state.healthy.contains(target) {
                    state
                        .violations
                        .push(format!("{target} was routed before it was healthy"));
                }
            }
            state.route = Some(route.clone());
        })
        .await?;
        Ok(Switched {
            in_flight_on_old: 0,
        })
    }

    async fn route(&self, _: &EnvironmentKey) -> Result<Option<Route>, RouterError> {
        Ok(self.call(|state| state.route.clone()).await?)
    }

    async fn drain(&self, _: &[SocketAddr], _: Duration) -> Result<Drained, RouterError> {
        Ok(self.call(|_| Drained { unfinished: 0 }).await?)
    }

    async fn remove(&self, _: &EnvironmentKey) -> Result<(), RouterError> {
        self.call(|state| state.route = None).await?;
        Ok(())
    }
}

#[async_trait]
impl Prober for FakeWorld {
    async fn wait_healthy(
        &self,
        target: SocketAddr,
        _: Option<&Domain>,
        _: &HealthRule,
    ) -> Result<Healthy, Unhealthy> {
        let healthy = self.call(|state| state.healthy.insert(target)).await;
        healthy.map_err(|_| Unhealthy::BadAnswer {
            target,
            status: 503,
        })?;
        Ok(Healthy {
            tries: 1,
            answer: "200 OK".into(),
            took: Duration::from_millis(1),
        })
    }

    async fn service(&self, _: &Secret, _: Duration) -> Result<String, ServiceDown> {
        let answer = self.call(|_| "ready".to_owned()).await;
        answer.map_err(|_| ServiceDown("made to fail".into()))
    }
}

#[async_trait]
impl Plugins for FakeWorld {
    async fn inspect(&self, _: &[u8]) -> Result<Description, PluginError> {
        unreachable!("no plugin is installed")
    }

    async fn collect(&self, _: &Call) -> Result<Collected, PluginError> {
        Ok(Collected::default())
    }

    async fn self_test(&self, _: &Call) -> Result<Vec<Check>, PluginError> {
        Ok(Vec::new())
    }

    async fn deliver(&self, _: &Call, _: &Entry) -> Result<(), PluginError> {
        Ok(())
    }

    async fn forget(&self, _: &Digest) {}
}
