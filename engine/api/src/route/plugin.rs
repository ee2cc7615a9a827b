//! `/v1/plugins`

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use shipway_core::grant::Grants;
use shipway_core::name::PluginName;
use shipway_core::plugin::{Installed, PluginLimits};

use crate::access::{Admin, May, Read};
use crate::extract::{Body, PathOf};
use crate::problem::{Kind, Problem};
use crate::state::ApiState;
use crate::wire::page::Page;
use crate::wire::plugin::{Plugin, PluginPatch};

/// Lists the installed plugins, by name.
#[utoipa::path(get, path = "/v1/plugins", tag = "plugins",
    responses((status = 200, body = Page<Plugin>)))]
pub async fn list_plugins(
    State(state): State<ApiState>,
    _: May<Read>,
) -> Result<Json<Page<Plugin>>, Problem> {
    let plugins = state.store.plugins().await?;
    let items = plugins.into_iter().map(Plugin::from).collect();
    Ok(Json(Page::whole(items)))
}

/// Shows a plugin: what it asks for, what is granted.
#[utoipa::path(get, path = "/v1/plugins/{plugin}", tag = "plugins",
    responses((status = 200, body = Plugin)))]
pub async fn get_plugin(
    State(state): State<ApiState>,
    _: May<Read>,
    PathOf(name): PathOf<PluginName>,
) -> Result<Json<Plugin>, Problem> {
    Ok(Json(find(&state, &name).await?.into()))
}

/// Enables a plugin or switches it off everywhere, or sets its limits.
#[utoipa::path(patch, path = "/v1/plugins/{plugin}", tag = "plugins",
    request_body = PluginPatch, responses((status = 200, body = Plugin)))]
pub async fn update_plugin(
    State(state): State<ApiState>,
    _: May<Admin>,
    PathOf(name): PathOf<PluginName>,
    Body(patch): Body<PluginPatch>,
) -> Result<Json<Plugin>, Problem> {
    if let Some(problem) = patch.limits.as_ref().and_then(PluginLimits::problem) {
        return Err(Problem::new(Kind::InvalidSetting, problem));
    }
    edit(&state, &name, |plugin| {
        plugin.enabled = patch.enabled.unwrap_or(plugin.enabled);
        plugin.limits = patch.limits.unwrap_or(plugin.limits);
        Ok(())
    })
    .await
}

/// Says what a plugin may do, in place of what was granted before.
#[utoipa::path(put, path = "/v1/plugins/{plugin}/grants", tag = "plugins",
    request_body = Grants, responses((status = 200, body = Plugin)))]
pub async fn set_grants(
    State(state): State<ApiState>,
    _: May<Admin>,
    PathOf(name): PathOf<PluginName>,
    Body(grants): Body<Grants>,
) -> Result<Json<Plugin>, Problem> {
    if let Some(problem) = grants.problem() {
        return Err(Problem::new(Kind::InvalidSetting, problem));
    }
    edit(&state, &name, |plugin| {
        plugin.grants = grants;
        Ok(())
    })
    .await
}

/// Removes a plugin.
#[utoipa::path(delete, path = "/v1/plugins/{plugin}", tag = "plugins",
    responses((status = 204)))]
pub async fn delete_plugin(
    State(state): State<ApiState>,
    _: May<Admin>,
    PathOf(name): PathOf<PluginName>,
) -> Result<StatusCode, Problem> {
    let _editing = state.editing().await;
    let plugin = find(&state, &name).await?;
    state.store.delete_plugin(&name).await?;
    forget(&state, &plugin).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn find(state: &ApiState, name: &PluginName) -> Result<Installed, Problem> {
    let plugin = state.store.plugin(name).await?;
    plugin.ok_or_else(|| {
        Problem::new(Kind::NotFound, format!("there is no plugin {name}"))
            .with_hint("shipway plugin list shows the installed ones")
    })
}

/// Reads a plugin, changes it and writes it.
pub(crate) async fn edit(
    state: &ApiState,
    name: &PluginName,
    change: impl FnOnce(&mut Installed) -> Result<(), Problem>,
) -> Result<Json<Plugin>, Problem> {
    let _editing = state.editing().await;
    let mut plugin = find(state, name).await?;
    change(&mut plugin)?;
    state.store.put_plugin(&plugin, None).await?;
    Ok(Json(plugin.into()))
}

/// The host keeps a component under its digest; it lets go of one that no
/// plugin uses any more.
pub(crate) async fn forget(state: &ApiState, plugin: &Installed) -> Result<(), Problem> {
    let digest = &plugin.description.digest;
    let plugins = state.store.plugins().await?;
    if !plugins
        .iter()
        .any(|other| other.description.digest == *digest)
    {
        state.plugins.forget(digest).await;
    }
    Ok(())
}
