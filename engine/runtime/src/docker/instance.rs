//! Instances: a container each, found again by their labels.
//!
//! A process type's command runs under `/bin/sh` without the image's
//! entrypoint; without a command the image's own runs, as `docker run` would,
//! and is stopped with the image's own signal where it names one.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::models::{
    ContainerCreateBody, ContainerState, ContainerStateStatusEnum, ContainerSummary,
    HealthStatusEnum, HostConfig, PortBinding,
};
use bollard::query_parameters::{
    ListContainersOptionsBuilder, LogsOptionsBuilder, StopContainerOptionsBuilder,
};
use futures::StreamExt;
use shipway_core::environment::{EnvironmentKey, RuntimeKind};
use shipway_core::journal::{Exit, Instance};
use shipway_core::ports::runtime::{
    ImageHealth, InstanceStatus, Owned, RuntimeError, StartRequest,
};

use super::Reach;
use super::container::{self, Kept, OutOfMemory, Spec, Start, exit_of};
use super::driver;
use super::engine::{CALL, Engine};
use super::failure::{cannot_execute, explain, is_conflict, is_gone, message, within};
use super::label::{self, APP, DEPLOYMENT, ENVIRONMENT, NUMBER, PORT, PREFIX, PROCESS, Role};
use super::supervise;
use crate::lines::Lines;

/// Nobody reads more.
const MOST_LINES: usize = 10_000;

pub async fn start(engine: &Engine, request: &StartRequest) -> Result<Instance, RuntimeError> {
    let docker = engine.docker().await?;
    let name = name(request);
    let body = body(engine, request).await?;
    let id = match container::create(docker, &name, body).await {
        Ok(id) => {
            run(docker, &id, request).await?;
            id
        }
        // An engine before us, or this one, began it already.
        Err(error) if is_conflict(&error) => resume(engine, &name, request).await?,
        Err(error) => return Err(explain(format!("create {}", who(request)), CALL, error)),
    };
    supervise::later(docker, &id, engine.config.proven);
    let address = address(engine, &id).await?;
    Ok(Instance {
        id,
        process: request.process.name.clone(),
        address,
    })
}

pub async fn status(engine: &Engine, instance: &Instance) -> Result<InstanceStatus, RuntimeError> {
    let docker = engine.docker().await?;
    match within(CALL, docker.inspect_container(&instance.id, None)).await {
        Ok(found) => Ok(found.state.map_or(InstanceStatus::Gone, |s| condition(&s))),
        Err(error) if is_gone(&error) => Ok(InstanceStatus::Gone),
        Err(error) => Err(explain("look at an instance", CALL, error)),
    }
}

/// An instance that is gone has said nothing.
pub async fn last_lines(
    engine: &Engine,
    instance: &Instance,
    count: usize,
) -> Result<Vec<String>, RuntimeError> {
    let docker = engine.docker().await?;
    match within(CALL, read_log(docker, &instance.id, count.min(MOST_LINES))).await {
        Ok(mut lines) => Ok(lines.split_off(lines.len().saturating_sub(count))),
        Err(error) if is_gone(&error) => Ok(Vec::new()),
        Err(error) => Err(explain("read an instance's log", CALL, error)),
    }
}

/// Stops it and removes its container. One that does not answer in its grace
/// is killed by the engine, and if the engine cannot, the removal tries again.
pub async fn stop(
    engine: &Engine,
    instance: &Instance,
    grace: Duration,
) -> Result<(), RuntimeError> {
    let seconds = grace.as_secs() + u64::from(grace.subsec_nanos() > 0);
    let options = StopContainerOptionsBuilder::default()
        .t(i32::try_from(seconds).unwrap_or(i32::MAX))
        .build();
    let limit = Duration::from_secs(seconds) + CALL;
    let docker = engine.patient(limit).await?;
    let stopping = docker.stop_container(&instance.id, Some(options));
    if let Err(error) = within(limit, stopping).await
        && !is_gone(&error)
    {
        tracing::warn!(
            instance = instance.id,
            error = message(&error),
            "killing an instance"
        );
    }
    engine.forget(&instance.id);
    container::remove(&docker, &instance.id).await
}

pub async fn list(engine: &Engine, key: &EnvironmentKey) -> Result<Vec<Owned>, RuntimeError> {
    let labels = [
        (APP, key.app.as_str()),
        (ENVIRONMENT, key.environment.as_str()),
    ];
    let found = container::list(engine, &labels, &[Role::Instance]).await?;
    supervise::old_enough(engine, &found).await?;
    let reach = engine.reach().await?;
    Ok(found
        .iter()
        .filter_map(|container| owned(engine, container, reach))
        .collect())
}

async fn body(
    engine: &Engine,
    request: &StartRequest,
) -> Result<ContainerCreateBody, RuntimeError> {
    let process = &request.process;
    let mut labels = label::labels(Role::Instance, &request.environment, request.deployment);
    labels.insert(PROCESS.into(), process.name.to_string());
    labels.insert(NUMBER.into(), request.number.to_string());
    labels.extend(process.port.map(|port| (PORT.into(), port.to_string())));
    let spec = Spec {
        image: request.image.reference.clone(),
        labels,
        env: container::env(&request.variables, &request.volumes, process.port),
        start: match &process.command {
            Some(command) => Start::Bypass(driver::instance(command)),
            None => Start::Image,
        },
        limits: request.limits,
        network: engine.config.network.clone(),
        mounts: container::mounts(&request.environment, &request.volumes),
        log: Kept::End,
    };
    let mut body = spec.body();
    body.stop_signal = process.command.as_ref().map(|_| "SIGTERM".into());
    if let (Some(port), Reach::Published) = (process.port, engine.reach().await?) {
        publish(&mut body, port);
    }
    Ok(body)
}

/// Gives the port a free one on this machine's loopback.
fn publish(body: &mut ContainerCreateBody, port: u16) {
    let port = format!("{port}/tcp");
    let binding = PortBinding {
        host_ip: Some(Ipv4Addr::LOCALHOST.to_string()),
        host_port: None,
    };
    body.exposed_ports = Some(vec![port.clone()]);
    let host = body.host_config.get_or_insert_with(HostConfig::default);
    host.port_bindings = Some(HashMap::from([(port, Some(vec![binding]))]));
}

/// Starts a container that was created; one that cannot start is removed.
async fn run(docker: &Docker, id: &str, request: &StartRequest) -> Result<(), RuntimeError> {
    let Err(error) = within(CALL, docker.start_container(id, None)).await else {
        return Ok(());
    };
    container::remove(docker, id).await?;
    if cannot_execute(&error) && request.process.command.is_some() {
        return Err(RuntimeError::Unsupported {
            kind: RuntimeKind::Docker,
            what: format!(
                "the command of {} needs /bin/sh, and the image has none; leave the command out and let the image's own run",
                who(request)
            ),
        });
    }
    Err(explain(format!("start {}", who(request)), CALL, error))
}

/// The container that has the name already, started if it never was.
async fn resume(
    engine: &Engine,
    name: &str,
    request: &StartRequest,
) -> Result<String, RuntimeError> {
    let docker = engine.docker().await?;
    let what = format!("look at {}", who(request));
    let found = engine
        .call(&what, docker.inspect_container(name, None))
        .await?;
    let labels = found.config.and_then(|config| config.labels);
    let deployment = labels.and_then(|mut labels| labels.remove(DEPLOYMENT));
    if deployment != Some(request.deployment.to_string()) {
        return Err(RuntimeError::Other {
            what: format!("create {}", who(request)),
            source: format!("a container that is not of this deployment is called {name}").into(),
        });
    }
    let id = found.id.unwrap_or_else(|| name.to_owned());
    let status = found.state.and_then(|state| state.status);
    if status == Some(ContainerStateStatusEnum::CREATED) {
        run(docker, &id, request).await?;
    }
    Ok(id)
}

fn name(request: &StartRequest) -> String {
    format!(
        "{PREFIX}{}-{}-{}-{}-{}",
        request.environment.app,
        request.environment.environment,
        request.process.name,
        request.number,
        label::short(request.deployment)
    )
}

/// For messages: `web.1`.
fn who(request: &StartRequest) -> String {
    format!("{}.{}", request.process.name, request.number)
}

async fn address(engine: &Engine, id: &str) -> Result<Option<SocketAddr>, RuntimeError> {
    let docker = engine.docker().await?;
    let options = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&HashMap::from([("id", vec![id])]))
        .build();
    let found = engine
        .call("look at an instance", docker.list_containers(Some(options)))
        .await?;
    let reach = engine.reach().await?;
    Ok(found
        .first()
        .and_then(|container| known_address(engine, container, reach)))
}

fn owned(engine: &Engine, container: &ContainerSummary, reach: Reach) -> Option<Owned> {
    let labels = container.labels.as_ref()?;
    let instance = Instance {
        id: container.id.clone()?,
        process: labels.get(PROCESS)?.parse().ok()?,
        address: known_address(engine, container, reach),
    };
    Some(Owned {
        deployment: labels.get(DEPLOYMENT)?.parse().ok()?,
        instance,
    })
}

/// A container that has exited has no address any more; what it had is kept.
fn known_address(
    engine: &Engine,
    container: &ContainerSummary,
    reach: Reach,
) -> Option<SocketAddr> {
    let id = container.id.as_deref()?;
    match current_address(container, reach) {
        Some(address) => {
            engine.remember(id, address);
            Some(address)
        }
        None => engine.remembered(id),
    }
}

fn current_address(container: &ContainerSummary, reach: Reach) -> Option<SocketAddr> {
    let port: u16 = container.labels.as_ref()?.get(PORT)?.parse().ok()?;
    if reach == Reach::Published {
        let published = container
            .ports
            .iter()
            .flatten()
            .find(|published| published.private_port == port)?;
        return Some((Ipv4Addr::LOCALHOST, published.public_port?).into());
    }
    let networks = container.network_settings.as_ref()?.networks.as_ref()?;
    let address: IpAddr = networks
        .values()
        .filter_map(|network| network.ip_address.as_deref())
        .find_map(|address| address.parse().ok())?;
    Some((address, port).into())
}

pub fn condition(state: &ContainerState) -> InstanceStatus {
    use ContainerStateStatusEnum as Status;
    match state.status {
        Some(Status::RUNNING | Status::PAUSED | Status::STOPPING) => {
            InstanceStatus::Running(health(state))
        }
        Some(Status::CREATED) => InstanceStatus::Exited(Exit::NotStarted),
        Some(Status::RESTARTING | Status::EXITED | Status::DEAD | Status::REMOVING) => {
            let out_of_memory = match state.oom_killed {
                Some(true) => OutOfMemory::Yes,
                _ => OutOfMemory::No,
            };
            let status = state.exit_code.unwrap_or(-1);
            InstanceStatus::Exited(exit_of(status, out_of_memory))
        }
        Some(Status::EMPTY) | None => InstanceStatus::Gone,
    }
}

fn health(state: &ContainerState) -> ImageHealth {
    match state.health.as_ref().and_then(|health| health.status) {
        Some(HealthStatusEnum::STARTING) => ImageHealth::Starting,
        Some(HealthStatusEnum::HEALTHY) => ImageHealth::Healthy,
        Some(HealthStatusEnum::UNHEALTHY) => ImageHealth::Unhealthy,
        Some(HealthStatusEnum::NONE | HealthStatusEnum::EMPTY) | None => ImageHealth::None,
    }
}

async fn read_log(docker: &Docker, id: &str, count: usize) -> Result<Vec<String>, Error> {
    let options = LogsOptionsBuilder::default()
        .stdout(true)
        .stderr(true)
        .tail(&count.to_string())
        .build();
    let mut log = docker.logs(id, Some(options));
    let (mut stdout, mut stderr) = (Lines::default(), Lines::default());
    let mut said = Vec::new();
    let mut say = |line: &str, _| said.push(line.to_owned());
    while let Some(entry) = log.next().await {
        let entry = entry?;
        let lines = match entry {
            LogOutput::StdErr { .. } => &mut stderr,
            _ => &mut stdout,
        };
        lines.push(entry.as_ref(), &mut say);
    }
    stdout.finish(&mut say);
    stderr.finish(&mut say);
    Ok(said)
}
