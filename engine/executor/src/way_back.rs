//! A switch that failed may have happened all the same. Before the candidate
//! goes, its route goes back to what served before.

use std::time::Duration;

use shipway_core::environment::Environment;
use shipway_core::journal::Serving;
use shipway_core::name::DeploymentId;
use shipway_core::ports::router::{Route, RouterError};
use shipway_core::ports::store::StoreError;
use tokio::time::sleep;

use crate::world::World;

/// How often a proxy that does not answer is asked again.
const TRIES: u32 = 6;
const PAUSE: Duration = Duration::from_secs(1);

/// Why it is not known where requests go.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    #[error(transparent)]
    Router(#[from] RouterError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Sees to it that no request goes to a deployment any more. When it fails,
/// requests may go there.
pub async fn take_back(
    world: &World,
    environment: &Environment,
    deployment: DeploymentId,
    generation: u64,
) -> Result<(), Lost> {
    let mut tries = 1;
    loop {
        match try_once(world, environment, deployment, generation).await {
            Err(Lost::Router(_)) if tries < TRIES => sleep(PAUSE * tries).await,
            outcome => return outcome,
        }
        tries += 1;
    }
}

async fn try_once(
    world: &World,
    environment: &Environment,
    deployment: DeploymentId,
    generation: u64,
) -> Result<(), Lost> {
    let key = &environment.key;
    match world.router.route(key).await? {
        Some(route) if route.deployment == deployment => {}
        Some(_) | None => return Ok(()),
    }
    match world.store.serving(key).await? {
        Some(serving) if serving.deployment == deployment => Ok(()),
        Some(serving) => {
            let route = to(environment, &serving, generation);
            Ok(world.router.switch(&route).await.map(drop)?)
        }
        None => Ok(world.router.remove(key).await?),
    }
}

fn to(environment: &Environment, serving: &Serving, generation: u64) -> Route {
    Route {
        key: environment.key.clone(),
        domains: environment.domains.clone(),
        targets: serving
            .instances
            .iter()
            .filter_map(|instance| instance.address)
            .collect(),
        deployment: serving.deployment,
        generation,
    }
}
