//! A watcher that remembers what it heard and can halt or cancel.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use shipway_core::journal::Exit;
use shipway_core::ports::runtime::{CommandRun, CommandWatcher, Halt, Runtime};
use shipway_core::ports::{Output, Stream};
use tokio::sync::watch;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    Starting(usize),
    Finished(usize, Exit),
    Line(usize, Stream, String),
}

pub struct Recorder {
    heard: Mutex<Vec<Heard>>,
    cancel: watch::Sender<bool>,
    halt_at: Option<usize>,
    cancel_on: Option<String>,
}

impl Recorder {
    pub fn new() -> Arc<Self> {
        Self::with(None, None)
    }

    /// Refuses to let this command start.
    pub fn halting_at(index: usize) -> Arc<Self> {
        Self::with(Some(index), None)
    }

    /// Cancels as soon as a line holds this text.
    pub fn cancelling_on(text: &str) -> Arc<Self> {
        Self::with(None, Some(text.to_owned()))
    }

    fn with(halt_at: Option<usize>, cancel_on: Option<String>) -> Arc<Self> {
        Arc::new(Self {
            heard: Mutex::default(),
            cancel: watch::channel(false).0,
            halt_at,
            cancel_on,
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
        self.note(Heard::Starting(index));
        Ok(())
    }

    async fn finished(&self, index: usize, exit: Exit, _: Duration) -> Result<(), Halt> {
        self.note(Heard::Finished(index, exit));
        Ok(())
    }

    fn output(&self, index: usize, stream: Stream, line: &str) {
        if self
            .cancel_on
            .as_deref()
            .is_some_and(|text| line.contains(text))
        {
            self.cancel.send_replace(true);
        }
        self.note(Heard::Line(index, stream, line.to_owned()));
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
