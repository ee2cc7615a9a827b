//! `/v1/audit`

use axum::Json;
use axum::extract::State;
use shipway_core::audit::{Filter, Record};

use crate::access::{Admin, May};
use crate::extract::{QueryOf, limit};
use crate::problem::Problem;
use crate::state::ApiState;
use crate::wire::audit::ListAudit;
use crate::wire::page::Page;

const DEFAULT_LIMIT: u32 = 50;
const MOST: u32 = 500;

/// Lists who did what, from where, newest first: every change, and every
/// attempt that was refused.
#[utoipa::path(get, path = "/v1/audit", tag = "audit", params(ListAudit),
    responses((status = 200, body = Page<Record>)))]
pub async fn list_audit(
    State(state): State<ApiState>,
    _: May<Admin>,
    QueryOf(query): QueryOf<ListAudit>,
) -> Result<Json<Page<Record>>, Problem> {
    let limit = limit(query.limit, DEFAULT_LIMIT, MOST)?;
    let filter = Filter {
        actor: query.actor,
        action: query.action,
        app: query.app,
        since: query.since,
        before: query.before,
        limit,
    };
    let items = state.store.audit(&filter).await?;
    let full = items.len() >= usize::try_from(limit).unwrap_or(usize::MAX);
    let last = items.last().filter(|_| full);
    let next = last.map(|record| record.number.to_string());
    Ok(Json(Page { items, next }))
}
