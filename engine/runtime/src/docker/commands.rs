//! Release commands: one container for all of them, each in a shell or process
//! of its own, and none before its start is allowed.
//!
//! The container's first process is the driver (`driver`). Before each command
//! it reads a line from its input, which is written only after the watcher has
//! answered; after each it writes a marker to both outputs, so that it is known
//! where one command's lines end, in whichever order the two arrive. When this
//! process dies, the container works on to the end of its command and waits for
//! a while for an engine that goes on with the run (`resume`).
//!
//! A command that keeps the image's entrypoint, and every command of an image
//! without `/bin/sh`, gets a container of its own. Containers are made before the
//! watcher is asked, so that little is left to happen after its answer.

use std::time::{Duration, Instant};

use bollard::models::ContainerCreateBody;
use shipway_core::journal::Exit;
use shipway_core::ports::runtime::{Command, CommandRun, CommandWatcher, RuntimeError};
use shipway_core::ports::{LineEnd, Stream};
use shipway_core::release::{Entrypoint, Invocation};

use super::attended::{Attended, Attending, End, Limit};
use super::container::{self, Kept, Spec, Start, no_health_check};
use super::driver::{self, Ended};
use super::engine::Engine;
use super::label::{self, ATTEMPT, COMMAND, DEPLOYMENT, NONCE, PREFIX, RUN, Role};
use super::marks::Marked;
use super::one_off::{OneOff, Started, WhenDropped};
use crate::lines::Stored;

pub async fn run(
    engine: &Engine,
    run: &CommandRun,
    watcher: &dyn CommandWatcher,
) -> Result<(), RuntimeError> {
    // One that an engine before us left may be at work still.
    remove_all_of(engine, run).await?;
    let job = Job::new(engine, run, watcher);
    let mut shared = Shared::NotYet;
    match job.all_from(run.from, &mut shared).await {
        Ok(next) => shared.close(next).await,
        Err(error) => {
            if let Err(left) = job.remove_its_own().await {
                tracing::warn!(run = %run.name, error = %left, "a container was left behind");
            }
            Err(error)
        }
    }
}

/// Removes what is left of a run, whoever made it.
pub async fn remove_all_of(engine: &Engine, run: &CommandRun) -> Result<(), RuntimeError> {
    let deployment = run.deployment.to_string();
    let labels = [(DEPLOYMENT, deployment.as_str()), (RUN, run.name.as_str())];
    container::remove_labelled(engine, &labels, &[Role::Commands]).await
}

pub struct Job<'a> {
    pub engine: &'a Engine,
    pub run: &'a CommandRun,
    pub watcher: &'a dyn CommandWatcher,
    attempt: String,
}

/// The container of all commands.
pub enum Shared {
    NotYet,
    Up(Box<Driven>),
    /// The image has no shell, or the commands are too long for one container.
    Impossible,
}

impl Shared {
    /// `last` is what came of the run's last command.
    pub async fn close(self, last: Next) -> Result<(), RuntimeError> {
        match self {
            Self::Up(driven) => driven.attended.close(last).await,
            Self::NotYet | Self::Impossible => Ok(()),
        }
    }
}

/// Whether the next command may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Start,
    Stop,
    /// The command failed, and its container stays for a look inside.
    Keep,
}

impl<'a> Job<'a> {
    pub fn new(engine: &'a Engine, run: &'a CommandRun, watcher: &'a dyn CommandWatcher) -> Self {
        Self {
            engine,
            run,
            watcher,
            attempt: label::nonce(),
        }
    }

    /// One after the other, until one fails or the watcher halts.
    pub async fn all_from(&self, first: usize, shared: &mut Shared) -> Result<Next, RuntimeError> {
        for (index, command) in self.run.commands.iter().enumerate().skip(first) {
            let next = self.one(index, command, shared).await?;
            if next != Next::Start {
                return Ok(next);
            }
        }
        Ok(Next::Start)
    }

    async fn one(
        &self,
        index: usize,
        command: &Command,
        shared: &mut Shared,
    ) -> Result<Next, RuntimeError> {
        let bypass = command.entrypoint == Entrypoint::Bypass;
        if bypass && matches!(shared, Shared::NotYet) {
            *shared = self.open(index).await?;
        }
        let one = self.attending(index, command);
        match shared {
            Shared::Up(driven) if bypass => {
                if self.watcher.starting(index).await.is_err() {
                    return Ok(Next::Stop);
                }
                let began = Instant::now();
                let end = driven.attend(&one).await?;
                let exit = exit_driven(&driven.attended.container, end).await?;
                Ok(self.finish(index, exit, began.elapsed()).await)
            }
            _ => self.apart(&one, command).await,
        }
    }

    /// A command from its beginning.
    pub fn attending(&self, index: usize, command: &Command) -> Attending<'a> {
        let before = self.run.commands.get(..index).unwrap_or_default();
        Attending {
            index,
            after: before
                .iter()
                .rposition(|command| command.entrypoint == Entrypoint::Bypass),
            stored: Stored::default(),
            limit: Limit::Left {
                left: command.timeout,
                of: command.timeout,
            },
            watcher: self.watcher,
        }
    }

    pub async fn finish(&self, index: usize, exit: Exit, took: Duration) -> Next {
        match self.watcher.finished(index, exit, took).await {
            Ok(()) if exit.is_success() => Next::Start,
            Ok(()) if self.run.keeps(exit) => Next::Keep,
            Ok(()) | Err(_) => Next::Stop,
        }
    }

    /// Another attempt at the run may have begun, and ended this one.
    async fn remove_its_own(&self) -> Result<(), RuntimeError> {
        let labels = [(ATTEMPT, self.attempt.as_str())];
        container::remove_labelled(self.engine, &labels, &[Role::Commands]).await
    }

    /// Starts the container of all commands from this one on, which waits for
    /// its first gate.
    async fn open(&self, from: usize) -> Result<Shared, RuntimeError> {
        let here = |(index, command): (usize, &'a Command)| {
            (index >= from && command.entrypoint == Entrypoint::Bypass).then_some(&command.run)
        };
        let all: Vec<Option<&Invocation>> =
            self.run.commands.iter().enumerate().map(here).collect();
        let nonce = label::nonce();
        let Some(words) = driver::commands(&nonce, driver::PATIENCE, &all) else {
            return Ok(Shared::Impossible);
        };
        let labels = [
            (COMMAND.to_owned(), from.to_string()),
            (NONCE.to_owned(), nonce.clone()),
        ];
        let mut body = self.body(Start::Bypass(words), labels);
        body.open_stdin = Some(true);
        // It stays open when we are gone.
        body.stdin_once = Some(false);
        body.attach_stdin = Some(true);
        let container = self.create(body).await?;
        let attached = container.attach().await?;
        if let Started::CannotExecute(_no_shell) = container.start().await? {
            container.remove().await?;
            return Ok(Shared::Impossible);
        }
        let attended = Attended::new(container, attached, Marked::by(&nonce), from);
        Ok(Shared::Up(Box::new(Driven { nonce, attended })))
    }

    /// Runs one command in a container of its own.
    async fn apart(&self, one: &Attending<'_>, command: &Command) -> Result<Next, RuntimeError> {
        let start = match command.entrypoint {
            Entrypoint::Keep => Start::Keep(command.run.argv()),
            Entrypoint::Bypass => Start::Bypass(command.run.argv()),
        };
        let labels = [(COMMAND.to_owned(), one.index.to_string())];
        let container = self.create(self.body(start, labels)).await?;
        let attached = container.attach().await?;
        if self.watcher.starting(one.index).await.is_err() {
            container.remove().await?;
            return Ok(Next::Stop);
        }
        let began = Instant::now();
        if let Started::CannotExecute(message) = container.start().await? {
            return self
                .not_started(one.index, command, container, &message)
                .await;
        }
        let mut attended = Attended::new(container, attached, Marked::default(), one.index);
        let end = attended.attend(one).await?;
        let exit = exit_apart(&attended.container, end).await?;
        let next = self.finish(one.index, exit, began.elapsed()).await;
        // Not before somebody knows how it ended.
        attended.close(next).await?;
        Ok(next)
    }

    /// The program is not in the image.
    pub async fn not_started(
        &self,
        index: usize,
        command: &Command,
        container: OneOff,
        message: &str,
    ) -> Result<Next, RuntimeError> {
        let line = match &command.run {
            Invocation::Shell(_) if message.contains("/bin/sh") => {
                "the image has no /bin/sh: give the command as a list of words, which needs no shell"
            }
            _ => message,
        };
        let end = LineEnd::Newline;
        self.watcher.output(index, Stream::Stderr, line, end).await;
        let exit = Exit::NotStarted;
        let next = self.finish(index, exit, Duration::ZERO).await;
        container.remove().await?;
        Ok(next)
    }

    fn body<const N: usize>(
        &self,
        start: Start,
        more_labels: [(String, String); N],
    ) -> ContainerCreateBody {
        let run = self.run;
        let mut labels = label::labels(Role::Commands, &run.environment, run.deployment);
        labels.insert(RUN.to_owned(), run.name.to_string());
        labels.insert(ATTEMPT.to_owned(), self.attempt.clone());
        labels.extend(more_labels);
        let spec = Spec {
            image: run.image.reference.clone(),
            labels,
            env: container::env(&run.variables, &run.volumes, run.port),
            start,
            limits: run.limits,
            network: self.engine.config.network.clone(),
            mounts: container::mounts(&run.environment, &run.volumes),
            log: Kept::Whole,
        };
        let mut body = spec.body();
        body.healthcheck = Some(no_health_check());
        body
    }

    async fn create(&self, body: ContainerCreateBody) -> Result<OneOff, RuntimeError> {
        let short = label::short(self.run.deployment);
        let name = format!("{PREFIX}commands-{short}-{}", label::nonce());
        OneOff::create(self.engine, &name, body, WhenDropped::Leave).await
    }
}

/// A container with the driver in it.
pub struct Driven {
    pub nonce: String,
    pub attended: Attended,
}

impl Driven {
    /// Lets the command start, unless it has, and listens to it.
    pub async fn attend(&mut self, one: &Attending<'_>) -> Result<End, RuntimeError> {
        let gate = driver::gate(&self.nonce, one.index);
        self.attended.write(&gate).await;
        self.attended.attend(one).await
    }
}

/// How a command ended that the driver ran.
pub async fn exit_driven(container: &OneOff, end: End) -> Result<Exit, RuntimeError> {
    let exit = match end {
        End::Stopped(exit) => return Ok(exit),
        End::Told(Ended::NotFound) => return Ok(Exit::NotStarted),
        End::Told(Ended::Status(status)) => return container.exit_of(status).await,
        End::OfContainer => container.exit().await?,
    };
    // The driver went in peace: then it was not the command that ended it.
    if let Exit::Code {
        code: 0 | driver::OUT_OF_PATIENCE,
    } = exit
    {
        return Err(RuntimeError::Other {
            what: "learn how the command ended".to_owned(),
            source: "its container ended before it said so".into(),
        });
    }
    Ok(exit)
}

/// How a command ended that has a container of its own.
pub async fn exit_apart(container: &OneOff, end: End) -> Result<Exit, RuntimeError> {
    match end {
        End::Stopped(exit) => Ok(exit),
        End::Told(_) | End::OfContainer => container.exit().await,
    }
}
