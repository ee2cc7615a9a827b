//! Steps 5 and 8, and the commands of every other phase: one container from
//! the new image, each command in a shell of its own, in order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use shipway_core::ending::{Failure, Reason};
use shipway_core::journal::{Event, Exit, Output};
use shipway_core::name::Label;
use shipway_core::pipeline::{Candidate, Planned, Step};
use shipway_core::ports::runtime::{Command, CommandRun, CommandWatcher, Halt};
use shipway_core::ports::{Output as _, Stream};
use shipway_core::release::{Phase, ReleaseCommand, When};

use crate::deploy::Deploying;
use crate::failures::{self, Broken, Halted};
use crate::journal as journals;
use crate::variables::variables;

/// Lines of a failing command that its ending shows.
const LAST_LINES: usize = 20;
/// Earlier deployments that are looked through for a `once` command.
const LOOK_BACK: u32 = 200;

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

/// The commands of a phase that this deployment runs: those that have not run
/// in it yet, and whose `when` says so.
async fn due(
    deploying: &Deploying,
    planned: &Planned,
    phase: Phase,
) -> Result<Vec<ReleaseCommand>, Broken> {
    let scene = &deploying.scene;
    let is_first = scene
        .world
        .store
        .serving(&scene.environment.key)
        .await?
        .is_none();
    let mut due = Vec::new();
    for command in planned.plan.phase(phase) {
        let wanted = match command.when {
            When::Always => true,
            When::FirstDeploy => is_first,
            When::Once => !ran_before(deploying, planned, command).await?,
        };
        if !wanted {
            scene
                .log
                .say(format!("{} is not due in this deployment", command.label));
        } else if !planned.ran.contains(&command.label) {
            due.push(command.clone());
        }
    }
    Ok(due)
}

/// Whether an earlier deployment of this environment ran the command in the
/// same image.
async fn ran_before(
    deploying: &Deploying,
    planned: &Planned,
    command: &ReleaseCommand,
) -> Result<bool, Broken> {
    let store = &deploying.scene.world.store;
    let filter = shipway_core::ports::store::DeploymentFilter {
        environment: Some(deploying.scene.environment.key.clone()),
        limit: LOOK_BACK,
        ..Default::default()
    };
    for earlier in store.deployments(&filter).await? {
        if earlier.id == deploying.scene.deployment
            || earlier.commit.as_ref() != Some(&planned.commit)
        {
            continue;
        }
        let entries = journals::read(store.as_ref(), earlier.id).await?;
        let same_image = entries.iter().any(|entry| matches!(
            &entry.event,
            Event::StepSucceeded { output, .. }
                if matches!(output.as_ref(), Output::Build(image) if image.reference == planned.image.reference)
        ));
        let ran = entries.iter().any(|entry| matches!(
            &entry.event,
            Event::CommandFinished { label, exit, .. } if *label == command.label && exit.is_success()
        ));
        if same_image && ran {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How a run of commands went.
#[derive(Debug)]
pub enum Ran {
    All,
    Failed(FailedCommand),
    Cancelled,
    /// The container itself failed.
    Broken(shipway_core::ports::runtime::RuntimeError),
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
        outcome = scene.runtime.run_commands(&request, watcher.clone()) => outcome,
        halted = watcher.write(deploying) => return Err(halted),
    };
    match (watcher.failed(), outcome) {
        (Some(failed), _) if failed.exit == Exit::Cancelled => Ok(Ran::Cancelled),
        (Some(failed), _) => Ok(Ran::Failed(failed)),
        (None, Err(error)) => Ok(Ran::Broken(error)),
        (None, Ok(()))
            if watcher.finished_count() < commands.len() && deploying.cancel.is_requested() =>
        {
            Ok(Ran::Cancelled)
        }
        (None, Ok(())) => Ok(Ran::All),
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
    failure
}

/// Hears of the commands as they run. Journal entries go through a channel to
/// [`Watcher::write`], which answers when they are written: a command starts
/// only after its start is in the journal.
#[derive(Debug)]
struct Watcher {
    log: crate::log::Log,
    cancel: crate::deploy::Cancel,
    phase: Phase,
    commands: Vec<(Label, String)>,
    /// From the runtime's side to the writing side; closed by neither before
    /// the run ends.
    entries: tokio::sync::mpsc::UnboundedSender<Pending>,
    inbox: tokio::sync::Mutex<tokio::sync::mpsc::UnboundedReceiver<Pending>>,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Pending {
    event: Event,
    written: tokio::sync::oneshot::Sender<()>,
}

#[derive(Debug, Default)]
struct Seen {
    last_lines: VecDeque<String>,
    finished: usize,
    failed: Option<(usize, Exit)>,
}

impl Watcher {
    fn new(deploying: &Deploying, phase: Phase, commands: &[ReleaseCommand]) -> Self {
        let (entries, inbox) = tokio::sync::mpsc::unbounded_channel();
        Self {
            log: deploying.scene.log.clone(),
            cancel: deploying.cancel.clone(),
            phase,
            commands: commands
                .iter()
                .map(|c| (c.label.clone(), c.run.to_string()))
                .collect(),
            entries,
            inbox: tokio::sync::Mutex::new(inbox),
            seen: Mutex::default(),
        }
    }

    /// Writes entries until one cannot be written. The receiving side of
    /// `entries`; it ends only with an error.
    async fn write(&self, deploying: &Deploying) -> Halted {
        let mut inbox = self.inbox.lock().await;
        loop {
            let Some(pending) = inbox.recv().await else {
                std::future::pending().await
            };
            match deploying.journal.record(pending.event).await {
                Ok(_) => drop(pending.written.send(())),
                Err(halted) => return halted,
            }
        }
    }

    async fn record(&self, event: Event) -> Result<(), Halt> {
        let (written, done) = tokio::sync::oneshot::channel();
        self.entries
            .send(Pending { event, written })
            .map_err(|_| Halt)?;
        done.await.map_err(|_| Halt)
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn label(&self, index: usize) -> Result<Label, Halt> {
        self.commands
            .get(index)
            .map(|(label, _)| label.clone())
            .ok_or(Halt)
    }

    fn failed(&self) -> Option<FailedCommand> {
        let seen = self.seen();
        let (index, exit) = seen.failed?;
        let label = self.label(index).ok()?;
        Some(FailedCommand {
            label,
            exit,
            last_lines: seen.last_lines.iter().cloned().collect(),
        })
    }

    fn finished_count(&self) -> usize {
        self.seen().finished
    }
}

#[async_trait]
impl CommandWatcher for Watcher {
    async fn starting(&self, index: usize) -> Result<(), Halt> {
        if self.cancel.is_requested() && matches!(self.phase, Phase::Release | Phase::Gate) {
            return Err(Halt);
        }
        let (label, run) = self.commands.get(index).ok_or(Halt)?;
        self.seen().last_lines.clear();
        self.log
            .say(format!("[{}/{}] {label}", index + 1, self.commands.len()));
        if run != label.as_str() {
            self.log.say(format!("$ {run}"));
        }
        self.record(Event::CommandStarted {
            label: label.clone(),
            phase: self.phase,
        })
        .await
    }

    async fn finished(&self, index: usize, exit: Exit, took: Duration) -> Result<(), Halt> {
        let label = self.label(index)?;
        {
            let mut seen = self.seen();
            seen.finished += 1;
            if !exit.is_success() {
                seen.failed = Some((index, exit));
            }
        }
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.log
            .say(format!("{label} {exit} after {:.1} s", took.as_secs_f64()));
        self.log.say("");
        self.log.flush().await;
        self.record(Event::CommandFinished {
            label,
            phase: self.phase,
            exit,
            millis,
        })
        .await
    }

    fn output(&self, _index: usize, stream: Stream, line: &str) {
        self.log.line(stream, line);
        let line = self.log.redacted(line);
        let mut seen = self.seen();
        if seen.last_lines.len() == LAST_LINES {
            seen.last_lines.pop_front();
        }
        seen.last_lines.push_back(line);
    }

    async fn cancelled(&self) {
        match self.phase {
            Phase::Release | Phase::Gate => self.cancel.requested().await,
            Phase::After | Phase::Failed => std::future::pending().await,
        }
    }
}
