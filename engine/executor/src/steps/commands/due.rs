//! Which commands of a phase are due in a deployment.

use shipway_core::ending::{Ending, Failure, Reason};
use shipway_core::journal::{Event, Exit, Output};
use shipway_core::name::DeploymentId;
use shipway_core::pipeline::{Pipeline, Planned, Step};
use shipway_core::ports::store::{Deployment, DeploymentFilter};
use shipway_core::release::{Phase, ReleaseCommand, When};

use crate::deploy::Deploying;
use crate::failures::{Broken, Halted};
use crate::journal as journals;

/// Earlier deployments that are looked through for a `once` command.
const LOOK_BACK: u32 = 200;

/// The commands of a phase that this deployment runs, as their `when` says.
/// Asked again after a crash, it gives the same.
pub async fn due(
    deploying: &Deploying,
    planned: &Planned,
    phase: Phase,
) -> Result<Vec<ReleaseCommand>, Broken> {
    let log = &deploying.scene.log;
    let mut due = Vec::new();
    for command in planned.plan.phase(phase) {
        match past(deploying, planned, command).await? {
            Past::IsDue => due.push(command.clone()),
            Past::IsOver => log.say(format!("{} is not due in this deployment", command.label)),
            Past::Unknown(earlier) => return Err(unknown(phase, command, earlier).into()),
        }
    }
    Ok(due)
}

/// What earlier deployments mean for a command of this one.
enum Past {
    IsDue,
    IsOver,
    /// It is to run once, and how it ended then is not known.
    Unknown(DeploymentId),
}

async fn past(
    deploying: &Deploying,
    planned: &Planned,
    command: &ReleaseCommand,
) -> Result<Past, Broken> {
    match command.when {
        When::Always => Ok(Past::IsDue),
        When::FirstDeploy => match is_first(deploying).await? {
            true => Ok(Past::IsDue),
            false => Ok(Past::IsOver),
        },
        When::Once => ran_before(deploying, planned, command).await,
    }
}

/// Whether no earlier deployment of the environment was ever switched to.
async fn is_first(deploying: &Deploying) -> Result<bool, Broken> {
    let scene = &deploying.scene;
    match scene.world.store.serving(&scene.environment.key).await? {
        None => Ok(true),
        Some(serving) if serving.deployment != scene.deployment => Ok(false),
        Some(_) => {
            let earlier = earlier(deploying).await?;
            Ok(!earlier
                .iter()
                .any(|one| matches!(one.ending, Some(Ending::Succeeded))))
        }
    }
}

async fn earlier(deploying: &Deploying) -> Result<Vec<Deployment>, Broken> {
    let filter = DeploymentFilter {
        environment: Some(deploying.scene.environment.key.clone()),
        before: Some(deploying.scene.deployment),
        limit: LOOK_BACK,
        ..Default::default()
    };
    Ok(deploying.scene.world.store.deployments(&filter).await?)
}

/// Whether an earlier deployment of this environment ran the command in the
/// same image.
async fn ran_before(
    deploying: &Deploying,
    planned: &Planned,
    command: &ReleaseCommand,
) -> Result<Past, Broken> {
    let store = &deploying.scene.world.store;
    for earlier in earlier(deploying).await? {
        if earlier.commit.as_ref() != Some(&planned.commit) {
            continue;
        }
        let entries = journals::read(store.as_ref(), earlier.id).await?;
        if !entries.iter().any(|entry| made(&entry.event, planned)) {
            continue;
        }
        let pipeline = Pipeline::replay(&entries).map_err(Halted::from)?;
        match pipeline
            .command(command.phase, &command.label)
            .map(|started| started.exit)
        {
            Some(Some(exit)) if exit.is_success() => return Ok(Past::IsOver),
            Some(None | Some(Exit::Interrupted)) => return Ok(Past::Unknown(earlier.id)),
            Some(Some(_)) | None => {}
        }
    }
    Ok(Past::IsDue)
}

fn made(event: &Event, planned: &Planned) -> bool {
    matches!(
        event,
        Event::StepSucceeded { output, .. }
            if matches!(output.as_ref(), Output::Build(image) if image.reference == planned.image.reference)
    )
}

fn unknown(phase: Phase, command: &ReleaseCommand, earlier: DeploymentId) -> Failure {
    let step = match phase {
        Phase::Gate => Step::Gate,
        _ => Step::Release,
    };
    let message = format!(
        "{:?} is to run once, and how it ended in deployment {earlier} is not known",
        command.label.as_str()
    );
    let mut failure = Failure::new(step, Reason::Interrupted, message).with_hint(
        "look at what it did; if it had no effect, give it another label or build afresh, \
         and if it had, take it out",
    );
    failure.command = Some(command.label.clone());
    failure
}
