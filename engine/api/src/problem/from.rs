//! Each error that can reach the edge, sorted by who can fix it.

use shipway_core::name::InvalidName;
use shipway_core::ports::plugins::{PluginError, PluginErrorKind};
use shipway_core::ports::pushes::PushError;
use shipway_core::ports::store::StoreError;
use shipway_core::settings::InvalidSetting;
use shipway_executor::command::{CancelError, PlanningError, TearDownError, TriggerError};

use super::{Kind, Problem};

/// What went wrong inside is for the engine's log, not for the caller.
pub(crate) fn internal(error: &(dyn std::error::Error + 'static)) -> Problem {
    let mut causes = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        causes = format!("{causes}: {cause}");
        source = cause.source();
    }
    tracing::error!(error = %causes, "a request failed");
    Problem::new(Kind::Internal, "the engine could not do this")
        .with_hint("the engine's own log says why, beside the time of this request")
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        let detail = error.to_string();
        match error {
            StoreError::Exists { .. } => Self::new(Kind::Exists, detail),
            StoreError::NotFound { .. } => Self::new(Kind::NotFound, detail),
            StoreError::DomainTaken { owner, .. } => Self::new(Kind::DomainTaken, detail)
                .with_hint(format!(
                    "remove the domain from {owner} first, or choose another"
                )),
            StoreError::Ended(_) => Self::new(Kind::Ended, detail),
            StoreError::DiskFull => Self::new(Kind::DiskFull, detail)
                .with_hint("make room on the engine's disk, then try again"),
            StoreError::LeaseLost(_) | StoreError::Outdated(_) | StoreError::Failed { .. } => {
                internal(&error)
            }
        }
    }
}

impl From<InvalidName> for Problem {
    fn from(error: InvalidName) -> Self {
        Self::new(Kind::InvalidBody, error.to_string())
    }
}

impl From<InvalidSetting> for Problem {
    fn from(error: InvalidSetting) -> Self {
        let detail = error.to_string();
        match error {
            InvalidSetting::Broken { .. } => Self::new(Kind::InvalidSetting, detail),
            InvalidSetting::DuplicateLabel(_) => Self::new(Kind::DuplicateLabel, detail)
                .with_hint("choose another label, or replace the command that has it"),
            InvalidSetting::UnknownLabel(_) => Self::new(Kind::NotFound, detail),
        }
    }
}

impl From<TriggerError> for Problem {
    fn from(error: TriggerError) -> Self {
        let detail = error.to_string();
        match error {
            TriggerError::UnknownEnvironment(_) => Self::new(Kind::NotFound, detail),
            TriggerError::Busy { running, .. } => {
                Self::new(Kind::Busy, detail).with_hint(format!("wait for {running}, or cancel it"))
            }
            TriggerError::UnknownDeployment { .. } => Self::new(Kind::NotFound, detail),
            TriggerError::NothingBefore(_)
            | TriggerError::NotSucceeded(_)
            | TriggerError::NothingServes(_)
            | TriggerError::OtherRuntime { .. }
            | TriggerError::Same(_) => Self::new(Kind::NothingToDeploy, detail),
            TriggerError::Store(error) => error.into(),
        }
    }
}

impl From<CancelError> for Problem {
    fn from(error: CancelError) -> Self {
        let detail = error.to_string();
        match error {
            CancelError::Unknown(_) => Self::new(Kind::NotFound, detail),
            CancelError::Ended(_) => Self::new(Kind::Ended, detail),
            CancelError::TooLate(_) => Self::new(Kind::TooLate, detail),
            CancelError::Protected(..) => Self::new(Kind::Protected, detail),
            CancelError::Store(error) => error.into(),
        }
    }
}

impl From<PlanningError> for Problem {
    fn from(error: PlanningError) -> Self {
        let detail = error.to_string();
        match error {
            PlanningError::UnknownEnvironment(_) => Self::new(Kind::NotFound, detail),
            PlanningError::Failed(failure) => Self {
                hint: failure.hint.clone(),
                failure: Some(failure),
                ..Self::new(Kind::PlanFailed, detail)
            },
            PlanningError::Store(error) => error.into(),
        }
    }
}

impl From<TearDownError> for Problem {
    fn from(error: TearDownError) -> Self {
        let detail = error.to_string();
        match error {
            TearDownError::Busy(running) => Self::new(Kind::Busy, detail)
                .with_hint(format!("cancel it first: shipway cancel {running}")),
            TearDownError::Failed { .. } => Self::new(Kind::TearDownFailed, detail)
                .with_hint("nothing was deleted; put right what is named and try again"),
            TearDownError::Store(error) => error.into(),
        }
    }
}

impl From<PushError> for Problem {
    fn from(error: PushError) -> Self {
        let detail = error.to_string();
        match &error {
            PushError::NoGit => {
                Self::new(Kind::NotReady, detail).with_hint("install git on the engine's machine")
            }
            PushError::Busy => Self::new(Kind::NotReady, detail).with_hint("push again in a while"),
            PushError::Full { .. } => Self::new(Kind::TooLarge, detail),
            PushError::Failed { .. } => internal(&error),
        }
    }
}

impl From<PluginError> for Problem {
    fn from(error: PluginError) -> Self {
        let kind = match error.kind {
            PluginErrorKind::Host => {
                tracing::error!(error = %error, "the plugin host failed");
                Kind::Internal
            }
            _ => Kind::PluginRejected,
        };
        Self {
            hint: error.hint,
            ..Self::new(kind, error.message)
        }
    }
}
