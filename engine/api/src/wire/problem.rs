//! A refusal, as RFC 9457 problem details.

use serde::{Deserialize, Serialize};
use shipway_core::ending::Failure;
use shipway_core::update::Difference;
use utoipa::ToSchema;

use super::health::Part;

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// Stable; tells kinds apart.
    #[schema(example = "/problems/domain-taken")]
    pub r#type: String,
    pub title: String,
    pub status: u16,
    /// What happened this time.
    pub detail: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Why a plan could not be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Box<Failure>>,
    /// What a new version of a plugin asks for that has to be accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<Box<Difference>>,
    /// What the engine does or needs, when some of it fails.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}
