//! Release commands: one run, each command in a shell or process of its own.
//!
//! What stands for the container is a scratch folder that the commands share
//! as `HOME` and `TMPDIR`, and the image's own folder to stand in, which is
//! read-only.

use std::sync::Arc;
use std::time::Instant;

use shipway_core::journal::Exit;
use shipway_core::ports::Stream;
use shipway_core::ports::runtime::{Command, CommandRun, CommandWatcher, RuntimeError};
use shipway_core::secret::Secret;

use super::ProcessRuntime;
use super::child::{Program, base_variables};
use super::images::{ImageFolder, resolve};
use super::run::Run;
use super::running::{Running, time_out};
use super::state::failed;
use super::volumes;

pub async fn run(
    runtime: &ProcessRuntime,
    request: &CommandRun,
    watcher: Arc<dyn CommandWatcher>,
) -> Result<(), RuntimeError> {
    let image = resolve(&runtime.state, &request.image)?;
    let volumes = volumes::make(&runtime.state, &request.environment, &request.volumes)?;
    let run = Run::open(
        &runtime.state,
        runtime.cgroups(),
        request.deployment,
        request.limits,
        Some(&image.home()),
    )?;
    let commands = Commands {
        volumes,
        runtime,
        request,
        image: &image,
        run: &run,
        watcher: &*watcher,
    };
    let done = commands.run_all().await;
    run.close().await;
    done
}

struct Commands<'a> {
    /// The variables that tell where the volumes are.
    volumes: Vec<(String, Secret)>,
    runtime: &'a ProcessRuntime,
    request: &'a CommandRun,
    image: &'a ImageFolder,
    run: &'a Run,
    watcher: &'a dyn CommandWatcher,
}

impl Commands<'_> {
    /// One after the other, until one fails or the watcher halts.
    async fn run_all(&self) -> Result<(), RuntimeError> {
        for (index, command) in self.request.commands.iter().enumerate() {
            if self.watcher.starting(index).await.is_err() {
                return Ok(());
            }
            if index == 0 {
                for problem in &self.run.problems {
                    self.watcher.output(index, Stream::Engine, problem);
                }
            }
            let began = Instant::now();
            let exit = self.run_one(index, command).await?;
            let halted = self.watcher.finished(index, exit, began.elapsed()).await;
            if halted.is_err() || !exit.is_success() {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn run_one(&self, index: usize, command: &Command) -> Result<Exit, RuntimeError> {
        let program = self.program(command);
        let started = program
            .command()
            .and_then(|command| Running::start(command, self.run.group.clone()));
        let mut running = match started {
            Ok(running) => running,
            Err(error) => {
                let name = program.argv.first().map_or("", String::as_str);
                let line = format!("{name} could not be started: {error}");
                self.watcher.output(index, Stream::Engine, &line);
                return Ok(Exit::NotStarted);
            }
        };
        self.run.note(running.id())?;
        let take = |stream, line: &str| self.watcher.output(index, stream, line);
        running
            .lines_until(take, self.reason_to_stop(command))
            .await
            .map_err(|error| failed("wait for the command", error))
    }

    fn program(&self, command: &Command) -> Program {
        let scratch = &self.run.scratch;
        let base = base_variables(
            self.runtime.search_path(),
            &scratch.home,
            &scratch.temporary,
        );
        let port = self
            .request
            .port
            .map(|port| ("PORT".to_owned(), Secret::new(port.to_string())));
        Program {
            argv: command.run.argv(),
            folder: self.image.app(),
            variables: base
                .into_iter()
                .chain(self.request.variables.iter().cloned())
                .chain(self.volumes.iter().cloned())
                .chain(port)
                .collect(),
            group: self.run.group.clone(),
        }
    }

    async fn reason_to_stop(&self, command: &Command) -> Exit {
        tokio::select! {
            exit = time_out(command.timeout) => exit,
            () = self.watcher.cancelled() => Exit::Cancelled,
        }
    }
}
