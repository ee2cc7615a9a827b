//! Step 10: the old instances drain and stop. It never undoes the success:
//! whatever goes wrong here is reported, and that is all.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::future::join_all;
use shipway_core::ending::Ending;
use shipway_core::journal::{Event, Image, Output, Retired};
use shipway_core::name::{DeploymentId, RunName};
use shipway_core::pipeline::{Planned, Routed};
use shipway_core::ports::runtime::{Owned, Runtime};
use shipway_core::ports::store::{Deployment, DeploymentFilter, StoreError};
use shipway_core::release::Phase;

use super::commands::{self, Ran};
use crate::deploy::Deploying;
use crate::failures::{Broken, sentence};
use crate::journal as journals;
use crate::kept;

/// Between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(10);
/// Images of an environment's newest deployments are kept for a way back.
const IMAGES_KEPT: usize = 5;
/// Deployments among which those are looked for.
const LOOKED_AT: u32 = 50;

pub async fn old(deploying: &Deploying, routed: &Routed) -> Result<Output, Broken> {
    let mut retired = Retired::default();
    for runtime in deploying.scene.world.runtimes.values() {
        stop_old(deploying, runtime.as_ref(), &mut retired).await;
    }
    after(deploying, &routed.planned, &mut retired).await?;
    tidy(deploying, &mut retired).await;
    for problem in &retired.problems {
        deploying.scene.log.say(format!("problem: {problem}"));
    }
    Ok(Output::Retire(retired))
}

async fn stop_old(deploying: &Deploying, runtime: &dyn Runtime, retired: &mut Retired) {
    let scene = &deploying.scene;
    let old: Vec<Owned> = match runtime.instances(&scene.environment.key).await {
        Ok(all) => all
            .into_iter()
            // Whoever is newer is not this deployment's to stop.
            .filter(|owned| owned.deployment < scene.deployment)
            .collect(),
        // A runtime that this environment does not use need not be there.
        Err(_) if runtime.kind() != scene.environment.runtime => return,
        Err(error) => {
            retired.problems.push(format!(
                "the old instances could not be listed: {}",
                sentence(&error)
            ));
            return;
        }
    };
    drain(deploying, &old, retired).await;
    let stopped = join_all(old.iter().map(|owned| runtime.stop(&owned.instance, GRACE))).await;
    for (owned, outcome) in old.iter().zip(stopped) {
        match outcome {
            Ok(()) => retired.stopped.push(owned.instance.id.clone()),
            Err(error) => retired.problems.push(format!(
                "{} did not stop: {}",
                owned.instance.id,
                sentence(&error)
            )),
        }
    }
    if !old.is_empty() {
        let (stopped, all) = (retired.stopped.len(), old.len());
        scene
            .log
            .say(format!("{stopped} of {all} old instances stopped"));
    }
    let mut deployments: Vec<_> = old.iter().map(|owned| owned.deployment).collect();
    deployments.sort();
    deployments.dedup();
    for deployment in deployments {
        if let Err(error) = runtime.clean_up(deployment).await {
            retired.problems.push(format!(
                "leftovers of {deployment} stay: {}",
                sentence(&error)
            ));
        }
    }
}

async fn drain(deploying: &Deploying, old: &[Owned], retired: &mut Retired) {
    let targets: Vec<_> = old
        .iter()
        .filter_map(|owned| owned.instance.address)
        .collect();
    if targets.is_empty() {
        return;
    }
    let scene = &deploying.scene;
    match scene
        .world
        .router
        .drain(&targets, scene.environment.drain())
        .await
    {
        Ok(drained) => retired.cut_off += drained.unfinished,
        Err(error) => retired.problems.push(format!(
            "the old instances were not drained: {}",
            sentence(&error)
        )),
    }
    if retired.cut_off > 0 {
        let limit = scene.environment.drain_seconds;
        scene.log.say(format!(
            "{} requests had not finished after {limit} s and were cut off",
            retired.cut_off
        ));
    }
}

async fn after(
    deploying: &Deploying,
    planned: &Planned,
    retired: &mut Retired,
) -> Result<(), Broken> {
    let commands = match commands::due(deploying, planned, Phase::After).await {
        Ok(commands) => commands,
        Err(Broken::Failed(unknown)) => {
            retired.problems.push(unknown.message);
            return Ok(());
        }
        Err(broken) => return Err(broken),
    };
    if commands.is_empty() {
        return Ok(());
    }
    match commands::run(
        deploying,
        planned,
        RunName::of_phase(Phase::After),
        Phase::After,
        &commands,
    )
    .await?
    {
        Ran::All => {}
        Ran::Failed(failed) => {
            retired
                .problems
                .push(format!("{:?} {}", failed.label.as_str(), failed.exit))
        }
        Ran::Cancelled => {}
        Ran::Broken(error) => retired.problems.push(sentence(&error)),
    }
    Ok(())
}

/// Old images, what failed before, and the working directory.
async fn tidy(deploying: &Deploying, retired: &mut Retired) {
    let scene = &deploying.scene;
    match images_to_keep(deploying).await {
        Ok(keep) => {
            if let Err(error) = scene.runtime.prune_images(&scene.app.name, &keep).await {
                retired
                    .problems
                    .push(format!("old images stay: {}", sentence(&error)));
            }
        }
        Err(error) => retired.problems.push(sentence(&error)),
    }
    if let Err(error) = scene.runtime.discard_runs(scene.deployment).await {
        retired
            .problems
            .push(format!("a release container stays: {}", sentence(&error)));
    }
    if let Err(error) = kept::let_go(&scene.world, &scene.environment, None).await {
        retired.problems.push(sentence(&error));
    }
    if let Err(error) = scene.world.source.discard(scene.deployment).await {
        retired
            .problems
            .push(format!("the working directory stays: {}", sentence(&error)));
    }
}

/// The images of the newest deployments of each of the app's environments, and
/// of the apps that mirror it; of the newest that succeeded too, to go back to.
async fn images_to_keep(deploying: &Deploying) -> Result<Vec<String>, StoreError> {
    let store = &deploying.scene.world.store;
    let name = &deploying.scene.app.name;
    let mut keep = Vec::new();
    for app in store.apps().await? {
        if app.name != *name && app.mirror_of.as_ref() != Some(name) {
            continue;
        }
        for environment in store.environments(&app.name).await? {
            let filter = DeploymentFilter {
                environment: Some(environment.key.clone()),
                limit: LOOKED_AT,
                ..Default::default()
            };
            let newest = store.deployments(&filter).await?;
            for deployment in to_go_back_to(&newest) {
                let entries = journals::read(store.as_ref(), deployment).await?;
                keep.extend(
                    entries
                        .iter()
                        .filter_map(|entry| image(&entry.event))
                        .map(|image| image.reference.clone()),
                );
            }
            keep.extend(
                store
                    .serving(&environment.key)
                    .await?
                    .map(|serving| serving.image.reference),
            );
        }
    }
    keep.sort();
    keep.dedup();
    Ok(keep)
}

/// The newest, and the newest that succeeded.
fn to_go_back_to(newest: &[Deployment]) -> BTreeSet<DeploymentId> {
    let succeeded = newest
        .iter()
        .filter(|one| one.ending == Some(Ending::Succeeded));
    let all = newest.iter().take(IMAGES_KEPT);
    all.chain(succeeded.take(IMAGES_KEPT))
        .map(|one| one.id)
        .collect()
}

fn image(event: &Event) -> Option<&Image> {
    match event {
        Event::StepSucceeded { output, .. } => match output.as_ref() {
            Output::Build(image) => Some(image),
            _ => None,
        },
        _ => None,
    }
}
