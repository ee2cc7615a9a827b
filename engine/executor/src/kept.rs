//! What a failed deployment made is kept for a while, ended, for a look inside:
//! of each environment the newest, until its time is over or a deployment
//! succeeds. The clean-up sets it aside; the sweep, the next failure and the end
//! of the environment remove it.

use shipway_core::ending::Ending;
use shipway_core::environment::Environment;
use shipway_core::name::{DeploymentId, Timestamp};
use shipway_core::ports::store::{Deployment, DeploymentFilter, StoreError};

use crate::failures::sentence;
use crate::world::World;

/// Deployments among which those are looked for whose remains are kept.
const LOOK_BACK: u32 = 50;

pub fn keeps(environment: &Environment) -> bool {
    environment.keep_failed_seconds > 0
}

/// Whether it is not yet time to remove what a deployment left.
pub fn is_kept(deployment: &Deployment, environment: &Environment, now: Timestamp) -> bool {
    let failed = matches!(deployment.ending, Some(Ending::Failed(_)));
    let until = |ended: Timestamp| ended.later(environment.keep_failed());
    failed && deployment.ended_at.is_some_and(|at| until(at) > now)
}

/// Removes what deployments of an environment have left for a look inside,
/// except one's. What cannot be removed now, the sweep removes.
pub async fn let_go(
    world: &World,
    environment: &Environment,
    except: Option<DeploymentId>,
) -> Result<(), StoreError> {
    let runtime = match world.runtime(environment.runtime) {
        Ok(runtime) => runtime,
        Err(error) => {
            let error = sentence(&error);
            tracing::warn!(environment = %environment.key, error, "what failed stays");
            return Ok(());
        }
    };
    let now = world.clock.now();
    let filter = DeploymentFilter {
        environment: Some(environment.key.clone()),
        limit: LOOK_BACK,
        ..Default::default()
    };
    for one in world.store.deployments(&filter).await? {
        if Some(one.id) == except || !is_kept(&one, environment, now) {
            continue;
        }
        if let Err(error) = runtime.clean_up(one.id).await {
            let error = sentence(&error);
            tracing::warn!(deployment = %one.id, error, "what it left stays");
        }
    }
    Ok(())
}
