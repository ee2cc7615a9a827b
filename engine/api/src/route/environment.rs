//! `/v1/apps/{app}/environments`

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use shipway_core::environment::{self, EnvironmentKey};
use shipway_core::name::AppName;
use shipway_core::ports::store::DeploymentFilter;

use crate::access::{Admin, May, Read};
use crate::extract::{Body, PathOf};
use crate::problem::Problem;
use crate::state::ApiState;
use crate::wire::environment::{
    Environment, EnvironmentPatch, EnvironmentSettings, EnvironmentStatus, NewEnvironment,
};
use crate::wire::page::Page;

/// Lists an app's environments, by name.
#[utoipa::path(get, path = "/v1/apps/{app}/environments", tag = "environments",
    responses((status = 200, body = Page<Environment>)))]
pub async fn list_environments(
    State(state): State<ApiState>,
    _: May<Read>,
    PathOf(app): PathOf<AppName>,
) -> Result<Json<Page<Environment>>, Problem> {
    state.app(&app).await?;
    let environments = state.store.environments(&app).await?;
    let items = environments.iter().map(Environment::from).collect();
    Ok(Json(Page::whole(items)))
}

/// Makes an environment.
#[utoipa::path(post, path = "/v1/apps/{app}/environments", tag = "environments",
    request_body = NewEnvironment, responses((status = 201, body = Environment)))]
pub async fn create_environment(
    State(state): State<ApiState>,
    _: May<Admin>,
    PathOf(app): PathOf<AppName>,
    Body(new): Body<NewEnvironment>,
) -> Result<(StatusCode, Json<Environment>), Problem> {
    state.app(&app).await?;
    let key = EnvironmentKey {
        app,
        environment: new.name,
    };
    let mut made = environment::Environment::new(key, state.default_runtime, state.clock.now());
    change(&mut made, new.settings)?;
    if made.domains.is_empty() {
        made.domains.extend(made.key.default_domain());
    }
    made.check()?;
    state.store.create_environment(&made).await?;
    Ok((StatusCode::CREATED, Json(Environment::from(&made))))
}

/// Shows an environment's settings.
#[utoipa::path(get, path = "/v1/apps/{app}/environments/{environment}", tag = "environments",
    responses((status = 200, body = Environment)))]
pub async fn get_environment(
    State(state): State<ApiState>,
    _: May<Read>,
    PathOf(key): PathOf<EnvironmentKey>,
) -> Result<Json<Environment>, Problem> {
    let found = state.environment(&key).await?;
    Ok(Json(Environment::from(&found)))
}

/// Changes an environment's settings, for its next deployment.
#[utoipa::path(patch, path = "/v1/apps/{app}/environments/{environment}", tag = "environments",
    request_body = EnvironmentPatch, responses((status = 200, body = Environment)))]
pub async fn update_environment(
    State(state): State<ApiState>,
    _: May<Admin>,
    PathOf(key): PathOf<EnvironmentKey>,
    Body(patch): Body<EnvironmentPatch>,
) -> Result<Json<Environment>, Problem> {
    let (changed, ()) = state
        .edit_environment(&key, |found| change(found, patch))
        .await?;
    Ok(Json(Environment::from(&changed)))
}

/// Stops everything that runs in an environment and deletes it, with its
/// deployments and logs.
#[utoipa::path(delete, path = "/v1/apps/{app}/environments/{environment}",
    tag = "environments", responses((status = 204)))]
pub async fn delete_environment(
    State(state): State<ApiState>,
    _: May<Admin>,
    PathOf(key): PathOf<EnvironmentKey>,
) -> Result<StatusCode, Problem> {
    state.environment(&key).await?;
    state.commands.tear_down(&key).await?;
    let _editing = state.editing().await;
    state.store.delete_environment(&key).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Shows what serves an environment, and its newest deployment.
#[utoipa::path(get, path = "/v1/apps/{app}/environments/{environment}/status",
    tag = "environments", responses((status = 200, body = EnvironmentStatus)))]
pub async fn get_environment_status(
    State(state): State<ApiState>,
    _: May<Read>,
    PathOf(key): PathOf<EnvironmentKey>,
) -> Result<Json<EnvironmentStatus>, Problem> {
    let found = state.environment(&key).await?;
    Ok(Json(status(&state, &found).await?))
}

/// What an environment does now.
pub(crate) async fn status(
    state: &ApiState,
    found: &environment::Environment,
) -> Result<EnvironmentStatus, Problem> {
    let filter = DeploymentFilter {
        environment: Some(found.key.clone()),
        limit: 1,
        ..DeploymentFilter::default()
    };
    let newest = state.store.deployments(&filter).await?;
    Ok(EnvironmentStatus {
        domains: found.domains.clone(),
        serving: state.store.serving(&found.key).await?,
        latest: newest.into_iter().next().map(Into::into),
    })
}

fn change(
    environment: &mut environment::Environment,
    patch: EnvironmentPatch,
) -> Result<(), Problem> {
    patch
        .apply(&EnvironmentSettings::from(&*environment))?
        .write(environment);
    Ok(())
}
