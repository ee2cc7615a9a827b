//! `/v1/deployments`, and those of one environment.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use http::header::{CONTENT_TYPE, LOCATION};
use http::{HeaderMap, HeaderName, StatusCode};
use shipway_core::environment::EnvironmentKey;
use shipway_core::journal::{Event, Output, Subject, Trigger};
use shipway_core::name::DeploymentId;
use shipway_core::plan::Plan;
use shipway_core::ports::store::{self, Created, DeploymentFilter};
use shipway_core::settings::check_reference;
use shipway_core::token::Scope;
use shipway_executor::command::{Promote, RollBack};

use crate::access::{Caller, Deploy, May, Read};
use crate::extract::{Body, OptionalBody, PathOf, QueryOf, limit};
use crate::negotiate::Accepts;
use crate::problem::{Kind, Problem};
use crate::state::ApiState;
use crate::tail;
use crate::wire::deployment::{
    Deployment, ListDeployments, NewDeployment, NewPromotion, NewRollback, PageOfDeployments,
    Status, WaitQuery,
};
use crate::wire::page::Page;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const LONGEST_KEY: usize = 255;
const DEFAULT_LIMIT: u32 = 20;
const MOST: u32 = 100;
/// Who waits longer asks again: proxies cut what is silent for long.
const LONGEST_WAIT: u32 = 60;

const JSON: &str = "application/json";
const TEXT: &str = "text/plain";

pub(crate) type Accepted = (StatusCode, [(HeaderName, String); 1], Json<Deployment>);

/// Triggers a deployment. The same `Idempotency-Key` gives the same deployment,
/// then with status 200.
#[utoipa::path(post, path = "/v1/apps/{app}/environments/{environment}/deployments",
    tag = "deployments", request_body = Option<NewDeployment>,
    params(("Idempotency-Key" = Option<String>, Header, description = "Any text of up to 255 bytes; the same text is the same deployment.")),
    responses(
        (status = 202, body = Deployment, headers(("Location" = String))),
        (status = 200, body = Deployment, description = "The key was seen before", headers(("Location" = String)))))]
pub async fn create_deployment(
    State(state): State<ApiState>,
    May { caller, .. }: May<Deploy>,
    PathOf(key): PathOf<EnvironmentKey>,
    headers: HeaderMap,
    OptionalBody(wish): OptionalBody<NewDeployment>,
) -> Result<Accepted, Problem> {
    let environment = state.environment(&key).await?;
    let app = state.app(&key.app).await?;
    if let Some(reference) = &wish.reference {
        check_reference("reference", reference)?;
    }
    let reference = wish.reference.as_deref();
    let trigger = Trigger {
        reference: reference
            .unwrap_or(environment.reference_of(&app))
            .to_owned(),
        by: caller.name().to_owned(),
        idempotency_key: idempotency_key(&headers)?,
        build: wish.build,
        subject: Subject::Commit,
        key,
    };
    let created = state.commands.trigger(trigger).await?;
    accepted(created, |earlier| {
        let reference = wish.reference.as_ref();
        earlier.subject == Subject::Commit
            && reference.is_none_or(|text| *text == earlier.reference)
            && wish.build == earlier.build
    })
}

/// Deploys what an earlier deployment of the environment built and planned:
/// without `to`, the one that served before. Its release commands run again
/// only when that is asked for.
#[utoipa::path(post, path = "/v1/apps/{app}/environments/{environment}/rollback",
    tag = "deployments", request_body = Option<NewRollback>,
    params(("Idempotency-Key" = Option<String>, Header, description = "Any text of up to 255 bytes; the same text is the same deployment.")),
    responses(
        (status = 202, body = Deployment, headers(("Location" = String))),
        (status = 200, body = Deployment, description = "The key was seen before", headers(("Location" = String)))))]
pub async fn roll_back(
    State(state): State<ApiState>,
    May { caller, .. }: May<Deploy>,
    PathOf(key): PathOf<EnvironmentKey>,
    headers: HeaderMap,
    OptionalBody(wish): OptionalBody<NewRollback>,
) -> Result<Accepted, Problem> {
    let request = RollBack {
        key,
        to: wish.to,
        release_commands: wish.release_commands,
        by: caller.name().to_owned(),
        idempotency_key: idempotency_key(&headers)?,
    };
    let created = state.commands.roll_back(&request).await?;
    accepted(created, |earlier| match earlier.subject {
        Subject::Rollback {
            to,
            release_commands,
        } => wish.to.is_none_or(|id| id == to) && wish.release_commands == release_commands,
        _ => false,
    })
}

/// Deploys what serves another environment of the app: its commit and its
/// image, by the settings of this environment.
#[utoipa::path(post, path = "/v1/apps/{app}/environments/{environment}/promote",
    tag = "deployments", request_body = NewPromotion,
    params(("Idempotency-Key" = Option<String>, Header, description = "Any text of up to 255 bytes; the same text is the same deployment.")),
    responses(
        (status = 202, body = Deployment, headers(("Location" = String))),
        (status = 200, body = Deployment, description = "The key was seen before", headers(("Location" = String)))))]
pub async fn promote(
    State(state): State<ApiState>,
    May { caller, .. }: May<Deploy>,
    PathOf(key): PathOf<EnvironmentKey>,
    headers: HeaderMap,
    Body(wish): Body<NewPromotion>,
) -> Result<Accepted, Problem> {
    let request = Promote {
        key,
        from: wish.from.clone(),
        by: caller.name().to_owned(),
        idempotency_key: idempotency_key(&headers)?,
    };
    let created = state.commands.promote(&request).await?;
    accepted(
        created,
        |earlier| matches!(&earlier.subject, Subject::Promotion { from, .. } if *from == wish.from),
    )
}

/// Lists deployments of all apps that the token reaches, newest first.
#[utoipa::path(get, path = "/v1/deployments", tag = "deployments",
    params(ListDeployments), responses((status = 200, body = Page<Deployment>)))]
pub async fn list_deployments(
    State(state): State<ApiState>,
    caller: Caller,
    QueryOf(query): QueryOf<ListDeployments>,
) -> Result<Json<Page<Deployment>>, Problem> {
    if let Some(app) = &query.app {
        caller.may(Scope::Read, app)?;
    }
    let filter = DeploymentFilter {
        app: query.app,
        environment: None,
        before: query.before,
        limit: limit(query.limit, DEFAULT_LIMIT, MOST)?,
    };
    let found = state.store.deployments(&filter).await?;
    Ok(Json(page(found, filter.limit, &caller)))
}

/// Lists an environment's deployments, newest first.
#[utoipa::path(get, path = "/v1/apps/{app}/environments/{environment}/deployments",
    tag = "deployments", params(PageOfDeployments),
    responses((status = 200, body = Page<Deployment>)))]
pub async fn list_environment_deployments(
    State(state): State<ApiState>,
    May { caller, .. }: May<Read>,
    PathOf(key): PathOf<EnvironmentKey>,
    QueryOf(query): QueryOf<PageOfDeployments>,
) -> Result<Json<Page<Deployment>>, Problem> {
    state.environment(&key).await?;
    let filter = DeploymentFilter {
        app: None,
        environment: Some(key),
        before: query.before,
        limit: limit(query.limit, DEFAULT_LIMIT, MOST)?,
    };
    let found = state.store.deployments(&filter).await?;
    Ok(Json(page(found, filter.limit, &caller)))
}

/// Shows a deployment: as JSON, or as `text/plain` its status alone, for a
/// script that knows no JSON. With `wait_seconds` the answer waits for the
/// ending.
#[utoipa::path(get, path = "/v1/deployments/{deployment}", tag = "deployments",
    params(WaitQuery),
    responses((status = 200, content((Deployment = "application/json"), (Status = "text/plain")))))]
pub async fn get_deployment(
    State(state): State<ApiState>,
    caller: Caller,
    PathOf(id): PathOf<DeploymentId>,
    QueryOf(query): QueryOf<WaitQuery>,
    accepts: Accepts,
) -> Result<Response, Problem> {
    let form = accepts.choose(&[JSON, TEXT])?;
    let wait = wait(&query)?;
    let mut found = find(&state, &caller, id, Scope::Read).await?;
    if found.ending.is_none() && !wait.is_zero() {
        let events = tail::events(&state, id, found.sequence).for_each(|_| async {});
        // That it has not ended in time is an answer too.
        let _ = tokio::time::timeout(wait, events).await;
        found = find(&state, &caller, id, Scope::Read).await?;
    }
    let deployment = Deployment::from(found);
    if form == JSON {
        return Ok(Json(deployment).into_response());
    }
    let text = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((text, format!("{}\n", deployment.status)).into_response())
}

fn wait(query: &WaitQuery) -> Result<Duration, Problem> {
    match query.wait_seconds.unwrap_or(0) {
        seconds @ 0..=LONGEST_WAIT => Ok(Duration::from_secs(seconds.into())),
        other => {
            let detail = format!("wait_seconds: {other} is not between 0 and {LONGEST_WAIT}");
            Err(Problem::new(Kind::InvalidQuery, detail))
        }
    }
}

/// Shows the plan that a deployment froze; there is one from its step `plan` on.
#[utoipa::path(get, path = "/v1/deployments/{deployment}/plan", tag = "deployments",
    responses((status = 200, body = Plan)))]
pub async fn get_deployment_plan(
    State(state): State<ApiState>,
    caller: Caller,
    PathOf(id): PathOf<DeploymentId>,
) -> Result<Json<Plan>, Problem> {
    let found = find(&state, &caller, id, Scope::Read).await?;
    let redactor = state.redactor(&found.trigger.key).await?;
    let journal = state.store.journal(id, 0, 1000).await?;
    let plan = journal.into_iter().find_map(|entry| frozen(entry.event));
    plan.map(|plan| Json(plan.shown(&redactor))).ok_or_else(|| {
        let detail = format!("deployment {id} has no plan, or none yet");
        Problem::new(Kind::NotFound, detail)
    })
}

/// The plan, if this is the event that froze it.
pub(crate) fn frozen(event: Event) -> Option<Plan> {
    match event {
        Event::StepSucceeded { output, .. } => match *output {
            Output::Plan { plan } => Some(*plan),
            _ => None,
        },
        _ => None,
    }
}

/// Asks a deployment to stop. A running one ends when its step has been
/// stopped and cleaned up; follow its events for that.
#[utoipa::path(post, path = "/v1/deployments/{deployment}/cancel", tag = "deployments",
    responses((status = 202, body = Deployment)))]
pub async fn cancel_deployment(
    State(state): State<ApiState>,
    caller: Caller,
    PathOf(id): PathOf<DeploymentId>,
) -> Result<(StatusCode, Json<Deployment>), Problem> {
    find(&state, &caller, id, Scope::Deploy).await?;
    state.commands.cancel(id, caller.name()).await?;
    let now = find(&state, &caller, id, Scope::Deploy).await?;
    Ok((StatusCode::ACCEPTED, Json(now.into())))
}

/// A deployment that the caller may see and, with `scope`, act on.
pub(crate) async fn find(
    state: &ApiState,
    caller: &Caller,
    id: DeploymentId,
    scope: Scope,
) -> Result<store::Deployment, Problem> {
    let found = state.store.deployment(id).await?;
    let found = found.filter(|deployment| caller.sees(&deployment.trigger.key.app));
    let found = found
        .ok_or_else(|| Problem::new(Kind::NotFound, format!("there is no deployment {id}")))?;
    caller.may(scope, &found.trigger.key.app)?;
    Ok(found)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or("").trim();
    if text.is_empty() || text.len() > LONGEST_KEY {
        let detail = "Idempotency-Key must be 1 to 255 visible ASCII characters";
        return Err(Problem::new(Kind::InvalidHeader, detail));
    }
    Ok(Some(text.to_owned()))
}

/// A key that comes with another wish is a mistake of its sender.
fn accepted(created: Created, is_the_same: impl Fn(&Trigger) -> bool) -> Result<Accepted, Problem> {
    let (status, deployment) = match created {
        Created::New(deployment) => (StatusCode::ACCEPTED, deployment),
        Created::Earlier(deployment) => (StatusCode::OK, deployment),
    };
    if status == StatusCode::OK && !is_the_same(&deployment.trigger) {
        let id = deployment.id;
        let detail = format!("deployment {id} was made with this key for something else");
        return Err(Problem::new(Kind::IdempotencyKeyReused, detail)
            .with_hint("use a new key for a new wish"));
    }
    let location = format!("/v1/deployments/{}", deployment.id);
    Ok((status, [(LOCATION, location)], Json(deployment.into())))
}

fn page(found: Vec<store::Deployment>, limit: u32, caller: &Caller) -> Page<Deployment> {
    let full = u32::try_from(found.len()).is_ok_and(|count| count == limit);
    let next = found
        .last()
        .filter(|_| full)
        .map(|last| last.id.to_string());
    let seen = found
        .into_iter()
        .filter(|deployment| caller.sees(&deployment.trigger.key.app));
    Page {
        items: seen.map(Deployment::from).collect(),
        next,
    }
}
