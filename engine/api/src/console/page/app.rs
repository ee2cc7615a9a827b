//! `/apps/{app}`

use axum::Json;
use axum::extract::State;
use maud::html;
use shipway_core::name::AppName;
use shipway_core::token::Scope;

use super::Page;
use super::apps::{rows, statuses};
use crate::access::Read;
use crate::console::fields::Fields;
use crate::console::part::rows::{self, Of};
use crate::console::session::Signed;
use crate::console::shell::{Place, Shell};
use crate::extract::{PathOf, QueryOf};
use crate::route::{app, deployment};
use crate::state::ApiState;
use crate::wire::deployment::ListDeployments;

pub async fn show(
    State(state): State<ApiState>,
    signed: Signed<Read>,
    PathOf(name): PathOf<AppName>,
    query: Fields,
) -> Page {
    let caller = signed.visitor.caller.clone();
    let may_change = caller.may(Scope::Admin, &name).is_ok();
    let here = || State(state.clone());
    let Json(app) = app::get_app(here(), signed.may.clone(), PathOf(name.clone())).await?;
    let environments = statuses(&state, &caller, &name).await?;
    let list = ListDeployments {
        app: Some(name.clone()),
        ..ListDeployments::default()
    };
    let Json(latest) = deployment::list_deployments(here(), caller, QueryOf(list)).await?;
    let now = state.clock.now();
    let body = html! {
        h1 { (app.name) }
        @if may_change {
            p.buttons {
                a.button.plain href={ "/apps/" (app.name) "/new-environment" } { "New environment" }
                a.button.plain href={ "/apps/" (app.name) "/webhooks" } { "Webhooks" }
                a.button.plain href={ "/apps/" (app.name) "/settings" } { "Settings" }
            }
        }
        dl.facts {
            dt { "Repository" }
            dd { code { (app.repository) } }
            dt { "Deploys" }
            dd { (app.default_reference) }
            @if let Some(original) = &app.mirror_of {
                dt { "Reuses the images of" }
                dd { (original) }
            }
        }
        h2 { "Environments" }
        section.card { (rows(&environments, now)) }
        h2 { "Latest deployments" }
        (rows::rows(&latest.items, Of::Many, now))
    };
    let title = app.name.to_string();
    let shell = Shell::new(&signed.visitor, Place::Apps, &title).below("Apps", "/");
    Ok(shell.telling(&query).page(&body))
}
