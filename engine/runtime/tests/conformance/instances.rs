//! Instances: started, found again, stopped.

use std::net::SocketAddr;
use std::time::Duration;

use shipway_core::journal::{Exit, Instance};
use shipway_core::name::DeploymentId;
use shipway_core::ports::runtime::{InstanceStatus, Owned, StartRequest};
use shipway_core::process::Process;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::exec::exec;
use super::{Fixture, eventually, variables};

const GRACE: Duration = Duration::from_secs(5);

pub async fn every_case(fixture: &Fixture) {
    instances_start_answer_and_stop(fixture).await;
    a_repeated_start_gives_the_same_instance(fixture).await;
    an_early_exit_is_seen(fixture).await;
    an_instance_gets_its_variables(fixture).await;
    a_process_without_a_port_has_no_address(fixture).await;
    cleaning_up_removes_all_of_one_deployment(fixture).await;
    what_is_proven_is_started_again(fixture).await;
    what_ends_before_it_is_proven_stays_ended(fixture).await;
}

pub fn request(
    fixture: &Fixture,
    deployment: DeploymentId,
    process: Process,
    number: u32,
) -> StartRequest {
    StartRequest {
        environment: fixture.build.environment.clone(),
        deployment,
        image: fixture.image.clone(),
        process,
        number,
        variables: variables(&[]),
        limits: Default::default(),
        volumes: Vec::new(),
    }
}

pub async fn instances_start_answer_and_stop(fixture: &Fixture) {
    let deployment = fixture.deployment();
    let mut started = Vec::new();
    for number in 1..=3 {
        let request = request(fixture, deployment, fixture.web_process(), number);
        started.push(fixture.runtime.start(&request).await.unwrap());
    }
    for instance in &started {
        let address = instance.address.expect("a web instance has an address");
        eventually("an answer", || answers(address)).await;
        assert!(matches!(
            fixture.runtime.status(instance).await.unwrap(),
            InstanceStatus::Running(_)
        ));
    }
    assert_eq!(found(fixture, deployment).await, sorted(&started));

    for instance in &started {
        fixture.runtime.stop(instance, GRACE).await.unwrap();
        fixture.runtime.stop(instance, GRACE).await.unwrap();
        assert_eq!(
            fixture.runtime.status(instance).await.unwrap(),
            InstanceStatus::Gone
        );
        assert!(!answers(instance.address.unwrap()).await);
    }
    assert_eq!(found(fixture, deployment).await, []);
}

pub async fn a_repeated_start_gives_the_same_instance(fixture: &Fixture) {
    let deployment = fixture.deployment();
    let request = request(fixture, deployment, fixture.web_process(), 1);
    let first = fixture.runtime.start(&request).await.unwrap();
    let again = fixture.runtime.start(&request).await.unwrap();
    assert_eq!(first.id, again.id);
    assert_eq!(found(fixture, deployment).await.len(), 1);
    fixture.runtime.clean_up(deployment).await.unwrap();
}

pub async fn an_early_exit_is_seen(fixture: &Fixture) {
    let deployment = fixture.deployment();
    let process = fixture.process(
        "web",
        "echo going; echo wrong >&2; exit 3",
        Some(fixture.port),
    );
    let instance = fixture
        .runtime
        .start(&request(fixture, deployment, process, 1))
        .await
        .unwrap();
    let exited = InstanceStatus::Exited(Exit::Code { code: 3 });
    eventually("the exit is seen", || async {
        fixture.runtime.status(&instance).await.unwrap() == exited
    })
    .await;
    let mut lines = fixture.runtime.last_lines(&instance, 10).await.unwrap();
    lines.sort();
    assert_eq!(lines, ["going", "wrong"]);
    assert_eq!(found(fixture, deployment).await, [instance]);
    fixture.runtime.clean_up(deployment).await.unwrap();
    assert_eq!(found(fixture, deployment).await, []);
}

pub async fn an_instance_gets_its_variables(fixture: &Fixture) {
    let deployment = fixture.deployment();
    let process = fixture.process("worker", "echo \"$GREETING, $PORT.\"; sleep 600", None);
    let mut request = request(fixture, deployment, process, 1);
    request.variables = variables(&[("GREETING", "hello 'you'")]);
    let instance = fixture.runtime.start(&request).await.unwrap();
    eventually("the greeting", || async {
        let lines = fixture.runtime.last_lines(&instance, 1).await.unwrap();
        lines.first().is_some_and(|line| line == "hello 'you', .")
    })
    .await;
    fixture.runtime.clean_up(deployment).await.unwrap();
}

pub async fn a_process_without_a_port_has_no_address(fixture: &Fixture) {
    let deployment = fixture.deployment();
    let process = fixture.process("worker", "sleep 600", None);
    let instance = fixture
        .runtime
        .start(&request(fixture, deployment, process, 1))
        .await
        .unwrap();
    assert_eq!(instance.address, None);
    fixture.runtime.stop(&instance, GRACE).await.unwrap();
}

pub async fn cleaning_up_removes_all_of_one_deployment(fixture: &Fixture) {
    let (ours, other) = (fixture.deployment(), fixture.deployment());
    let worker = || fixture.process("worker", "sleep 600", None);
    for number in 1..=2 {
        let request = request(fixture, ours, worker(), number);
        fixture.runtime.start(&request).await.unwrap();
    }
    let kept = fixture
        .runtime
        .start(&request(fixture, other, worker(), 1))
        .await
        .unwrap();
    fixture.runtime.clean_up(ours).await.unwrap();
    fixture.runtime.clean_up(ours).await.unwrap();
    assert_eq!(found(fixture, ours).await, []);
    assert!(matches!(
        fixture.runtime.status(&kept).await.unwrap(),
        InstanceStatus::Running(_)
    ));
    fixture.runtime.clean_up(other).await.unwrap();
    assert!(
        fixture
            .runtime
            .find_image(&fixture.build.key)
            .await
            .unwrap()
            .is_some()
    );
}

/// From the very moment that the runtime was told.
pub async fn what_is_proven_is_started_again(fixture: &Fixture) {
    let command = "echo up; cd \"${TMPDIR:-/tmp}\"; \
         while ! test -e end; do sleep 0.05; done; rm end; exit 3";
    let process = fixture.process("worker", command, None);
    let request = request(fixture, fixture.deployment(), process, 1);
    let instance = fixture.runtime.start(&request).await.unwrap();
    fixture.runtime.proven(&instance).await.unwrap();
    fixture.runtime.proven(&instance).await.unwrap();
    let end = exec(
        fixture,
        &request,
        &instance,
        "touch \"${TMPDIR:-/tmp}/end\"",
    );
    fixture.runtime.exec(&end).await.unwrap();
    eventually("it came up again", || async {
        let lines = fixture.runtime.last_lines(&instance, 9).await.unwrap();
        lines.iter().filter(|line| *line == "up").count() == 2
    })
    .await;
    fixture.runtime.stop(&instance, GRACE).await.unwrap();
    assert_eq!(found(fixture, request.deployment).await, []);
    let error = fixture.runtime.proven(&instance).await.unwrap_err();
    assert!(error.to_string().contains("worker instance"), "{error}");
}

/// And whoever says too late that it is proven hears of it.
pub async fn what_ends_before_it_is_proven_stays_ended(fixture: &Fixture) {
    let process = fixture.process("worker", "echo up; exit 3", None);
    let request = request(fixture, fixture.deployment(), process, 1);
    let instance = fixture.runtime.start(&request).await.unwrap();
    let exited = InstanceStatus::Exited(Exit::Code { code: 3 });
    eventually("the exit is seen", || async {
        fixture.runtime.status(&instance).await.unwrap() == exited
    })
    .await;
    let error = fixture.runtime.proven(&instance).await.unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("just after it was healthy"), "{cause}");
    assert_eq!(fixture.runtime.status(&instance).await.unwrap(), exited);
    fixture.runtime.clean_up(request.deployment).await.unwrap();
}

/// What the runtime finds of a deployment, by id.
pub async fn found(fixture: &Fixture, deployment: DeploymentId) -> Vec<Instance> {
    let all = fixture
        .runtime
        .instances(&fixture.build.environment)
        .await
        .unwrap();
    let ours = |owned: Owned| (owned.deployment == deployment).then_some(owned.instance);
    sorted(&all.into_iter().filter_map(ours).collect::<Vec<_>>())
}

fn sorted(instances: &[Instance]) -> Vec<Instance> {
    let mut instances = instances.to_vec();
    instances.sort_by(|a, b| a.id.cmp(&b.id));
    instances
}

/// Whether it answers `GET /` with 200.
pub async fn answers(address: SocketAddr) -> bool {
    let asking = async {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET / HTTP/1.0\r\nHost: {address}\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).await?;
        std::io::Result::Ok(answer.ends_with(b" 200"))
    };
    tokio::time::timeout(Duration::from_secs(2), asking)
        .await
        .is_ok_and(|answer| answer.unwrap_or(false))
}
