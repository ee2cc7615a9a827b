//! A second look at what deployments have left. The first is their own
//! clean-up; it may have failed, and an engine that had lost its lease may have
//! made something after it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use shipway_core::environment::Environment;
use shipway_core::name::DeploymentId;
use shipway_core::ports::store::{Deployment, DeploymentFilter, StoreError};
use tokio::time::sleep;

use crate::engine::Inner;
use crate::failures::sentence;
use crate::kept;
use crate::pulse::Loop;
use crate::way_back::{self, Lost};
use crate::worker::LEASE;

const EVERY: Duration = Duration::from_secs(5 * 60);
/// Whatever an engine without a lease was about to do, it has done by then.
const SETTLED: Duration = Duration::from_secs(5 * 60);
/// Deployments of an environment that are looked at; older ones have been.
const LOOK_BACK: u32 = 50;

/// Sweeps for ever.
pub async fn sweep(engine: Arc<Inner>) {
    let mut clean = BTreeSet::new();
    loop {
        engine.pulse.beat(Loop::Sweep);
        match round(&engine, &clean).await {
            Ok(now_clean) => clean = now_clean,
            Err(error) => tracing::warn!(%error, "what deployments left could not be looked for"),
        }
        sleep(EVERY).await;
    }
}

/// Cleans up after what ended; gives what is known to be clean.
async fn round(
    engine: &Inner,
    clean: &BTreeSet<DeploymentId>,
) -> Result<BTreeSet<DeploymentId>, StoreError> {
    let store = &engine.world.store;
    let unfinished = store.unfinished().await?;
    let mut now_clean = BTreeSet::new();
    for app in store.apps().await? {
        for environment in store.environments(&app.name).await? {
            // Whoever works there cleans up there.
            if unfinished
                .iter()
                .any(|one| one.trigger.key == environment.key)
            {
                continue;
            }
            for id in ended(engine, &environment).await? {
                if clean.contains(&id) || clean_up(engine, &environment, id).await? {
                    now_clean.insert(id);
                }
            }
        }
    }
    Ok(now_clean)
}

async fn ended(engine: &Inner, environment: &Environment) -> Result<Vec<DeploymentId>, StoreError> {
    let filter = DeploymentFilter {
        environment: Some(environment.key.clone()),
        limit: LOOK_BACK,
        ..Default::default()
    };
    let now = engine.world.clock.now();
    let is_over = |one: &Deployment| {
        one.started_at.is_some()
            && one.ended_at.is_some_and(|at| at.later(SETTLED) <= now)
            && !kept::is_kept(one, environment, now)
    };
    let all = engine.world.store.deployments(&filter).await?;
    Ok(all.into_iter().filter(is_over).map(|one| one.id).collect())
}

/// Whether nothing is left of it now.
async fn clean_up(
    engine: &Inner,
    environment: &Environment,
    id: DeploymentId,
) -> Result<bool, StoreError> {
    let world = &engine.world;
    let discarded = world.source.discard(id).await;
    if let Err(error) = &discarded {
        let error = sentence(error);
        tracing::warn!(deployment = %id, error, "the working directory stays");
    }
    let serving = world.store.serving(&environment.key).await?;
    let serves = serving.is_some_and(|serving| serving.deployment == id);
    if !serves && let Err(lost) = take_back(engine, environment, id).await {
        let error = sentence(&lost);
        tracing::warn!(deployment = %id, error, "its instances stay: requests may go to them");
        return Ok(false);
    }
    let mut is_clean = discarded.is_ok() && !serves;
    for runtime in world.runtimes.values() {
        let cleaned = match serves {
            true => runtime.discard_runs(id).await,
            false => runtime.clean_up(id).await,
        };
        match cleaned {
            Ok(()) => {}
            // A runtime that this environment does not use need not be there.
            Err(_) if runtime.kind() != environment.runtime => {}
            Err(error) => {
                let error = sentence(&error);
                tracing::warn!(deployment = %id, error, "some of what it made stays");
                is_clean = false;
            }
        }
    }
    Ok(is_clean)
}

/// A route that could not be set back when its deployment failed.
async fn take_back(
    engine: &Inner,
    environment: &Environment,
    id: DeploymentId,
) -> Result<(), Lost> {
    let world = &engine.world;
    match world.router.route(&environment.key).await? {
        Some(route) if route.deployment == id => {}
        Some(_) | None => return Ok(()),
    }
    let (now, holder) = (world.clock.now(), &engine.holder);
    let lease = world
        .store
        .acquire(&environment.key, holder, now, LEASE)
        .await?
        .ok_or_else(|| StoreError::LeaseLost(environment.key.clone()))?;
    let taken = way_back::take_back(world, environment, id, lease.generation).await;
    world.store.release(&lease).await?;
    taken
}
