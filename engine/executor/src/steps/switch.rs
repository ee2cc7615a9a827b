//! Step 9: one atomic change of the route, verified by asking the proxy.

use shipway_core::ending::{Failure, Reason};
use shipway_core::journal::{Instance, Output, Serving};
use shipway_core::pipeline::{Candidate, Step};
use shipway_core::ports::router::{Route, RouterError};
use shipway_core::ports::runtime::InstanceStatus;

use crate::deploy::Deploying;
use crate::failures::{Broken, sentence};

pub async fn route(deploying: &Deploying, candidate: &Candidate) -> Result<Output, Broken> {
    still_run(deploying, &candidate.instances).await?;
    let scene = &deploying.scene;
    let route = Route {
        key: scene.environment.key.clone(),
        domains: candidate.planned.plan.domains.clone(),
        targets: targets(candidate),
        deployment: scene.deployment,
        generation: deploying.journal.generation(),
    };
    if route.targets.is_empty() || route.domains.is_empty() {
        scene
            .log
            .say("nothing to route: no process type has a port, or the environment has no domain");
    } else {
        switch(deploying, &route)
            .await
            .map_err(|error| refused(&error))?;
    }
    Ok(Output::Switch(Serving {
        deployment: scene.deployment,
        commit: candidate.planned.commit.id.clone(),
        image: candidate.planned.image.clone(),
        instances: candidate.instances.clone(),
    }))
}

async fn switch(deploying: &Deploying, route: &Route) -> Result<(), RouterError> {
    let scene = &deploying.scene;
    let switched = scene.world.router.switch(route).await?;
    let confirmed = scene.world.router.route(&route.key).await?;
    if confirmed.as_ref() != Some(route) {
        let message = "it confirmed the switch and then named another route".to_owned();
        return Err(RouterError::Refused { message });
    }
    for domain in &route.domains {
        scene.log.say(format!(
            "{domain} now goes to {}",
            instances(route.targets.len())
        ));
    }
    if switched.in_flight_on_old > 0 {
        scene.log.say(format!(
            "{} requests finish on the old instances",
            switched.in_flight_on_old
        ));
    }
    Ok(())
}

fn instances(count: usize) -> String {
    match count {
        1 => "1 instance".to_owned(),
        _ => format!("{count} instances"),
    }
}

/// Only the process type `web` is routed, or, without one, the first type that
/// has a port.
fn targets(candidate: &Candidate) -> Vec<std::net::SocketAddr> {
    let addressed = || {
        candidate
            .instances
            .iter()
            .filter(|instance| instance.address.is_some())
    };
    let web = addressed().find(|instance| instance.process.as_str() == "web");
    let Some(routed) = web.or_else(|| addressed().next()) else {
        return Vec::new();
    };
    addressed()
        .filter(|instance| instance.process == routed.process)
        .filter_map(|instance| instance.address)
        .collect()
}

/// The candidate was healthy a moment ago; self-tests and gate commands may
/// have taken long since.
async fn still_run(deploying: &Deploying, instances: &[Instance]) -> Result<(), Failure> {
    for instance in instances {
        let status = deploying.scene.runtime.status(instance).await;
        if let Ok(InstanceStatus::Exited(_) | InstanceStatus::Gone) = status {
            let message = format!(
                "{} instance {} ended before the switch",
                instance.process, instance.id
            );
            return Err(Failure::new(Step::Switch, Reason::Unhealthy, message));
        }
    }
    Ok(())
}

fn refused(error: &RouterError) -> Failure {
    Failure::new(Step::Switch, Reason::Switch, sentence(error))
        .with_hint("check that `shipway proxy` runs; the old version keeps its route")
}
