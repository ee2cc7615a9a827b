//! What all of our containers have in common: how they are described, created
//! and removed.

use std::collections::HashMap;

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{
    ContainerCreateBody, ContainerSummary, HealthConfig, HostConfig, HostConfigLogConfig, Mount,
    MountType, MountVolumeOptions,
};
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, ListContainersOptionsBuilder, RemoveContainerOptionsBuilder,
};
use shipway_core::environment::{EnvironmentKey, Limits, Volume};
use shipway_core::journal::Exit;
use shipway_core::name::DeploymentId;
use shipway_core::ports::runtime::{RuntimeError, Variables};

use super::engine::{CALL, Engine};
use super::failure::{explain, is_conflict, is_gone, within};
use super::label::{self, APP, DEPLOYMENT, ENVIRONMENT, Labels, PREFIX, Role};

/// More than any app has needed; a fork bomb ends here.
const MOST_PROCESSES: i64 = 4096;

/// A container to be.
pub struct Spec {
    pub image: String,
    pub labels: Labels,
    pub env: Vec<String>,
    pub start: Start,
    pub limits: Limits,
    /// `None` is the engine's default bridge.
    pub network: Option<String>,
    pub mounts: Vec<Mount>,
    pub log: Kept,
}

/// What the engine keeps of a container's output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// The last 30 MiB.
    End,
    /// All of it, byte for byte, up to 1 GiB.
    Whole,
}

pub enum Start {
    /// The image's own command.
    Image,
    /// These words after the image's entrypoint.
    Keep(Vec<String>),
    /// These words and nothing before them.
    Bypass(Vec<String>),
}

impl Spec {
    pub fn body(self) -> ContainerCreateBody {
        // Our scripts must be the first process, whatever the engine's default;
        // an image's own entrypoint may need to be or need not.
        let init = matches!(self.start, Start::Bypass(_)).then_some(false);
        let (entrypoint, cmd) = match self.start {
            Start::Image => (None, None),
            Start::Keep(words) => (None, Some(words)),
            Start::Bypass(words) => {
                let mut words = words.into_iter();
                (
                    Some(words.by_ref().take(1).collect()),
                    Some(words.collect()),
                )
            }
        };
        ContainerCreateBody {
            image: Some(self.image),
            labels: Some(self.labels),
            env: Some(self.env),
            entrypoint,
            cmd,
            tty: Some(false),
            host_config: Some(HostConfig {
                init,
                network_mode: self.network,
                mounts: Some(self.mounts),
                ..host_config(self.limits, self.log)
            }),
            ..ContainerCreateBody::default()
        }
    }
}

fn host_config(limits: Limits, log: Kept) -> HostConfig {
    let memory = limits.memory_mib.map(|mib| i64::from(mib) * 1024 * 1024);
    HostConfig {
        memory,
        // The same as the memory: no swap on top of it.
        memory_swap: memory,
        nano_cpus: limits
            .cpu_millis
            .map(|millis| i64::from(millis) * 1_000_000),
        pids_limit: Some(MOST_PROCESSES),
        log_config: Some(log_config(log)),
        ..HostConfig::default()
    }
}

/// The `json-file` driver writes what is no UTF-8 as something else, so it
/// would not give the same lines again.
fn log_config(kept: Kept) -> HostConfigLogConfig {
    let (driver, size, files) = match kept {
        Kept::End => ("json-file", "10m", "3"),
        Kept::Whole => ("local", "512m", "2"),
    };
    let options = [
        ("max-size", size),
        ("max-file", files),
        ("compress", "false"),
    ];
    HostConfigLogConfig {
        typ: Some(driver.into()),
        config: Some(
            options
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        ),
    }
}

/// For containers that run one thing and go: the image's own check has no
/// business there.
pub fn no_health_check() -> HealthConfig {
    HealthConfig {
        test: Some(vec!["NONE".into()]),
        ..HealthConfig::default()
    }
}

/// The variables as the engine takes them, where the volumes are, and `PORT`,
/// which is the runtime's to tell.
pub fn env(variables: &Variables, volumes: &[Volume], port: Option<u16>) -> Vec<String> {
    let mut env: Vec<String> = variables
        .iter()
        .filter(|(name, _)| port.is_none() || name != "PORT")
        .map(|(name, value)| format!("{name}={}", value.reveal()))
        .collect();
    let told = |volume: &Volume| format!("{}={}", volume.variable(), volume.path);
    env.extend(volumes.iter().map(told));
    env.extend(port.map(|port| format!("PORT={port}")));
    env
}

/// The environment's named volumes, which outlive every deployment; the engine
/// makes those that are not there.
pub fn mounts(environment: &EnvironmentKey, volumes: &[Volume]) -> Vec<Mount> {
    let labels = HashMap::from([
        (APP.to_owned(), environment.app.to_string()),
        (ENVIRONMENT.to_owned(), environment.environment.to_string()),
    ]);
    let mount = |volume: &Volume| Mount {
        typ: Some(MountType::VOLUME),
        // No part of it may hold an underscore, so no two names meet.
        source: Some(format!(
            "{PREFIX}{}_{}_{}",
            environment.app, environment.environment, volume.name
        )),
        target: Some(volume.path.clone()),
        volume_options: Some(MountVolumeOptions {
            labels: Some(labels.clone()),
            ..MountVolumeOptions::default()
        }),
        ..Mount::default()
    };
    volumes.iter().map(mount).collect()
}

/// Creates a container and gives its id.
pub async fn create(
    docker: &Docker,
    name: &str,
    body: ContainerCreateBody,
) -> Result<String, Error> {
    let options = CreateContainerOptionsBuilder::default().name(name).build();
    let created = within(CALL, docker.create_container(Some(options), body)).await?;
    Ok(created.id)
}

/// Kills it if it runs and removes it with its unnamed volumes. One that is
/// gone is removed.
pub async fn remove(docker: &Docker, id: &str) -> Result<(), RuntimeError> {
    let options = RemoveContainerOptionsBuilder::default()
        .force(true)
        .v(true)
        .build();
    match within(CALL, docker.remove_container(id, Some(options))).await {
        Ok(()) => Ok(()),
        // A conflict: somebody else is removing it.
        Err(error) if is_gone(&error) || is_conflict(&error) => Ok(()),
        Err(error) => Err(explain("remove a container", CALL, error)),
    }
}

/// Our containers with these labels, running or not.
pub async fn list(
    engine: &Engine,
    labels: &[(&str, &str)],
    roles: &[Role],
) -> Result<Vec<ContainerSummary>, RuntimeError> {
    let docker = engine.docker().await?;
    let options = ListContainersOptionsBuilder::default()
        .all(true)
        .filters(&label::filter(labels))
        .build();
    let mut found = engine
        .call("list the containers", docker.list_containers(Some(options)))
        .await?;
    found.retain(|container| label::is_ours(container, roles));
    Ok(found)
}

pub async fn remove_all_of(engine: &Engine, deployment: DeploymentId) -> Result<(), RuntimeError> {
    remove_roles(engine, deployment, &Role::CONTAINERS).await
}

pub async fn remove_roles(
    engine: &Engine,
    deployment: DeploymentId,
    roles: &[Role],
) -> Result<(), RuntimeError> {
    let deployment = deployment.to_string();
    remove_labelled(engine, &[(DEPLOYMENT, &deployment)], roles).await
}

/// Removes our containers with these labels, at once; each is tried before a
/// failure is told.
pub async fn remove_labelled(
    engine: &Engine,
    labels: &[(&str, &str)],
    roles: &[Role],
) -> Result<(), RuntimeError> {
    let found = list(engine, labels, roles).await?;
    let docker = engine.docker().await?;
    let removals = found
        .iter()
        .filter_map(|container| container.id.as_deref())
        .inspect(|id| engine.forget(id))
        .map(|id| remove(docker, id));
    futures::future::join_all(removals)
        .await
        .into_iter()
        .collect()
}

/// How a program ended, from the status that a shell or the engine gives. A
/// status above 128 is a signal, except that one for want of memory stays a
/// status, which says so to people.
pub fn exit_of(status: i64, out_of_memory: OutOfMemory) -> Exit {
    match (status, out_of_memory) {
        (137, OutOfMemory::No) => Exit::Signal { signal: 9 },
        (143, _) => Exit::Signal { signal: 15 },
        (139, _) => Exit::Signal { signal: 11 },
        (134, _) => Exit::Signal { signal: 6 },
        _ => Exit::Code {
            code: i32::try_from(status).unwrap_or(-1),
        },
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutOfMemory {
    Yes,
    No,
}

#[cfg(test)]
mod tests {
    use shipway_core::secret::Secret;

    use super::*;

    #[test]
    fn the_port_is_told_once() {
        let variables = vec![
            ("A".to_owned(), Secret::new("two\nlines = x")),
            ("PORT".to_owned(), Secret::new("1")),
        ];
        assert_eq!(
            env(&variables, &[], Some(8000)),
            ["A=two\nlines = x", "PORT=8000"]
        );
        assert_eq!(env(&variables, &[], None), ["A=two\nlines = x", "PORT=1"]);
    }

    #[test]
    fn limits_become_the_engines() {
        let limits = Limits {
            memory_mib: Some(64),
            cpu_millis: Some(250),
        };
        let config = host_config(limits, Kept::End);
        assert_eq!(config.memory, Some(67_108_864));
        assert_eq!(config.memory_swap, config.memory);
        assert_eq!(config.nano_cpus, Some(250_000_000));
    }
}
