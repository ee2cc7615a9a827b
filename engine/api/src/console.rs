//! The console: pages for people, in front of the same handlers and the same
//! rules as the API.
//!
//! Start at [`router`]: every page. A page that shows something asks the
//! handlers of [`crate::route`] and writes HTML; a form is read, given to the
//! same handler that JSON goes to, and answered with a way back. All of it
//! works without the script, which adds live updating and dragging.
//!
//! Never here: a rule about apps or deployments; a secret on its way out; a
//! change without a token of the session in its form; anything that a browser
//! would fetch from elsewhere.
//!
//! In reading order:

pub mod settings;

pub mod dress;
pub mod fields;
pub mod session;

pub mod asset;
pub mod shell;

pub mod openid;
pub mod page;
pub mod part;

use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use utoipa::openapi::OpenApi;

use self::page::{
    app, app_settings, apps, cancel, deploy, deployment, deployments, environment,
    environment_settings, live, plugin, plugin_choice, plugins, promote, release_command,
    release_commands, rollback, sign_in, tokens, variables, webhooks,
};
use crate::audit::{self, Watch};
use crate::router::{TEAR_DOWN_PATIENCE, finish};
use crate::state::ApiState;

/// A page may have to ask the Git host or an OpenID provider.
const PATIENCE: Duration = Duration::from_secs(60);

/// Every page, to be mounted beside the API.
pub fn router(state: &ApiState) -> Router<ApiState> {
    let pages = Router::new()
        .merge(places())
        .merge(environments())
        .merge(deployments_and_plugins())
        .merge(doors())
        .layer(from_fn_with_state(
            Watch::over(state, &OpenApi::default()),
            audit::watch,
        ))
        .layer(from_fn(|request, next| finish(PATIENCE, request, next)))
        .merge(tear_downs(state))
        .route("/deployments/{deployment}/live", get(live::live));
    dress::dressed(pages, state).route("/assets/{file}", get(asset::get))
}

fn places() -> Router<ApiState> {
    Router::new()
        .route("/", get(apps::show))
        .route(
            "/new-app",
            get(app_settings::fresh).post(app_settings::create),
        )
        .route("/apps/{app}", get(app::show))
        .route(
            "/apps/{app}/settings",
            get(app_settings::show).post(app_settings::change),
        )
        .route(
            "/apps/{app}/new-environment",
            get(environment_settings::fresh).post(environment_settings::create),
        )
        .route(
            "/apps/{app}/webhooks",
            get(webhooks::show).post(webhooks::create),
        )
        .route(
            "/apps/{app}/webhooks/remove",
            get(webhooks::ask_to_remove).post(webhooks::remove),
        )
        .route("/deployments", get(deployments::show))
        .route("/plugins", get(plugins::show))
        .route("/tokens", get(tokens::show).post(tokens::create))
        .route(
            "/tokens/delete",
            get(tokens::ask_to_delete).post(tokens::delete),
        )
}

fn environments() -> Router<ApiState> {
    let of = |path: &str| format!("/apps/{{app}}/environments/{{environment}}{path}");
    Router::new()
        .route(&of(""), get(environment::show))
        .route(
            &of("/settings"),
            get(environment_settings::show).post(environment_settings::change),
        )
        .route(
            &of("/release-commands"),
            get(release_commands::show).post(release_command::add),
        )
        .route(&of("/release-commands/new"), get(release_command::fresh))
        .route(
            &of("/release-commands/edit"),
            get(release_command::edit).post(release_command::replace),
        )
        .route(&of("/release-commands/move"), post(release_commands::shift))
        .route(
            &of("/release-commands/remove"),
            get(release_commands::ask_to_remove).post(release_commands::remove),
        )
        .route(&of("/variables"), get(variables::show).post(variables::set))
        .route(
            &of("/variables/unset"),
            get(variables::ask_to_unset).post(variables::unset),
        )
        .route(
            &of("/plugins"),
            get(plugin_choice::show).post(plugin_choice::choose),
        )
        .route(&of("/plugins/{plugin}/settings"), post(plugin_choice::set))
        .route(&of("/deploy"), get(deploy::ask).post(deploy::deploy))
        .route(
            &of("/rollback"),
            get(rollback::ask).post(rollback::roll_back),
        )
        .route(&of("/promote"), get(promote::ask).post(promote::promote))
}

/// Instances get their time to finish before they are gone.
fn tear_downs(state: &ApiState) -> Router<ApiState> {
    Router::new()
        .route(
            "/apps/{app}/delete",
            get(app_settings::ask_to_delete).post(app_settings::delete),
        )
        .route(
            "/apps/{app}/environments/{environment}/delete",
            get(environment_settings::ask_to_delete).post(environment_settings::delete),
        )
        .layer(from_fn_with_state(
            Watch::over(state, &OpenApi::default()),
            audit::watch,
        ))
        .layer(from_fn(|request, next| {
            finish(TEAR_DOWN_PATIENCE, request, next)
        }))
}

fn deployments_and_plugins() -> Router<ApiState> {
    Router::new()
        .route("/deployments/{deployment}", get(deployment::show))
        .route("/deployments/{deployment}/now", get(deployment::now))
        .route(
            "/deployments/{deployment}/cancel",
            get(cancel::ask).post(cancel::cancel),
        )
        .route("/deployments/{deployment}/log", get(live::log))
        .route("/plugins/{plugin}", get(plugin::show))
        .route("/plugins/{plugin}/enabled", post(plugin::enable))
        .route("/plugins/{plugin}/grants", post(plugin::grant))
        .route("/plugins/{plugin}/settings", post(plugin::set))
}

fn doors() -> Router<ApiState> {
    Router::new()
        .route("/sign-in", get(sign_in::show).post(sign_in::sign_in))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/sign-in/openid", get(sign_in::with_openid))
        .route("/sign-in/openid/callback", get(sign_in::from_openid))
}
