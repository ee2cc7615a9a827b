//! `/apps/{app}/environments/{environment}`: what serves, and the history.

use axum::Json;
use axum::extract::State;
use maud::{Markup, html};
use shipway_core::environment::EnvironmentKey;
use shipway_core::name::Timestamp;
use shipway_core::token::Scope;

use super::{Page, below};
use crate::access::Read;
use crate::console::fields::Fields;
use crate::console::part::chart::chart;
use crate::console::part::rows::{Of, rows};
use crate::console::part::words::{badge, goes_on, moment, subject};
use crate::console::part::{at, may, serving, tabs, with_query};
use crate::console::session::{Signed, Visitor};
use crate::extract::{PathOf, QueryOf};
use crate::route::{deployment, environment};
use crate::state::ApiState;
use crate::wire::deployment::{Deployment, PageOfDeployments};
use crate::wire::environment::{Environment, EnvironmentStatus};

pub async fn show(
    State(state): State<ApiState>,
    signed: Signed<Read>,
    PathOf(key): PathOf<EnvironmentKey>,
    query: Fields,
) -> Page {
    let (here, place) = (|| State(state.clone()), || PathOf(key.clone()));
    let may_read = || signed.may.clone();
    let Json(settings) = environment::get_environment(here(), may_read(), place()).await?;
    let Json(status) = environment::get_environment_status(here(), may_read(), place()).await?;
    let list = PageOfDeployments {
        before: query.parse_given("before")?,
        limit: None,
    };
    let Json(history) =
        deployment::list_environment_deployments(here(), may_read(), place(), QueryOf(list))
            .await?;
    let now = state.clock.now();
    let older = history.next.as_deref();
    let body = html! {
        h1 { (key) }
        (tabs(&key, ""))
        (actions(&signed.visitor, &key))
        section.card aria-labelledby="now-title" {
            h2 #now-title.hidden { "Now" }
            (serving::serving(status.serving.as_ref(), &status.domains))
            (current(&status))
        }
        h2 { "History" }
        (chart(&history.items))
        (rows(&history.items, Of::One, now))
        @if let Some(before) = older {
            p { a.button.plain href=(with_query(&at(&key, ""), &[("before", before)])) { "Older deployments" } }
        }
        (facts(&settings, now))
    };
    let title = key.to_string();
    let mut shell = below(&signed.visitor, &key, &title).telling(&query);
    shell.way.pop();
    Ok(shell.page(&body))
}

fn actions(visitor: &Visitor, key: &EnvironmentKey) -> Markup {
    html! {
        @if may(visitor, Scope::Deploy, key) {
            p.buttons {
                a.button href=(at(key, "/deploy")) { "Deploy" }
                a.button.plain href=(at(key, "/rollback")) { "Roll back" }
                a.button.plain href=(at(key, "/promote")) { "Promote to here" }
            }
        }
    }
}

/// The newest deployment, if it is on its way.
fn current(status: &EnvironmentStatus) -> Markup {
    let latest = status.latest.as_ref();
    let running: Option<&Deployment> = latest.filter(|latest| goes_on(latest.status));
    html! {
        @if let Some(latest) = running {
            p.current {
                (badge(latest)) " "
                a href={ "/deployments/" (latest.id) } { "Deployment of " (subject(latest)) }
            }
        }
    }
}

fn facts(environment: &Environment, now: Timestamp) -> Markup {
    let settings = &environment.settings;
    html! {
        h2 { "Settings" }
        dl.facts {
            dt { "Runtime" }
            dd { (settings.runtime) }
            @if let Some(reference) = &settings.reference {
                dt { "Deploys" }
                dd { (reference) }
            }
            @for (name, process) in &settings.processes {
                dt { "Process " (name) }
                dd {
                    @if let Some(instances) = process.instances { (instances) " instances " }
                    @if let Some(command) = &process.command { code { (command) } }
                    @if process.instances.is_none() && process.command.is_none() { "as the commit says" }
                }
            }
            @for service in &settings.services {
                dt { "Service " (service.name) }
                dd { code { (service.url) } }
            }
            @for volume in &settings.volumes {
                dt { "Volume " (volume.name) }
                dd { code { (volume.path) } }
            }
            dt { "Drain" }
            dd { (settings.drain_seconds) " s for requests of the old version" }
            dt { "Made" }
            dd { (moment(environment.created_at, now)) }
        }
    }
}
