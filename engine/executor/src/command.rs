//! What the outside may ask of the executor.

use async_trait::async_trait;
use shipway_core::ending::Failure;
use shipway_core::environment::{EnvironmentKey, RuntimeKind};
use shipway_core::journal::{ReleaseCommands, Trigger};
use shipway_core::name::{DeploymentId, EnvironmentName, Label};
use shipway_core::plan::Plan;
use shipway_core::ports::store::{Created, StoreError};

use crate::bell::Listener;

/// The executor as the API sees it.
#[async_trait]
pub trait Commands: Send + Sync + std::fmt::Debug {
    /// Queues a deployment, by the environment's queue policy.
    async fn trigger(&self, trigger: Trigger) -> Result<Created, TriggerError>;

    /// Queues a deployment of what an earlier one of the environment built and
    /// planned.
    async fn roll_back(&self, request: &RollBack) -> Result<Created, TriggerError>;

    /// Queues a deployment of what serves another environment of the app.
    async fn promote(&self, request: &Promote) -> Result<Created, TriggerError>;

    /// Asks a deployment to stop. A queued one ends at once, a running one as
    /// soon as its step has been stopped and cleaned up.
    async fn cancel(&self, deployment: DeploymentId, by: &str) -> Result<(), CancelError>;

    /// What a deployment of this reference would do, without doing it.
    async fn plan(&self, request: &PlanRequest) -> Result<Plan, PlanningError>;

    /// Stops everything that runs for an environment and forgets its route, so
    /// that it can be deleted.
    async fn tear_down(&self, key: &EnvironmentKey) -> Result<(), TearDownError>;

    /// Hears of changes to a deployment's journal and log.
    fn listen(&self, deployment: DeploymentId) -> Listener;
}

#[derive(Debug, Clone)]
pub struct RollBack {
    pub key: EnvironmentKey,
    /// The one that served before, when absent.
    pub to: Option<DeploymentId>,
    pub release_commands: ReleaseCommands,
    pub by: String,
    pub idempotency_key: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Promote {
    pub key: EnvironmentKey,
    /// Of the same app.
    pub from: EnvironmentName,
    pub by: String,
    pub idempotency_key: Option<String>,
}

impl Promote {
    /// Whose commit and image are taken.
    pub fn source(&self) -> EnvironmentKey {
        EnvironmentKey {
            app: self.key.app.clone(),
            environment: self.from.clone(),
        }
    }
}

#[derive(Debug, Clone)]
pub struct PlanRequest {
    pub key: EnvironmentKey,
    /// The environment's own reference when absent.
    pub reference: Option<String>,
    pub image: PlanImage,
}

/// A source may need the built image to tell its commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PlanImage {
    /// Look into an image that exists, and say so when there is none.
    #[default]
    IfBuilt,
    /// Build it when there is none.
    Build,
}

#[derive(Debug, thiserror::Error)]
pub enum TriggerError {
    #[error("there is no environment {0}")]
    UnknownEnvironment(EnvironmentKey),
    #[error(
        "environment {key} refuses a second deployment while {running} runs (queue policy `reject`)"
    )]
    Busy {
        key: EnvironmentKey,
        running: DeploymentId,
    },
    #[error("nothing served {0} before what serves it now")]
    NothingBefore(EnvironmentKey),
    #[error("there is no deployment {to} of {key}")]
    UnknownDeployment {
        key: EnvironmentKey,
        to: DeploymentId,
    },
    #[error("deployment {0} has not succeeded, so there is nothing to go back to")]
    NotSucceeded(DeploymentId),
    #[error("nothing serves {0}, so there is nothing to promote")]
    NothingServes(EnvironmentKey),
    #[error("{from} runs on {theirs} and {to} on {ours}: an image of one cannot run on the other")]
    OtherRuntime {
        from: EnvironmentKey,
        theirs: RuntimeKind,
        to: EnvironmentKey,
        ours: RuntimeKind,
    },
    #[error("{0} cannot be promoted to itself")]
    Same(EnvironmentKey),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, thiserror::Error)]
pub enum CancelError {
    #[error("there is no deployment {0}")]
    Unknown(DeploymentId),
    #[error("deployment {0} has ended")]
    Ended(DeploymentId),
    #[error("deployment {0} is switching or has switched; it can be rolled forward, not cancelled")]
    TooLate(DeploymentId),
    #[error("{1} runs and may not be stopped (`cancel: never`); ask again when it has ended")]
    Protected(DeploymentId, Label),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, thiserror::Error)]
pub enum PlanningError {
    #[error("there is no environment {0}")]
    UnknownEnvironment(EnvironmentKey),
    #[error("{}", .0.message)]
    Failed(Box<Failure>),
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, thiserror::Error)]
pub enum TearDownError {
    #[error("deployment {0} runs; cancel it first")]
    Busy(DeploymentId),
    #[error("could not stop what runs for {key}: {message}")]
    Failed {
        key: EnvironmentKey,
        message: String,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
}
