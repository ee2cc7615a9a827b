//! When the engine may start an instance again that has exited.
//!
//! Not while a deployment watches it: there an exit must be seen as an exit. So
//! a container begins without a restart policy and gets `unless-stopped` when
//! it is proven. Where an engine ended before it could say so, an instance that
//! has run for [`DockerConfig::proven`] is proven by that: whoever lists the
//! instances later does it for those that are due.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{
    ContainerSummary, ContainerSummaryStateEnum, ContainerUpdateBody, RestartPolicy,
    RestartPolicyNameEnum,
};
use shipway_core::journal::Instance;
use shipway_core::ports::runtime::{InstanceStatus, RuntimeError};

#[cfg(doc)]
use super::DockerConfig;
use super::engine::{CALL, Engine};
use super::failure::{explain, is_gone, message, within};
use super::instance::condition;

/// Supervises an instance that was found healthy. What has ended before is an
/// error: nothing would start it again.
pub async fn now(engine: &Engine, instance: &Instance) -> Result<(), RuntimeError> {
    let docker = engine.docker().await?;
    let what = format!("let the {} instance be started again", instance.process);
    within(CALL, docker.update_container(&instance.id, policy()))
        .await
        .map_err(|error| explain(&what, CALL, error))?;
    // Looked at last: one that ends after it has its policy is restarting.
    let found = within(CALL, docker.inspect_container(&instance.id, None))
        .await
        .map_err(|error| explain(&what, CALL, error))?;
    let state = found.state.unwrap_or_default();
    if state.running == Some(true) || state.restarting == Some(true) {
        return Ok(());
    }
    let ending = match condition(&state) {
        InstanceStatus::Exited(exit) => format!("it {exit} just after it was healthy"),
        _ => "it disappeared just after it was healthy".to_owned(),
    };
    Err(RuntimeError::Other {
        what,
        source: ending.into(),
    })
}

/// Supervises an instance from the moment it is proven, if it still runs.
pub fn later(docker: &Docker, id: &str, proven: Duration) {
    let (docker, id) = (docker.clone(), id.to_owned());
    tokio::spawn(async move {
        tokio::time::sleep(proven).await;
        supervise(&docker, &id).await;
    });
}

/// Supervises those that are proven already; once each for this process.
pub async fn old_enough(
    engine: &Engine,
    containers: &[ContainerSummary],
) -> Result<(), RuntimeError> {
    let docker = engine.docker().await?;
    let due = containers
        .iter()
        .filter(|container| is_proven(container, engine.config.proven))
        .filter_map(|container| container.id.as_deref())
        .filter(|id| engine.first_time(id))
        .map(|id| supervise(docker, id));
    futures::future::join_all(due).await;
    Ok(())
}

fn is_proven(container: &ContainerSummary, proven: Duration) -> bool {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let created = u64::try_from(container.created.unwrap_or_default()).unwrap_or_default();
    container.state == Some(ContainerSummaryStateEnum::RUNNING)
        && now.saturating_sub(Duration::from_secs(created)) > proven
}

async fn supervise(docker: &Docker, id: &str) {
    match within(CALL, set_policy(docker, id)).await {
        Ok(()) => {}
        Err(error) if is_gone(&error) => {}
        // It serves all the same; a crash would end it, though.
        Err(error) => tracing::warn!(
            instance = id,
            error = message(&error),
            "an instance is not restarted should it exit"
        ),
    }
}

async fn set_policy(docker: &Docker, id: &str) -> Result<(), Error> {
    let found = docker.inspect_container(id, None).await?;
    if found.state.and_then(|state| state.running) != Some(true) {
        return Ok(());
    }
    docker.update_container(id, policy()).await
}

fn policy() -> ContainerUpdateBody {
    ContainerUpdateBody {
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::UNLESS_STOPPED),
            maximum_retry_count: None,
        }),
        ..ContainerUpdateBody::default()
    }
}
