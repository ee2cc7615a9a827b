//! Instances as containers.

use std::time::{Duration, Instant};

use bollard::models::RestartPolicyNameEnum;
use shipway_core::journal::{Image, Instance};
use shipway_core::name::DeploymentId;
use shipway_core::ports::runtime::{
    ExecRequest, ImageHealth, InstanceStatus, Runtime, RuntimeError, StartRequest,
};
use shipway_core::process::{DecidedBy, Process};
use shipway_runtime::docker::{DockerConfig, Reach};

use crate::conformance::eventually;
use crate::conformance::instances::{answers, request};
use crate::machine::{Machine, WEB, deployment};

/// One worker of an image, with a command or the image's own.
pub async fn started(
    machine: &Machine,
    image: &Image,
    command: Option<&str>,
) -> (DeploymentId, Instance) {
    let request = StartRequest {
        environment: machine.environment.clone(),
        deployment: deployment(),
        image: image.clone(),
        process: Process {
            name: "worker".parse().unwrap(),
            command: command.map(str::to_owned),
            port: None,
            instances: 1,
            health: Default::default(),
            decided_by: DecidedBy::Image,
        },
        number: 1,
        variables: Vec::new(),
        limits: Default::default(),
        volumes: Vec::new(),
    };
    let instance = machine.runtime.start(&request).await.unwrap();
    (request.deployment, instance)
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_reaches_a_server_behind_a_shell() {
    let Some(machine) = Machine::new("stop").await else {
        return;
    };
    let image = machine.fixture("true").await.image;
    let last_words = "trap \"sleep 0.5; echo finished; exit\" TERM; while :; do sleep 0.1; done";
    for command in [
        "sleep 600".to_owned(),
        "true && sleep 600".to_owned(),
        format!("true && sh -c '{last_words}'; true"),
    ] {
        let (_, instance) = started(&machine, &image, Some(&command)).await;
        let mut log = bollard_log(&machine, &instance).await;
        let began = Instant::now();
        machine
            .runtime
            .stop(&instance, Duration::from_secs(20))
            .await
            .unwrap();
        assert!(began.elapsed() < Duration::from_secs(15), "{command}");
        if command.contains("finished") {
            assert!(
                log.recv()
                    .await
                    .is_some_and(|line| line.contains("finished"))
            );
        }
    }
    machine.clean().await;
}

/// What an instance prints until its container ends.
async fn bollard_log(
    machine: &Machine,
    instance: &Instance,
) -> tokio::sync::mpsc::UnboundedReceiver<String> {
    use futures::StreamExt;
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    let (docker, id) = (machine.docker.clone(), instance.id.clone());
    tokio::spawn(async move {
        let options = bollard::query_parameters::LogsOptionsBuilder::default()
            .follow(true)
            .stdout(true)
            .build();
        let mut log = docker.logs(&id, Some(options));
        while let Some(Ok(entry)) = log.next().await {
            let _closed = sender.send(entry.to_string());
        }
    });
    receiver
}

#[tokio::test(flavor = "multi_thread")]
async fn the_images_own_command_and_health_check() {
    let Some(machine) = Machine::new("health").await else {
        return;
    };
    let dockerfile = "FROM shipway-test/static:1\n\
         HEALTHCHECK --interval=1s --retries=1 CMD test -e /well\n\
         CMD [\"sh\", \"-c\", \"echo mine; sleep 2; touch /well; sleep 3; rm /well; sleep 600\"]\n";
    let image = machine.fixture_from(dockerfile, "true").await.image;
    let (_, instance) = started(&machine, &image, None).await;
    assert_eq!(instance.address, None);
    for health in [ImageHealth::Healthy, ImageHealth::Unhealthy] {
        eventually("the health changes", || async {
            machine.runtime.status(&instance).await.unwrap() == InstanceStatus::Running(health)
        })
        .await;
    }
    let lines = machine.runtime.last_lines(&instance, 5).await.unwrap();
    assert_eq!(lines, ["mine"]);
    machine
        .runtime
        .stop(&instance, Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(
        machine.runtime.status(&instance).await.unwrap(),
        InstanceStatus::Gone
    );
    let none = machine.runtime.last_lines(&instance, 5).await.unwrap();
    assert_eq!(none, Vec::<String>::new());
    machine.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_port_is_reached_on_loopback() {
    let config = DockerConfig {
        reach: Reach::Published,
        ..DockerConfig::default()
    };
    let Some(machine) = Machine::with("published", config).await else {
        return;
    };
    let fixture = machine.fixture(WEB).await;
    let deployment = deployment();
    let request = request(&fixture, deployment, fixture.web_process(), 1);
    let instance = machine.runtime.start(&request).await.unwrap();
    let address = instance.address.unwrap();
    assert!(address.ip().is_loopback());
    eventually("an answer", || answers(address)).await;
    let found = machine
        .runtime
        .instances(&machine.environment)
        .await
        .unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].instance, instance);
    machine.runtime.clean_up(deployment).await.unwrap();
    machine.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_have_their_limits_and_labels() {
    let Some(machine) = Machine::new("limits").await else {
        return;
    };
    let fixture = machine.fixture(WEB).await;
    let mut request = request(&fixture, deployment(), fixture.web_process(), 2);
    request.limits.memory_mib = Some(32);
    request.limits.cpu_millis = Some(500);
    let instance = machine.runtime.start(&request).await.unwrap();
    let found = machine
        .docker
        .inspect_container(&instance.id, None)
        .await
        .unwrap();
    let host = found.host_config.unwrap();
    assert_eq!(host.memory, Some(32 * 1024 * 1024));
    assert_eq!(host.nano_cpus, Some(500_000_000));
    let labels = found.config.unwrap().labels.unwrap();
    for (name, value) in [
        ("app", machine.environment.app.as_str()),
        ("environment", "test"),
        ("deployment", &request.deployment.to_string()),
        ("role", "instance"),
        ("process", "web"),
        ("number", "2"),
        ("port", "8000"),
        ("commit", fixture.build.key.commit.as_str()),
    ] {
        assert_eq!(labels[&format!("shipway.{name}")], value, "{name}");
    }
    machine.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_gone_is_an_error() {
    let Some(machine) = Machine::new("gone").await else {
        return;
    };
    let fixture = machine.fixture(WEB).await;
    let mut request = request(&fixture, deployment(), fixture.web_process(), 1);
    request.image.reference = format!("sha256:{}", "0".repeat(64));
    let error = machine.runtime.start(&request).await.unwrap_err();
    assert!(matches!(error, RuntimeError::Other { .. }), "{error}");
    assert_eq!(error.to_string(), "could not create web.1");
    machine.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_ran_long_enough_is_started_again() {
    let config = DockerConfig {
        proven: Duration::from_millis(500),
        ..DockerConfig::default()
    };
    let Some(machine) = Machine::with("proven", config).await else {
        return;
    };
    let image = machine.fixture("true").await.image;
    let (_, instance) = started(&machine, &image, Some("echo up; sleep 2; exit 3")).await;
    eventually("it came up again", || async {
        let lines = machine.runtime.last_lines(&instance, 5).await.unwrap();
        lines.len() > 1
    })
    .await;
    machine.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_of_an_engine_before_is_supervised_too() {
    let config = DockerConfig {
        proven: Duration::from_millis(500),
        ..DockerConfig::default()
    };
    let (Some(before), Some(after)) = (
        Machine::new("before").await,
        Machine::with("after", config).await,
    ) else {
        return;
    };
    let image = before.fixture("true").await.image;
    let (_, instance) = started(&before, &image, Some("sleep 600")).await;
    eventually("it is supervised", || async {
        let listed = after.runtime.instances(&before.environment).await.unwrap();
        assert_eq!(listed.len(), 1);
        let found = before.docker.inspect_container(&instance.id, None);
        let policy = found.await.unwrap().host_config.unwrap().restart_policy;
        policy.unwrap().name == Some(RestartPolicyNameEnum::UNLESS_STOPPED)
    })
    .await;
    before.clean().await;
}

const SHELL_LESS: &str = "FROM shipway-test/static:1 AS base\nFROM scratch\n\
     COPY --from=base /bin/busybox /tools/echo\n\
     COPY --from=base /bin/busybox /tools/sleep\n\
     ENV PATH=/tools\nCMD [\"/tools/sleep\", \"600\"]\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_command_runs_inside_an_image_without_a_shell() {
    let Some(machine) = Machine::new("exec").await else {
        return;
    };
    let fixture = machine.fixture_from(SHELL_LESS, "true").await;
    let (deployment, instance) = started(&machine, &fixture.image, None).await;
    let run = async |words: &[&str]| {
        let request = ExecRequest {
            deployment,
            instance: instance.clone(),
            image: fixture.image.clone(),
            argv: words.iter().map(|&word| word.to_owned()).collect(),
            variables: Vec::new(),
            timeout: Duration::from_secs(1),
            limit: 1000,
        };
        machine.runtime.exec(&request).await
    };
    let output = run(&["echo", "one", "$TWO"]).await.unwrap();
    assert_eq!(output.stdout, b"one $TWO\n");
    assert_eq!(output.exit_code, 0);

    let output = run(&["nothing"]).await.unwrap();
    assert_eq!((output.exit_code, output.stdout), (127, Vec::new()));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("nothing"), "{said}");

    let began = Instant::now();
    let error = run(&["sleep", "600"]).await.unwrap_err();
    assert!(matches!(error, RuntimeError::Timeout { .. }), "{error}");
    assert!(began.elapsed() < Duration::from_secs(10));
    machine.runtime.clean_up(deployment).await.unwrap();
    machine.clean().await;
}
