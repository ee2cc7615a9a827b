//! What a failed deployment has made, ended and kept for a look inside.

use bollard::models::{ContainerSummary, ContainerSummaryStateEnum};
use bollard::query_parameters::StopContainerOptionsBuilder;
use futures::future::try_join_all;
use shipway_core::name::DeploymentId;
use shipway_core::ports::runtime::{Kept, RuntimeError};

use super::container;
use super::engine::{CALL, Engine};
use super::failure::{explain, is_gone, within};
use super::label::{DEPLOYMENT, NUMBER, PROCESS, RUN, Role};

/// Instances are stopped; a release container that has not ended is not one
/// that failed, and goes.
pub async fn set_aside(
    engine: &Engine,
    deployment: DeploymentId,
) -> Result<Vec<Kept>, RuntimeError> {
    let id = deployment.to_string();
    let labels = [(DEPLOYMENT, id.as_str())];
    container::remove_labelled(engine, &labels, &[Role::Probe]).await?;
    let runs = container::list(engine, &labels, &[Role::Commands]).await?;
    let (ended, others): (Vec<_>, Vec<_>) = runs.into_iter().partition(has_ended);
    let docker = engine.docker().await?;
    let others = others.iter().filter_map(|one| one.id.as_deref());
    try_join_all(others.map(|id| container::remove(docker, id))).await?;
    let instances = container::list(engine, &labels, &[Role::Instance]).await?;
    try_join_all(instances.iter().map(|one| end(engine, one))).await?;
    Ok(ended.iter().chain(&instances).filter_map(kept).collect())
}

fn has_ended(container: &ContainerSummary) -> bool {
    container.state == Some(ContainerSummaryStateEnum::EXITED)
}

/// Stopped by hand, so that no restart policy starts it again. It has no
/// requests to finish.
async fn end(engine: &Engine, container: &ContainerSummary) -> Result<(), RuntimeError> {
    let Some(id) = container.id.as_deref() else {
        return Ok(());
    };
    let docker = engine.docker().await?;
    engine.forget(id);
    let options = StopContainerOptionsBuilder::default().t(0).build();
    match within(CALL, docker.stop_container(id, Some(options))).await {
        Ok(()) => Ok(()),
        Err(error) if is_gone(&error) => Ok(()),
        Err(error) => Err(explain("stop an instance", CALL, error)),
    }
}

fn kept(container: &ContainerSummary) -> Option<Kept> {
    let labels = container.labels.as_ref()?;
    let what = match (labels.get(PROCESS), labels.get(NUMBER), labels.get(RUN)) {
        (Some(process), Some(number), _) => format!("{process}.{number}"),
        (_, _, Some(run)) => format!("{run} commands"),
        _ => return None,
    };
    let name = container.names.as_ref()?.first()?.trim_start_matches('/');
    Some(Kept {
        what,
        place: format!("container {name}"),
    })
}
