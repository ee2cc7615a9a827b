//! Release commands: one run, each command in a shell or process of its own.
//!
//! What stands for the container is a scratch folder that the commands share
//! as `HOME` and `TMPDIR`, and the image's own folder to stand in, which is
//! read-only. Each command runs under a small supervisor, which outlives the
//! engine; this one only follows what the supervisor writes down, and an engine
//! after it goes on with that. Between two commands nothing runs.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use shipway_core::ports::runtime::{
    Command, CommandRun, CommandWatcher, OpenCommand, Resumed, RuntimeError,
};
use shipway_core::ports::{LineEnd, Stream};
use shipway_core::secret::Secret;

use super::ProcessRuntime;
use super::child::{Program, base_variables};
use super::follow::Following;
use super::images::{ImageFolder, resolve};
use super::launch::launch_command;
use super::run::{Machine, Next, Run};
use super::state::{failed, make_private};
use super::volumes;
use crate::lines::Stored;
use crate::supervise::output;
use crate::supervise::spec::{Begun, CommandSpec, Ended};

/// What is kept of one command's output until its run is over.
const OUTPUT_BYTES: u64 = 1024 * 1024 * 1024;

pub async fn run(
    runtime: &ProcessRuntime,
    request: &CommandRun,
    watcher: Arc<dyn CommandWatcher>,
) -> Result<(), RuntimeError> {
    let image = resolve(&runtime.state, &request.image)?;
    let volumes = volumes::make(&runtime.state, &request.environment, &request.volumes)?;
    let cgroups = runtime.cgroups();
    let run = Run::named(&runtime.state, cgroups, request, &image.home()).await?;
    let commands = Commands {
        volumes,
        runtime,
        request,
        image: &image,
        run: &run,
        watcher: &*watcher,
    };
    let done = commands.all_from(request.from).await;
    run.close_after(*done.as_ref().unwrap_or(&Next::Stop)).await;
    done.map(drop)
}

/// An error leaves the run as it is, to be tried again.
pub async fn resume(
    runtime: &ProcessRuntime,
    request: &CommandRun,
    open: Option<&OpenCommand>,
    watcher: Arc<dyn CommandWatcher>,
) -> Result<Resumed, RuntimeError> {
    let found = Run::find(&runtime.state, runtime.cgroups(), request)?;
    let Some((run, machine)) = found else {
        return Ok(Resumed::Lost);
    };
    let image = resolve(&runtime.state, &request.image)?;
    let volumes = volumes::make(&runtime.state, &request.environment, &request.volumes)?;
    let commands = Commands {
        volumes,
        runtime,
        request,
        image: &image,
        run: &run,
        watcher: &*watcher,
    };
    let last = match open {
        Some(open) => commands.go_on_with(open, machine).await?,
        None => Some(commands.go_on(request.from).await?),
    };
    run.close_after(last.unwrap_or(Next::Stop)).await;
    Ok(last.map_or(Resumed::Lost, |_| Resumed::Ended))
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
    async fn all_from(&self, first: usize) -> Result<Next, RuntimeError> {
        for (index, command) in self.request.commands.iter().enumerate().skip(first) {
            if self.watcher.starting(index).await.is_err() {
                return Ok(Next::Stop);
            }
            if index == self.request.from {
                self.tell_problems(index).await;
            }
            self.start(index, command).await?;
            let ended = self.follow(index, Stored::default()).await?;
            let ended = ended.ok_or_else(untold)?;
            let next = self.finish(index, ended).await;
            if next != Next::Start {
                return Ok(next);
            }
        }
        Ok(Next::Start)
    }

    async fn go_on(&self, next: usize) -> Result<Next, RuntimeError> {
        // The next engine compares with this boot of the machine.
        self.run.note(None)?;
        self.all_from(next).await
    }

    /// What came of the last command; none where the run is lost.
    async fn go_on_with(
        &self,
        open: &OpenCommand,
        machine: Machine,
    ) -> Result<Option<Next>, RuntimeError> {
        let Some(command) = self.request.commands.get(open.index) else {
            return Ok(None);
        };
        let folder = self.run.command(open.index);
        // After a restart of the machine the claim may be what was lost.
        if Begun::read(&folder).is_none() && machine == Machine::TheSame {
            self.start(open.index, command).await?;
        }
        let Some(ended) = self.follow(open.index, open.into()).await? else {
            return Ok(None);
        };
        match self.finish(open.index, ended).await {
            Next::Start => self.go_on(open.index + 1).await.map(Some),
            last => Ok(Some(last)),
        }
    }

    async fn follow(&self, index: usize, stored: Stored) -> Result<Option<Ended>, RuntimeError> {
        let following = Following {
            folder: &self.run.command(index),
            index,
            stored,
            watcher: self.watcher,
        };
        following
            .to_the_end()
            .await
            .map_err(|error| failed("read what the command wrote", error))
    }

    async fn finish(&self, index: usize, ended: Ended) -> Next {
        let Ended { exit, millis } = ended;
        let took = Duration::from_millis(millis);
        match self.watcher.finished(index, exit, took).await {
            Ok(()) if exit.is_success() => Next::Start,
            Ok(()) if self.request.keeps(exit) => Next::Keep,
            Ok(()) | Err(_) => Next::Stop,
        }
    }

    /// Until a supervisor has taken it on. To be repeated where it is not known
    /// whether one has: of two the first has it.
    async fn start(&self, index: usize, command: &Command) -> Result<(), RuntimeError> {
        let folder = self.run.command(index);
        prepare(&folder).map_err(|error| failed("make the command's folder", error))?;
        let spec = CommandSpec {
            folder,
            run: self.run.folder().to_owned(),
            program: self.program(command),
            timeout: command.timeout,
            output_bytes: OUTPUT_BYTES,
        };
        launch_command(self.runtime, spec).await
    }

    async fn tell_problems(&self, index: usize) {
        for problem in &self.run.problems {
            let end = LineEnd::Newline;
            self.watcher
                .output(index, Stream::Engine, problem, end)
                .await;
        }
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
}

fn prepare(folder: &Path) -> std::io::Result<()> {
    make_private(folder)?;
    let mode = nix::sys::stat::Mode::S_IRUSR | nix::sys::stat::Mode::S_IWUSR;
    match nix::unistd::mkfifo(&output::bell(folder), mode) {
        Ok(()) | Err(nix::errno::Errno::EEXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn untold() -> RuntimeError {
    RuntimeError::Other {
        what: "learn how the command ended".to_owned(),
        source: "its supervisor ended before it".into(),
    }
}
