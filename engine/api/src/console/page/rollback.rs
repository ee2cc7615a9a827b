//! `…/rollback`: where it would go back to, and the button.

use axum::extract::State;
use maud::{Markup, html};
use shipway_core::environment::EnvironmentKey;
use shipway_core::journal::{ReleaseCommands, Subject, Trigger};
use shipway_core::name::DeploymentId;
use shipway_executor::command::RollBack;
use shipway_executor::earlier;

use super::deploy::to_it;
use super::{Done, Page, Question, below, once, once_header};
use crate::access::Deploy;
use crate::console::fields::{Fields, Posted};
use crate::console::part::plan::{self, Commands};
use crate::console::part::words::{moment, short};
use crate::console::part::{at, serving};
use crate::console::session::Signed;
use crate::extract::{OptionalBody, PathOf};
use crate::problem::Problem;
use crate::route::deployment;
use crate::state::ApiState;
use crate::wire::deployment::NewRollback;

pub async fn ask(
    State(state): State<ApiState>,
    signed: Signed<Deploy>,
    PathOf(key): PathOf<EnvironmentKey>,
    query: Fields,
) -> Page {
    let to = target(&state, &signed, &key, query.parse_given("to")?).await?;
    let caller = &signed.visitor.caller;
    let earlier = deployment::find(&state, caller, to, shipway_core::token::Scope::Read).await?;
    let here = || State(state.clone());
    let plan = deployment::get_deployment_plan(here(), caller.clone(), PathOf(to))
        .await?
        .0;
    let now = state.store.serving(&key).await?;
    let (action, no) = (at(&key, "/rollback"), at(&key, ""));
    let question = Question {
        action: &action,
        yes: "Roll back",
        no: &no,
        fields: html! {
            input type="hidden" name="to" value=(to);
            (once()?)
            (choice(plan.commands.len()))
        },
    };
    let body = html! {
        h1 { "Roll back " (key) }
        h2 { "What will happen" }
        p {
            "Deployment " a href={ "/deployments/" (to) } { (short(&to)) } " of "
            (moment(earlier.created_at, state.clock.now()))
            " is deployed again: commit " code { (plan.commit.id.short()) } ", "
            (plan.commit.subject) ", with the image that it built and its plan as it was frozen. "
            "Nothing is built."
        }
        p { "The variables are those of now. Data stays as it is: what release commands have changed since is not taken back." }
        (plan::brief(&plan, Commands::Skipped))
        (serving::meanwhile(now.as_ref()))
        (question.form(&signed.visitor))
    };
    let title = format!("Roll back {key}");
    Ok(below(&signed.visitor, &key, &title).page(&body))
}

/// Where the executor would go: it decides what served before.
async fn target(
    state: &ApiState,
    signed: &Signed<Deploy>,
    key: &EnvironmentKey,
    to: Option<DeploymentId>,
) -> Result<DeploymentId, Problem> {
    state.environment(key).await?;
    let request = RollBack {
        key: key.clone(),
        to,
        release_commands: ReleaseCommands::Skip,
        by: signed.visitor.caller.name().to_owned(),
        idempotency_key: None,
    };
    let Trigger { subject, .. } = earlier::rollback(state.store.as_ref(), &request).await?;
    let unknown = || shipway_executor::command::TriggerError::NothingBefore(key.clone()).into();
    match subject {
        Subject::Rollback { to, .. } => Ok(to),
        Subject::Commit | Subject::Promotion { .. } => Err(unknown()),
    }
}

fn choice(commands: usize) -> Markup {
    html! {
        @if commands > 0 {
            p.check {
                input #run type="checkbox" name="run" value="yes";
                label for="run" { "Run its release commands again" }
            }
        }
    }
}

pub async fn roll_back(
    State(state): State<ApiState>,
    PathOf(key): PathOf<EnvironmentKey>,
    Posted { signed, fields }: Posted<Deploy>,
) -> Done {
    let wish = NewRollback {
        to: fields.parse_given("to")?,
        release_commands: match fields.is_on("run") {
            true => ReleaseCommands::Run,
            false => ReleaseCommands::Skip,
        },
    };
    let (headers, body) = (once_header(&fields), OptionalBody(wish));
    let accepted =
        deployment::roll_back(State(state), signed.may, PathOf(key), headers, body).await?;
    Ok(to_it(&accepted))
}
