//! A watcher that remembers what it heard and can halt or cancel.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use shipway_core::journal::Exit;
use shipway_core::ports::runtime::{CommandRun, CommandWatcher, Halt, OpenCommand, Runtime};
use shipway_core::ports::{LineEnd, Output, Stream};
use tokio::sync::watch;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Starting(usize),
    Finished(usize, Exit),
    Line(usize, Stream, String),
}

/// Where a recorder stops answering for good, as an engine does that dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Silent {
    /// Asked whether this command may start, before that is written down.
    BeforeStart(usize),
    /// The same, after it was.
    AfterStart(usize),
    /// When it has heard so many lines.
    AfterLines(usize),
    /// For 50 ms only, at every thousandth line.
    EveryNowAndThen,
    Never,
}

pub struct Recorder {
    heard: Mutex<Vec<Heard>>,
    cancel: watch::Sender<bool>,
    halt_at: Option<usize>,
    cancel_on: Option<String>,
    silent: Silent,
    is_silent: watch::Sender<bool>,
}

impl Recorder {
    pub fn new() -> Arc<Self> {
        Self::with(None, None, Silent::Never)
    }

    /// Refuses to let this command start.
    pub fn halting_at(index: usize) -> Arc<Self> {
        Self::with(Some(index), None, Silent::Never)
    }

    /// Cancels as soon as a line holds this text.
    pub fn cancelling_on(text: &str) -> Arc<Self> {
        Self::with(None, Some(text.to_owned()), Silent::Never)
    }

    /// Takes a while for a line now and then.
    pub fn slow() -> Arc<Self> {
        Self::with(None, None, Silent::EveryNowAndThen)
    }

    pub fn silent(at: Silent) -> Arc<Self> {
        Self::with(None, None, at)
    }

    fn with(halt_at: Option<usize>, cancel_on: Option<String>, silent: Silent) -> Arc<Self> {
        Arc::new(Self {
            heard: Mutex::default(),
            cancel: watch::channel(false).0,
            halt_at,
            cancel_on,
            silent,
            is_silent: watch::channel(false).0,
        })
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// How each command that started has ended, in order.
    pub fn exits(&self) -> Vec<Exit> {
        let exit = |heard: Heard| match heard {
            Heard::Finished(_, exit) => Some(exit),
            _ => None,
        };
        self.heard().into_iter().filter_map(exit).collect()
    }

    /// The lines that commands wrote to one of their outputs.
    pub fn lines(&self, stream: Stream) -> Vec<String> {
        let line = |heard: Heard| match heard {
            Heard::Line(_, from, line) if from == stream => Some(line),
            _ => None,
        };
        self.heard().into_iter().filter_map(line).collect()
    }

    /// Ends when it does not answer any more.
    pub async fn has_fallen_silent(&self) {
        let mut silent = self.is_silent.subscribe();
        let waiting = silent.wait_for(|silent| *silent);
        let waited = tokio::time::timeout(Duration::from_secs(60), waiting).await;
        waited.expect("it falls silent within 60 s").unwrap();
    }

    /// The command that was allowed to start and whose end it was not told.
    pub fn open(&self, started_before: Duration) -> Option<OpenCommand> {
        let heard = self.heard();
        let index = match heard.iter().rfind(|one| !matches!(one, Heard::Line(..)))? {
            Heard::Starting(index) => *index,
            Heard::Finished(..) | Heard::Line(..) => return None,
        };
        let lines = |stream| {
            let of = |one: &&Heard| matches!(one, Heard::Line(i, from, _) if (*i, *from) == (index, stream));
            heard.iter().filter(of).count() as u64
        };
        Some(OpenCommand {
            index,
            stdout: lines(Stream::Stdout),
            stderr: lines(Stream::Stderr),
            started_before,
        })
    }

    async fn fall_silent(&self) {
        self.is_silent.send_replace(true);
        std::future::pending().await
    }

    fn note(&self, heard: Heard) {
        self.heard.lock().unwrap().push(heard);
    }
}

/// Runs it to its end with a recorder that only listens.
pub async fn record(runtime: &dyn Runtime, run: &CommandRun) -> Arc<Recorder> {
    let recorder = Recorder::new();
    runtime.run_commands(run, recorder.clone()).await.unwrap();
    recorder
}

#[async_trait]
impl CommandWatcher for Recorder {
    async fn starting(&self, index: usize) -> Result<(), Halt> {
        if self.halt_at == Some(index) {
            return Err(Halt);
        }
        if self.silent == Silent::BeforeStart(index) {
            self.fall_silent().await;
        }
        self.note(Heard::Starting(index));
        if self.silent == Silent::AfterStart(index) {
            self.fall_silent().await;
        }
        Ok(())
    }

    async fn finished(&self, index: usize, exit: Exit, _: Duration) -> Result<(), Halt> {
        self.note(Heard::Finished(index, exit));
        Ok(())
    }

    async fn output(&self, index: usize, stream: Stream, line: &str, _: LineEnd) {
        if self
            .cancel_on
            .as_deref()
            .is_some_and(|text| line.contains(text))
        {
            self.cancel.send_replace(true);
        }
        let all = {
            let mut heard = self.heard.lock().unwrap();
            heard.push(Heard::Line(index, stream, line.to_owned()));
            heard.len()
        };
        match self.silent {
            Silent::AfterLines(count) if all > count => self.fall_silent().await,
            Silent::EveryNowAndThen if all % 1000 == 0 => {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            _ => {}
        }
    }

    async fn cancelled(&self) {
        let mut cancel = self.cancel.subscribe();
        if cancel.wait_for(|&cancelled| cancelled).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// The lines of a build.
#[derive(Default)]
pub struct Lines(Mutex<Vec<(Stream, String)>>);

impl Lines {
    pub fn all(&self) -> Vec<(Stream, String)> {
        self.0.lock().unwrap().clone()
    }

    pub fn text(&self) -> String {
        let lines: Vec<String> = self.all().into_iter().map(|(_, line)| line).collect();
        lines.join("\n")
    }
}

impl Output for Lines {
    fn line(&self, stream: Stream, line: &str) {
        self.0.lock().unwrap().push((stream, line.to_owned()));
    }
}
