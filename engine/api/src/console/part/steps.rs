//! The steps of a deployment, read from its journal.

use maud::{Markup, html};
use shipway_core::ending::Failure;
use shipway_core::journal::{Entry, Event, Exit};
use shipway_core::name::{Label, Timestamp};
use shipway_core::pipeline::Step;
use shipway_core::release::Phase;

use super::words::moment;
use crate::words::took;

/// A step as its journal tells it.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    Waiting,
    Running(Timestamp),
    Done(u64),
    Failed(Failure),
    Cancelled,
    /// The deployment ended before it.
    Never,
}

/// All steps in their order.
pub fn read(journal: &[Entry]) -> Vec<(Step, Progress)> {
    let mut steps: Vec<_> = Step::ALL
        .into_iter()
        .map(|step| (step, Progress::Waiting))
        .collect();
    let mut note = |step: Step, progress: Progress| {
        if let Some(place) = steps.iter_mut().find(|(known, _)| *known == step) {
            place.1 = progress;
        }
    };
    let mut ended = false;
    for entry in journal {
        match &entry.event {
            Event::StepStarted { step } => note(*step, Progress::Running(entry.at)),
            Event::StepSucceeded { output, millis } => note(output.step(), Progress::Done(*millis)),
            Event::StepFailed { failure } => note(failure.step, Progress::Failed(failure.clone())),
            Event::StepCancelled { step } => note(*step, Progress::Cancelled),
            Event::Ended(_) => ended = true,
            _ => {}
        }
    }
    for (_, progress) in steps.iter_mut().filter(|_| ended) {
        if matches!(progress, Progress::Waiting) {
            *progress = Progress::Never;
        }
    }
    steps
}

pub fn steps(journal: &[Entry], now: Timestamp) -> Markup {
    html! {
        ol.steps {
            @for (step, progress) in read(journal) {
                li class=(class(&progress)) {
                    span.name { (step) }
                    span.state { (state(&progress, now)) }
                    span.does { (does(step)) }
                    (commands(journal, step))
                }
            }
        }
    }
}

fn class(progress: &Progress) -> &'static str {
    match progress {
        Progress::Waiting | Progress::Never => "waiting",
        Progress::Running(_) => "running",
        Progress::Done(_) => "done",
        Progress::Failed(_) => "failed",
        Progress::Cancelled => "cancelled",
    }
}

fn state(progress: &Progress, now: Timestamp) -> Markup {
    html! {
        @match progress {
            Progress::Waiting => "waiting",
            Progress::Running(since) => { "running, began " (moment(*since, now)) },
            Progress::Done(millis) => { "done in " (took(*millis)) },
            Progress::Failed(failure) => { "failed: " (failure.reason) },
            Progress::Cancelled => "cancelled",
            Progress::Never => "not reached",
        }
    }
}

fn does(step: Step) -> &'static str {
    match step {
        Step::Services => "asks each backing service whether it is there",
        Step::Checkout => "fetches the commit",
        Step::Build => "builds the image, or reuses one of the same commit",
        Step::Plan => "collects the release commands",
        Step::Release => "runs the release commands while the old version serves",
        Step::Start => "starts the new instances until each is healthy",
        Step::SelfTest => "asks the self-tests about the new version",
        Step::Gate => "runs the gate commands beside the new version",
        Step::Switch => "routes requests to the new version, at once",
        Step::Retire => "drains and stops the old instances",
    }
}

/// The commands that belong to a step, as far as they have begun.
fn commands(journal: &[Entry], step: Step) -> Markup {
    let belongs = |phase: Phase| match phase {
        Phase::Release => step == Step::Release,
        Phase::Gate => step == Step::Gate,
        Phase::After => step == Step::Retire,
        Phase::Failed => false,
    };
    let started: Vec<&Label> = journal
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::CommandStarted { label, phase, .. } if belongs(*phase) => Some(label),
            _ => None,
        })
        .collect();
    html! {
        @if !started.is_empty() {
            ul.commands {
                @for label in started {
                    li { (label) ": " (ended(journal, label)) }
                }
            }
        }
    }
}

fn ended(journal: &[Entry], wanted: &Label) -> Markup {
    let found: Option<(&Exit, u64)> = journal.iter().find_map(|entry| match &entry.event {
        Event::CommandFinished {
            label,
            exit,
            millis,
            ..
        } if label == wanted => Some((exit, *millis)),
        _ => None,
    });
    html! {
        @match found {
            Some((exit, millis)) => { (exit) " after " (took(millis)) },
            None => "running",
        }
    }
}
