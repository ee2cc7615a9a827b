//! Step 4: the release sources are asked, and the plan is complete and frozen.

use shipway_core::ending::{Failure, Reason};
use shipway_core::journal::{Output, ReleaseCommands, Subject};
use shipway_core::name::DeploymentId;
use shipway_core::pipeline::{Built, Step};
use shipway_core::plan::{Plan, Skipped};

use crate::deploy::Deploying;
use crate::earlier::Earlier;
use crate::failures::Broken;
use crate::log::Log;
use crate::scene::Scene;

pub async fn complete(deploying: &Deploying, built: &Built) -> Result<Output, Broken> {
    let scene = &deploying.scene;
    if let Subject::Rollback {
        to,
        release_commands,
    } = &deploying.subject
    {
        let plan = frozen(scene, *to, *release_commands).await?;
        list(&scene.log, &plan);
        return Ok(Output::Plan {
            plan: Box::new(plan),
        });
    }
    let checkout = deploying.checkout(built.commit.id.as_str()).await?;
    let draft = scene.draft(Step::Plan, checkout)?;
    let plan = scene.complete(draft, checkout, Some(&built.image)).await?;
    list(&scene.log, &plan);
    Ok(Output::Plan {
        plan: Box::new(plan),
    })
}

/// The plan of an earlier deployment, with its commands or without.
async fn frozen(
    scene: &Scene,
    to: DeploymentId,
    commands: ReleaseCommands,
) -> Result<Plan, Broken> {
    let found = Earlier::find(scene.world.store.as_ref(), to).await?;
    let Some(Earlier { mut plan, .. }) = found else {
        let message = format!("deployment {to} has no plan");
        return Err(Failure::new(Step::Plan, Reason::Internal, message).into());
    };
    if plan.runtime != scene.environment.runtime {
        let message = format!(
            "deployment {to} was made for the runtime {}, and the environment has {} now",
            plan.runtime, scene.environment.runtime
        );
        return Err(Failure::new(Step::Plan, Reason::Build, message).into());
    }
    if commands == ReleaseCommands::Skip {
        let skipped = plan.commands.drain(..).map(|command| Skipped {
            what: command.label.to_string(),
            provenance: command.provenance,
            reason: "a rollback runs no release commands unless it is told to".to_owned(),
        });
        plan.skipped.extend(skipped);
    }
    Ok(*plan)
}

/// All commands with label and provenance, as the plan lists them.
fn list(log: &Log, plan: &Plan) {
    if plan.commands.is_empty() {
        log.say("no release commands");
    }
    for (index, command) in plan.commands.iter().enumerate() {
        log.say(format!(
            "{:>2}. {} [{}] from {}",
            index + 1,
            command.label,
            command.phase,
            command.provenance
        ));
    }
    for skipped in &plan.skipped {
        log.say(format!(
            "  - not taken: {} ({}): {}",
            skipped.what, skipped.provenance, skipped.reason
        ));
    }
    for warning in &plan.warnings {
        log.say(format!("  ! {warning}"));
    }
}
