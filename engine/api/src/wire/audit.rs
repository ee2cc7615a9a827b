//! The audit log on the wire; its records are core's own.

use serde::{Deserialize, Serialize};
use shipway_core::name::{AppName, Timestamp};
use utoipa::IntoParams;

#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListAudit {
    /// The name of a token, the id of a webhook, or `anonymous`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// An operation of the API, such as `create_deployment`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Only what concerns one app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<AppName>,
    /// Only from this moment on, such as `2026-11-20T10:00:00Z`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Only older ones than this: `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(format = "uint64")]
    pub before: Option<u64>,
    /// 50 unless given, 500 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
}
