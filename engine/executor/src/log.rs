//! The log of a deployment: lines, redacted before they leave memory, written
//! in batches so that a chatty command does not wait for the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use shipway_core::name::{DeploymentId, PluginName};
use shipway_core::ports::clock::Clock;
use shipway_core::ports::plugins::{Level, PluginLog};
use shipway_core::ports::store::{NewLine, Store};
use shipway_core::ports::{Output, Stream};
use shipway_core::redact::Redactor;
use tokio::sync::{mpsc, oneshot};

use crate::bell::Bell;

/// Lines that may wait to be written. Beyond it lines are dropped and counted,
/// so that a command that writes faster than the disk cannot fill the memory.
const BACKLOG: usize = 64 * 1024;
/// Lines written in one transaction.
const BATCH: usize = 2_000;

/// The writing end. Clones write to the same log.
#[derive(Debug, Clone)]
pub struct Log {
    redactor: Arc<Redactor>,
    clock: Arc<dyn Clock>,
    dropped: Arc<AtomicU64>,
    /// To the writer task, which ends when every clone is gone.
    messages: mpsc::Sender<Message>,
}

#[derive(Debug)]
enum Message {
    Line(NewLine),
    Flush(oneshot::Sender<()>),
}

impl Log {
    /// Opens the log of a deployment and starts its writer.
    pub fn open(
        deployment: DeploymentId,
        store: Arc<dyn Store>,
        bell: Bell,
        clock: Arc<dyn Clock>,
        redactor: Arc<Redactor>,
    ) -> Self {
        let (messages, inbox) = mpsc::channel(BACKLOG);
        tokio::spawn(write_all(deployment, store, bell, inbox));
        Self {
            redactor,
            clock,
            dropped: Arc::default(),
            messages,
        }
    }

    /// A log that nobody reads, as for a plan that is only asked for.
    pub fn discard(clock: Arc<dyn Clock>) -> Self {
        let (messages, _) = mpsc::channel(1);
        Self {
            redactor: Arc::default(),
            clock,
            dropped: Arc::default(),
            messages,
        }
    }

    /// A line of the engine's own.
    pub fn say(&self, text: impl AsRef<str>) {
        Output::line(self, Stream::Engine, text.as_ref());
    }

    /// The heading of a step, in the form that the platforms made standard.
    pub fn heading(&self, title: &str) {
        self.say(format!("===== {title} ====="));
        self.say("");
    }

    /// The line as the log will have it.
    pub fn redacted(&self, text: &str) -> String {
        self.redactor.line(text)
    }

    /// Waits until every line so far is stored.
    pub async fn flush(&self) {
        let (done, stored) = oneshot::channel();
        if self.messages.send(Message::Flush(done)).await.is_ok() {
            let _ = stored.await;
        }
    }

    fn push(&self, stream: Stream, text: String) -> Result<(), ()> {
        let line = NewLine {
            at: self.clock.now(),
            stream,
            text,
        };
        self.messages.try_send(Message::Line(line)).map_err(|_| ())
    }
}

impl Output for Log {
    fn line(&self, stream: Stream, line: &str) {
        let dropped = self.dropped.load(Ordering::Relaxed);
        if dropped > 0 {
            let notice = format!(
                "… {dropped} lines were dropped here: they came faster than they could be stored"
            );
            if self.push(Stream::Engine, notice).is_ok() {
                self.dropped.fetch_sub(dropped, Ordering::Relaxed);
            }
        }
        if self.push(stream, self.redacted(line)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
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

async fn write_all(
    deployment: DeploymentId,
    store: Arc<dyn Store>,
    bell: Bell,
    mut inbox: mpsc::Receiver<Message>,
) {
    let mut messages = Vec::with_capacity(BATCH);
    while inbox.recv_many(&mut messages, BATCH).await > 0 {
        let mut lines = Vec::with_capacity(messages.len());
        let mut waiting = Vec::new();
        for message in messages.drain(..) {
            match message {
                Message::Line(line) => lines.push(line),
                Message::Flush(done) => waiting.push(done),
            }
        }
        if !lines.is_empty() {
            if let Err(error) = store.append_log(deployment, &lines).await {
                tracing::error!(%deployment, %error, lines = lines.len(), "log lines could not be stored");
            }
            bell.ring(deployment);
        }
        for done in waiting {
            let _ = done.send(());
        }
    }
}
