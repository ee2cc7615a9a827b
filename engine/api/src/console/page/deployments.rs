//! `/deployments`: those of all apps.

use axum::Json;
use axum::extract::State;
use maud::html;

use super::Page;
use crate::console::fields::Fields;
use crate::console::part::rows::{Of, rows};
use crate::console::part::with_query;
use crate::console::session::Visitor;
use crate::console::shell::{Place, Shell};
use crate::extract::QueryOf;
use crate::route::deployment;
use crate::state::ApiState;
use crate::wire::deployment::ListDeployments;

pub async fn show(State(state): State<ApiState>, visitor: Visitor, query: Fields) -> Page {
    let list = ListDeployments {
        before: query.parse_given("before")?,
        ..ListDeployments::default()
    };
    let (here, caller) = (State(state.clone()), visitor.caller.clone());
    let Json(found) = deployment::list_deployments(here, caller, QueryOf(list)).await?;
    let body = html! {
        h1 { "Deployments" }
        (rows(&found.items, Of::Many, state.clock.now()))
        @if let Some(before) = &found.next {
            p { a.button.plain href=(with_query("/deployments", &[("before", before)])) { "Older deployments" } }
        }
    };
    Ok(Shell::new(&visitor, Place::Deployments, "Deployments").page(&body))
}
