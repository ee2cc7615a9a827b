//! `/healthz` and `/readyz`: for whoever watches the engine. No token needed.

use std::time::Duration;

use axum::extract::State;
use shipway_core::ports::store::DeploymentFilter;

use crate::problem::{Kind, Problem};
use crate::state::ApiState;

/// A store that takes longer is not one to send requests to.
const PATIENCE: Duration = Duration::from_secs(2);

/// Answers while the process lives.
#[utoipa::path(get, path = "/healthz", tag = "health", security(()),
    responses((status = 200, body = String, content_type = "text/plain")))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Answers when the engine can do its work: the store answers and the engine
/// is not going down.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, body = String, content_type = "text/plain")))]
pub async fn readyz(State(state): State<ApiState>) -> Result<&'static str, Problem> {
    let not_ready = |detail| Problem::new(Kind::NotReady, detail);
    if state.shutdown.is_cancelled() {
        return Err(not_ready("the engine is going down"));
    }
    let filter = DeploymentFilter {
        limit: 1,
        ..DeploymentFilter::default()
    };
    match tokio::time::timeout(PATIENCE, state.store.deployments(&filter)).await {
        Ok(Ok(_)) => Ok("ready\n"),
        Ok(Err(error)) => {
            tracing::error!(%error, "not ready");
            Err(not_ready("the store does not work"))
        }
        Err(_) => Err(not_ready("the store does not answer")),
    }
}
