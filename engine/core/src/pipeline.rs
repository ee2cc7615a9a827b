//! The pipeline: one pure state machine. An event goes in, the next state
//! comes out; the state says the one next action. The order of the steps is
//! the product's promise: the old version serves until the new one is proven.

use serde::{Deserialize, Serialize};

use crate::ending::{Aftermath, Ending, Failed, Failure};
use crate::journal::{
    CheckOutcome, Commit, Entry, Event, Exit, Image, Instance, Logged, Output, Serving,
};
use crate::name::{DeploymentId, Label, Timestamp};
use crate::plan::Plan;
use crate::release::Phase;

/// The steps, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    Services,
    Checkout,
    Build,
    Plan,
    Release,
    Start,
    SelfTest,
    Gate,
    Switch,
    Retire,
}

impl Step {
    pub const ALL: [Self; 10] = [
        Self::Services,
        Self::Checkout,
        Self::Build,
        Self::Plan,
        Self::Release,
        Self::Start,
        Self::SelfTest,
        Self::Gate,
        Self::Switch,
        Self::Retire,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Services => "services",
            Self::Checkout => "checkout",
            Self::Build => "build",
            Self::Plan => "plan",
            Self::Release => "release",
            Self::Start => "start",
            Self::SelfTest => "self-test",
            Self::Gate => "gate",
            Self::Switch => "switch",
            Self::Retire => "retire",
        }
    }
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where a deployment is, with what is known there and nothing more.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    Queued,
    Services,
    Checkout,
    Build(Commit),
    Plan(Built),
    Release(Planned),
    Start(Planned),
    SelfTest(Candidate),
    Gate(Candidate),
    Switch(Candidate),
    /// The switch is done; from here on nothing can make it fail.
    Retire(Routed),
    /// A step failed or was cancelled: what it left is taken back, then it ends.
    CleanUp(Debris),
    Succeeded,
    Ended(Ending),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Built {
    pub commit: Commit,
    pub image: Image,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    pub plan: Box<Plan>,
    pub commit: Commit,
    pub image: Image,
    /// Release and gate commands that have succeeded, in order.
    pub ran: Vec<Label>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub planned: Planned,
    pub instances: Vec<Instance>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Routed {
    pub planned: Planned,
    pub serving: Serving,
}

/// What a deployment that will not succeed has left behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Debris {
    pub cause: Cause,
    /// From the plan step on: what undo and `failed` commands need.
    pub planned: Option<Planned>,
    pub undone: Vec<Label>,
    pub undo_failed: Vec<Label>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Cause {
    Failed(Failure),
    Cancelled(Step),
}

impl Debris {
    /// The commands whose effects are still there: they ran and nothing has
    /// tried to undo them. Newest first, the order in which they are undone.
    pub fn to_undo(&self) -> Vec<Label> {
        let Some(planned) = &self.planned else {
            return Vec::new();
        };
        let tried = |label: &Label| self.undone.contains(label) || self.undo_failed.contains(label);
        planned
            .ran
            .iter()
            .rev()
            .filter(|label| !tried(label))
            .cloned()
            .collect()
    }

    /// The honest ending, given what serves now.
    pub fn ending(&self, serving: Option<DeploymentId>) -> Ending {
        let aftermath = Aftermath {
            release_commands_ran: self
                .planned
                .as_ref()
                .map(|p| p.ran.clone())
                .unwrap_or_default(),
            undone: self.undone.clone(),
            undo_failed: self.undo_failed.clone(),
            serving,
        };
        match &self.cause {
            Cause::Failed(failure) => Ending::Failed(Failed {
                failure: failure.clone(),
                aftermath,
            }),
            Cause::Cancelled(_) => Ending::Cancelled(aftermath),
        }
    }
}

/// A deployment's journal, folded.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    state: State,
    /// The step whose start is in the journal and whose end is not.
    running: Option<Step>,
    /// The commands that were started, in order.
    commands: Vec<Started>,
    /// Who asked it to stop.
    cancelled_by: Option<String>,
    sequence: u64,
}

/// A command whose start is in the journal. An undo is run in phase `failed`,
/// under the label of what it takes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    pub label: Label,
    pub phase: Phase,
    pub at: Timestamp,
    /// What the log had before it.
    pub logged: Logged,
    /// None while its end is not in the journal.
    pub exit: Option<Exit>,
}

/// An event that cannot happen in this state: a bug, or a journal that
/// somebody else wrote.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("event {event} cannot follow in state {state}")]
pub struct IllegalEvent {
    pub event: &'static str,
    pub state: &'static str,
}

impl Default for Pipeline {
    fn default() -> Self {
        Self {
            state: State::Queued,
            running: None,
            commands: Vec::new(),
            cancelled_by: None,
            sequence: 0,
        }
    }
}

impl Pipeline {
    /// The pipeline that a journal tells of.
    pub fn replay(entries: &[Entry]) -> Result<Self, IllegalEvent> {
        entries.iter().try_fold(Self::default(), |pipeline, entry| {
            pipeline.apply(&entry.event, entry.at)
        })
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    /// The number of the newest entry.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// The step whose end is not known: it was running when the journal ends.
    pub fn running(&self) -> Option<Step> {
        self.running
    }

    /// What became of a command of this deployment, if it was started.
    pub fn command(&self, phase: Phase, label: &Label) -> Option<&Started> {
        self.commands
            .iter()
            .find(|started| started.phase == phase && started.label == *label)
    }

    /// Whether a command was started and how it ended is not known.
    pub fn has_unknown_command(&self) -> bool {
        self.commands
            .iter()
            .any(|started| matches!(started.exit, None | Some(Exit::Interrupted)))
    }

    /// The command that runs, as far as the journal tells.
    pub fn open_command(&self) -> Option<&Started> {
        self.commands.iter().find(|started| started.exit.is_none())
    }

    /// The step to act on next, if a step is what comes next.
    pub fn step(&self) -> Option<Step> {
        match self.state {
            State::Queued | State::Services => Some(Step::Services),
            State::Checkout => Some(Step::Checkout),
            State::Build(_) => Some(Step::Build),
            State::Plan(_) => Some(Step::Plan),
            State::Release(_) => Some(Step::Release),
            State::Start(_) => Some(Step::Start),
            State::SelfTest(_) => Some(Step::SelfTest),
            State::Gate(_) => Some(Step::Gate),
            State::Switch(_) => Some(Step::Switch),
            State::Retire(_) => Some(Step::Retire),
            State::CleanUp(_) | State::Succeeded | State::Ended(_) => None,
        }
    }

    /// Who asked it to stop, if somebody did.
    pub fn cancelled_by(&self) -> Option<&str> {
        self.cancelled_by.as_deref()
    }

    /// Whether it can still be cancelled: until the switch begins.
    pub fn can_cancel(&self) -> bool {
        self.step().is_some_and(|step| step < Step::Switch)
    }

    /// The pipeline after one more event.
    pub fn apply(self, event: &Event, at: Timestamp) -> Result<Self, IllegalEvent> {
        let illegal = IllegalEvent {
            event: event.kind(),
            state: self.state.name(),
        };
        let step = self.step();
        let mut next = Self {
            sequence: self.sequence + 1,
            ..self
        };
        match event {
            Event::Queued(_) if next.sequence == 1 => {}
            Event::StepStarted { step: started } if step == Some(*started) => {
                next.running = Some(*started);
                if matches!(next.state, State::Queued) {
                    next.state = State::Services;
                }
            }
            Event::StepSucceeded { output, .. } if next.running == Some(output.step()) => {
                next.running = None;
                next.state = next.state.after(output).ok_or(illegal)?;
            }
            Event::StepFailed { failure }
                if step == Some(failure.step) && failure.step != Step::Retire =>
            {
                next.running = None;
                next.state = next.state.broken(Cause::Failed(failure.clone()));
            }
            Event::StepCancelled { step: cancelled }
                if step == Some(*cancelled) && *cancelled < Step::Switch =>
            {
                next.running = None;
                next.state = next.state.broken(Cause::Cancelled(*cancelled));
            }
            Event::CommandStarted {
                label,
                phase,
                logged,
            } if next.command(*phase, label).is_none() => {
                next.commands.push(Started {
                    label: label.clone(),
                    phase: *phase,
                    at,
                    logged: *logged,
                    exit: None,
                });
            }
            Event::CommandFinished {
                label, phase, exit, ..
            } => {
                let open = next.open(*phase, label).ok_or(illegal)?;
                open.exit = Some(*exit);
                next.state.note_command(label, *phase, *exit);
            }
            Event::CommandUndone { label, exit } => match &mut next.state {
                State::CleanUp(debris) if exit.is_success() => debris.undone.push(label.clone()),
                State::CleanUp(debris) => debris.undo_failed.push(label.clone()),
                _ => return Err(illegal),
            },
            Event::Ended(ending) if next.state.may_end(ending) => {
                next.state = State::Ended(ending.clone())
            }
            Event::CancelRequested { by } if !matches!(next.state, State::Ended(_)) => {
                next.cancelled_by = Some(by.clone());
            }
            Event::InstanceStarted { .. }
            | Event::InstanceHealthy { .. }
            | Event::CheckReported { .. }
            | Event::Warning { .. }
                if !matches!(next.state, State::Ended(_)) => {}
            _ => return Err(illegal),
        }
        Ok(next)
    }

    fn open(&mut self, phase: Phase, label: &Label) -> Option<&mut Started> {
        self.commands.iter_mut().find(|started| {
            started.exit.is_none() && started.phase == phase && started.label == *label
        })
    }
}

impl State {
    /// The state after a step has given its output; none if it does not fit.
    fn after(self, output: &Output) -> Option<Self> {
        Some(match (self, output) {
            (Self::Services, Output::Services { .. }) => Self::Checkout,
            (Self::Checkout, Output::Checkout(commit)) => Self::Build(commit.clone()),
            (Self::Build(commit), Output::Build(image)) => Self::Plan(Built {
                commit,
                image: image.clone(),
            }),
            (Self::Plan(Built { commit, image }), Output::Plan { plan }) => {
                Self::Release(Planned {
                    plan: plan.clone(),
                    commit,
                    image,
                    ran: Vec::new(),
                })
            }
            (Self::Release(planned), Output::Release) => Self::Start(planned),
            (Self::Start(planned), Output::Start { instances }) => Self::SelfTest(Candidate {
                planned,
                instances: instances.clone(),
            }),
            (Self::SelfTest(candidate), Output::SelfTest { .. }) => Self::Gate(candidate),
            (Self::Gate(candidate), Output::Gate) => Self::Switch(candidate),
            (Self::Switch(candidate), Output::Switch(serving)) => Self::Retire(Routed {
                planned: candidate.planned,
                serving: serving.clone(),
            }),
            (Self::Retire(_), Output::Retire(_)) => Self::Succeeded,
            _ => return None,
        })
    }

    fn broken(self, cause: Cause) -> Self {
        Self::CleanUp(Debris {
            cause,
            planned: self.into_planned(),
            undone: Vec::new(),
            undo_failed: Vec::new(),
        })
    }

    fn into_planned(self) -> Option<Planned> {
        match self {
            Self::Release(planned) | Self::Start(planned) => Some(planned),
            Self::SelfTest(candidate) | Self::Gate(candidate) | Self::Switch(candidate) => {
                Some(candidate.planned)
            }
            Self::Retire(routed) => Some(routed.planned),
            _ => None,
        }
    }

    fn planned_mut(&mut self) -> Option<&mut Planned> {
        match self {
            Self::Release(planned) | Self::Start(planned) => Some(planned),
            Self::SelfTest(candidate) | Self::Gate(candidate) | Self::Switch(candidate) => {
                Some(&mut candidate.planned)
            }
            _ => None,
        }
    }

    fn note_command(&mut self, label: &Label, phase: Phase, exit: Exit) {
        if !exit.is_success() || !matches!(phase, Phase::Release | Phase::Gate) {
            return;
        }
        if let Some(planned) = self.planned_mut()
            && !planned.ran.contains(label)
        {
            planned.ran.push(label.clone());
        }
    }

    fn may_end(&self, ending: &Ending) -> bool {
        match (self, ending) {
            (Self::Succeeded, Ending::Succeeded) => true,
            (Self::CleanUp(debris), Ending::Failed(_)) => matches!(debris.cause, Cause::Failed(_)),
            (Self::CleanUp(debris), Ending::Cancelled(_)) => {
                matches!(debris.cause, Cause::Cancelled(_))
            }
            (Self::Queued, Ending::Superseded { .. } | Ending::Cancelled(_)) => true,
            _ => false,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Services => "services",
            Self::Checkout => "checkout",
            Self::Build(_) => "build",
            Self::Plan(_) => "plan",
            Self::Release(_) => "release",
            Self::Start(_) => "start",
            Self::SelfTest(_) => "self-test",
            Self::Gate(_) => "gate",
            Self::Switch(_) => "switch",
            Self::Retire(_) => "retire",
            Self::CleanUp(_) => "clean-up",
            Self::Succeeded => "succeeded",
            Self::Ended(_) => "ended",
        }
    }
}

/// Whether the checks of the self-tests let a deployment go on: warnings do,
/// a failure does not.
pub fn checks_pass(outcomes: &[CheckOutcome]) -> bool {
    !outcomes.contains(&CheckOutcome::Fail)
}
