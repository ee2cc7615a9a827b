//! Pages of events; an event itself is an entry of core's journal.

use serde::{Deserialize, Serialize};
use shipway_core::journal::Entry;
use utoipa::{IntoParams, ToSchema};

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Events {
    /// In order, without a gap.
    pub items: Vec<Entry>,
    /// `after` of the next page: the number of the last event here, or what
    /// was asked for when there is none.
    pub after: u64,
    /// Whether the last event here is the deployment's last.
    pub ended: bool,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// Only events after this number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(format = "uint64")]
    pub after: Option<u64>,
    /// 100 unless given, 1000 at most. Not for streams.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
}
