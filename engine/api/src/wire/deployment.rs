//! A deployment on the wire.

use serde::{Deserialize, Serialize};
use shipway_core::ending::Ending;
use shipway_core::journal::{BuildWish, Commit, ReleaseCommands, Subject};
use shipway_core::name::{AppName, DeploymentId, EnvironmentName, Timestamp};
use shipway_core::pipeline::Step;
use shipway_core::ports::store;
use utoipa::{IntoParams, ToSchema};

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Deployment {
    pub id: DeploymentId,
    pub app: AppName,
    pub environment: EnvironmentName,
    pub status: Status,
    /// The step that runs, while one does.
    pub step: Option<Step>,
    /// The branch, tag or commit that was asked for.
    pub reference: String,
    pub commit: Option<Commit>,
    /// Whether an image of the same commit may be reused.
    pub build: BuildWish,
    /// Whether it deploys a commit, goes back, or promotes.
    #[serde(default)]
    pub subject: Subject,
    /// The token that asked, or where it came from.
    pub by: String,
    pub created_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub ending: Option<Ending>,
    /// The number of its newest event.
    pub sequence: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    Queued,
    Running,
    /// Somebody asked it to stop, and it has not yet.
    Cancelling,
    Succeeded,
    Failed,
    Cancelled,
    Superseded,
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Cancelling => "cancelling",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Superseded => "superseded",
        })
    }
}

/// What to deploy; an empty body means what the environment says.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewDeployment {
    /// A branch, a tag or a commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    pub build: BuildWish,
}

/// Where to go back to; an empty body means the deployment that served before.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewRollback {
    /// A deployment of the environment that succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<DeploymentId>,
    /// Whether the release commands of its plan run again.
    pub release_commands: ReleaseCommands,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPromotion {
    /// An environment of the same app and runtime.
    pub from: EnvironmentName,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListDeployments {
    /// Only those of one app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<AppName>,
    /// Only older ones than this: `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<DeploymentId>,
    /// 20 unless given, 100 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
}

/// The same within one environment.
#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageOfDeployments {
    /// Only older ones than this: `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<DeploymentId>,
    /// 20 unless given, 100 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WaitQuery {
    /// Answers when the deployment has ended, or after so many seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 0, maximum = 60)]
    pub wait_seconds: Option<u32>,
}

impl From<store::Deployment> for Deployment {
    fn from(deployment: store::Deployment) -> Self {
        let status = status(&deployment);
        let trigger = deployment.trigger;
        Self {
            id: deployment.id,
            app: trigger.key.app,
            environment: trigger.key.environment,
            status,
            step: deployment.step,
            reference: trigger.reference,
            commit: deployment.commit,
            build: trigger.build,
            subject: trigger.subject,
            by: trigger.by,
            created_at: deployment.created_at,
            started_at: deployment.started_at,
            ended_at: deployment.ended_at,
            ending: deployment.ending,
            sequence: deployment.sequence,
        }
    }
}

fn status(deployment: &store::Deployment) -> Status {
    match (&deployment.ending, deployment.started_at) {
        (Some(Ending::Succeeded), _) => Status::Succeeded,
        (Some(Ending::Failed(_)), _) => Status::Failed,
        (Some(Ending::Cancelled(_)), _) => Status::Cancelled,
        (Some(Ending::Superseded { .. }), _) => Status::Superseded,
        (None, _) if deployment.cancel_requested_at.is_some() => Status::Cancelling,
        (None, Some(_)) => Status::Running,
        (None, None) => Status::Queued,
    }
}
