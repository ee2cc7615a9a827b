//! `/v1/apps/{app}/environments/{environment}/variables`

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use shipway_core::environment::{Environment, EnvironmentKey};
use shipway_core::name::{AppName, EnvironmentName, VariableName};

use crate::access::{Admin, May, Read};
use crate::extract::{Body, PathOf};
use crate::problem::{Kind, Problem};
use crate::state::ApiState;
use crate::wire::page::Page;
use crate::wire::variable::{Value, Variable};

/// Lists the variables, by name; a secret shows no value.
#[utoipa::path(get, path = "/v1/apps/{app}/environments/{environment}/variables",
    tag = "variables", responses((status = 200, body = Page<Variable>)))]
pub async fn list_variables(
    State(state): State<ApiState>,
    _: May<Read>,
    PathOf(key): PathOf<EnvironmentKey>,
) -> Result<Json<Page<Variable>>, Problem> {
    Ok(Json(listed(&state.environment(&key).await?)))
}

/// Sets many variables at once; `null` unsets one. All or nothing.
#[utoipa::path(patch, path = "/v1/apps/{app}/environments/{environment}/variables",
    tag = "variables", request_body = BTreeMap<String, Option<Value>>,
    responses((status = 200, body = Page<Variable>)))]
pub async fn update_variables(
    State(state): State<ApiState>,
    _: May<Admin>,
    PathOf(key): PathOf<EnvironmentKey>,
    Body(changes): Body<BTreeMap<VariableName, Option<Value>>>,
) -> Result<Json<Page<Variable>>, Problem> {
    let change = |environment: &mut Environment| {
        changes
            .into_iter()
            .try_for_each(|(name, value)| set(environment, name, value))
    };
    let (environment, ()) = state.edit_environment(&key, change).await?;
    Ok(Json(listed(&environment)))
}

#[derive(Debug, Deserialize)]
pub struct OneVariable {
    pub app: AppName,
    pub environment: EnvironmentName,
    pub variable: VariableName,
}

impl OneVariable {
    fn split(self) -> (EnvironmentKey, VariableName) {
        let key = EnvironmentKey {
            app: self.app,
            environment: self.environment,
        };
        (key, self.variable)
    }
}

/// Sets one variable.
#[utoipa::path(put, path = "/v1/apps/{app}/environments/{environment}/variables/{variable}",
    tag = "variables", request_body = Value, responses((status = 200, body = Variable)))]
pub async fn set_variable(
    State(state): State<ApiState>,
    _: May<Admin>,
    PathOf(place): PathOf<OneVariable>,
    Body(value): Body<Value>,
) -> Result<Json<Variable>, Problem> {
    let (key, name) = place.split();
    let change = |environment: &mut Environment| set(environment, name.clone(), Some(value));
    let (environment, ()) = state.edit_environment(&key, change).await?;
    let kept = environment
        .variables
        .get(&name)
        .ok_or_else(|| gone(&name))?;
    Ok(Json(Variable::new(name.as_str(), kept)))
}

/// Unsets one variable.
#[utoipa::path(delete, path = "/v1/apps/{app}/environments/{environment}/variables/{variable}",
    tag = "variables", responses((status = 204)))]
pub async fn unset_variable(
    State(state): State<ApiState>,
    _: May<Admin>,
    PathOf(place): PathOf<OneVariable>,
) -> Result<StatusCode, Problem> {
    let (key, name) = place.split();
    let change = |environment: &mut Environment| {
        let removed = environment.variables.remove(&name);
        removed.map(|_| ()).ok_or_else(|| gone(&name))
    };
    state.edit_environment(&key, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn set(
    environment: &mut Environment,
    name: VariableName,
    value: Option<Value>,
) -> Result<(), Problem> {
    let Some(value) = value else {
        environment.variables.remove(&name);
        return Ok(());
    };
    let variable = value.over(environment.variables.get(&name));
    Ok(environment.set_variable(name, variable)?)
}

fn listed(environment: &Environment) -> Page<Variable> {
    let variables = environment.variables.iter();
    Page::whole(
        variables
            .map(|(name, variable)| Variable::new(name.as_str(), variable))
            .collect(),
    )
}

fn gone(name: &VariableName) -> Problem {
    Problem::new(Kind::NotFound, format!("there is no variable {name}"))
}
