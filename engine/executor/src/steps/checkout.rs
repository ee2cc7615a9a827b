//! Step 2: the commit, in a working directory of this deployment's own.

use shipway_core::environment::Service;
use shipway_core::journal::{Output, Subject};
use shipway_core::pipeline::Step;

use super::services;
use crate::deploy::Deploying;
use crate::failures::Broken;

pub async fn check_out(deploying: &Deploying) -> Result<Output, Broken> {
    let scene = &deploying.scene;
    match &deploying.subject {
        Subject::Commit => {}
        Subject::Rollback { to, .. } => scene.log.say(format!("back to deployment {to}")),
        Subject::Promotion { from, deployment } => scene
            .log
            .say(format!("deployment {deployment}, which serves {from}")),
    }
    let checkout = deploying.checkout(&scene.reference).await?;
    let commit = &checkout.commit;
    scene
        .log
        .say(format!("{} is commit {}", scene.reference, commit.id));
    scene
        .log
        .say(format!("{} ({})", commit.subject, commit.author));

    let draft = scene.draft(Step::Checkout, checkout)?;
    let store = &scene.world.store;
    store.subscribe(scene.deployment, &draft.notifiers).await?;
    let is_new = |service: &&Service| !scene.environment.services.contains(service);
    let in_file: Vec<Service> = draft.services.iter().filter(is_new).cloned().collect();
    services::ask(scene, Step::Checkout, &in_file).await?;
    Ok(Output::Checkout(commit.clone()))
}
