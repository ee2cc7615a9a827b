//! `/`: the apps, their environments, and what serves them.

use axum::Json;
use axum::extract::State;
use maud::{Markup, html};
use shipway_core::environment::EnvironmentKey;
use shipway_core::name::{AppName, Timestamp};
use shipway_core::token::Scope;

use super::Page;
use crate::access::Caller;
use crate::console::fields::Fields;
use crate::console::part::words::{badge, moment};
use crate::console::part::{at, serving, with_query};
use crate::console::session::Visitor;
use crate::console::shell::{Place, Shell};
use crate::problem::Problem;
use crate::route::{app, environment};
use crate::state::ApiState;
use crate::wire::app::App;
use crate::wire::environment::EnvironmentStatus;

/// Apps on one page.
const MOST: usize = 25;

pub async fn show(State(state): State<ApiState>, visitor: Visitor, query: Fields) -> Page {
    let Json(apps) = app::list_apps(State(state.clone()), visitor.caller.clone()).await?;
    let wanted = query.text("name").trim().to_ascii_lowercase();
    let after = query.text("after");
    let found = apps.items.iter().filter(|app| {
        let name = app.name.as_str();
        name.contains(&wanted) && name > after
    });
    let mut found: Vec<&App> = found.take(MOST + 1).collect();
    let more = found.len() > MOST;
    found.truncate(MOST);
    let mut cards = Vec::new();
    for app in &found {
        cards.push(card(&state, &visitor.caller, app).await?);
    }
    let last = found.last().filter(|_| more).map(|app| app.name.as_str());
    let body = html! {
        h1 { "Apps" }
        @if visitor.caller.may_everywhere(Scope::Admin).is_ok() {
            p.buttons { a.button.plain href="/new-app" { "New app" } }
        }
        @if apps.items.is_empty() { (nothing()) } @else { (filter(&wanted)) }
        @if found.is_empty() && !apps.items.is_empty() { p.nothing { "No app has such a name." } }
        div.cards { @for card in &cards { (card) } }
        @if let Some(last) = last {
            p { a.button.plain href=(with_query("/", &[("name", &wanted), ("after", last)])) { "More apps" } }
        }
    };
    let shell = Shell::new(&visitor, Place::Apps, "Apps").telling(&query);
    Ok(shell.page(&body))
}

fn nothing() -> Markup {
    html! {
        p.nothing { "No apps yet. Make one here, or on the command line:" }
        pre { "shipway app create hello --repository https://git.example.com/hello.git\nshipway env create hello/live" }
    }
}

fn filter(wanted: &str) -> Markup {
    html! {
        form.filter method="get" action="/" role="search" {
            label for="name" { "Name contains" }
            input #name type="search" name="name" value=(wanted) autocomplete="off";
            button.plain type="submit" { "Filter" }
        }
    }
}

async fn card(state: &ApiState, caller: &Caller, app: &App) -> Result<Markup, Problem> {
    let environments = statuses(state, caller, &app.name).await?;
    let now = state.clock.now();
    Ok(html! {
        section.card aria-labelledby={ "app-" (app.name) } {
            h2 id={ "app-" (app.name) } { a href={ "/apps/" (app.name) } { (app.name) } }
            (rows(&environments, now))
        }
    })
}

/// Every environment of an app with what it does now.
pub(super) async fn statuses(
    state: &ApiState,
    caller: &Caller,
    app: &AppName,
) -> Result<Vec<(EnvironmentKey, EnvironmentStatus)>, Problem> {
    caller.may(Scope::Read, app)?;
    let mut found = Vec::new();
    for one in state.store.environments(app).await? {
        let status = environment::status(state, &one).await?;
        found.push((one.key, status));
    }
    Ok(found)
}

pub(super) fn rows(environments: &[(EnvironmentKey, EnvironmentStatus)], now: Timestamp) -> Markup {
    html! {
        @if environments.is_empty() { p.nothing { "No environments yet." } }
        ul.places {
            @for (key, status) in environments {
                li {
                    a.name href=(at(key, "")) { (key.environment) }
                    span.serves { "Serves " (serving::what(status.serving.as_ref())) }
                    @if let Some(latest) = &status.latest {
                        span.latest {
                            (badge(latest)) " "
                            a href={ "/deployments/" (latest.id) } { "last deployment" }
                            " " (moment(latest.created_at, now))
                        }
                    }
                }
            }
        }
    }
}
