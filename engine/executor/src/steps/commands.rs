//! Steps 5 and 8, and the commands of every other phase: one container from
//! the new image, each command in a shell of its own, in order.

use std::sync::Arc;
use std::time::Duration;

use shipway_core::ending::{Failure, Reason};
use shipway_core::journal::{Event, Exit, Output};
use shipway_core::name::Label;
use shipway_core::pipeline::{Candidate, Pipeline, Planned, Step};
use shipway_core::ports::runtime::{Command, CommandRun, RuntimeError};
use shipway_core::release::{Phase, ReleaseCommand};

use self::watcher::Watcher;
use crate::deploy::Deploying;
use crate::failures::{self, Broken, Halted, sentence};
use crate::variables::variables;

mod due;
mod watcher;

pub use self::due::due;

pub async fn release(deploying: &Deploying, planned: &Planned) -> Result<Output, Broken> {
    run_step(deploying, planned, Step::Release).await?;
    Ok(Output::Release)
}

/// Scalingo's postdeploy: the candidate is up and not yet routed.
pub async fn gate(deploying: &Deploying, candidate: &Candidate) -> Result<Output, Broken> {
    run_step(deploying, &candidate.planned, Step::Gate).await?;
    Ok(Output::Gate)
}

async fn run_step(deploying: &Deploying, planned: &Planned, step: Step) -> Result<(), Broken> {
    let phase = if step == Step::Gate {
        Phase::Gate
    } else {
        Phase::Release
    };
    let commands = due(deploying, planned, phase).await?;
    if commands.is_empty() {
        deploying.scene.log.say("no commands");
        return Ok(());
    }
    match run(deploying, planned, phase, &commands).await? {
        Ran::All => Ok(()),
        Ran::Cancelled => Err(Broken::Cancelled),
        Ran::Failed(failed) => Err(failure(step, &failed).into()),
        Ran::Broken(error) => Err(failures::of_runtime(step, &error).into()),
    }
}

/// How a run of commands went.
#[derive(Debug)]
pub enum Ran {
    All,
    Failed(FailedCommand),
    Cancelled,
    /// The container itself failed.
    Broken(RuntimeError),
}

#[derive(Debug)]
pub struct FailedCommand {
    pub label: Label,
    pub exit: Exit,
    pub last_lines: Vec<String>,
}

/// Runs commands of one phase in one container from the deployment's image.
pub async fn run(
    deploying: &Deploying,
    planned: &Planned,
    phase: Phase,
    commands: &[ReleaseCommand],
) -> Result<Ran, Halted> {
    let pipeline = deploying.journal.pipeline().await;
    let progress = Progress::of(&pipeline, phase, commands);
    match progress {
        Progress::Begun { from } if from == commands.len() => Ok(Ran::All),
        Progress::Begun { from } => run_from(deploying, planned, phase, &commands[from..]).await,
        Progress::Open { label } => interrupted(deploying, phase, label).await,
        Progress::Failed { label, exit } => Ok(Ran::Failed(FailedCommand {
            label,
            exit,
            last_lines: Vec::new(),
        })),
    }
}

/// How far a run of commands has come, as the journal tells: an engine before
/// this one may have begun it.
enum Progress {
    /// Those before `from` have succeeded.
    Begun {
        from: usize,
    },
    /// It was started, and how it ended is not in the journal.
    Open {
        label: Label,
    },
    Failed {
        label: Label,
        exit: Exit,
    },
}

impl Progress {
    fn of(pipeline: &Pipeline, phase: Phase, commands: &[ReleaseCommand]) -> Self {
        for (index, command) in commands.iter().enumerate() {
            let label = command.label.clone();
            match pipeline.command(phase, &label).map(|started| started.exit) {
                None => return Self::Begun { from: index },
                Some(None) => return Self::Open { label },
                Some(Some(exit)) if !exit.is_success() => return Self::Failed { label, exit },
                Some(Some(_)) => {}
            }
        }
        Self::Begun {
            from: commands.len(),
        }
    }
}

/// A command that ran when its engine stopped is never silently run again.
async fn interrupted(deploying: &Deploying, phase: Phase, label: Label) -> Result<Ran, Halted> {
    let exit = Exit::Interrupted;
    deploying.scene.log.say(format!("{label} {exit}"));
    let event = Event::CommandFinished {
        label: label.clone(),
        phase,
        exit,
        millis: 0,
    };
    deploying.journal.record(event).await?;
    Ok(Ran::Failed(FailedCommand {
        label,
        exit,
        last_lines: Vec::new(),
    }))
}

async fn run_from(
    deploying: &Deploying,
    planned: &Planned,
    phase: Phase,
    commands: &[ReleaseCommand],
) -> Result<Ran, Halted> {
    let scene = &deploying.scene;
    let routed = planned
        .plan
        .processes
        .iter()
        .find(|process| process.port.is_some());
    let request = CommandRun {
        environment: scene.environment.key.clone(),
        deployment: scene.deployment,
        image: planned.image.clone(),
        commands: commands.iter().map(to_run).collect(),
        variables: variables(
            &scene.environment,
            scene.deployment,
            &planned.commit.id,
            Some(phase),
        ),
        port: routed.and_then(|process| process.port),
        limits: scene.environment.limits,
        volumes: scene.environment.volumes.clone(),
    };
    let watcher = Arc::new(Watcher::new(deploying, phase, commands));
    // The watcher borrows nothing, so it outlives whatever the runtime spawns.
    let outcome = tokio::select! {
        biased;
        halted = watcher.write(deploying) => return Err(halted),
        outcome = scene.runtime.run_commands(&request, watcher.clone()) => outcome,
    };
    match (watcher.failed(), outcome) {
        (Some(failed), _) if failed.exit == Exit::Cancelled => Ok(Ran::Cancelled),
        (Some(failed), _) => Ok(Ran::Failed(failed)),
        (None, Err(error)) => broken(deploying, phase, error).await,
        (None, Ok(()))
            if watcher.finished_count() < commands.len() && deploying.cancel.is_requested() =>
        {
            Ok(Ran::Cancelled)
        }
        (None, Ok(())) => Ok(Ran::All),
    }
}

/// The container failed; a command that ran in it may have gone on, and how it
/// ended is not known.
async fn broken(deploying: &Deploying, phase: Phase, error: RuntimeError) -> Result<Ran, Halted> {
    let pipeline = deploying.journal.pipeline().await;
    match pipeline.open_command() {
        Some(open) if open.phase == phase => {
            deploying.scene.log.say(sentence(&error));
            interrupted(deploying, phase, open.label.clone()).await
        }
        _ => Ok(Ran::Broken(error)),
    }
}

fn to_run(command: &ReleaseCommand) -> Command {
    Command {
        run: command.run.clone(),
        entrypoint: command.entrypoint,
        timeout: Duration::from_secs(u64::from(command.timeout_seconds)),
    }
}

fn failure(step: Step, failed: &FailedCommand) -> Failure {
    let reason = match (step, failed.exit) {
        (_, Exit::Interrupted) => Reason::Interrupted,
        (Step::Gate, _) => Reason::HookError,
        (_, Exit::TimedOut { .. }) => Reason::Timeout,
        _ => Reason::ReleaseCommand,
    };
    let mut failure = Failure::new(
        step,
        reason,
        format!("{:?} {}", failed.label.as_str(), failed.exit),
    );
    failure.command = Some(failed.label.clone());
    failure.exit_code = match failed.exit {
        Exit::Code { code } => Some(code),
        _ => None,
    };
    failure.last_lines = failed.last_lines.clone();
    if failed.exit == Exit::Interrupted {
        failure = failure.with_hint("look at what the command did, then deploy again");
    }
    failure
}
