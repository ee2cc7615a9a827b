//! When the engine may start an instance again that has exited.
//!
//! Not while a deployment watches it: there an exit must be seen as an exit. So
//! a container begins without a restart policy and gets `unless-stopped` when
//! it has run for [`DockerConfig::proven`]. This process need not live
//! so long: whoever lists the instances later does it for those that are due.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bollard::Docker;
use bollard::errors::Error;
use bollard::models::{
    ContainerSummary, ContainerSummaryStateEnum, ContainerUpdateBody, RestartPolicy,
    RestartPolicyNameEnum,
};
use shipway_core::ports::runtime::RuntimeError;

#[cfg(doc)]
use super::DockerConfig;
use super::engine::{CALL, Engine};
use super::failure::{is_gone, message, within};

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
    let policy = RestartPolicy {
        name: Some(RestartPolicyNameEnum::UNLESS_STOPPED),
        maximum_retry_count: None,
    };
    let update = ContainerUpdateBody {
        restart_policy: Some(policy),
        ..ContainerUpdateBody::default()
    };
    docker.update_container(id, update).await
}
