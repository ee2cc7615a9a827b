//! `…/deploy`: what a deployment would do, and the button.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::Redirect;
use maud::{Markup, html};
use shipway_core::environment::EnvironmentKey;
use shipway_core::journal::BuildWish;
use shipway_core::plan::Plan;

use super::{Done, Page, Question, below, once, once_header};
use crate::access::{Deploy, May};
use crate::console::fields::{Fields, Posted};
use crate::console::part::plan::{self, Commands};
use crate::console::part::{at, serving};
use crate::console::session::Signed;
use crate::extract::{OptionalBody, PathOf};
use crate::problem::{Kind, Problem};
use crate::route::{deployment, plan as planning};
use crate::state::ApiState;
use crate::wire::deployment::NewDeployment;
use crate::wire::plan::PlanRequest;

/// Nobody looks at an empty page for longer; the deployment may go ahead all
/// the same.
const PATIENCE: Duration = Duration::from_secs(20);

pub async fn ask(
    State(state): State<ApiState>,
    signed: Signed<Deploy>,
    PathOf(key): PathOf<EnvironmentKey>,
    query: Fields,
) -> Page {
    let environment = state.environment(&key).await?;
    let app = state.app(&key.app).await?;
    let reference = query.given("reference");
    let reference = reference
        .unwrap_or(environment.reference_of(&app))
        .to_owned();
    let planned = plan_of(&state, &signed.may, &key, &reference).await;
    let now = state.store.serving(&key).await?;
    let fields = html! {
        input type="hidden" name="reference" value=(reference);
        (once()?)
        (choices(planned.as_ref().ok(), &reference))
    };
    let (action, no) = (at(&key, "/deploy"), at(&key, ""));
    let question = Question {
        action: &action,
        yes: "Deploy",
        no: &no,
        fields,
    };
    let body = html! {
        h1 { "Deploy " (key) }
        (other_reference(&action, &reference))
        h2 { "What will happen" }
        @match &planned {
            Ok(plan) => { (commit(plan, &reference)) (plan::brief(plan, Commands::Run)) }
            Err(problem) => (unknown(problem)),
        }
        (serving::meanwhile(now.as_ref()))
        (question.form(&signed.visitor))
    };
    let title = format!("Deploy {key}");
    Ok(below(&signed.visitor, &key, &title).page(&body))
}

pub async fn deploy(
    State(state): State<ApiState>,
    PathOf(key): PathOf<EnvironmentKey>,
    Posted { signed, fields }: Posted<Deploy>,
) -> Done {
    let reference = fields.given("commit").or(fields.given("reference"));
    let wish = NewDeployment {
        reference: reference.map(str::to_owned),
        build: match fields.is_on("fresh") {
            true => BuildWish::Fresh,
            false => BuildWish::Reuse,
        },
    };
    let (headers, body) = (once_header(&fields), OptionalBody(wish));
    let accepted =
        deployment::create_deployment(State(state), signed.may, PathOf(key), headers, body).await?;
    Ok(to_it(&accepted))
}

/// To the page of a deployment that the API has accepted.
pub(super) fn to_it(accepted: &deployment::Accepted) -> Redirect {
    let (_, _, Json(deployment)) = accepted;
    Redirect::to(&format!("/deployments/{}", deployment.id))
}

/// The plan, if it can be told in time.
pub(super) async fn plan_of(
    state: &ApiState,
    may: &May<Deploy>,
    key: &EnvironmentKey,
    reference: &str,
) -> Result<Plan, Problem> {
    let wish = PlanRequest {
        reference: Some(reference.to_owned()),
        ..PlanRequest::default()
    };
    let (here, place) = (State(state.clone()), PathOf(key.clone()));
    let planning = planning::make_plan(here, may.clone(), place, OptionalBody(wish));
    match tokio::time::timeout(PATIENCE, planning).await {
        Ok(planned) => planned.map(|Json(plan)| plan),
        Err(_) => Err(Problem::new(
            Kind::Timeout,
            format!("the plan was not made within {} s", PATIENCE.as_secs()),
        )),
    }
}

fn other_reference(action: &str, reference: &str) -> Markup {
    html! {
        form.filter method="get" action=(action) {
            label for="reference" { "Branch, tag or commit" }
            input #reference name="reference" value=(reference) required maxlength="255"
                autocomplete="off" autocapitalize="off" spellcheck="false";
            button.plain type="submit" { "Show what it would do" }
        }
    }
}

fn commit(plan: &Plan, reference: &str) -> Markup {
    html! {
        p {
            strong { (reference) } " is at commit " code { (plan.commit.id.short()) } ": "
            (plan.commit.subject) " (" (plan.commit.author) "). "
            "Its image is built, or reused if there is one of the same commit and build settings."
        }
    }
}

/// A plan that cannot be made is told, and does not stand in the way.
pub(super) fn unknown(problem: &Problem) -> Markup {
    html! {
        div.problem role="alert" {
            p { "What it would do cannot be told: " (problem.detail) "." }
            @if let Some(hint) = &problem.hint { p { (hint) "." } }
        }
    }
}

fn choices(plan: Option<&Plan>, reference: &str) -> Markup {
    html! {
        @if let Some(plan) = plan.filter(|plan| plan.commit.id.as_str() != reference) {
            p.check {
                input #commit type="checkbox" name="commit" value=(plan.commit.id);
                label for="commit" { "Just this commit, even if " (reference) " moves on before it starts" }
            }
        }
        p.check {
            input #fresh type="checkbox" name="fresh" value="yes";
            label for="fresh" { "Build anew, even if there is an image of the commit" }
        }
    }
}
