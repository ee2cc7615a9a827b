//! `/deployments/{deployment}/cancel`

use axum::extract::State;
use maud::{Markup, html};
use shipway_core::name::DeploymentId;
use shipway_core::pipeline::Step;
use shipway_core::token::Scope;

use super::{Done, Page, Question, back};
use crate::console::fields::PostedBy;
use crate::console::part::serving;
use crate::console::part::words::subject;
use crate::console::session::Visitor;
use crate::console::shell::{Place, Shell};
use crate::extract::PathOf;
use crate::route::deployment;
use crate::state::ApiState;
use crate::wire::deployment::Deployment;

pub async fn ask(
    State(state): State<ApiState>,
    visitor: Visitor,
    PathOf(id): PathOf<DeploymentId>,
) -> Page {
    let found = deployment::find(&state, &visitor.caller, id, Scope::Deploy).await?;
    let now = state.store.serving(&found.trigger.key).await?;
    let key = found.trigger.key.clone();
    let wire = Deployment::from(found);
    let (action, no) = (
        format!("/deployments/{id}/cancel"),
        format!("/deployments/{id}"),
    );
    let question = Question {
        action: &action,
        yes: "Cancel the deployment",
        no: &no,
        fields: html! {},
    };
    let body = html! {
        h1 { "Cancel the deployment of " (subject(&wire)) }
        h2 { "What will happen" }
        (what(&wire))
        (serving::meanwhile(now.as_ref()))
        (question.form(&visitor))
    };
    let shell = Shell::new(&visitor, Place::Deployments, "Cancel a deployment")
        .below(key.to_string(), crate::console::part::at(&key, ""))
        .below("Deployment", &no);
    Ok(shell.page(&body))
}

fn what(deployment: &Deployment) -> Markup {
    html! {
        @match deployment.step {
            None => p { "It waits. It ends without having done anything." },
            Some(step) if step < Step::Release => {
                p { "Its step " strong { (step) } " is stopped. No release command has run." }
            }
            Some(step) if step < Step::Switch => {
                p { "Its step " strong { (step) } " is stopped and cleaned up. New instances are removed." }
                p { "Release commands that have run are undone if they have an undo; others stay done, and the data may be ahead of the code." }
            }
            Some(step) => {
                p { "It is at its step " strong { (step) } ": it can no longer be cancelled. Roll back once it has ended." }
            }
        }
    }
}

pub async fn cancel(
    State(state): State<ApiState>,
    PathOf(id): PathOf<DeploymentId>,
    PostedBy { visitor, .. }: PostedBy,
) -> Done {
    let caller = visitor.caller;
    let _ = deployment::cancel_deployment(State(state), caller, PathOf(id)).await?;
    Ok(back(&format!("/deployments/{id}"), "cancelling"))
}
