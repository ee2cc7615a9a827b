//! Steps 5 and 8, and the commands of every other phase: one container from
//! the new image, each command in a shell of its own, in order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use shipway_core::ending::{Ending, Failure, Reason};
use shipway_core::journal::{Event, Exit, Output};
use shipway_core::name::{DeploymentId, Label, RunName};
use shipway_core::pipeline::{Candidate, Pipeline, Planned, Step};
use shipway_core::ports::runtime::{Command, CommandRun, CommandWatcher, Halt, RuntimeError};
use shipway_core::ports::store::{Deployment, DeploymentFilter};
use shipway_core::ports::{LineEnd, Stream};
use shipway_core::release::{CancelPolicy, Phase, ReleaseCommand, When};

use crate::deploy::Deploying;
use crate::failures::{self, Broken, Halted, sentence};
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
        name: RunName::of_phase(phase),
        image: planned.image.clone(),
        commands: commands.iter().map(to_run).collect(),
        from: 0,
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

/// Hears of the commands as they run. Journal entries go through a channel to
/// [`Watcher::write`], which answers when they are written: a command starts
/// only after its start is in the journal.
#[derive(Debug)]
struct Watcher {
    log: crate::log::Log,
    cancel: crate::deploy::Cancel,
    phase: Phase,
    commands: Vec<Watched>,
    /// From the runtime's side to the writing side; closed by neither before
    /// the run ends.
    entries: tokio::sync::mpsc::UnboundedSender<Pending>,
    inbox: tokio::sync::Mutex<tokio::sync::mpsc::UnboundedReceiver<Pending>>,
    seen: Mutex<Seen>,
    /// Rung when a command starts or ends.
    moved: tokio::sync::Notify,
}

#[derive(Debug)]
struct Watched {
    label: Label,
    run: String,
    cancel: CancelPolicy,
}

#[derive(Debug)]
struct Pending {
    event: Event,
    written: tokio::sync::oneshot::Sender<()>,
}

#[derive(Debug, Default)]
struct Seen {
    /// The command that runs.
    current: Option<usize>,
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
                .map(|command| Watched {
                    label: command.label.clone(),
                    run: command.run.to_string(),
                    cancel: command.cancel,
                })
                .collect(),
            entries,
            inbox: tokio::sync::Mutex::new(inbox),
            seen: Mutex::default(),
            moved: tokio::sync::Notify::new(),
        }
    }

    /// Whether the command that runs must not be stopped.
    fn is_protected(&self) -> bool {
        let current = self.seen().current;
        let command = current.and_then(|index| self.commands.get(index));
        command.is_some_and(|command| command.cancel == CancelPolicy::Never)
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
            .map(|command| command.label.clone())
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
        let Watched { label, run, .. } = self.commands.get(index).ok_or(Halt)?;
        {
            let mut seen = self.seen();
            seen.last_lines.clear();
            seen.current = Some(index);
        }
        self.moved.notify_waiters();
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
            seen.current = None;
            if !exit.is_success() {
                seen.failed = Some((index, exit));
            }
        }
        self.moved.notify_waiters();
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

    async fn output(&self, _index: usize, stream: Stream, line: &str) {
        let line = self.log.write(stream, line, LineEnd::Newline).await;
        let mut seen = self.seen();
        if seen.last_lines.len() == LAST_LINES {
            seen.last_lines.pop_front();
        }
        seen.last_lines.push_back(line);
    }

    async fn cancelled(&self) {
        match self.phase {
            Phase::Release | Phase::Gate => {
                self.cancel.requested().await;
                loop {
                    let moved = self.moved.notified();
                    if !self.is_protected() {
                        return;
                    }
                    moved.await;
                }
            }
            Phase::After | Phase::Failed => std::future::pending().await,
        }
    }
}
