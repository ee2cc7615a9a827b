//! Errors of adapters, told as the failure of a step.

use std::error::Error;

use shipway_core::ending::{Failure, Reason};
use shipway_core::name::PluginName;
use shipway_core::pipeline::Step;
use shipway_core::plan::PlanError;
use shipway_core::ports::plugins::{PluginError, PluginErrorKind};
use shipway_core::ports::runtime::RuntimeError;
use shipway_core::ports::source::SourceError;
use shipway_core::ports::store::StoreError;

/// Why a step did not give its output.
#[derive(Debug)]
pub enum Broken {
    Failed(Box<Failure>),
    Cancelled,
    /// Nothing more can be written: the deployment stays as its journal says.
    Halted(Halted),
}

/// Why the executor had to put a deployment down where it stood.
#[derive(Debug, thiserror::Error)]
pub enum Halted {
    #[error("the journal could not be written")]
    Store(#[from] StoreError),
    #[error("the journal and the pipeline disagree")]
    Illegal(#[from] shipway_core::pipeline::IllegalEvent),
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self::Failed(Box::new(failure))
    }
}

impl From<Halted> for Broken {
    fn from(halted: Halted) -> Self {
        Self::Halted(halted)
    }
}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        Self::Halted(error.into())
    }
}

/// An error and its causes in one sentence.
pub fn sentence(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let part = error.to_string();
        if !text.ends_with(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        cause = error.source();
    }
    text
}

pub fn of_source(error: &SourceError) -> Failure {
    let reason = match error {
        SourceError::Timeout { .. } => Reason::Timeout,
        _ => Reason::Checkout,
    };
    with_hint(
        Failure::new(Step::Checkout, reason, sentence(error)),
        error.hint(),
    )
}

pub fn of_runtime(step: Step, error: &RuntimeError) -> Failure {
    let reason = match (step, error) {
        (_, RuntimeError::Timeout { .. }) => Reason::Timeout,
        (Step::Build, _) => Reason::Build,
        (Step::Release, _) => Reason::ReleaseCommand,
        (Step::Gate, _) => Reason::HookError,
        (Step::Start, _) => Reason::Unhealthy,
        _ => Reason::Internal,
    };
    with_hint(Failure::new(step, reason, sentence(error)), error.hint())
}

pub fn of_plan(step: Step, error: &PlanError) -> Failure {
    let reason = match (step, error) {
        (_, PlanError::SeveralSources(..)) => Reason::Plugin,
        (Step::Plan, _) => Reason::ReleaseCommand,
        _ => Reason::Build,
    };
    Failure::new(step, reason, sentence(error))
}

pub fn of_plugin(step: Step, plugin: &PluginName, error: &PluginError) -> Failure {
    let reason = match error.kind {
        PluginErrorKind::Timeout => Reason::Timeout,
        _ => Reason::Plugin,
    };
    let mut failure = Failure::new(step, reason, error.message.clone());
    failure.plugin = Some(plugin.clone());
    with_hint(failure, error.hint.as_deref())
}

fn with_hint(failure: Failure, hint: Option<&str>) -> Failure {
    match hint {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}
