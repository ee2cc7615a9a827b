//! A container that runs something once and is removed when that is over; most
//! of them also when the future that holds it is dropped.

use std::pin::Pin;

use bollard::Docker;
use bollard::container::{AttachContainerResults, LogOutput};
use bollard::errors::Error;
use bollard::models::ContainerCreateBody;
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, KillContainerOptionsBuilder, LogsOptionsBuilder,
    WaitContainerOptionsBuilder,
};
use futures::{Stream, StreamExt};
use shipway_core::journal::Exit;
use shipway_core::ports::runtime::RuntimeError;
use tokio::io::AsyncWrite;

use super::container::{self, OutOfMemory, exit_of};
use super::engine::{CALL, Engine};
use super::failure::{cannot_execute, explain, is_conflict, is_gone, message, within};

/// The longest part of a line that the engine logs as one.
const ENTRY: usize = 16 * 1024;

#[derive(Debug)]
pub struct OneOff {
    docker: Docker,
    id: String,
    when_dropped: WhenDropped,
}

/// What becomes of the container when nobody waits for it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WhenDropped {
    Remove,
    /// It works on, for another engine to find.
    Leave,
}

pub type Chunks = Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>;
pub type Input = Pin<Box<dyn AsyncWrite + Send>>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    Now,
    ItsEnd,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Started {
    Yes,
    /// The program is not in the image, in the engine's words.
    CannotExecute(String),
}

impl OneOff {
    pub async fn create(
        engine: &Engine,
        name: &str,
        body: ContainerCreateBody,
        when_dropped: WhenDropped,
    ) -> Result<Self, RuntimeError> {
        let docker = engine.docker().await?.clone();
        let id = container::create(&docker, name, body)
            .await
            .map_err(|error| explain("create a container", CALL, error))?;
        Ok(Self {
            docker,
            id,
            when_dropped,
        })
    }

    /// One that an engine before us left to work on.
    pub async fn found(engine: &Engine, id: String) -> Result<Self, RuntimeError> {
        Ok(Self {
            docker: engine.docker().await?.clone(),
            id,
            when_dropped: WhenDropped::Leave,
        })
    }

    /// To be called before the start, so that no output is lost.
    pub async fn attach(&self) -> Result<AttachContainerResults, RuntimeError> {
        let options = AttachContainerOptionsBuilder::default()
            .stdin(true)
            .stdout(true)
            .stderr(true)
            .stream(true)
            .build();
        within(CALL, self.docker.attach_container(&self.id, Some(options)))
            .await
            .map_err(|error| explain("attach to a container", CALL, error))
    }

    /// Only to write to one that runs already.
    pub async fn input(&self) -> Result<Input, RuntimeError> {
        let options = AttachContainerOptionsBuilder::default()
            .stdin(true)
            .stream(true)
            .build();
        within(CALL, self.docker.attach_container(&self.id, Some(options)))
            .await
            .map(|attached| attached.input)
            .map_err(|error| explain("attach to a container", CALL, error))
    }

    /// All that it has written from its start, and, with [`Until::ItsEnd`], what
    /// it will.
    pub fn log(&self, until: Until) -> Chunks {
        let options = LogsOptionsBuilder::default()
            .stdout(true)
            .stderr(true)
            .follow(until == Until::ItsEnd)
            .build();
        let log = self.docker.logs(&self.id, Some(options));
        Box::pin(log.map(|entry| entry.map(with_line_end)))
    }

    pub async fn start(&self) -> Result<Started, RuntimeError> {
        match within(CALL, self.docker.start_container(&self.id, None)).await {
            Ok(()) => Ok(Started::Yes),
            Err(error) if cannot_execute(&error) => Ok(Started::CannotExecute(message(&error))),
            Err(error) => Err(explain("start a container", CALL, error)),
        }
    }

    /// Sends a signal; one that has ended needs none.
    pub async fn signal(&self, signal: &str) -> Result<(), RuntimeError> {
        let options = KillContainerOptionsBuilder::default()
            .signal(signal)
            .build();
        match within(CALL, self.docker.kill_container(&self.id, Some(options))).await {
            Ok(()) => Ok(()),
            Err(error) if is_gone(&error) || is_conflict(&error) => Ok(()),
            Err(error) => Err(explain("signal a container", CALL, error)),
        }
    }

    /// How it ended. To be called when its output has.
    pub async fn exit(&self) -> Result<Exit, RuntimeError> {
        let status = within(CALL, self.wait())
            .await
            .map_err(|error| explain("wait for a container", CALL, error))?;
        self.exit_of(status).await
    }

    /// What a status means, here where the engine knows of memory.
    pub async fn exit_of(&self, status: i64) -> Result<Exit, RuntimeError> {
        let out_of_memory = match status {
            137 => self.out_of_memory().await?,
            _ => OutOfMemory::No,
        };
        Ok(exit_of(status, out_of_memory))
    }

    pub async fn remove(mut self) -> Result<(), RuntimeError> {
        let removed = container::remove(&self.docker, &self.id).await;
        if removed.is_ok() {
            self.when_dropped = WhenDropped::Leave;
        }
        removed
    }

    async fn wait(&self) -> Result<i64, Error> {
        let options = WaitContainerOptionsBuilder::default()
            .condition("not-running")
            .build();
        let mut waiting = Box::pin(self.docker.wait_container(&self.id, Some(options)));
        match waiting.next().await {
            Some(Ok(response)) => Ok(response.status_code),
            Some(Err(Error::DockerContainerWaitError { code, .. })) => Ok(code),
            Some(Err(error)) => Err(error),
            None => Err(Error::RequestTimeoutError),
        }
    }

    async fn out_of_memory(&self) -> Result<OutOfMemory, RuntimeError> {
        let found = within(CALL, self.docker.inspect_container(&self.id, None))
            .await
            .map_err(|error| explain("look at a container", CALL, error))?;
        let killed = found.state.and_then(|state| state.oom_killed);
        Ok(match killed {
            Some(true) => OutOfMemory::Yes,
            _ => OutOfMemory::No,
        })
    }
}

/// The bytes of a log's entry as they were written. The engine cuts a long line
/// into entries of 16 KiB, and leaves the line end off the last of them.
fn with_line_end(entry: LogOutput) -> LogOutput {
    let is_whole = |bytes: &[u8]| bytes.ends_with(b"\n") || bytes.len() >= ENTRY;
    let ended = |bytes: &[u8]| [bytes, b"\n"].concat().into();
    match entry {
        LogOutput::StdOut { message } if !is_whole(&message) => LogOutput::StdOut {
            message: ended(&message),
        },
        LogOutput::StdErr { message } if !is_whole(&message) => LogOutput::StdErr {
            message: ended(&message),
        },
        entry => entry,
    }
}

impl Drop for OneOff {
    fn drop(&mut self) {
        if self.when_dropped == WhenDropped::Leave {
            return;
        }
        let (docker, id) = (self.docker.clone(), std::mem::take(&mut self.id));
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = container::remove(&docker, &id).await {
                    tracing::warn!(container = id, %error, "a container was left behind");
                }
            });
        }
    }
}
