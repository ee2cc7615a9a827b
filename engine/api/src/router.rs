//! Every route, with the limits that hold for it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tracing::Instrument;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::audit::{self, Watch};
use crate::conditional::Conditional;
use crate::console;
use crate::observe::{note_route, observe};
use crate::openapi;
use crate::problem::{Kind, Problem};
use crate::rate;
use crate::reference;
use crate::route::{
    app, audit as audit_log, delivery, deployment, environment, event, health, log, plan, plugin,
    plugin_install, plugin_settings, push, release_command, token, variable, webhook,
};
use crate::state::ApiState;

/// Settings are small.
const MOST_BODY: usize = 1024 * 1024;
/// A component may be as large as this.
const MOST_COMPONENT: usize = 64 * 1024 * 1024;

/// Of a Git host: a push of thousands of commits lists each with its files.
const MOST_DELIVERY: usize = 5 * 1024 * 1024;

const PATIENCE: Duration = Duration::from_secs(30);
/// An upload over a slow line, then a compilation.
const INSTALL_PATIENCE: Duration = Duration::from_secs(300);
/// Many instances may each have a while to finish their requests.
pub(crate) const TEAR_DOWN_PATIENCE: Duration = Duration::from_secs(600);
/// A plan may fetch a repository, and build an image when it is asked to.
const PLAN_PATIENCE: Duration = Duration::from_secs(3600);

/// The whole API.
pub fn router(state: ApiState) -> Router {
    let (router, api) = routes(&state).split_for_parts();
    let api = serde_json::to_value(openapi::complete(api)).unwrap_or_default();
    let reference = console::dress::dressed(reference::router(&api), &state);
    let api: Arc<str> = api.to_string().into();
    let description =
        move || async move { ([(CONTENT_TYPE, "application/json")], api.to_string()) };
    let rate = state.rate();
    let routes = router
        .merge(pushes(&state))
        .route("/openapi.json", get(description))
        .merge(reference)
        .merge(console::router(&state))
        .fallback(unknown_route)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(DefaultBodyLimit::max(MOST_BODY))
        .layer(from_fn(note_route))
        .with_state(state);
    let conditional = Conditional::over(routes);
    let mut router = Router::new().fallback(move |request| conditional.clone().answer(request));
    if let Some(rate) = rate {
        router = router.layer(from_fn_with_state(rate, rate::limit));
    }
    router
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(from_fn(observe))
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
}

/// Each request is written down by the task that finishes it, whoever still
/// listens.
fn routes(state: &ApiState) -> OpenApiRouter<ApiState> {
    let audited = |router: OpenApiRouter<ApiState>| {
        let watch = Watch::over(state, router.get_openapi());
        router.layer(from_fn_with_state(watch, audit::watch))
    };
    OpenApiRouter::new()
        .merge(audited(settings()).layer(from_fn(|request, next| finish(PATIENCE, request, next))))
        .merge(audited(tear_downs()).layer(from_fn(|request, next| {
            finish(TEAR_DOWN_PATIENCE, request, next)
        })))
        .merge(
            audited(components())
                .layer(DefaultBodyLimit::max(MOST_COMPONENT))
                .layer(from_fn(|request, next| {
                    finish(INSTALL_PATIENCE, request, next)
                })),
        )
        .merge(
            audited(deliveries())
                .layer(DefaultBodyLimit::max(MOST_DELIVERY))
                .layer(from_fn(|request, next| finish(PATIENCE, request, next))),
        )
        .merge(audited(plans()).layer(from_fn(give_up)))
        .merge(audited(streams()))
}

const REFERENCES: &str = "/git/{app}/{repository}/info/refs";
const RECEIVE: &str = "/git/{app}/{repository}/git-receive-pack";

/// What `git push` speaks is Git's own, and no part of the description. A push
/// lasts as long as its deployment.
fn pushes(state: &ApiState) -> Router<ApiState> {
    let routes = [(Method::GET, REFERENCES), (Method::POST, RECEIVE)];
    let watch = Watch::over(state, &OpenApi::default()).naming(&routes, push::OPERATION);
    Router::new()
        .route(REFERENCES, get(push::advertise))
        .route(RECEIVE, post(push::receive))
        .layer(from_fn_with_state(watch, audit::watch))
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
        .routes(routes!(token::get_own_token))
        .routes(routes!(audit_log::list_audit))
        .routes(routes!(webhook::list_webhooks, webhook::create_webhook))
        .routes(routes!(webhook::get_webhook, webhook::delete_webhook))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
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

fn deliveries() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(delivery::deliver_webhook))
}

fn plans() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new().routes(routes!(plan::make_plan))
}

/// These go on for as long as their reader likes.
fn streams() -> OpenApiRouter<ApiState> {
    OpenApiRouter::new()
        .routes(routes!(deployment::get_deployment))
        .routes(routes!(event::list_events))
        .routes(routes!(log::get_log))
}

/// Runs a request in a task of its own: a caller who hangs up, or the end of
/// our patience, never stops a change half-way.
pub(crate) async fn finish(patience: Duration, request: Request, next: Next) -> Response {
    let task = tokio::spawn(next.run(request).in_current_span());
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
        .with_hint("/docs has every path");
    console::dress::unknown(&state, request.headers(), problem).await
}

async fn method_not_allowed(request: Request) -> Problem {
    let path: String = request.uri().path().chars().take(200).collect();
    let detail = format!("{path} does not take {}", request.method());
    Problem::new(Kind::MethodNotAllowed, detail)
        .with_hint("the header Allow and /docs say what it takes")
}
