//! Step 3: the image, built without the environment's variables, or one of the
//! same commit and build settings that exists.

use std::sync::Arc;
use std::time::Duration;

use shipway_core::ending::{Failure, Reason};
use shipway_core::journal::{BuildWish, Commit, Image, Output};
use shipway_core::name::DeploymentId;
use shipway_core::pipeline::Step;
use shipway_core::plan::Draft;
use shipway_core::ports::runtime::{BuildRequest, ImageKey};
use shipway_core::ports::source::Checkout;

use crate::deploy::Deploying;
use crate::earlier::Earlier;
use crate::failures::{self, Broken};
use crate::scene::Scene;

/// No build may take longer.
pub const BUILD_TIMEOUT: Duration = Duration::from_secs(60 * 60);

pub async fn image(deploying: &Deploying, commit: &Commit) -> Result<Output, Broken> {
    let scene = &deploying.scene;
    if let Some(earlier) = deploying.subject.earlier() {
        return take(scene, commit, earlier).await.map(Output::Build);
    }
    let checkout = deploying.checkout(commit.id.as_str()).await?;
    let draft = scene.draft(Step::Build, checkout)?;
    if deploying.build == BuildWish::Reuse
        && let Some(image) = find(scene, commit, &draft).await?
    {
        scene.log.say(format!(
            "image {} exists for this commit and is used again",
            image.tag
        ));
        return Ok(Output::Build(image));
    }
    let image = build(scene, checkout, &draft).await?;
    scene.log.say(format!("built {}", image.tag));
    Ok(Output::Build(image))
}

/// The image of an earlier deployment, as it is.
async fn take(scene: &Scene, commit: &Commit, earlier: DeploymentId) -> Result<Image, Broken> {
    let found = Earlier::find(scene.world.store.as_ref(), earlier).await?;
    let image = found.map(|earlier| earlier.image);
    let has = match &image {
        Some(image) => scene.runtime.has_image(image).await,
        None => Ok(false),
    };
    let has = has.map_err(|error| failures::of_runtime(Step::Build, &error))?;
    let Some(image) = image.filter(|_| has) else {
        let message = format!("the image of deployment {earlier} is there no longer");
        let hint = format!("deploy commit {} to build it again", commit.id);
        let failure = Failure::new(Step::Build, Reason::Build, message).with_hint(hint);
        return Err(failure.into());
    };
    scene.log.say(format!("image {} is used again", image.tag));
    Ok(Image {
        reused: true,
        ..image
    })
}

async fn find(scene: &Scene, commit: &Commit, draft: &Draft) -> Result<Option<Image>, Broken> {
    let found = scene.find_image(commit, draft).await;
    found.map_err(|error| failures::of_runtime(Step::Build, &error).into())
}

pub async fn build(scene: &Scene, checkout: &Checkout, draft: &Draft) -> Result<Image, Broken> {
    let key = ImageKey {
        app: scene.app.name.clone(),
        commit: checkout.commit.id.clone(),
        build: draft.build.clone(),
    };
    let request = BuildRequest {
        key,
        environment: scene.environment.key.clone(),
        deployment: scene.deployment,
        directory: checkout.directory.clone(),
        timeout: BUILD_TIMEOUT,
    };
    let built = scene
        .runtime
        .build(&request, Arc::new(scene.log.clone()))
        .await;
    built.map_err(|error| failures::of_runtime(Step::Build, &error).into())
}
