//! Instances and their supervisors.

use std::fs;
use std::time::{Duration, Instant};

use shipway_core::environment::Limits;
use shipway_core::journal::{Exit, Instance};
use shipway_core::ports::runtime::{InstanceStatus, Runtime};
use shipway_runtime::process::{ProcessConfig, ProcessRuntime};

use crate::conformance::eventually;
use crate::conformance::exec::exec;
use crate::conformance::instances::{answers, found, request};
use crate::fixture::{House, is_alive, is_dead_soon, runtime_in, start_web, web, written};

const GRACE: Duration = Duration::from_secs(5);

pub async fn they_survive_the_engine_and_are_found_again() {
    let house = House::new();
    let started = std::thread::scope(|scope| {
        let engine = scope.spawn(|| {
            let threads = tokio::runtime::Runtime::new().unwrap();
            threads.block_on(async {
                let fixture = house.fixture(None).await;
                let (request, instance) = start_web(&fixture, &web()).await;
                (fixture.build.clone(), request.deployment, instance)
            })
        });
        engine.join().unwrap()
    });
    let (build, deployment, instance) = started;

    let next = runtime_in(&house.path("state"));
    let found = next.instances(&build.environment).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].deployment, deployment);
    assert_eq!(found[0].instance, instance);
    assert!(answers(instance.address.unwrap()).await);
    let began = Instant::now();
    next.stop(&instance, GRACE).await.unwrap();
    assert!(began.elapsed() < GRACE, "SIGTERM was enough");
    assert!(!answers(instance.address.unwrap()).await);
}

pub async fn stopping_lets_the_app_finish() {
    let house = House::new();
    let fixture = house.fixture(None).await;
    let (ready, bye) = (house.path("ready"), house.path("bye"));
    let command = format!(
        "trap 'sleep 1; echo finished > {}; exit 0' TERM; echo up > {}; while :; do sleep 0.05; done",
        bye.display(),
        ready.display()
    );
    let process = fixture.process("worker", &command, None);
    let request = request(&fixture, fixture.deployment(), process, 1);
    let instance = fixture.runtime.start(&request).await.unwrap();
    written(&ready).await;
    fixture.runtime.stop(&instance, GRACE).await.unwrap();
    assert_eq!(fs::read_to_string(bye).unwrap(), "finished\n");
}

pub async fn what_ignores_sigterm_is_killed() {
    let house = House::new();
    let fixture = house.fixture(None).await;
    let pid = house.path("pid");
    let command = format!(
        "trap '' TERM; echo $$ > {}; while :; do sleep 0.1; done",
        pid.display()
    );
    let process = fixture.process("worker", &command, None);
    let request = request(&fixture, fixture.deployment(), process, 1);
    let instance = fixture.runtime.start(&request).await.unwrap();
    let pid = written(&pid).await;
    let began = Instant::now();
    fixture
        .runtime
        .stop(&instance, Duration::from_secs(1))
        .await
        .unwrap();
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert!(!is_alive(&pid));
}

/// Neither what is in the background nor what began a session of its own.
pub async fn nothing_of_the_group_is_left() {
    let house = House::new();
    let fixture = house.fixture(None).await;
    let (near, far) = (house.path("near"), house.path("far"));
    let escape = if cfg!(target_os = "linux") {
        "setsid"
    } else {
        ""
    };
    let command = format!(
        "sh -c 'trap \"\" TERM; echo $$ > {}; while :; do sleep 1; done' &\n\
         {escape} sh -c 'echo $$ > {}; exec sleep 600' &\n{}",
        near.display(),
        far.display(),
        web()
    );
    let (_, instance) = start_web(&fixture, &command).await;
    let (near, far) = (written(&near).await, written(&far).await);
    assert!(is_alive(&near) && is_alive(&far));
    fixture
        .runtime
        .stop(&instance, Duration::from_secs(1))
        .await
        .unwrap();
    is_dead_soon(&near).await;
    is_dead_soon(&far).await;
}

pub async fn what_crashes_later_is_started_again() {
    let house = House::new();
    let fixture = house.fixture(None).await;
    let pid = house.path("pid");
    let command = format!("echo $$ > {}; {}", pid.display(), web());
    let (_, instance) = start_web(&fixture, &command).await;
    fixture.runtime.proven(&instance).await.unwrap();
    let first = written(&pid).await;
    fs::remove_file(&pid).unwrap();
    kill(&first);
    let killed = InstanceStatus::Exited(Exit::Signal { signal: 9 });
    eventually("the exit is seen", || async {
        fixture.runtime.status(&instance).await.unwrap() == killed
    })
    .await;
    let second = written(&pid).await;
    assert_ne!(first, second);
    eventually("it answers again", || answers(instance.address.unwrap())).await;
    let lines = fixture.runtime.last_lines(&instance, 5).await.unwrap();
    assert!(
        lines
            .iter()
            .any(|line| line.contains("killed by signal 9; it is started again")),
        "{lines:?}"
    );
    fixture.runtime.stop(&instance, GRACE).await.unwrap();
    is_dead_soon(&second).await;
}

pub async fn what_loses_its_supervisor_can_be_stopped() {
    let house = House::new();
    let fixture = house.fixture(None).await;
    let pid = house.path("pid");
    let command = format!("echo $$ > {}; {}", pid.display(), web());
    let (request, instance) = start_web(&fixture, &command).await;
    let app = written(&pid).await;
    let supervisor = status_file(&house, &instance)()["supervisor"]["pid"].to_string();
    kill(&supervisor);
    is_dead_soon(&supervisor).await;

    assert!(answers(instance.address.unwrap()).await);
    let running = InstanceStatus::Running(shipway_core::ports::runtime::ImageHealth::None);
    assert_eq!(fixture.runtime.status(&instance).await.unwrap(), running);
    assert_eq!(found(&fixture, request.deployment).await.len(), 1);
    fixture.runtime.clean_up(request.deployment).await.unwrap();
    is_dead_soon(&app).await;
}

pub async fn a_memory_limit_is_kept_or_said_not_to_be() {
    let house = House::new();
    let fixture = house.fixture(None).await;
    // `tail` holds all that it is to show: nothing is left to count when it is killed.
    let hog =
        "echo \"counted $(head -c 200000000 /dev/zero | tail -c 200000000 | wc -c)\"; sleep 600";
    let process = fixture.process("worker", hog, None);
    let mut request = request(&fixture, fixture.deployment(), process, 1);
    request.limits = Limits {
        memory_mib: Some(48),
        cpu_millis: Some(900),
    };
    let instance = fixture.runtime.start(&request).await.unwrap();
    let said = |text: &'static str| {
        let lines = fixture.runtime.last_lines(&instance, 9);
        async move { lines.await.unwrap().iter().any(|line| line.contains(text)) }
    };
    eventually("it has eaten or was killed", || said("counted")).await;
    let kept = !said("counted 200000000").await;
    assert_ne!(kept, said("the memory limit is not kept").await);
    fixture.runtime.clean_up(request.deployment).await.unwrap();
}

/// A command in an instance has no memory of its own.
pub async fn a_memory_limit_holds_for_what_runs_inside() {
    let house = House::new();
    let fixture = house.fixture(None).await;
    let process = fixture.process("worker", "sleep 600", None);
    let mut request = request(&fixture, fixture.deployment(), process, 1);
    request.limits.memory_mib = Some(48);
    let instance = fixture.runtime.start(&request).await.unwrap();
    let lines = fixture.runtime.last_lines(&instance, 9).await.unwrap();
    let kept = !lines.iter().any(|line| line.contains("limit is not kept"));
    let hog = "head -c 200000000 /dev/zero | tail -c 200000000 | wc -c";
    let hog = exec(&fixture, &request, &instance, hog);
    let output = fixture.runtime.exec(&hog).await.unwrap();
    assert_eq!(output.stdout != b"200000000\n", kept, "{output:?}");
    fixture.runtime.clean_up(request.deployment).await.unwrap();
}

/// Also what began a session of its own, where there are cgroups.
pub async fn a_command_inside_ends_with_its_instance() {
    let house = House::new();
    let fixture = house.fixture(None).await;
    let process = fixture.process("worker", "sleep 600", None);
    let request = request(&fixture, fixture.deployment(), process, 1);
    let instance = fixture.runtime.start(&request).await.unwrap();
    let pid = house.path("pid");
    let escape = format!("setsid sh -c 'echo $$ > {}; exec sleep 600'", pid.display());
    let request = exec(&fixture, &request, &instance, &escape);
    let stopping = async {
        let pid = written(&pid).await;
        fixture.runtime.stop(&instance, GRACE).await.unwrap();
        is_dead_soon(&pid).await;
    };
    let (_killed, ()) = tokio::join!(fixture.runtime.exec(&request), stopping);
}

pub async fn a_process_without_a_command_is_refused() {
    let house = House::new();
    let fixture = house.fixture(None).await;
    let mut process = fixture.web_process();
    process.command = None;
    let request = request(&fixture, fixture.deployment(), process, 1);
    let error = fixture
        .runtime
        .start(&request)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("Procfile") && error.contains("\"web\""),
        "{error}"
    );
}

pub async fn a_supervisor_that_is_not_there() {
    let house = House::new();
    let fixture = house.fixture(None).await;
    for supervisor in [
        &["/no/such/shipway", "supervise"][..],
        &["/bin/sh", "-c", "echo oh >&2"],
    ] {
        let supervisor = supervisor.iter().map(|&word| word.into()).collect();
        let broken = ProcessRuntime::new(ProcessConfig::new(house.path("state"), supervisor));
        let request = request(&fixture, fixture.deployment(), fixture.web_process(), 1);
        let error = broken.start(&request).await.unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(
            cause.contains("oh") || cause.contains("No such file"),
            "{cause}"
        );
        assert_eq!(found(&fixture, request.deployment).await, []);
    }
    let nowhere = ProcessConfig::new(house.path("state"), vec!["/no/such/shipway".into()]);
    let error = ProcessRuntime::new(nowhere).ready().await.unwrap_err();
    assert!(error.to_string().contains("/no/such/shipway"), "{error}");
}

/// `pip install --user` and its like put programs into the home of the build.
pub async fn programs_of_the_build_are_found() {
    let house = House::new();
    let install = format!(
        "mkdir -p ~/.local/bin; printf '#!/bin/sh\\n{}\\n' > ~/.local/bin/serve; chmod +x ~/.local/bin/serve",
        web().replace('\'', "")
    );
    let fixture = house.fixture(Some(&install)).await;
    let (_, instance) = start_web(&fixture, "echo mine > ~/notes; serve").await;
    fixture.runtime.stop(&instance, GRACE).await.unwrap();
}

/// What the supervisor writes of the instance.
fn status_file(house: &House, instance: &Instance) -> impl Fn() -> serde_json::Value {
    let folder = house.path("state/instances").join(&instance.id);
    move || serde_json::from_slice(&fs::read(folder.join("status.json")).unwrap()).unwrap()
}

fn kill(pid: &str) {
    let pid = nix::unistd::Pid::from_raw(pid.parse().unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
}
