//! What runs now, and what is to be said of what has run. No clock, no screen.

use std::collections::VecDeque;

use console::{strip_ansi_codes, truncate_str};
use shipway_api::words::took;
use shipway_core::journal::{CheckOutcome, Entry, Event, Output};
use shipway_core::name::Timestamp;
use shipway_core::pipeline::Step;
use shipway_core::plan::Plan;
use shipway_core::ports::Stream;
use shipway_core::ports::store::LogLine;
use shipway_core::release::Phase;

/// More lines than a screen shows of one command.
const KEPT: usize = 20;
/// The longest name of a step.
const COLUMN: usize = 9;
/// A clock that is further off than this says nothing.
const LONGEST_STEP_MILLIS: u64 = 24 * 3600 * 1000;

#[derive(Debug, Default)]
pub struct Steps {
    step: Option<Step>,
    began: Option<Timestamp>,
    command: Option<String>,
    /// The phases of the plan's commands, and of those that have begun.
    planned: Vec<Phase>,
    begun: Vec<Phase>,
    tail: VecDeque<String>,
    /// Something to know about all of it.
    cancelling: Option<&'static str>,
    lost: Option<&'static str>,
}

impl Steps {
    /// What is to be printed for good.
    pub fn event(&mut self, entry: &Entry) -> Option<String> {
        match &entry.event {
            // An engine that was started anew says so of a step that goes on.
            Event::StepStarted { step } if self.step == Some(*step) => None,
            Event::StepStarted { step } => {
                self.step = Some(*step);
                self.began = Some(entry.at);
                self.fold();
                None
            }
            Event::CommandStarted { label, phase, .. } => {
                self.fold();
                self.begun.push(*phase);
                self.command = Some(self.counted(label.as_str(), *phase));
                None
            }
            Event::CommandFinished {
                label,
                exit,
                millis,
                ..
            } => {
                self.command = None;
                Some(match exit.is_success() {
                    true => format!("    ✓ {label} ({})", took(*millis)),
                    false => format!("    ✗ {label} {exit} ({})", took(*millis)),
                })
            }
            Event::StepSucceeded { output, millis } => {
                self.done(output);
                Some(succeeded(output, *millis))
            }
            Event::StepFailed { failure } => {
                self.fold();
                let took = took(self.millis_until(entry.at).unwrap_or(0));
                let (step, reason) = (failure.step.as_str(), failure.reason);
                Some(format!("✗ {step:COLUMN$} {took}  {reason}"))
            }
            Event::StepCancelled { step } => {
                self.fold();
                Some(format!("✗ {:COLUMN$} cancelled", step.as_str()))
            }
            Event::CancelRequested { by } => {
                self.cancelling = Some("cancelling");
                Some(format!("! {by} asked to cancel"))
            }
            Event::CheckReported { outcome, .. } => match outcome {
                CheckOutcome::Pass | CheckOutcome::Skip => None,
                CheckOutcome::Warn | CheckOutcome::Fail => {
                    Some(format!("    ! {}", entry.event.summary()))
                }
            },
            Event::Warning { .. } | Event::CommandUndone { .. } => {
                Some(format!("    ! {}", entry.event.summary()))
            }
            Event::Queued(_)
            | Event::InstanceStarted { .. }
            | Event::InstanceHealthy { .. }
            | Event::Ended(_) => None,
        }
    }

    /// Headings are for who reads the log alone.
    pub fn line(&mut self, line: &LogLine) {
        if line.stream == Stream::Engine && line.text.starts_with("=====") {
            return;
        }
        self.tail.push_back(plain(&line.text));
        while self.tail.len() > KEPT {
            self.tail.pop_front();
        }
    }

    /// What is wrong with the connection, if something is.
    pub fn link(&mut self, text: Option<&'static str>) {
        self.lost = text;
    }

    /// How long the step has run then; None when clocks do not agree.
    pub fn millis_until(&self, now: Timestamp) -> Option<u64> {
        let since = now.as_millis().saturating_sub(self.began?.as_millis());
        let since = u64::try_from(since).ok();
        since.filter(|millis| *millis < LONGEST_STEP_MILLIS)
    }

    /// The step that runs, as wide as any.
    pub fn title(&self) -> String {
        let title = self.step.map_or("queued", Step::as_str);
        format!("{title:COLUMN$}")
    }

    /// The rest of the step's line, then the last lines of what it prints.
    pub fn below(&self, width: usize, tail: usize) -> String {
        // The spinner, the title and the time stand before it.
        let rest = width.saturating_sub(COLUMN + 12);
        let words: Vec<&str> = [self.command.as_deref(), self.cancelling, self.lost]
            .into_iter()
            .flatten()
            .collect();
        let mut text = match words.is_empty() {
            true => String::new(),
            false => format!("  {}", cut(&words.join("  "), rest)),
        };
        let skipped = self.tail.len().saturating_sub(tail);
        for line in self.tail.iter().skip(skipped) {
            text.push_str("\n    | ");
            text.push_str(&cut(line, width.saturating_sub(7)));
        }
        text
    }

    fn done(&mut self, output: &Output) {
        if let Output::Plan { plan } = output {
            self.planned = phases(plan);
        }
        self.step = None;
        self.fold();
    }

    fn fold(&mut self) {
        self.command = None;
        self.tail.clear();
    }

    /// `[2/3] Migrate`, among the commands of its phase.
    fn counted(&self, label: &str, phase: Phase) -> String {
        let of = |all: &[Phase]| all.iter().filter(|other| **other == phase).count();
        match of(&self.planned) {
            0 => label.to_owned(),
            planned => format!("[{}/{planned}] {label}", of(&self.begun).min(planned)),
        }
    }
}

fn phases(plan: &Plan) -> Vec<Phase> {
    plan.commands.iter().map(|command| command.phase).collect()
}

fn succeeded(output: &Output, millis: u64) -> String {
    let detail = output.detail();
    let detail = detail.trim_start_matches(": ");
    let line = format!("✓ {:COLUMN$} {}  {detail}", output.step(), took(millis));
    line.trim_end().to_owned()
}

/// Nothing in a line of a log may move the cursor.
fn plain(text: &str) -> String {
    let text = strip_ansi_codes(text);
    // A progress bar rewrites its line: the last writing counts.
    let text = text.trim_end().rsplit('\r').next().unwrap_or_default();
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

fn cut(text: &str, width: usize) -> String {
    truncate_str(text, width, "…").into_owned()
}

#[cfg(test)]
mod tests {
    use shipway_core::name::DeploymentId;

    use super::*;

    fn entry(event: Event) -> Entry {
        Entry {
            deployment: DeploymentId(uuid::Uuid::nil()),
            sequence: 1,
            at: Timestamp::from_millis(5000),
            event,
        }
    }

    fn line(text: &str) -> LogLine {
        LogLine {
            number: 1,
            at: Timestamp::from_millis(0),
            stream: Stream::Stdout,
            text: text.into(),
        }
    }

    #[test]
    fn a_step_shows_its_command_and_its_last_lines_and_folds_them() {
        let mut steps = Steps::default();
        assert_eq!(steps.title().trim(), "queued");
        steps.event(&entry(Event::StepStarted {
            step: Step::Release,
        }));
        steps.planned = vec![Phase::Release, Phase::Gate, Phase::Release];
        steps.event(&entry(Event::CommandStarted {
            label: "Migrate".parse().unwrap(),
            phase: Phase::Release,
            logged: Default::default(),
        }));
        for text in ["one", "\u{1b}[31mtwo\u{1b}[0m", "50 %\r100 %\u{7}"] {
            steps.line(&line(text));
        }
        insta::assert_snapshot!(format!("{}{}", steps.title(), steps.below(40, 2)), @r"
        release    [1/2] Migrate
            | two
            | 100 %
        ");
        let done = steps.event(&entry(Event::StepSucceeded {
            output: Box::new(Output::Release),
            millis: 1234,
        }));
        assert_eq!(done.unwrap(), "✓ release   1.2 s");
        assert_eq!(steps.below(40, 2), "");
    }

    #[test]
    fn long_lines_are_cut_to_the_screen() {
        let mut steps = Steps::default();
        steps.line(&line(&"x".repeat(500)));
        steps.link(Some("connection lost, trying again …"));
        let shown = steps.below(40, 5);
        assert!(
            shown
                .lines()
                .all(|line| console::measure_text_width(line) <= 40),
            "{shown}"
        );
    }
}
