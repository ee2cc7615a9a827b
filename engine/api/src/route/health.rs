//! `/healthz`, `/readyz` and `/metrics`: for whoever watches the engine. The
//! first two need no token, and name parts, never paths or addresses.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;

use crate::access::{May, Read};
use crate::problem::{Kind, Problem};
use crate::state::ApiState;
use crate::wire::health::{Health, Part, PartStatus};

/// Prometheus' text format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers well while the engine's loops turn. If it does not, start the engine
/// anew.
#[utoipa::path(get, path = "/healthz", tag = "health", security(()),
    responses((status = 200, body = Health)))]
pub async fn healthz(State(state): State<ApiState>) -> Result<Json<Health>, Problem> {
    judge(state.vitals.alive(), Kind::NotAlive)
}

/// Answers well while the engine can do its work: its store takes writes, the
/// proxy answers, the runtimes that are used are there, and it is not going
/// down. If it does not, send no requests.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, body = Health)))]
pub async fn readyz(State(state): State<ApiState>) -> Result<Json<Health>, Problem> {
    if state.shutdown.is_cancelled() {
        let leaving = Part::failing("engine".to_owned(), "it is going down");
        return judge(vec![leaving], Kind::NotReady);
    }
    judge(state.vitals.ready().await, Kind::NotReady)
}

/// Shows what the engine has counted, in Prometheus' text format. Needs a token
/// of scope `read` that is not limited to some apps.
#[utoipa::path(get, path = "/metrics", tag = "health",
    responses((status = 200, body = String, content_type = "text/plain")))]
pub async fn metrics(State(state): State<ApiState>, _may: May<Read>) -> Response {
    ([(CONTENT_TYPE, TEXT)], state.vitals.metrics().await).into_response()
}

fn judge(parts: Vec<Part>, kind: Kind) -> Result<Json<Health>, Problem> {
    let failing: Vec<String> = parts
        .iter()
        .filter(|part| part.is_failing())
        .map(|part| {
            format!(
                "{}: {}",
                part.name,
                part.detail.as_deref().unwrap_or("fails")
            )
        })
        .collect();
    if failing.is_empty() {
        let status = PartStatus::Ok;
        return Ok(Json(Health { status, parts }));
    }
    let mut problem = Problem::new(kind, failing.join("; "));
    problem.parts = parts;
    Err(problem)
}
