//! An engine that is killed in the middle of a run.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use shipway_core::ports::runtime::Runtime;

use crate::conformance::recorder::Recorder;
use crate::conformance::shell;
use crate::fixture::{House, entries, is_alive, is_dead_soon, ourselves, runtime_in, written};

pub async fn a_run_of_a_killed_engine_is_cleaned_up() {
    let house = House::new();
    let mut engine = Command::new(ourselves())
        .arg("engine")
        .arg(house.folder.path())
        .spawn()
        .unwrap();
    let command = written(&house.path("pid")).await;
    let deployment = written(&house.path("deployment")).await;
    engine.kill().unwrap();
    engine.wait().unwrap();
    assert!(is_alive(&command), "nobody has ended it yet");

    let next = runtime_in(&house.path("state"));
    next.clean_up(deployment.parse().unwrap()).await.unwrap();
    is_dead_soon(&command).await;
    assert_eq!(entries(&house.path("state/runs")), 0);
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
    let script = format!("echo $$ > {}/pid; exec sleep 600", folder.display());
    let run = shipway_core::ports::runtime::CommandRun {
        environment: build.environment.clone(),
        deployment: build.deployment,
        image,
        commands: vec![shell(&script)],
        variables: Vec::new(),
        port: None,
        limits: Default::default(),
        volumes: Vec::new(),
    };
    std::fs::write(folder.join("deployment"), format!("{}\n", build.deployment)).unwrap();
    runtime.run_commands(&run, Recorder::new()).await.unwrap();
}
