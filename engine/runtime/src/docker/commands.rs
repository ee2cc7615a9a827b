//! Release commands: one container for all of them, each in a shell or process
//! of its own, and none before its start is allowed.
//!
//! The container's first process is the driver (`driver`). Before each command
//! it reads a line from its input, which is written only after the watcher has
//! answered; after each it writes a marker to both outputs, so that it is known
//! where one command's lines end, in whichever order the two arrive. When this
//! process dies, the input ends and no further command starts.
//!
//! A command that keeps the image's entrypoint, and every command of an image
//! without `/bin/sh`, gets a container of its own.

use std::time::Instant;

use shipway_core::journal::Exit;
use shipway_core::ports::Stream;
use shipway_core::ports::runtime::{Command, CommandRun, CommandWatcher, RuntimeError};
use shipway_core::release::{Entrypoint, Invocation};

use super::attended::Attended;
use super::container::{self, Spec, Start, no_health_check};
use super::driver;
use super::engine::Engine;
use super::label::{self, PREFIX, Role};
use super::marks::Marked;
use super::one_off::{OneOff, Started};

pub async fn run(
    engine: &Engine,
    run: &CommandRun,
    watcher: &dyn CommandWatcher,
) -> Result<(), RuntimeError> {
    // One that an engine before us left may be at work still.
    container::remove_roles(engine, run.deployment, &[Role::Commands]).await?;
    let job = Job {
        engine,
        run,
        watcher,
        nonce: label::nonce(),
    };
    let mut shared = Shared::NotYet;
    let ran = job.each(&mut shared).await;
    let closed = match shared {
        Shared::Up(container) => container.remove().await,
        Shared::NotYet | Shared::Impossible => Ok(()),
    };
    ran.and(closed)
}

struct Job<'a> {
    engine: &'a Engine,
    run: &'a CommandRun,
    watcher: &'a dyn CommandWatcher,
    nonce: String,
}

/// The container of all commands.
enum Shared {
    NotYet,
    Up(Box<Attended>),
    /// The image has no shell, or the commands are too long for one container.
    Impossible,
}

impl Job<'_> {
    async fn each(&self, shared: &mut Shared) -> Result<(), RuntimeError> {
        for (index, command) in self.run.commands.iter().enumerate() {
            if self.watcher.starting(index).await.is_err() {
                return Ok(());
            }
            let began = Instant::now();
            let exit = self.one(index, command, shared).await?;
            let heard = self.watcher.finished(index, exit, began.elapsed()).await;
            if heard.is_err() || !exit.is_success() {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn one(
        &self,
        index: usize,
        command: &Command,
        shared: &mut Shared,
    ) -> Result<Exit, RuntimeError> {
        if command.entrypoint == Entrypoint::Keep {
            return self.apart(index, command).await;
        }
        if matches!(shared, Shared::NotYet) {
            *shared = self.open().await?;
        }
        let gate = driver::gate(&self.nonce, index);
        match shared {
            Shared::Up(container) => {
                container.write(&gate).await;
                container.attend(index, command, self.watcher).await
            }
            Shared::NotYet | Shared::Impossible => self.apart(index, command).await,
        }
    }

    /// Starts the container of all commands, which waits for the first gate.
    async fn open(&self) -> Result<Shared, RuntimeError> {
        let all: Vec<Option<&Invocation>> = self
            .run
            .commands
            .iter()
            .map(|command| (command.entrypoint == Entrypoint::Bypass).then_some(&command.run))
            .collect();
        let Some(words) = driver::commands(&self.nonce, &all) else {
            return Ok(Shared::Impossible);
        };
        let output = Marked::by(&self.nonce);
        Ok(match self.attended(Start::Bypass(words), output).await? {
            Ok(container) => Shared::Up(Box::new(container)),
            Err(_no_shell) => Shared::Impossible,
        })
    }

    /// Runs one command in a container of its own.
    async fn apart(&self, index: usize, command: &Command) -> Result<Exit, RuntimeError> {
        let start = match command.entrypoint {
            Entrypoint::Keep => Start::Keep(command.run.argv()),
            Entrypoint::Bypass => Start::Bypass(command.run.argv()),
        };
        let mut container = match self.attended(start, Marked::default()).await? {
            Ok(container) => container,
            Err(message) => {
                self.say_why_not(index, command, &message);
                return Ok(Exit::NotStarted);
            }
        };
        let exit = container.attend(index, command, self.watcher).await;
        container.remove().await?;
        exit
    }

    fn say_why_not(&self, index: usize, command: &Command, message: &str) {
        let line = match &command.run {
            Invocation::Shell(_) if message.contains("/bin/sh") => {
                "the image has no /bin/sh: give the command as a list of words, which needs no shell"
            }
            _ => message,
        };
        self.watcher.output(index, Stream::Stderr, line);
    }

    /// Creates a container, attaches to it and starts it. The inner error says
    /// that its program is not in the image.
    async fn attended(
        &self,
        start: Start,
        output: Marked,
    ) -> Result<Result<Attended, String>, RuntimeError> {
        let run = self.run;
        let spec = Spec {
            image: run.image.reference.clone(),
            labels: label::labels(Role::Commands, &run.environment, run.deployment),
            env: container::env(&run.variables, &run.volumes, run.port),
            start,
            limits: run.limits,
            network: self.engine.config.network.clone(),
            mounts: container::mounts(&run.environment, &run.volumes),
        };
        let mut body = spec.body();
        body.open_stdin = Some(true);
        body.stdin_once = Some(true);
        body.attach_stdin = Some(true);
        body.healthcheck = Some(no_health_check());
        let short = label::short(run.deployment);
        let name = format!("{PREFIX}commands-{short}-{}", label::nonce());
        let container = OneOff::create(self.engine, &name, body).await?;
        let attached = container.attach().await?;
        if let Started::CannotExecute(message) = container.start().await? {
            container.remove().await?;
            return Ok(Err(message));
        }
        Ok(Ok(Attended::new(container, attached, output)))
    }
}
