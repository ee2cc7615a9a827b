//! What plugins get to read: `/v1/plugins/{plugin}/settings` for every
//! environment, `…/environments/{environment}/plugins/{plugin}/settings` for one.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use shipway_core::environment::{self, Environment, EnvironmentKey};
use shipway_core::name::{AppName, EnvironmentName, PluginName};
use shipway_core::plugin::Description;
use shipway_core::settings::check_value;

use super::plugin::{edit, find};
use crate::access::{Admin, May, Read};
use crate::extract::{Body, PathOf};
use crate::problem::{Kind, Problem};
use crate::state::ApiState;
use crate::wire::page::Page;
use crate::wire::plugin::Plugin;
use crate::wire::variable::{Value, Variable, Visibility};

type Settings = BTreeMap<String, environment::Variable>;
type Changes = BTreeMap<String, Option<Value>>;

/// Sets a plugin's settings for every environment; `null` unsets one.
#[utoipa::path(patch, path = "/v1/plugins/{plugin}/settings", tag = "plugins",
    request_body = BTreeMap<String, Option<Value>>, responses((status = 200, body = Plugin)))]
pub async fn update_plugin_settings(
    State(state): State<ApiState>,
    _: May<Admin>,
    PathOf(name): PathOf<PluginName>,
    Body(changes): Body<Changes>,
) -> Result<Json<Plugin>, Problem> {
    edit(&state, &name, |plugin| {
        apply(changes, &mut plugin.settings, &plugin.description)
    })
    .await
}

#[derive(Debug, Deserialize)]
pub struct InEnvironment {
    pub app: AppName,
    pub environment: EnvironmentName,
    pub plugin: PluginName,
}

impl InEnvironment {
    fn split(self) -> (EnvironmentKey, PluginName) {
        let key = EnvironmentKey {
            app: self.app,
            environment: self.environment,
        };
        (key, self.plugin)
    }
}

/// Lists a plugin's settings in one environment; a secret shows no value.
#[utoipa::path(get,
    path = "/v1/apps/{app}/environments/{environment}/plugins/{plugin}/settings",
    tag = "plugins", responses((status = 200, body = Page<Variable>)))]
pub async fn list_environment_plugin_settings(
    State(state): State<ApiState>,
    _: May<Read>,
    PathOf(place): PathOf<InEnvironment>,
) -> Result<Json<Page<Variable>>, Problem> {
    let (key, plugin) = place.split();
    Ok(Json(listed(&state.environment(&key).await?, &plugin)))
}

/// Sets a plugin's settings in one environment, over those for every
/// environment; `null` unsets one.
#[utoipa::path(patch,
    path = "/v1/apps/{app}/environments/{environment}/plugins/{plugin}/settings",
    tag = "plugins", request_body = BTreeMap<String, Option<Value>>,
    responses((status = 200, body = Page<Variable>)))]
pub async fn update_environment_plugin_settings(
    State(state): State<ApiState>,
    _: May<Admin>,
    PathOf(place): PathOf<InEnvironment>,
    Body(changes): Body<Changes>,
) -> Result<Json<Page<Variable>>, Problem> {
    let (key, name) = place.split();
    let plugin = find(&state, &name).await?;
    let change = |environment: &mut Environment| {
        let settings = environment.plugin_settings.entry(name.clone()).or_default();
        apply(changes, settings, &plugin.description)?;
        environment
            .plugin_settings
            .retain(|_, kept| !kept.is_empty());
        Ok(())
    };
    let (environment, ()) = state.edit_environment(&key, change).await?;
    Ok(Json(listed(&environment, &name)))
}

fn apply(
    changes: Changes,
    settings: &mut Settings,
    description: &Description,
) -> Result<(), Problem> {
    for (name, change) in changes {
        let Some(mut value) = change else {
            settings.remove(&name);
            continue;
        };
        let known = description.settings.iter().find(|known| known.name == name);
        let known = known.ok_or_else(|| unknown(&name, description))?;
        if known.secret {
            value.visibility = Some(Visibility::Secret);
        }
        check_value(&name, value.value.reveal())?;
        let variable = value.over(settings.get(&name));
        settings.insert(name, variable);
    }
    Ok(())
}

fn unknown(name: &str, description: &Description) -> Problem {
    let known: Vec<&str> = description
        .settings
        .iter()
        .map(|setting| setting.name.as_str())
        .collect();
    let detail = format!("plugin {} has no setting {name:?}", description.name);
    Problem::new(Kind::InvalidSetting, detail).with_hint(match known.as_slice() {
        [] => "it has no settings at all".to_owned(),
        known => format!("it has {}", known.join(", ")),
    })
}

fn listed(environment: &Environment, plugin: &PluginName) -> Page<Variable> {
    let settings = environment.plugin_settings.get(plugin);
    Page::whole(
        settings
            .into_iter()
            .flatten()
            .map(|(name, value)| Variable::new(name, value))
            .collect(),
    )
}
