//! `/plugins`: what is installed.

use axum::Json;
use axum::extract::State;
use maud::{Markup, html};
use shipway_core::plugin::{Enabled, Role};

use super::Page;
use crate::access::Read;
use crate::console::part::words::count;
use crate::console::session::Signed;
use crate::console::shell::{Place, Shell};
use crate::route::plugin;
use crate::state::ApiState;
use crate::wire::plugin::Plugin;

pub async fn show(State(state): State<ApiState>, signed: Signed<Read>) -> Page {
    let Json(found) = plugin::list_plugins(State(state), signed.may).await?;
    let body = html! {
        h1 { "Plugins" }
        @if found.items.is_empty() {
            p.nothing { "None installed. Add one on the command line:" }
            pre { "shipway plugin add FILE.wasm" }
        }
        ul.places { @for plugin in &found.items { (row(plugin)) } }
    };
    Ok(Shell::new(&signed.visitor, Place::Plugins, "Plugins").page(&body))
}

fn row(plugin: &Plugin) -> Markup {
    let about = &plugin.description;
    html! {
        li {
            a.name href={ "/plugins/" (about.name) } { (about.name) }
            span.serves { (about.summary) }
            span.latest {
                (state(plugin)) " " (about.version) ", " (roles(&about.roles))
                @if !plugin.lacks.is_empty() {
                    ", " (count(plugin.lacks.len(), "request", "requests")) " not granted"
                }
            }
        }
    }
}

pub(super) fn state(plugin: &Plugin) -> Markup {
    html! {
        @match plugin.enabled {
            Enabled::Yes => span.badge.succeeded { "enabled" },
            Enabled::No => span.badge.cancelled { "disabled" },
        }
    }
}

pub(super) fn roles(roles: &[Role]) -> String {
    let roles: Vec<String> = roles.iter().map(ToString::to_string).collect();
    roles.join(", ")
}
