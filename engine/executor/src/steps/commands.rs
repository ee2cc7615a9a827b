//! Steps 5 and 8, and the commands of every other phase: one container from
//! the new image, each command in a shell of its own, in order.

use std::sync::Arc;
use std::time::Duration;

use shipway_core::ending::{Failure, Reason};
use shipway_core::journal::{Event, Exit, Output};
use shipway_core::name::{Label, RunName};
use shipway_core::pipeline::{Candidate, Pipeline, Planned, Started, Step};
use shipway_core::ports::runtime::{
    Command, CommandRun, OpenCommand, Resumed, RuntimeError, WhenFailed,
};
use shipway_core::release::{Phase, ReleaseCommand};
use tokio::time::sleep;

use self::watcher::Watcher;
use crate::deploy::Deploying;
use crate::failures::{self, Broken, Halted, sentence};
use crate::kept;
use crate::variables::variables;

mod due;
mod watcher;

pub use self::due::due;

/// Tries to go on with a run whose runtime does not answer.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_secs(2);

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
    let name = RunName::of_phase(phase);
    match run(deploying, planned, name, phase, &commands).await? {
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

/// Runs commands of one phase in one container from the deployment's image, or
/// goes on with a run that an engine before this one began.
pub async fn run(
    deploying: &Deploying,
    planned: &Planned,
    name: RunName,
    phase: Phase,
    commands: &[ReleaseCommand],
) -> Result<Ran, Halted> {
    let pipeline = deploying.journal.pipeline().await;
    let run = Run {
        deploying,
        planned,
        name,
        phase,
        commands,
    };
    match Progress::of(&pipeline, phase, commands) {
        Progress::At { from, .. } if from == commands.len() => Ok(Ran::All),
        Progress::At { from, open } => run.go_on(from, open).await,
        Progress::Failed { label, exit } => Ok(Ran::Failed(FailedCommand {
            label,
            exit,
            last_lines: Vec::new(),
        })),
    }
}

/// How far a run of commands has come, as the journal tells.
enum Progress {
    /// Those before `from` have succeeded.
    At {
        from: usize,
        /// It was started, and how it ended is not in the journal.
        open: Option<Started>,
    },
    Failed {
        label: Label,
        exit: Exit,
    },
}

impl Progress {
    fn of(pipeline: &Pipeline, phase: Phase, commands: &[ReleaseCommand]) -> Self {
        for (from, command) in commands.iter().enumerate() {
            let started = pipeline.command(phase, &command.label);
            match started.map(|started| started.exit) {
                Some(Some(exit)) if exit.is_success() => {}
                Some(Some(exit)) => {
                    return Self::Failed {
                        label: command.label.clone(),
                        exit,
                    };
                }
                None | Some(None) => {
                    return Self::At {
                        from,
                        open: started.cloned(),
                    };
                }
            }
        }
        Self::At {
            from: commands.len(),
            open: None,
        }
    }
}

/// One run of commands.
struct Run<'a> {
    deploying: &'a Deploying,
    planned: &'a Planned,
    name: RunName,
    phase: Phase,
    commands: &'a [ReleaseCommand],
}

impl Run<'_> {
    async fn go_on(&self, from: usize, open: Option<Started>) -> Result<Ran, Halted> {
        let deploying = self.deploying;
        let is_new = from == 0 && open.is_none();
        let request = self.request(from);
        let open_index = open.as_ref().map(|_| from);
        let watcher = Watcher::new(deploying, self.phase, self.commands, open_index);
        // The watcher borrows nothing, so it outlives whatever the runtime spawns.
        let watcher = Arc::new(watcher);
        let outcome = tokio::select! {
            biased;
            halted = watcher.write(deploying) => return Err(halted),
            outcome = async {
                match is_new {
                    true => self.begin(&request, &watcher).await,
                    false => self.resume(&request, open.as_ref(), &watcher).await,
                }
            } => outcome,
        };
        self.ended(from, &watcher, outcome?).await
    }

    async fn begin(&self, request: &CommandRun, watcher: &Arc<Watcher>) -> Result<Outcome, Halted> {
        let runtime = &self.deploying.scene.runtime;
        match runtime.run_commands(request, watcher.clone()).await {
            Ok(()) => Ok(Outcome::Ended),
            Err(error) => self.find_again(request, error, watcher).await,
        }
    }

    /// The connection to a run broke; what runs may have gone on.
    async fn find_again(
        &self,
        request: &CommandRun,
        error: RuntimeError,
        watcher: &Arc<Watcher>,
    ) -> Result<Outcome, Halted> {
        let pipeline = self.deploying.journal.pipeline().await;
        match pipeline
            .open_command()
            .filter(|open| open.phase == self.phase)
        {
            Some(open) => {
                self.deploying.scene.log.say(sentence(&error));
                self.resume(request, Some(open), watcher).await
            }
            None => Ok(Outcome::Broken(error)),
        }
    }

    async fn resume(
        &self,
        request: &CommandRun,
        open: Option<&Started>,
        watcher: &Arc<Watcher>,
    ) -> Result<Outcome, Halted> {
        let runtime = &self.deploying.scene.runtime;
        for tried in 1..=TRIES {
            let open = match open {
                Some(open) => Some(self.open_command(open).await?),
                None => None,
            };
            match runtime
                .resume_commands(request, open.as_ref(), watcher.clone())
                .await
            {
                Ok(Resumed::Ended) => return Ok(Outcome::Ended),
                Ok(Resumed::Lost) if open.is_some() => return Ok(Outcome::Lost),
                Ok(Resumed::Lost) => {
                    let ran = runtime.run_commands(request, watcher.clone()).await;
                    return Ok(match ran {
                        Ok(()) => Outcome::Ended,
                        Err(error) => Outcome::Broken(error),
                    });
                }
                Err(error) if tried == TRIES => return Ok(Outcome::Broken(error)),
                Err(_) => sleep(PAUSE * tried).await,
            }
        }
        Ok(Outcome::Lost)
    }

    /// What the runtime must know to go on with a command where its log ends.
    async fn open_command(&self, open: &Started) -> Result<OpenCommand, Halted> {
        let scene = &self.deploying.scene;
        scene.log.flush().await;
        let size = scene.world.store.log_size(scene.deployment).await?;
        let index = self.commands.iter().position(|one| one.label == open.label);
        let now = scene.world.clock.now().as_millis();
        let millis = now.saturating_sub(open.at.as_millis());
        Ok(OpenCommand {
            index: index.unwrap_or_default(),
            stdout: size.stdout.saturating_sub(open.logged.stdout),
            stderr: size.stderr.saturating_sub(open.logged.stderr),
            started_before: Duration::from_millis(millis.unsigned_abs()),
        })
    }

    async fn ended(&self, from: usize, watcher: &Watcher, outcome: Outcome) -> Result<Ran, Halted> {
        if let Some(failed) = watcher.failed() {
            return Ok(match failed.exit {
                Exit::Cancelled => Ran::Cancelled,
                _ => Ran::Failed(failed),
            });
        }
        match outcome {
            Outcome::Ended if from + watcher.finished_count() == self.commands.len() => {
                Ok(Ran::All)
            }
            Outcome::Ended if self.deploying.cancel.is_requested() => Ok(Ran::Cancelled),
            Outcome::Ended => Ok(Ran::All),
            Outcome::Lost => self.interrupted().await,
            Outcome::Broken(error) => self.broken(error).await,
        }
    }

    /// A command whose end nobody can tell is never silently run again.
    async fn interrupted(&self) -> Result<Ran, Halted> {
        let pipeline = self.deploying.journal.pipeline().await;
        let open = pipeline
            .open_command()
            .filter(|open| open.phase == self.phase);
        let Some(open) = open else {
            return Ok(Ran::All);
        };
        let (label, exit) = (open.label.clone(), Exit::Interrupted);
        self.deploying.scene.log.say(format!("{label} {exit}"));
        let event = Event::CommandFinished {
            label: label.clone(),
            phase: self.phase,
            exit,
            millis: 0,
        };
        self.deploying.journal.record(event).await?;
        Ok(Ran::Failed(FailedCommand {
            label,
            exit,
            last_lines: Vec::new(),
        }))
    }

    /// The container failed; a command that ran in it may have gone on.
    async fn broken(&self, error: RuntimeError) -> Result<Ran, Halted> {
        let pipeline = self.deploying.journal.pipeline().await;
        match pipeline.open_command() {
            Some(open) if open.phase == self.phase => {
                self.deploying.scene.log.say(sentence(&error));
                self.interrupted().await
            }
            _ => Ok(Ran::Broken(error)),
        }
    }

    /// Of an undo or an `after` command the log must do.
    fn when_failed(&self) -> WhenFailed {
        let proves = matches!(self.phase, Phase::Release | Phase::Gate);
        match proves && kept::keeps(&self.deploying.scene.environment) {
            true => WhenFailed::Keep,
            false => WhenFailed::Discard,
        }
    }

    fn request(&self, from: usize) -> CommandRun {
        let (scene, planned) = (&self.deploying.scene, self.planned);
        let mut processes = planned.plan.processes.iter();
        let routed = processes.find(|process| process.port.is_some());
        CommandRun {
            environment: scene.environment.key.clone(),
            deployment: scene.deployment,
            name: self.name.clone(),
            image: planned.image.clone(),
            commands: self.commands.iter().map(to_run).collect(),
            from,
            when_failed: self.when_failed(),
            variables: variables(
                &scene.environment,
                scene.deployment,
                &planned.commit.id,
                Some(self.phase),
            ),
            port: routed.and_then(|process| process.port),
            limits: scene.environment.limits,
            volumes: scene.environment.volumes.clone(),
        }
    }
}

/// How a run ended, as the runtime tells.
enum Outcome {
    Ended,
    /// Nothing tells how the open command ended.
    Lost,
    Broken(RuntimeError),
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
