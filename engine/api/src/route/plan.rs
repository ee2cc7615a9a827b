//! `/v1/apps/{app}/environments/{environment}/plan`

use axum::Json;
use axum::extract::State;
use shipway_core::environment::EnvironmentKey;
use shipway_core::plan::Plan;
use shipway_core::settings::check_reference;
use shipway_executor::command;

use crate::access::{Deploy, May};
use crate::extract::{OptionalBody, PathOf};
use crate::problem::Problem;
use crate::state::ApiState;
use crate::wire::plan::PlanRequest;

/// Says what a deployment would do, without doing it.
#[utoipa::path(post, path = "/v1/apps/{app}/environments/{environment}/plan",
    tag = "deployments", request_body = Option<PlanRequest>,
    responses((status = 200, body = Plan)))]
pub async fn make_plan(
    State(state): State<ApiState>,
    _: May<Deploy>,
    PathOf(key): PathOf<EnvironmentKey>,
    OptionalBody(wish): OptionalBody<PlanRequest>,
) -> Result<Json<Plan>, Problem> {
    if let Some(reference) = &wish.reference {
        check_reference("reference", reference)?;
    }
    let request = command::PlanRequest {
        key,
        reference: wish.reference,
        image: wish.image.into(),
    };
    Ok(Json(state.commands.plan(&request).await?))
}
