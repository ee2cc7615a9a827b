//! What a plan is asked for with; the plan itself is core's.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PlanRequest {
    /// A branch, a tag or a commit; the environment's own unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    pub image: PlanImage,
}

/// A release source may need the built image to tell its commands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PlanImage {
    /// Look into an image that exists, and say so when there is none.
    #[default]
    IfBuilt,
    /// Build it when there is none.
    Build,
}

impl From<PlanImage> for shipway_executor::command::PlanImage {
    fn from(image: PlanImage) -> Self {
        match image {
            PlanImage::IfBuilt => Self::IfBuilt,
            PlanImage::Build => Self::Build,
        }
    }
}
