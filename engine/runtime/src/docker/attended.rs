//! A running container that somebody listens to, from one command's start to
//! its end.

use std::pin::Pin;
use std::time::Duration;

use bollard::container::{AttachContainerResults, LogOutput};
use bollard::errors::Error;
use futures::{Stream as Chunks, StreamExt};
use shipway_core::journal::Exit;
use shipway_core::ports::Stream;
use shipway_core::ports::runtime::{Command, CommandWatcher, RuntimeError};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::sleep;

use super::driver::{self, Ended};
use super::engine::CALL;
use super::failure::explain;
use super::marks::{Marked, Piece};
use super::one_off::OneOff;

/// Between SIGTERM and SIGKILL, as the port says.
const GRACE: Duration = Duration::from_secs(10);

pub struct Attended {
    container: OneOff,
    output: Pin<Box<dyn Chunks<Item = Result<LogOutput, Error>> + Send>>,
    input: Pin<Box<dyn AsyncWrite + Send>>,
    stdout: Marked,
    stderr: Marked,
}

/// What happened first.
enum Event {
    Output(LogOutput),
    /// The container has ended.
    OutputEnded,
    Deadline,
    Cancelled,
}

/// How the command ended, by each output's marker.
#[derive(Default)]
struct Marks {
    stdout: Option<Ended>,
    stderr: Option<Ended>,
}

impl Attended {
    pub fn new(container: OneOff, attached: AttachContainerResults, stdout: Marked) -> Self {
        Self {
            container,
            output: attached.output,
            input: attached.input,
            stderr: stdout.another(),
            stdout,
        }
    }

    pub async fn write(&mut self, line: &str) {
        let writing = async {
            self.input.write_all(line.as_bytes()).await?;
            self.input.flush().await
        };
        // A container that died is noticed by its output's end.
        let _died = tokio::time::timeout(CALL, writing).await;
    }

    /// Passes on what the command writes until it has ended: by its markers, or
    /// with its container.
    pub async fn attend(
        &mut self,
        index: usize,
        command: &Command,
        watcher: &dyn CommandWatcher,
    ) -> Result<Exit, RuntimeError> {
        let mut marks = Marks::default();
        let mut stopping: Option<Exit> = None;
        let mut deadline = Box::pin(sleep(command.timeout));
        let mut cancelled = watcher.cancelled();
        loop {
            let event = tokio::select! {
                chunk = self.output.next() => Event::heard(chunk)?,
                () = &mut deadline => Event::Deadline,
                () = &mut cancelled, if stopping.is_none() => Event::Cancelled,
            };
            let reason = match (event, stopping) {
                (Event::Output(chunk), _) => {
                    self.pass_on(&chunk, index, watcher, &mut marks);
                    let Some(ended) = marks.both() else { continue };
                    let exit = exit_of(&self.container, ended).await?;
                    return Ok(stopping.unwrap_or(exit));
                }
                (Event::OutputEnded, _) => {
                    self.pass_on_rest(index, watcher);
                    let exit = self.container.exit().await?;
                    return Ok(stopping.unwrap_or(exit));
                }
                (Event::Deadline | Event::Cancelled, Some(exit)) => {
                    self.container.signal("KILL").await?;
                    self.pass_on_rest(index, watcher);
                    return Ok(exit);
                }
                (Event::Deadline, None) => timed_out(command),
                (Event::Cancelled, None) => Exit::Cancelled,
            };
            stopping = Some(reason);
            self.container.signal("TERM").await?;
            deadline.set(sleep(GRACE));
        }
    }

    pub async fn remove(self) -> Result<(), RuntimeError> {
        self.container.remove().await
    }

    fn pass_on(
        &mut self,
        chunk: &LogOutput,
        index: usize,
        watcher: &dyn CommandWatcher,
        marks: &mut Marks,
    ) {
        let (lines, stream, mark) = match chunk {
            LogOutput::StdErr { .. } => (&mut self.stderr, Stream::Stderr, &mut marks.stderr),
            _ => (&mut self.stdout, Stream::Stdout, &mut marks.stdout),
        };
        for piece in lines.push(chunk.as_ref()) {
            match piece {
                Piece::Line(line) => watcher.output(index, stream, &line),
                Piece::Mark(text) => {
                    let ours = driver::mark(&text).filter(|(of, _)| *of == index);
                    *mark = ours.map(|(_, ended)| ended).or(*mark);
                }
            }
        }
    }

    fn pass_on_rest(&mut self, index: usize, watcher: &dyn CommandWatcher) {
        let rest = [
            (self.stdout.finish(), Stream::Stdout),
            (self.stderr.finish(), Stream::Stderr),
        ];
        for (pieces, stream) in rest {
            for piece in pieces {
                if let Piece::Line(line) = piece {
                    watcher.output(index, stream, &line);
                }
            }
        }
    }
}

impl Event {
    fn heard(chunk: Option<Result<LogOutput, Error>>) -> Result<Self, RuntimeError> {
        match chunk {
            Some(Ok(chunk)) => Ok(Self::Output(chunk)),
            Some(Err(error)) => Err(explain("read a command's output", CALL, error)),
            None => Ok(Self::OutputEnded),
        }
    }
}

impl Marks {
    /// The end, once nothing more can come on either output.
    fn both(&self) -> Option<Ended> {
        self.stdout.and(self.stderr)
    }
}

async fn exit_of(container: &OneOff, ended: Ended) -> Result<Exit, RuntimeError> {
    match ended {
        Ended::NotFound => Ok(Exit::NotStarted),
        Ended::Status(status) => container.exit_of(status).await,
    }
}

fn timed_out(command: &Command) -> Exit {
    Exit::TimedOut {
        after_seconds: u32::try_from(command.timeout.as_secs()).unwrap_or(u32::MAX),
    }
}
