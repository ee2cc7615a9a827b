//! Step 4: the release sources are asked, and the plan is complete and frozen.

use shipway_core::journal::Output;
use shipway_core::pipeline::{Built, Step};
use shipway_core::plan::Plan;

use crate::deploy::Deploying;
use crate::failures::Broken;
use crate::log::Log;

pub async fn complete(deploying: &Deploying, built: &Built) -> Result<Output, Broken> {
    let scene = &deploying.scene;
    let checkout = deploying.checkout(built.commit.id.as_str()).await?;
    let draft = scene.draft(Step::Plan, checkout)?;
    let plan = scene.complete(draft, checkout, Some(&built.image)).await?;
    list(&scene.log, &plan);
    Ok(Output::Plan {
        plan: Box::new(plan),
    })
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
