//! The part of the screen that moves: the step that runs, how long, and the
//! last lines of what it prints.

use std::time::Duration;

use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use shipway_core::journal::{Entry, Event};
use shipway_core::ports::store::LogLine;

use super::steps::Steps;
use crate::clock;

const TICK: Duration = Duration::from_millis(120);
/// Lines of the running command on a terminal of usual height.
const TAIL: usize = 5;

/// Whether the log goes with its step, or is printed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    Folded,
    Open,
}

/// The log itself tells the rest.
fn ends_step(event: &Event) -> bool {
    matches!(
        event,
        Event::StepSucceeded { .. } | Event::StepFailed { .. } | Event::StepCancelled { .. }
    )
}

pub struct Live {
    fold: Fold,
    steps: Steps,
    /// None while a question stands there.
    bar: Option<ProgressBar>,
}

impl Live {
    pub fn new(fold: Fold) -> Self {
        let mut live = Self {
            fold,
            steps: Steps::default(),
            bar: None,
        };
        live.show();
        live
    }

    /// What is to be printed for good.
    pub fn event(&mut self, entry: &Entry) -> Option<String> {
        let line = self.steps.event(entry);
        if let Event::StepStarted { .. } = entry.event {
            self.keep_time();
        }
        self.draw();
        line.filter(|_| self.fold == Fold::Folded || ends_step(&entry.event))
    }

    pub fn line(&mut self, line: &LogLine) {
        self.steps.line(line);
        self.draw();
    }

    /// How the connection is.
    pub fn link(&mut self, text: Option<&'static str>) {
        self.steps.link(text);
        self.draw();
    }

    pub fn suspend<R>(&self, work: impl FnOnce() -> R) -> R {
        match &self.bar {
            Some(bar) => bar.suspend(work),
            None => work(),
        }
    }

    pub fn hide(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    pub fn show(&mut self) {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {elapsed}{msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(TICK);
        self.bar = Some(bar);
        self.keep_time();
        self.draw();
    }

    /// Who comes late sees since when it runs.
    fn keep_time(&self) {
        let since = self.steps.millis_until(clock::now()).unwrap_or(0);
        if let Some(bar) = &self.bar {
            bar.set_elapsed(Duration::from_millis(since));
        }
    }

    fn draw(&self) {
        let Some(bar) = &self.bar else { return };
        let (height, width) = Term::stderr().size();
        let tail = match self.fold {
            Fold::Folded => TAIL.min(usize::from(height).saturating_sub(4)),
            Fold::Open => 0,
        };
        bar.set_prefix(self.steps.title());
        bar.set_message(self.steps.below(usize::from(width), tail));
    }
}
