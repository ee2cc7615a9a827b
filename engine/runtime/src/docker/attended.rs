//! A running container that somebody listens to, from one command's start to
//! its end: live, or from the container's own log, which is the same byte for
//! byte.

use std::collections::VecDeque;
use std::pin::pin;
use std::time::Duration;

use bollard::container::{AttachContainerResults, LogOutput};
use futures::StreamExt;
use shipway_core::journal::Exit;
use shipway_core::ports::runtime::{CommandWatcher, RuntimeError};
use shipway_core::ports::{LineEnd, Stream};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::commands::Next;
use super::driver::{self, Ended};
use super::engine::CALL;
use super::failure::explain;
use super::marks::{Marked, Piece};
use super::one_off::{Chunks, Input, OneOff, Until};
use crate::lines::Stored;

/// Between SIGTERM and SIGKILL, as the port says.
const GRACE: Duration = Duration::from_secs(10);
/// How long the last lines of a command that was killed may take to be stored.
const LAST_LINES: Duration = Duration::from_secs(10);

pub struct Attended {
    pub container: OneOff,
    input: Option<Input>,
    heard: Heard,
}

/// One command of a container.
pub struct Attending<'a> {
    pub index: usize,
    /// The command before it in the same container; what came before that one's
    /// end is not told again.
    pub after: Option<usize>,
    pub stored: Stored,
    pub limit: Limit,
    pub watcher: &'a dyn CommandWatcher,
}

#[derive(Debug, Clone, Copy)]
pub enum Limit {
    Left {
        left: Duration,
        /// The whole of it, for people.
        of: Duration,
    },
    /// It has ended already.
    None,
}

/// How listening to a command came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// As the command's markers say.
    Told(Ended),
    /// With its container.
    OfContainer,
    /// We have stopped it.
    Stopped(Exit),
}

impl Attended {
    /// One that was created by us and not started yet. `from` is its first
    /// command.
    pub fn new(
        container: OneOff,
        attached: AttachContainerResults,
        marked: Marked,
        from: usize,
    ) -> Self {
        Self {
            container,
            input: Some(attached.input),
            heard: Heard::new(attached.output, marked, from),
        }
    }

    /// One that an engine before us has made, listened to from its start.
    pub fn found(container: OneOff, input: Option<Input>, marked: Marked, from: usize) -> Self {
        let output = container.log(Until::ItsEnd);
        Self {
            container,
            input,
            heard: Heard::new(output, marked, from),
        }
    }

    pub async fn write(&mut self, line: &str) {
        let Some(input) = &mut self.input else { return };
        let writing = async {
            input.write_all(line.as_bytes()).await?;
            input.flush().await
        };
        // A container that died is noticed by its output's end.
        let _died = timeout(CALL, writing).await;
    }

    /// Passes on what the command writes until it has ended: by its markers, or
    /// with its container. Whoever is slow to take a line keeps neither the time
    /// limit nor a cancel from acting.
    pub async fn attend(&mut self, one: &Attending<'_>) -> Result<End, RuntimeError> {
        let mut passing_on = pin!(self.heard.pass_on(one));
        let exit = tokio::select! {
            biased;
            ended = &mut passing_on => return Ok(ended?.map_or(End::OfContainer, End::Told)),
            exit = one.limit.passed() => exit,
            () = one.watcher.cancelled() => Exit::Cancelled,
        };
        self.container.signal("TERM").await?;
        match timeout(GRACE, &mut passing_on).await {
            Ok(ended) => drop(ended?),
            Err(_elapsed) => {
                self.container.signal("KILL").await?;
                let _ended = timeout(LAST_LINES, passing_on).await;
            }
        }
        Ok(End::Stopped(exit))
    }

    /// When nothing more is to run in it.
    pub async fn close(self, last: Next) -> Result<(), RuntimeError> {
        match last {
            Next::Start | Next::Stop => self.container.remove().await,
            // The driver waits for more, and whatever the command left may run.
            Next::Keep => self.container.signal("KILL").await,
        }
    }
}

impl Limit {
    async fn passed(self) -> Exit {
        let Self::Left { left, of } = self else {
            return std::future::pending().await;
        };
        tokio::time::sleep(left).await;
        Exit::TimedOut {
            after_seconds: u32::try_from(of.as_secs()).unwrap_or(u32::MAX),
        }
    }
}

/// How the command with this index ended, if its container's log says so now.
pub async fn told_already(
    container: &OneOff,
    marked: Marked,
    index: usize,
) -> Result<Option<Ended>, RuntimeError> {
    let mut output = container.log(Until::Now);
    let mut channels = [Channel::new(marked.another(), 0), Channel::new(marked, 0)];
    loop {
        let chunk =
            timeout(CALL, output.next())
                .await
                .map_err(|_elapsed| RuntimeError::Timeout {
                    what: "the Docker engine's answer to the request to read a log".to_owned(),
                    seconds: CALL.as_secs(),
                })?;
        let Some(chunk) = chunk else { break };
        let chunk = chunk.map_err(|error| explain("read a command's log", CALL, error))?;
        let [stdout, stderr] = &mut channels;
        let channel = match chunk {
            LogOutput::StdErr { .. } => stderr,
            _ => stdout,
        };
        channel.push(chunk.as_ref());
        channel.look_for(index);
    }
    let [stdout, stderr] = channels;
    Ok(stdout.ended.and(stderr.ended))
}

/// What comes out of a container.
struct Heard {
    output: Chunks,
    stdout: Channel,
    stderr: Channel,
}

impl Heard {
    fn new(output: Chunks, marked: Marked, from: usize) -> Self {
        Self {
            output,
            stderr: Channel::new(marked.another(), from),
            stdout: Channel::new(marked, from),
        }
    }

    /// Until both outputs have told the end of the command, or nothing more
    /// comes.
    async fn pass_on(&mut self, one: &Attending<'_>) -> Result<Option<Ended>, RuntimeError> {
        let mut stored = one.stored;
        (self.stdout.ended, self.stderr.ended) = (None, None);
        loop {
            self.stdout.pass_on(Stream::Stdout, one, &mut stored).await;
            self.stderr.pass_on(Stream::Stderr, one, &mut stored).await;
            if let Some(ended) = self.stdout.ended.and(self.stderr.ended) {
                return Ok(Some(ended));
            }
            match self.output.next().await {
                Some(Ok(chunk)) => self.take(&chunk),
                Some(Err(error)) => {
                    return Err(explain("read a command's output", CALL, error));
                }
                None if self.stdout.is_over && self.stderr.is_over => return Ok(None),
                None => {
                    self.stdout.finish();
                    self.stderr.finish();
                }
            }
        }
    }

    fn take(&mut self, chunk: &LogOutput) {
        match chunk {
            LogOutput::StdErr { message } => self.stderr.push(message),
            _ => self.stdout.push(chunk.as_ref()),
        }
    }
}

/// One of the two outputs.
struct Channel {
    marked: Marked,
    /// Read and not passed on: what follows the end of the command, which is
    /// the next one's, and never more than one reading holds.
    waiting: VecDeque<Piece>,
    /// The command that the next line belongs to, or one after it.
    at: usize,
    /// How the command that is attended ended.
    ended: Option<Ended>,
    is_over: bool,
}

impl Channel {
    fn new(marked: Marked, at: usize) -> Self {
        Self {
            marked,
            waiting: VecDeque::new(),
            at,
            ended: None,
            is_over: false,
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        self.waiting.extend(self.marked.push(bytes));
    }

    fn finish(&mut self) {
        self.waiting.extend(self.marked.finish());
        self.is_over = true;
    }

    /// Up to the end of the command.
    async fn pass_on(&mut self, from: Stream, one: &Attending<'_>, stored: &mut Stored) {
        while let Some((line, end)) = self.next_line(one.index) {
            let is_its_own = one.after.is_none_or(|after| self.at > after);
            if is_its_own && !stored.takes(from) {
                one.watcher.output(one.index, from, &line, end).await;
            }
        }
    }

    fn look_for(&mut self, index: usize) {
        while self.next_line(index).is_some() {}
    }

    fn next_line(&mut self, index: usize) -> Option<(String, LineEnd)> {
        while self.ended.is_none() {
            match self.waiting.pop_front()? {
                Piece::Line(line, end) => return Some((line, end)),
                Piece::Mark(text) => {
                    let Some((of, ended)) = driver::mark(&text) else {
                        continue;
                    };
                    self.at = of + 1;
                    self.ended = (of == index).then_some(ended);
                }
            }
        }
        None
    }
}
