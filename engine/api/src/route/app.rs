//! `/v1/apps`

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use shipway_core::name::AppName;

use crate::access::{Admin, Caller, May, Read};
use crate::extract::{Body, PathOf};
use crate::problem::{Kind, Problem};
use crate::state::ApiState;
use crate::wire::app::{App, AppPatch, NewApp};
use crate::wire::page::Page;

/// Lists the apps that the token reaches, by name.
#[utoipa::path(get, path = "/v1/apps", tag = "apps",
    responses((status = 200, body = Page<App>)))]
pub async fn list_apps(
    State(state): State<ApiState>,
    caller: Caller,
) -> Result<Json<Page<App>>, Problem> {
    let mut apps = state.store.apps().await?;
    apps.retain(|app| caller.sees(&app.name));
    Ok(Json(Page::whole(apps.into_iter().map(App::from).collect())))
}

/// Makes an app from a Git repository.
#[utoipa::path(post, path = "/v1/apps", tag = "apps", request_body = NewApp,
    responses((status = 201, body = App)))]
pub async fn create_app(
    State(state): State<ApiState>,
    May { caller, .. }: May<Admin>,
    Body(new): Body<NewApp>,
) -> Result<(StatusCode, Json<App>), Problem> {
    let app = new.into_app(state.clock.now());
    check(&state, &caller, &app).await?;
    state.store.create_app(&app).await?;
    Ok((StatusCode::CREATED, Json(app.into())))
}

/// Shows an app.
#[utoipa::path(get, path = "/v1/apps/{app}", tag = "apps",
    responses((status = 200, body = App)))]
pub async fn get_app(
    State(state): State<ApiState>,
    _: May<Read>,
    PathOf(name): PathOf<AppName>,
) -> Result<Json<App>, Problem> {
    Ok(Json(state.app(&name).await?.into()))
}

/// Changes an app.
#[utoipa::path(patch, path = "/v1/apps/{app}", tag = "apps", request_body = AppPatch,
    responses((status = 200, body = App)))]
pub async fn update_app(
    State(state): State<ApiState>,
    May { caller, .. }: May<Admin>,
    PathOf(name): PathOf<AppName>,
    Body(patch): Body<AppPatch>,
) -> Result<Json<App>, Problem> {
    let _editing = state.editing().await;
    let mut app = state.app(&name).await?;
    patch.apply(&mut app);
    check(&state, &caller, &app).await?;
    state.store.update_app(&app).await?;
    Ok(Json(app.into()))
}

/// Stops everything that runs of an app and deletes it, with its environments,
/// deployments and logs.
#[utoipa::path(delete, path = "/v1/apps/{app}", tag = "apps",
    responses((status = 204)))]
pub async fn delete_app(
    State(state): State<ApiState>,
    _: May<Admin>,
    PathOf(name): PathOf<AppName>,
) -> Result<StatusCode, Problem> {
    state.app(&name).await?;
    refuse_if_mirrored(&state, &name).await?;
    for environment in state.store.environments(&name).await? {
        state.commands.tear_down(&environment.key).await?;
    }
    let _editing = state.editing().await;
    state.store.delete_app(&name).await?;
    if let Some(pushes) = state.pushes()
        && let Err(error) = pushes.forget(&name).await
    {
        tracing::warn!(%error, app = %name, "what was pushed to a deleted app stays");
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn check(
    state: &ApiState,
    caller: &Caller,
    app: &shipway_core::app::App,
) -> Result<(), Problem> {
    app.repository.check()?;
    let Some(original) = &app.mirror_of else {
        return Ok(());
    };
    let broken = |detail: String| Err(Problem::new(Kind::InvalidSetting, detail));
    if *original == app.name {
        return broken("mirror_of: an app cannot be a mirror of itself".to_owned());
    }
    // Who reuses an app's images can look into them.
    let found = state.store.app(original).await?;
    match found.filter(|found| caller.sees(&found.name)) {
        None => broken(format!("mirror_of: there is no app {original}")),
        Some(found) if found.mirror_of.is_some() => {
            broken(format!("mirror_of: {original} is a mirror itself"))
        }
        Some(_) => Ok(()),
    }
}

async fn refuse_if_mirrored(state: &ApiState, name: &AppName) -> Result<(), Problem> {
    let apps = state.store.apps().await?;
    let Some(mirror) = apps.iter().find(|app| app.mirror_of.as_ref() == Some(name)) else {
        return Ok(());
    };
    let detail = format!("app {} reuses the images of {name}", mirror.name);
    let hint = format!("delete {} first, or let it build for itself", mirror.name);
    Err(Problem::new(Kind::InUse, detail).with_hint(hint))
}
