//! When a step fails: the candidate is removed, commands with an undo are
//! undone in reverse, `failed` commands run, and the log says what failed and
//! what still serves.

use shipway_core::ending::{Aftermath, Ending, Failed};
use shipway_core::journal::{Event, Exit};
use shipway_core::name::{DeploymentId, Label, RunName};
use shipway_core::pipeline::{Cause, Debris, Planned, Step};
use shipway_core::ports::runtime::{Kept, RuntimeError};
use shipway_core::release::{Phase, ReleaseCommand};

use super::commands::{self, Ran};
use crate::deploy::Deploying;
use crate::failures::{Broken, Halted, sentence};
use crate::kept;
use crate::way_back::{self, Lost};

pub async fn take_back(deploying: &Deploying, debris: &Debris) -> Result<(), Halted> {
    let scene = &deploying.scene;
    scene.log.heading("clean-up");
    if let Some(planned) = &debris.planned {
        undo(deploying, planned, &debris.to_undo()).await?;
        if matches!(debris.cause, Cause::Failed(_)) {
            run_failed_commands(deploying, planned).await?;
        }
    }
    match restore_route(deploying, debris).await {
        Ok(()) => remove(deploying, debris).await?,
        Err(lost) => {
            let message = format!(
                "the new version's instances stay for now, since requests may go to them: {}",
                sentence(&lost)
            );
            warn(deploying, message).await?;
        }
    }
    if let Err(error) = scene.world.source.discard(scene.deployment).await {
        warn(
            deploying,
            format!("the working directory stays: {}", sentence(&error)),
        )
        .await?;
    }
    scene.log.say("");
    Ok(())
}

async fn remove(deploying: &Deploying, debris: &Debris) -> Result<(), Halted> {
    let scene = &deploying.scene;
    let failed = matches!(debris.cause, Cause::Failed(_));
    let removed = match failed && kept::keeps(&scene.environment) {
        true => set_aside(deploying).await,
        false => scene.runtime.clean_up(scene.deployment).await,
    };
    match removed {
        Ok(()) => {
            let log = &scene.log;
            log.say("of the new version nothing runs any more");
            Ok(())
        }
        Err(error) => {
            let message = format!(
                "some of what this deployment made could not be removed: {}",
                sentence(&error)
            );
            warn(deploying, message).await
        }
    }
}

/// Ends what the new version has made, and says where it is for a look inside.
/// What was kept before it goes.
async fn set_aside(deploying: &Deploying) -> Result<(), RuntimeError> {
    let scene = &deploying.scene;
    let all = scene.runtime.set_aside(scene.deployment).await?;
    if all.is_empty() {
        return Ok(());
    }
    let (world, environment) = (&scene.world, &scene.environment);
    if let Err(error) = kept::let_go(world, environment, Some(scene.deployment)).await {
        let error = sentence(&error);
        tracing::warn!(environment = %environment.key, error, "what failed before stays");
    }
    let until = world.clock.now().later(environment.keep_failed());
    scene.log.say(format!(
        "kept for a look inside until {}:",
        until.to_the_second()
    ));
    for Kept { what, place } in all {
        scene.log.say(format!("  {what}: {place}"));
    }
    Ok(())
}

/// Nothing was routed before the switch.
async fn restore_route(deploying: &Deploying, debris: &Debris) -> Result<(), Lost> {
    match &debris.cause {
        Cause::Failed(failure) if failure.step == Step::Switch => {
            let scene = &deploying.scene;
            let generation = deploying.journal.generation();
            let (environment, id) = (&scene.environment, scene.deployment);
            way_back::take_back(&scene.world, environment, id, generation).await
        }
        Cause::Failed(_) | Cause::Cancelled(_) => Ok(()),
    }
}

/// Newest first, each in a container of its own, so that one that fails does
/// not keep the others from being undone.
async fn undo(deploying: &Deploying, planned: &Planned, labels: &[Label]) -> Result<(), Halted> {
    for label in labels {
        let Some(command) = planned.plan.command(label) else {
            continue;
        };
        let Some(run) = command.undo.clone() else {
            continue;
        };
        let undo = ReleaseCommand {
            run,
            undo: None,
            ..command.clone()
        };
        let (phase, name) = (Phase::Failed, RunName::undo(number(planned, label)));
        let exit = match commands::run(deploying, planned, name, phase, std::slice::from_ref(&undo))
            .await?
        {
            Ran::All => Exit::Code { code: 0 },
            Ran::Failed(failed) => failed.exit,
            Ran::Cancelled => Exit::Cancelled,
            Ran::Broken(error) => {
                deploying.scene.log.say(sentence(&error));
                Exit::NotStarted
            }
        };
        deploying.scene.log.say(format!("undo of {label} {exit}"));
        deploying
            .journal
            .record(Event::CommandUndone {
                label: label.clone(),
                exit,
            })
            .await?;
    }
    Ok(())
}

/// The place of a command in its plan, by which its undo is found again.
fn number(planned: &Planned, label: &Label) -> usize {
    let mut commands = planned.plan.commands.iter();
    commands
        .position(|command| command.label == *label)
        .unwrap_or_default()
}

async fn run_failed_commands(deploying: &Deploying, planned: &Planned) -> Result<(), Halted> {
    let commands = match commands::due(deploying, planned, Phase::Failed).await {
        Ok(commands) => commands,
        Err(Broken::Failed(unknown)) => return warn(deploying, unknown.message).await,
        Err(Broken::Halted(halted)) => return Err(halted),
        Err(Broken::Cancelled) => return Ok(()),
    };
    if commands.is_empty() {
        return Ok(());
    }
    match commands::run(
        deploying,
        planned,
        RunName::of_phase(Phase::Failed),
        Phase::Failed,
        &commands,
    )
    .await?
    {
        Ran::All | Ran::Cancelled => Ok(()),
        Ran::Failed(failed) => {
            warn(
                deploying,
                format!("{:?} {}", failed.label.as_str(), failed.exit),
            )
            .await
        }
        Ran::Broken(error) => warn(deploying, sentence(&error)).await,
    }
}

async fn warn(deploying: &Deploying, message: String) -> Result<(), Halted> {
    deploying.scene.log.say(format!("warning: {message}"));
    deploying
        .journal
        .record(Event::Warning {
            message,
            plugin: None,
        })
        .await?;
    Ok(())
}

/// The last heading of a log: how it ended, why, and what serves now.
pub async fn say_ending(deploying: &Deploying, ending: &Ending) {
    let log = &deploying.scene.log;
    log.heading(&format!("deployment {}", ending.status()));
    match ending {
        Ending::Succeeded => log.say(format!(
            "{} now serves {}",
            deploying.scene.deployment, deploying.scene.environment.key
        )),
        Ending::Failed(failed) => say_failure(deploying, failed).await,
        Ending::Cancelled(aftermath) => say_aftermath(deploying, aftermath).await,
        Ending::Superseded { by } => log.say(format!("{by} took its place")),
    }
}

async fn say_failure(deploying: &Deploying, failed: &Failed) {
    let log = &deploying.scene.log;
    let failure = &failed.failure;
    log.say(format!("failed at: {} ({})", failure.step, failure.reason));
    log.say(format!("because:   {}", failure.message));
    if let Some(hint) = &failure.hint {
        log.say(format!("to do:     {hint}"));
    }
    if !failure.last_lines.is_empty() {
        log.say("last lines:");
        for line in &failure.last_lines {
            log.say(format!("  | {line}"));
        }
    }
    say_aftermath(deploying, &failed.aftermath).await;
}

async fn say_aftermath(deploying: &Deploying, aftermath: &Aftermath) {
    let log = &deploying.scene.log;
    match aftermath.serving {
        Some(serving) => log.say(format!("serving:   {}", describe(deploying, serving).await)),
        None => log.say("serving:   nothing; this environment has had no successful deployment"),
    }
    let still: Vec<&str> = aftermath
        .release_commands_ran
        .iter()
        .filter(|l| !aftermath.undone.contains(l))
        .map(Label::as_str)
        .collect();
    if !still.is_empty() {
        log.say(format!("notice:    release commands had run ({}); the data may be ahead of the code that serves", still.join(", ")));
    }
    for label in &aftermath.undo_failed {
        log.say(format!(
            "notice:    the undo of {label} failed; somebody has to look"
        ));
    }
}

async fn describe(deploying: &Deploying, serving: DeploymentId) -> String {
    match deploying.scene.world.store.deployment(serving).await {
        Ok(Some(deployment)) => {
            let commit = deployment
                .commit
                .map(|c| c.id.short().to_owned())
                .unwrap_or_default();
            format!("deployment {serving} (commit {commit}) goes on serving")
        }
        _ => format!("deployment {serving} goes on serving"),
    }
}
