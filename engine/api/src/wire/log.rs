//! Pages of a deployment's log; a line is core's.

use serde::{Deserialize, Serialize};
use shipway_core::ports::store::LogLine;
use utoipa::{IntoParams, ToSchema};

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LogPage {
    /// In order. There may be fewer than asked for: a page has at most about
    /// 8 MiB of text.
    pub items: Vec<LogLine>,
    /// `after` of the next page.
    pub after: u64,
    /// Whether there will be no more lines.
    pub ended: bool,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LogQuery {
    /// Only lines after this number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(format = "uint64")]
    pub after: Option<u64>,
    /// Of a JSON page: 1000 unless given, 10000 at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 10000)]
    pub limit: Option<u32>,
    /// Whether the text or the JSON lines go on until the deployment ends.
    pub follow: bool,
}
