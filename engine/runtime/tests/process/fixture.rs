//! A process runtime in a folder of its own, and what tests ask of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use shipway_core::environment::{BuildSettings, EnvironmentKey};
use shipway_core::journal::{Image, Instance};
use shipway_core::name::DeploymentId;
use shipway_core::ports::runtime::{BuildRequest, ImageKey, Runtime, RuntimeError, StartRequest};
use shipway_runtime::process::{ProcessConfig, ProcessRuntime};
use tempfile::TempDir;

use crate::conformance::recorder::Lines;
use crate::conformance::{self, Fixture, eventually};

pub struct House {
    pub folder: TempDir,
    pub runtime: Arc<ProcessRuntime>,
}

impl House {
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("commit")).unwrap();
        let runtime = runtime_in(&folder.path().join("state"));
        Self { folder, runtime }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn build_request(&self, command: Option<&str>) -> BuildRequest {
        build_request(&self.path("commit"), command)
    }

    pub async fn try_build(&self, command: &str) -> (Result<Image, RuntimeError>, Arc<Lines>) {
        let lines = Arc::new(Lines::default());
        let request = self.build_request(Some(command));
        (self.runtime.build(&request, lines.clone()).await, lines)
    }

    /// A fixture whose image was built by this command, or is the bare commit.
    pub async fn fixture(&self, command: Option<&str>) -> Fixture {
        let build = self.build_request(command);
        let lines = Arc::new(Lines::default());
        let image = self.runtime.build(&build, lines.clone()).await;
        let state = self.path("state");
        Fixture {
            runtime: self.runtime.clone(),
            another: Box::new(move || runtime_in(&state)),
            image: image.unwrap_or_else(|error| panic!("{error}: {}", lines.text())),
            build,
            web: web(),
            port: 8000,
        }
    }
}

/// What a test leaves, above all one that fails, must not outlive it.
impl Drop for House {
    fn drop(&mut self) {
        let runtime = self.runtime.clone();
        let deployments = deployments(&self.path("state"));
        let cleaning = std::thread::spawn(move || {
            let threads = tokio::runtime::Runtime::new().unwrap();
            threads.block_on(async {
                for deployment in deployments {
                    runtime.clean_up(deployment).await.unwrap();
                }
            });
        });
        let _ = cleaning.join();
    }
}

/// Those with a run, and those with an instance, by the ends of their names.
fn deployments(state: &Path) -> Vec<DeploymentId> {
    let names = ["runs", "instances"].into_iter().flat_map(|kind| {
        let entries = fs::read_dir(state.join(kind)).into_iter().flatten();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap())
    });
    names
        .filter_map(|name| name.rsplit('-').next()?.parse().ok())
        .collect()
}

pub async fn passes_the_conformance_suite() {
    let house = House::new();
    let fixture = house.fixture(Some("echo built")).await;
    conformance::every_case(&fixture).await;
    assert_eq!(entries(&house.path("state/instances")), 0);
    assert_eq!(entries(&house.path("state/runs")), 0);
}

/// The web server of this binary, as an app's command.
pub fn web() -> String {
    format!("exec '{}' web", ourselves().display())
}

pub fn ourselves() -> PathBuf {
    std::env::current_exe().unwrap()
}

pub fn runtime_in(state: &Path) -> Arc<ProcessRuntime> {
    let supervisor = vec![ourselves().into(), "supervise".into()];
    Arc::new(ProcessRuntime::new(ProcessConfig::new(state, supervisor)))
}

pub fn build_request(commit: &Path, command: Option<&str>) -> BuildRequest {
    BuildRequest {
        key: ImageKey {
            app: "guestbook".parse().unwrap(),
            commit: "0123456789".repeat(4).parse().unwrap(),
            build: BuildSettings {
                command: command.map(str::to_owned),
                ..BuildSettings::default()
            },
        },
        environment: EnvironmentKey {
            app: "guestbook".parse().unwrap(),
            environment: "live".parse().unwrap(),
        },
        deployment: DeploymentId(uuid::Uuid::now_v7()),
        directory: commit.to_owned(),
        timeout: Duration::from_secs(60),
    }
}

/// A web instance that answers.
pub async fn start_web(fixture: &Fixture, command: &str) -> (StartRequest, Instance) {
    let process = fixture.process("web", command, Some(8000));
    let request = conformance::instances::request(fixture, fixture.deployment(), process, 1);
    let instance = fixture.runtime.start(&request).await.unwrap();
    let address = instance.address.unwrap();
    eventually("it answers", || conformance::instances::answers(address)).await;
    (request, instance)
}

/// What a program wrote to a file, once it did.
pub async fn written(path: &Path) -> String {
    let read = || fs::read_to_string(path).unwrap_or_default();
    eventually("the file is written", || async { read().ends_with('\n') }).await;
    read().trim().to_owned()
}

pub fn is_alive(pid: &str) -> bool {
    let pid: i32 = pid.parse().unwrap();
    let zombie =
        fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "));
    kill(Pid::from_raw(pid), None) != Err(Errno::ESRCH) && !zombie
}

pub async fn is_dead_soon(pid: &str) {
    eventually("the process is gone", || async { !is_alive(pid) }).await;
}

pub fn entries(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}
