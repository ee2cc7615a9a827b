//! The log of a deployment: lines, redacted before they leave memory, stored
//! before they are shown.
//!
//! Two ways lead into it. [`Log::write`] waits while lines come faster than
//! they can be stored, and with it the program that writes them: nothing of a
//! command's output is ever dropped. [`Log::print`] cannot wait; what passes a
//! generous buffer is dropped, counted, and said. Both hold a bounded amount of
//! memory, however many or long the lines are.
//!
//! While the disk is full nobody waits: the deployment fails for it, and what
//! does not fit into memory is dropped, counted, and said.
//!
//! One task stores ([`writer`]), keeps a log to its limit ([`limit`]) and holds
//! on to its lines while the disk is full. Old logs go by a policy
//! ([`keep_pruned`]).

mod limit;
mod pruning;
mod writer;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shipway_core::name::{DeploymentId, PluginName};
use shipway_core::ports::clock::Clock;
use shipway_core::ports::plugins::{Level, PluginLog};
use shipway_core::ports::store::{Lease, NewLine, Store};
use shipway_core::ports::{LineEnd, Output, Stream};
use shipway_core::redact::{RedactedStream, Redactor};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};

use crate::bell::Bell;
pub use limit::LogLimit;
pub use pruning::keep_pruned;
use writer::{Disk, Message, Writer};

/// What may wait to be stored, in bytes, of lines whose program can wait.
const BACKLOG: usize = 4 << 20;
/// Likewise of lines that nobody waits for: a build's, the engine's own.
const SPARE: usize = 32 << 20;
/// What a line that waits takes of the memory beside its text.
const BESIDE_ITS_TEXT: usize = 128;
/// A longer line is stored as several.
const LONGEST_LINE: usize = 16 << 10;

/// The writing end. Clones write to the same log; the writer ends when the last
/// of them is gone and everything is stored.
#[derive(Debug, Clone)]
pub struct Log(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    redactor: Arc<Redactor>,
    streams: Mutex<Streams>,
    clock: Arc<dyn Clock>,
    backlog: Arc<Semaphore>,
    spare: Arc<Semaphore>,
    dropped: AtomicU64,
    disk: watch::Receiver<Disk>,
    messages: mpsc::UnboundedSender<Message>,
}

/// Where the lines of a log go.
#[derive(Debug)]
pub struct Place {
    pub deployment: DeploymentId,
    pub store: Arc<dyn Store>,
    pub bell: Bell,
    pub clock: Arc<dyn Clock>,
    /// A worker's: once another has it, this one's lines are no longer taken.
    pub lease: Option<Lease>,
}

/// A program's two outputs. The engine's own lines are always whole.
#[derive(Debug)]
struct Streams {
    stdout: RedactedStream,
    stderr: RedactedStream,
}

impl Log {
    /// Opens the log of a deployment, where it ends, and starts its writer.
    pub fn open(place: Place, redactor: Arc<Redactor>) -> Self {
        Self::open_limited(place, redactor, LogLimit::default())
    }

    pub fn open_limited(place: Place, redactor: Arc<Redactor>, limit: LogLimit) -> Self {
        let clock = place.clock.clone();
        let (messages, inbox) = mpsc::unbounded_channel();
        let (found, disk) = watch::channel(Disk::HasRoom);
        let writer = Writer::new(place, limit, found);
        tokio::spawn(writer.run(inbox));
        Self::new(messages, disk, clock, redactor)
    }

    /// A log that nobody reads, as for a plan that is only asked for.
    pub fn discard(clock: Arc<dyn Clock>) -> Self {
        let (messages, _) = mpsc::unbounded_channel();
        let (_, disk) = watch::channel(Disk::HasRoom);
        Self::new(messages, disk, clock, Arc::default())
    }

    fn new(
        messages: mpsc::UnboundedSender<Message>,
        disk: watch::Receiver<Disk>,
        clock: Arc<dyn Clock>,
        redactor: Arc<Redactor>,
    ) -> Self {
        let streams = Mutex::new(Streams {
            stdout: redactor.stream(),
            stderr: redactor.stream(),
        });
        Self(Arc::new(Inner {
            redactor,
            streams,
            clock,
            backlog: Arc::new(Semaphore::new(BACKLOG)),
            spare: Arc::new(Semaphore::new(SPARE)),
            dropped: AtomicU64::new(0),
            disk,
            messages,
        }))
    }

    /// A line of the engine's own, or several.
    pub fn say(&self, text: impl AsRef<str>) {
        self.print(Stream::Engine, text.as_ref(), LineEnd::Newline);
    }

    /// The heading of a step, in the form that the platforms made standard.
    pub fn heading(&self, title: &str) {
        self.say(format!("===== {title} ====="));
        self.say("");
    }

    /// Takes a line of a program, or a piece of one, and waits until there is
    /// room for it: pass no more of the program's output on before. Gives what
    /// can be shown of it by now. While the disk is full it does not wait.
    pub async fn write(&self, stream: Stream, piece: &str, end: LineEnd) -> String {
        let shown = self.redact(stream, piece, end);
        for part in parts(stream, &shown) {
            let line = self.line(stream, part);
            match self.room(cost(&line)).await {
                Some(room) => self.send(line, room),
                None => self.drop_one(),
            }
        }
        shown
    }

    /// Likewise, for those who cannot wait. Lines beyond 32 MiB that are not
    /// stored yet are dropped, counted, and said.
    pub fn print(&self, stream: Stream, piece: &str, end: LineEnd) -> String {
        let shown = self.redact(stream, piece, end);
        for part in parts(stream, &shown) {
            self.print_line(stream, part);
        }
        shown
    }

    /// The text as the log will have it.
    pub fn redacted(&self, text: &str) -> String {
        self.0.redactor.line(text)
    }

    pub fn redactor(&self) -> &Redactor {
        &self.0.redactor
    }

    /// Waits until every line so far is stored, or cannot be because the disk
    /// is full. A line that was begun ends here.
    pub async fn flush(&self) {
        for stream in [Stream::Stdout, Stream::Stderr] {
            if self.is_open(stream) {
                self.print(stream, "", LineEnd::Newline);
            }
        }
        self.say_dropped();
        let (done, stored) = oneshot::channel();
        if self.0.messages.send(Message::Flush(done)).is_ok() {
            let _ = stored.await;
        }
    }

    /// Ends when a line could not be stored because the disk is full.
    pub async fn disk_full(&self) {
        let mut disk = self.0.disk.clone();
        if disk.wait_for(|disk| *disk == Disk::Full).await.is_err() {
            // The writer is gone, and with it whoever could say so.
            std::future::pending().await
        }
    }

    fn redact(&self, stream: Stream, piece: &str, end: LineEnd) -> String {
        let mut streams = self.streams();
        match stream {
            Stream::Stdout => streams.stdout.push(piece, end),
            Stream::Stderr => streams.stderr.push(piece, end),
            Stream::Engine => self.0.redactor.line(piece),
        }
    }

    fn is_open(&self, stream: Stream) -> bool {
        let streams = self.streams();
        match stream {
            Stream::Stdout => streams.stdout.held_back() > 0,
            Stream::Stderr => streams.stderr.held_back() > 0,
            Stream::Engine => false,
        }
    }

    fn streams(&self) -> MutexGuard<'_, Streams> {
        self.0
            .streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn line(&self, stream: Stream, text: &str) -> NewLine {
        NewLine {
            at: self.0.clock.now(),
            stream,
            text: text.to_owned(),
        }
    }

    fn print_line(&self, stream: Stream, text: &str) {
        self.say_dropped();
        let line = self.line(stream, text);
        match self.spare(&line) {
            Some(room) => self.send(line, room),
            None => self.drop_one(),
        }
    }

    /// Says how many lines are missing here, as soon as there is room for it.
    fn say_dropped(&self) {
        let dropped = self.0.dropped.load(Ordering::Relaxed);
        if dropped == 0 {
            return;
        }
        let notice = format!(
            "… {dropped} lines are missing here: they came faster than they could be stored"
        );
        let line = self.line(Stream::Engine, &notice);
        if let Some(room) = self.spare(&line) {
            self.send(line, room);
            self.0.dropped.fetch_sub(dropped, Ordering::Relaxed);
        }
    }

    fn drop_one(&self) {
        self.0.dropped.fetch_add(1, Ordering::Relaxed);
    }

    fn spare(&self, line: &NewLine) -> Option<OwnedSemaphorePermit> {
        self.0.spare.clone().try_acquire_many_owned(cost(line)).ok()
    }

    /// Room for a line that may wait for it; none while the disk is full and
    /// the room is used up.
    async fn room(&self, cost: u32) -> Option<OwnedSemaphorePermit> {
        let backlog = self.0.backlog.clone();
        if let Ok(room) = backlog.clone().try_acquire_many_owned(cost) {
            return Some(room);
        }
        tokio::select! {
            room = backlog.acquire_many_owned(cost) => room.ok(),
            () = self.disk_full() => None,
        }
    }

    fn send(&self, line: NewLine, room: OwnedSemaphorePermit) {
        // A log that is discarded has nobody who listens.
        let _ = self.0.messages.send(Message::Line(line, room));
    }
}

/// What a line takes of the room, never more than there is.
fn cost(line: &NewLine) -> u32 {
    let cost = (line.text.len() + BESIDE_ITS_TEXT).min(BACKLOG.min(SPARE));
    u32::try_from(cost).unwrap_or(u32::MAX)
}

/// The lines in a text. A piece of a program's output is always one, even if
/// all of it is held back: who takes a running command up again counts them. Of
/// the engine's own texts none is longer than a line may be.
fn parts(stream: Stream, text: &str) -> Vec<&str> {
    if stream != Stream::Engine {
        return vec![text];
    }
    let mut parts = Vec::with_capacity(1);
    for mut line in text.split('\n') {
        while line.len() > LONGEST_LINE {
            let (part, rest) = line.split_at(line.floor_char_boundary(LONGEST_LINE));
            parts.push(part);
            line = rest;
        }
        parts.push(line);
    }
    parts
}

impl Output for Log {
    fn line(&self, stream: Stream, line: &str) {
        self.print(stream, line, LineEnd::Newline);
    }

    fn piece(&self, stream: Stream, piece: &str, end: LineEnd) {
        self.print(stream, piece, end);
    }
}

impl PluginLog for Log {
    fn line(&self, plugin: &PluginName, level: Level, message: &str) {
        let mark = match level {
            Level::Debug => return,
            Level::Info => "",
            Level::Warn => "warning: ",
            Level::Error => "error: ",
        };
        self.say(format!("[{plugin}] {mark}{message}"));
    }
}

#[cfg(test)]
mod tests;
