//! Webhooks on the wire. The secret of one is in the answer that makes it and
//! nowhere else.

use serde::{Deserialize, Serialize};
use shipway_core::name::{DeploymentId, EnvironmentName, Timestamp, WebhookId};
use shipway_core::secret::Secret;
use shipway_core::webhook::{self, Provider, Rule};
use utoipa::ToSchema;

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Webhook {
    pub id: WebhookId,
    /// Where the Git host sends its deliveries: a path of this server.
    #[schema(example = "/v1/webhooks/0123456789abcdef0123456789abcdef")]
    pub path: String,
    pub provider: Provider,
    /// The repository that deliveries must name; the app's when absent.
    pub repository: Option<String>,
    /// Which branches and tags deploy to which environments; all others do
    /// nothing.
    pub rules: Vec<Rule>,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewWebhook {
    pub provider: Provider,
    pub rules: Vec<Rule>,
    /// An address of the repository that deliveries name, where it is another
    /// than the app's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// 16 to 255 characters; the engine makes one unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
}

/// A webhook that was just made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CreatedWebhook {
    /// For the Git host; shown this once.
    pub secret: Secret,
    #[serde(flatten)]
    pub kept: Webhook,
}

/// What became of a delivery.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Answer {
    /// The Git host's own id of it.
    pub delivery: String,
    /// In a sentence, for whoever looks at the Git host's list of deliveries.
    #[schema(example = "nothing to do: branch docs deploys to no environment")]
    pub message: String,
    /// The deployments that it triggered, now or when it came first.
    pub deployments: Vec<Triggered>,
    /// Environments that could not take it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refused>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Triggered {
    pub id: DeploymentId,
    pub environment: EnvironmentName,
    /// What is deployed: a commit.
    pub reference: String,
    /// Where the deployment is found.
    pub location: String,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Refused {
    pub environment: EnvironmentName,
    pub detail: String,
}

impl From<webhook::Webhook> for Webhook {
    fn from(webhook: webhook::Webhook) -> Self {
        Self {
            path: format!("/v1/webhooks/{}", webhook.id),
            id: webhook.id,
            provider: webhook.provider,
            repository: webhook.repository,
            rules: webhook.rules,
            created_at: webhook.created_at,
        }
    }
}
