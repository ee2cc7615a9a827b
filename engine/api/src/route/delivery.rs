//! `POST /v1/webhooks/{webhook}`: what Git hosts send. There is no token: the
//! delivery itself is signed.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request, State};
use http::StatusCode;
use serde::Deserialize;
use shipway_core::audit::Actor;
use shipway_core::environment::EnvironmentKey;
use shipway_core::journal::{BuildWish, Subject, Trigger};
use shipway_core::name::WebhookId;
use shipway_core::ports::store::{self, Created, Seen};
use shipway_core::webhook::{Change, Webhook, Wish, same_repository};

use crate::audit::Note;
use crate::delivery::{self, Genuine, Message};
use crate::extract::{PathOf, unread};
use crate::problem::{Kind, Problem};
use crate::state::ApiState;
use crate::wire::webhook::{Answer, Refused, Triggered};

type Answered = (StatusCode, Json<Answer>);

#[derive(Debug, Deserialize)]
pub struct At {
    webhook: WebhookId,
}

/// Takes a delivery of a Git host: GitHub, GitLab, Gitea or Forgejo, Bitbucket,
/// or anything that signs as Standard Webhooks says. A push to a branch or tag
/// that the webhook has a rule for deploys the commit that it names. The same
/// delivery again gives the same deployments, then with status 200.
#[utoipa::path(post, path = "/v1/webhooks/{webhook}", tag = "webhooks", security(()),
    request_body(content = serde_json::Value, description = "As the Git host writes it, at most 5 MiB; its signature is in the headers"),
    responses(
        (status = 202, body = Answer, description = "It triggered deployments"),
        (status = 200, body = Answer, description = "There is nothing to do, or it was done when the delivery came first")))]
pub async fn deliver_webhook(
    State(state): State<ApiState>,
    PathOf(At { webhook }): PathOf<At>,
    note: Note,
    request: Request,
) -> Result<Answered, Problem> {
    let webhook = state.store.webhook(&webhook).await?;
    let webhook = webhook
        .ok_or_else(|| Problem::new(Kind::NotFound, "there is no such webhook, or no more"))?;
    note.app(&webhook.app);
    let headers = request.headers().clone();
    let body = Bytes::from_request(request, &state).await.map_err(unread)?;
    let genuine = delivery::read(&webhook, &headers, &body, state.clock.now())?;
    let name = webhook.id.to_string();
    note.actor(Actor::Webhook { name });
    let answered = act_on(&state, &webhook, genuine).await?;
    if answered.0 == StatusCode::OK {
        note.changes_nothing();
    }
    Ok(answered)
}

async fn act_on(
    state: &ApiState,
    webhook: &Webhook,
    genuine: Genuine,
) -> Result<Answered, Problem> {
    match &genuine.message {
        Message::Ping => Ok(nothing(genuine.id, "pong: deliveries arrive".to_owned())),
        Message::Other(event) => {
            let message = format!("nothing to do: {event} is no push");
            Ok(nothing(genuine.id, message))
        }
        Message::Push {
            repositories,
            changes,
        } => {
            require_own(state, webhook, repositories).await?;
            pushed(state, webhook, &genuine, changes).await
        }
    }
}

/// A secret may be known to more than one repository of a Git host.
async fn require_own(
    state: &ApiState,
    webhook: &Webhook,
    repositories: &[String],
) -> Result<(), Problem> {
    let app = state.app(&webhook.app).await?;
    let own = webhook.repository.as_ref().unwrap_or(&app.repository.url);
    if repositories.iter().any(|one| same_repository(one, own)) {
        return Ok(());
    }
    let named = repositories.first().map_or("none", |one| one.as_str());
    let named: String = named.chars().take(200).collect();
    let detail = format!("the delivery is of repository {named}, which is not that of the app");
    let hint = "make a webhook whose `repository` is that address, if it is the same one";
    Err(Problem::new(Kind::ForeignRepository, detail).with_hint(hint))
}

async fn pushed(
    state: &ApiState,
    webhook: &Webhook,
    genuine: &Genuine,
    changes: &[Change],
) -> Result<Answered, Problem> {
    let verdict = webhook.judge(changes);
    if verdict.wishes.is_empty() {
        let message = format!("nothing to do: {}", verdict.ignored.join("; "));
        return Ok(nothing(genuine.id.clone(), message));
    }
    refuse_replay(state, webhook, genuine).await?;
    let mut answer = Answer {
        delivery: genuine.id.clone(),
        message: String::new(),
        deployments: Vec::new(),
        refused: Vec::new(),
    };
    let mut status = StatusCode::OK;
    let mut problem = None;
    for wish in verdict.wishes {
        match trigger(state, webhook, genuine, &wish).await {
            Ok(created) => {
                if matches!(created, Created::New(_)) {
                    status = StatusCode::ACCEPTED;
                }
                answer.deployments.push(triggered(created, &wish));
            }
            Err(error) => {
                answer.refused.push(Refused {
                    environment: wish.environment,
                    detail: error.detail.clone(),
                });
                problem = Some(error);
            }
        }
    }
    if let (true, Some(problem)) = (answer.deployments.is_empty(), problem) {
        return Err(problem);
    }
    answer.message = said(status, &answer);
    Ok((status, Json(answer)))
}

/// Noted before anything is done: a delivery that is broken off may be sent
/// again, and each deployment is made once by its key.
async fn refuse_replay(
    state: &ApiState,
    webhook: &Webhook,
    genuine: &Genuine,
) -> Result<(), Problem> {
    let delivery = store::Delivery {
        webhook: webhook.id.clone(),
        id: genuine.id.clone(),
        digest: genuine.digest.clone(),
        at: state.clock.now(),
    };
    let detail = match state.store.note_delivery(&delivery).await? {
        Seen::New | Seen::Again => return Ok(()),
        Seen::OtherBody => "a delivery with this id came before and said something else".to_owned(),
        Seen::OtherId(earlier) => format!("the same came before as delivery {earlier}"),
    };
    Err(Problem::new(Kind::ReplayedDelivery, detail)
        .with_hint("to deploy it again, use `shipway deploy`"))
}

async fn trigger(
    state: &ApiState,
    webhook: &Webhook,
    genuine: &Genuine,
    wish: &Wish,
) -> Result<Created, Problem> {
    let key = EnvironmentKey {
        app: webhook.app.clone(),
        environment: wish.environment.clone(),
    };
    let idempotency_key = format!("webhook {} {}", webhook.id, genuine.id);
    // What was done when the delivery came first stays what it was, however
    // busy the environment is now.
    if let Some(earlier) = state.store.deployment_of(&key, &idempotency_key).await? {
        return Ok(Created::Earlier(earlier));
    }
    let trigger = Trigger {
        key,
        reference: wish.reference.clone(),
        by: format!("webhook {} delivery {}", webhook.provider, genuine.id),
        idempotency_key: Some(idempotency_key),
        build: BuildWish::Reuse,
        subject: Subject::Commit,
    };
    Ok(state.commands.trigger(trigger).await?)
}

fn triggered(created: Created, wish: &Wish) -> Triggered {
    let (Created::New(deployment) | Created::Earlier(deployment)) = created;
    Triggered {
        id: deployment.id,
        environment: wish.environment.clone(),
        reference: deployment.trigger.reference,
        location: format!("/v1/deployments/{}", deployment.id),
    }
}

fn said(status: StatusCode, answer: &Answer) -> String {
    let places: Vec<&str> = answer
        .deployments
        .iter()
        .map(|one| one.environment.as_str())
        .collect();
    let places = places.join(", ");
    match status {
        StatusCode::ACCEPTED => format!("deploying to {places}"),
        _ => format!("nothing to do: this delivery came before and was deployed to {places}"),
    }
}

fn nothing(delivery: String, message: String) -> Answered {
    let answer = Answer {
        delivery,
        message,
        deployments: Vec::new(),
        refused: Vec::new(),
    };
    (StatusCode::OK, Json(answer))
}
