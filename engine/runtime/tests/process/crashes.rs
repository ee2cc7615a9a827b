//! An engine that is killed in the middle of a run, and supervisors that are.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use shipway_core::journal::{Exit, Image};
use shipway_core::name::RunName;
use shipway_core::ports::Stream;
use shipway_core::ports::runtime::{
    BuildRequest, CommandRun, OpenCommand, Resumed, Runtime, WhenFailed,
};
use shipway_core::release::Phase;

use crate::conformance::recorder::Recorder;
use crate::conformance::shell;
use crate::fixture::{House, entries, is_alive, is_dead_soon, ourselves, runtime_in, written};

pub async fn a_run_of_a_killed_engine_is_cleaned_up() {
    let house = House::new();
    let (command, run) = killed_engine(&house).await;
    let next = runtime_in(&house.path("state"));
    next.clean_up(run.deployment).await.unwrap();
    is_dead_soon(&command).await;
    assert_eq!(entries(&house.path("state/runs")), 0);
}

pub async fn a_run_of_a_killed_engine_is_gone_on_with() {
    let house = House::new();
    let (command, run) = killed_engine(&house).await;
    std::fs::write(house.path("go"), "").unwrap();
    let next = runtime_in(&house.path("state"));
    let recorder = Recorder::new();
    let open = open();
    let resumed = next.resume_commands(&run, Some(&open), recorder.clone());
    assert_eq!(resumed.await.unwrap(), Resumed::Ended);
    assert_eq!(recorder.lines(Stream::Stdout), ["begun", "gone"]);
    assert_eq!(recorder.exits(), [Exit::Code { code: 4 }]);
    assert!(!is_alive(&command));
    assert_eq!(entries(&house.path("state/runs")), 0);
}

/// Nobody can tell any more how the command ended; it is ended, too.
pub async fn a_command_that_lost_its_supervisor_is_lost() {
    let house = House::new();
    let (command, run) = killed_engine(&house).await;
    let folder = house.path(&format!(
        "state/runs/{}/run-release/commands/0/begun.json",
        run.deployment.0.simple()
    ));
    let begun: serde_json::Value = serde_json::from_slice(&std::fs::read(folder).unwrap()).unwrap();
    let supervisor = i32::try_from(begun["supervisor"]["pid"].as_i64().unwrap()).unwrap();
    kill(Pid::from_raw(supervisor), Signal::SIGKILL).unwrap();

    let next = runtime_in(&house.path("state"));
    let recorder = Recorder::new();
    let open = open();
    let resumed = next.resume_commands(&run, Some(&open), recorder.clone());
    assert_eq!(resumed.await.unwrap(), Resumed::Lost);
    assert_eq!(recorder.exits(), []);
    is_dead_soon(&command).await;
    assert_eq!(entries(&house.path("state/runs")), 0);
}

fn open() -> OpenCommand {
    OpenCommand {
        index: 0,
        stdout: 0,
        stderr: 0,
        started_before: Duration::from_secs(1),
    }
}

/// The process of the command that it had started, and the run.
async fn killed_engine(house: &House) -> (String, CommandRun) {
    let mut engine = Command::new(ourselves())
        .arg("engine")
        .arg(house.folder.path())
        .spawn()
        .unwrap();
    let command = written(&house.path("pid")).await;
    engine.kill().unwrap();
    engine.wait().unwrap();
    assert!(is_alive(&command), "nobody has ended it yet");
    let build = crate::fixture::build_request(&house.path("commit"), None);
    let image = house.runtime.find_image(&build.key).await.unwrap().unwrap();
    let deployment = written(&house.path("deployment")).await;
    let run = run(house.folder.path(), build, image);
    let deployment = deployment.parse().unwrap();
    (command, CommandRun { deployment, ..run })
}

/// The engine that is killed: runs a command that never ends.
pub fn engine(folder: Option<String>) -> ExitCode {
    let folder = PathBuf::from(folder.unwrap());
    let threads = tokio::runtime::Runtime::new().unwrap();
    threads.block_on(run_forever(&folder));
    ExitCode::SUCCESS
}

async fn run_forever(folder: &Path) {
    let runtime = runtime_in(&folder.join("state"));
    let build = crate::fixture::build_request(&folder.join("commit"), None);
    let image = runtime
        .build(
            &build,
            std::sync::Arc::new(crate::conformance::recorder::Lines::default()),
        )
        .await
        .unwrap();
    std::fs::write(folder.join("deployment"), format!("{}\n", build.deployment)).unwrap();
    let run = run(folder, build, image);
    runtime.run_commands(&run, Recorder::new()).await.unwrap();
}

fn run(folder: &Path, build: BuildRequest, image: Image) -> CommandRun {
    let folder = folder.display();
    let script = format!(
        "echo $$ > {folder}/pid; echo begun; while [ ! -e {folder}/go ]; do sleep 0.05; done; \
         echo gone; exit 4"
    );
    CommandRun {
        environment: build.environment,
        deployment: build.deployment,
        name: RunName::of_phase(Phase::Release),
        image,
        commands: vec![shell(&script)],
        from: 0,
        when_failed: WhenFailed::Discard,
        variables: Vec::new(),
        port: None,
        limits: Default::default(),
        volumes: Vec::new(),
    }
}
