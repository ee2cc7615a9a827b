//! Hears of commands as they run, for the journal and the log.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use shipway_core::journal::{Event, Exit, Logged};
use shipway_core::name::{DeploymentId, Label};
use shipway_core::ports::runtime::{CommandWatcher, Halt};
use shipway_core::ports::store::Store;
use shipway_core::ports::{LineEnd, Stream};
use shipway_core::release::{CancelPolicy, Phase, ReleaseCommand};
use tokio::sync::{Notify, mpsc, oneshot};

use super::FailedCommand;
use crate::deploy::{Cancel, Deploying};
use crate::failures::Halted;
use crate::log::Log;

/// Lines of a failing command that its ending shows.
const LAST_LINES: usize = 20;

/// Hears of the commands as they run. Journal entries go through a channel to
/// [`Watcher::write`], which answers when they are written: a command starts
/// only after its start is in the journal.
#[derive(Debug)]
pub struct Watcher {
    deployment: DeploymentId,
    store: Arc<dyn Store>,
    log: Log,
    cancel: Cancel,
    phase: Phase,
    commands: Vec<Watched>,
    /// From the runtime's side to the writing side; closed by neither before
    /// the run ends.
    entries: mpsc::UnboundedSender<Pending>,
    inbox: tokio::sync::Mutex<mpsc::UnboundedReceiver<Pending>>,
    seen: Mutex<Seen>,
    /// Rung when a command starts or ends.
    moved: Notify,
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
    written: oneshot::Sender<()>,
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
    /// `open` is the command that runs already, if one does.
    pub fn new(
        deploying: &Deploying,
        phase: Phase,
        commands: &[ReleaseCommand],
        open: Option<usize>,
    ) -> Self {
        let (entries, inbox) = mpsc::unbounded_channel();
        let seen = Seen {
            current: open,
            ..Seen::default()
        };
        Self {
            deployment: deploying.scene.deployment,
            store: deploying.scene.world.store.clone(),
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
            seen: Mutex::new(seen),
            moved: Notify::new(),
        }
    }

    /// What the log has of each output, by which a command that is taken up
    /// again knows what of its own is there.
    async fn logged(&self) -> Result<Logged, Halt> {
        self.log.flush().await;
        let size = self.store.log_size(self.deployment).await;
        let size = size.map_err(|_| Halt)?;
        Ok(Logged {
            stdout: size.stdout,
            stderr: size.stderr,
        })
    }

    /// Whether the command that runs must not be stopped.
    fn is_protected(&self) -> bool {
        let current = self.seen().current;
        let command = current.and_then(|index| self.commands.get(index));
        command.is_some_and(|command| command.cancel == CancelPolicy::Never)
    }

    /// Writes entries until one cannot be written. The receiving side of
    /// `entries`; it ends only with an error.
    pub async fn write(&self, deploying: &Deploying) -> Halted {
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
        let (written, done) = oneshot::channel();
        self.entries
            .send(Pending { event, written })
            .map_err(|_| Halt)?;
        done.await.map_err(|_| Halt)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn label(&self, index: usize) -> Result<Label, Halt> {
        self.commands
            .get(index)
            .map(|command| command.label.clone())
            .ok_or(Halt)
    }

    pub fn failed(&self) -> Option<FailedCommand> {
        let seen = self.seen();
        let (index, exit) = seen.failed?;
        let label = self.label(index).ok()?;
        Some(FailedCommand {
            label,
            exit,
            last_lines: seen.last_lines.iter().cloned().collect(),
        })
    }

    pub fn finished_count(&self) -> usize {
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
            logged: self.logged().await?,
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

    async fn output(&self, _index: usize, stream: Stream, piece: &str, end: LineEnd) {
        let line = self.log.write(stream, piece, end).await;
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
