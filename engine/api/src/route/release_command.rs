//! `/v1/apps/{app}/environments/{environment}/release-commands`

use std::num::NonZeroUsize;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use shipway_core::environment::{Environment, EnvironmentKey};
use shipway_core::name::{AppName, EnvironmentName, Label};
use shipway_core::release::SettingsCommand;

use crate::access::{Admin, May, Read};
use crate::extract::{Body, PathOf};
use crate::problem::Problem;
use crate::state::ApiState;
use crate::wire::page::Page;
use crate::wire::release_command::{Move, NewCommand};

type Commands = Json<Page<SettingsCommand>>;

/// Lists the settings' release commands, in the order in which they run.
#[utoipa::path(get, path = "/v1/apps/{app}/environments/{environment}/release-commands",
    tag = "release commands", responses((status = 200, body = Page<SettingsCommand>)))]
pub async fn list_release_commands(
    State(state): State<ApiState>,
    _: May<Read>,
    PathOf(key): PathOf<EnvironmentKey>,
) -> Result<Commands, Problem> {
    Ok(listed(state.environment(&key).await?))
}

/// Adds a release command. Answers with the whole list.
#[utoipa::path(post, path = "/v1/apps/{app}/environments/{environment}/release-commands",
    tag = "release commands", request_body = NewCommand,
    responses((status = 201, body = Page<SettingsCommand>)))]
pub async fn add_release_command(
    State(state): State<ApiState>,
    _: May<Admin>,
    PathOf(key): PathOf<EnvironmentKey>,
    Body(command): Body<NewCommand>,
) -> Result<(StatusCode, Commands), Problem> {
    let position = command.position.map(NonZeroUsize::get);
    let change =
        |environment: &mut Environment| Ok(environment.add_command(command.into(), position)?);
    let (environment, ()) = state.edit_environment(&key, change).await?;
    Ok((StatusCode::CREATED, listed(environment)))
}

#[derive(Debug, Deserialize)]
pub struct OneCommand {
    pub app: AppName,
    pub environment: EnvironmentName,
    pub label: Label,
}

impl OneCommand {
    fn split(self) -> (EnvironmentKey, Label) {
        let key = EnvironmentKey {
            app: self.app,
            environment: self.environment,
        };
        (key, self.label)
    }
}

/// Puts another command in the place of one.
#[utoipa::path(put, path = "/v1/apps/{app}/environments/{environment}/release-commands/{label}",
    tag = "release commands", request_body = NewCommand,
    responses((status = 200, body = Page<SettingsCommand>)))]
pub async fn replace_release_command(
    State(state): State<ApiState>,
    _: May<Admin>,
    PathOf(place): PathOf<OneCommand>,
    Body(command): Body<NewCommand>,
) -> Result<Commands, Problem> {
    let (key, label) = place.split();
    let (position, renamed) = (command.position, command.label.clone());
    let change = |environment: &mut Environment| {
        environment.replace_command(&label, command.into())?;
        match position {
            Some(position) => Ok(environment.move_command(&renamed, position.get())?),
            None => Ok(()),
        }
    };
    let (environment, ()) = state.edit_environment(&key, change).await?;
    Ok(listed(environment))
}

/// Moves a command to another place in the list.
#[utoipa::path(post,
    path = "/v1/apps/{app}/environments/{environment}/release-commands/{label}/move",
    tag = "release commands", request_body = Move,
    responses((status = 200, body = Page<SettingsCommand>)))]
pub async fn move_release_command(
    State(state): State<ApiState>,
    _: May<Admin>,
    PathOf(place): PathOf<OneCommand>,
    Body(Move { position }): Body<Move>,
) -> Result<Commands, Problem> {
    let (key, label) = place.split();
    let change =
        |environment: &mut Environment| Ok(environment.move_command(&label, position.get())?);
    let (environment, ()) = state.edit_environment(&key, change).await?;
    Ok(listed(environment))
}

/// Removes a command.
#[utoipa::path(delete,
    path = "/v1/apps/{app}/environments/{environment}/release-commands/{label}",
    tag = "release commands", responses((status = 204)))]
pub async fn remove_release_command(
    State(state): State<ApiState>,
    _: May<Admin>,
    PathOf(place): PathOf<OneCommand>,
) -> Result<StatusCode, Problem> {
    let (key, label) = place.split();
    let change = |environment: &mut Environment| Ok(environment.remove_command(&label)?);
    state.edit_environment(&key, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn listed(environment: Environment) -> Commands {
    Json(Page::whole(environment.release_commands))
}
