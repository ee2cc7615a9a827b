//! Every route, with the limits that hold for it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::trace::TraceLayer;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::console;
use crate::openapi;
use crate::problem::{Kind, Problem};
use crate::route::{
    app, deployment, environment, event, health, log, plan, plugin, plugin_install,
    plugin_settings, release_command, token, variable,
};
use crate::state::ApiState;

/// Settings are small.
const MOST_BODY: usize = 1024 * 1024;
/// A component may be as large as this.
const MOST_COMPONENT: usize = 64 * 1024 * 1024;

const PATIENCE: Duration = Duration::from_secs(30);
/// An upload over a slow line, then a compilation.
const INSTALL_PATIENCE: Duration = Duration::from_secs(300);
/// Many instances may each have a while to finish their requests.
const TEAR_DOWN_PATIENCE: Duration = Duration::from_secs(600);
/// A plan may fetch a repository, and build an image when it is asked to.
const PLAN_PATIENCE: Duration = Duration::from_secs(3600);

/// The whole API.
pub fn router(state: ApiState) -> Router {
    let (router, api) = routes().split_for_parts();
    let api: Arc<str> = serde_json::to_string(&openapi::complete(api))
        .unwrap_or_default()
        .into();
    let description =
        move || async move { ([(CONTENT_TYPE, "application/json")], api.to_string()) };
    router
        .route("/openapi.json", get(description))
        .merge(console::router(&state))
        .fallback(unknown_route)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(TraceLayer::new_for_http())
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        .with_state(state)
}

fn routes() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .merge(settings().layer(from_fn(|request, next| finish(PATIENCE, request, next))))
        .merge(tear_downs().layer(from_fn(|request, next| {
            finish(TEAR_DOWN_PATIENCE, request, next)
        })))
        .merge(
            components()
                .layer(DefaultBodyLimit::max(MOST_COMPONENT))
                .layer(from_fn(|request, next| {
                    finish(INSTALL_PATIENCE, request, next)
                })),
        )
        .merge(plans().layer(from_fn(give_up)))
        .merge(streams())
}

/// Short requests. Once begun they are finished, whoever still listens.
fn settings() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(app::list_apps, app::create_app))
        .routes(routes!(app::get_app, app::update_app))
        .routes(routes!(
            environment::list_environments,
            environment::create_environment
        ))
        .routes(routes!(
            environment::get_environment,
            environment::update_environment
        ))
        .routes(routes!(environment::get_environment_status))
        .routes(routes!(
            variable::list_variables,
            variable::update_variables
        ))
        .routes(routes!(variable::set_variable, variable::unset_variable))
        .routes(routes!(
            release_command::list_release_commands,
            release_command::add_release_command
        ))
        .routes(routes!(
            release_command::replace_release_command,
            release_command::remove_release_command
        ))
        .routes(routes!(release_command::move_release_command))
        .routes(routes!(
            deployment::create_deployment,
            deployment::list_environment_deployments
        ))
        .routes(routes!(deployment::roll_back))
        .routes(routes!(deployment::promote))
        .routes(routes!(deployment::list_deployments))
        .routes(routes!(deployment::get_deployment))
        .routes(routes!(deployment::get_deployment_plan))
        .routes(routes!(deployment::cancel_deployment))
        .routes(routes!(
            plugin::get_plugin,
            plugin::update_plugin,
            plugin::delete_plugin
        ))
        .routes(routes!(plugin::set_grants))
        .routes(routes!(plugin_settings::update_plugin_settings))
        .routes(routes!(
            plugin_settings::list_environment_plugin_settings,
            plugin_settings::update_environment_plugin_settings
        ))
        .routes(routes!(token::list_tokens, token::create_token))
        .routes(routes!(token::delete_token))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
}

/// Instances get their time to finish before they are gone.
fn tear_downs() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(app::delete_app))
        .routes(routes!(environment::delete_environment))
}

fn components() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(
            plugin::list_plugins,
            plugin_install::install_plugin
        ))
        .routes(routes!(plugin_install::inspect_plugin))
}

fn plans() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(plan::make_plan))
}

/// These go on for as long as their reader likes.
fn streams() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(event::list_events))
        .routes(routes!(log::get_log))
}

/// Runs a request in a task of its own: a caller who hangs up, or the end of
/// our patience, never stops a change half-way.
pub(crate) async fn finish(patience: Duration, request: Request, next: Next) -> Response {
    let task = tokio::spawn(next.run(request));
    match tokio::time::timeout(patience, task).await {
        Ok(Ok(response)) => response,
        Ok(Err(error)) => crate::problem::internal(&error).into_response(),
        Err(_) => too_slow(patience),
    }
}

/// Nobody needs a plan that nobody waits for.
async fn give_up(request: Request, next: Next) -> Response {
    match tokio::time::timeout(PLAN_PATIENCE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => too_slow(PLAN_PATIENCE),
    }
}

fn too_slow(patience: Duration) -> Response {
    let detail = format!("it was not done after {} s", patience.as_secs());
    Problem::new(Kind::Timeout, detail)
        .with_hint("see whether it was done after all before you try again")
        .into_response()
}

async fn unknown_route(State(state): State<ApiState>, request: Request) -> Response {
    let path: String = request.uri().path().chars().take(200).collect();
    let problem = Problem::new(Kind::UnknownRoute, format!("there is no path {path}"))
        .with_hint("/openapi.json lists every path");
    console::dress::unknown(&state, request.headers(), problem).await
}

async fn method_not_allowed(request: Request) -> Problem {
    let path: String = request.uri().path().chars().take(200).collect();
    let detail = format!("{path} does not take {}", request.method());
    Problem::new(Kind::MethodNotAllowed, detail)
        .with_hint("the header Allow and /openapi.json say what it takes")
}
