//! `/v1/deployments/{deployment}/events`, as JSON pages and as a stream.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use http::{HeaderMap, StatusCode};
use shipway_core::journal::{Entry, Event};
use shipway_core::name::DeploymentId;
use shipway_core::redact::Redactor;
use shipway_core::token::Scope;

use super::deployment::find;
use crate::access::Caller;
use crate::extract::{PathOf, QueryOf, limit};
use crate::negotiate::Accepts;
use crate::problem::{Kind, Problem};
use crate::state::ApiState;
use crate::tail;
use crate::wire::event::{Events, EventsQuery};

const DEFAULT_LIMIT: u32 = 100;
const MOST: u32 = 1000;
/// A comment this often tells the reader that the connection lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

const JSON: &str = "application/json";
const STREAM: &str = "text/event-stream";

/// Shows a deployment's events: a page of them as JSON, or with
/// `Accept: text/event-stream` all of them as they happen, to the last. A
/// stream that broke goes on after `Last-Event-ID`; when there is nothing after
/// it, the answer is 204.
#[utoipa::path(get, path = "/v1/deployments/{deployment}/events", tag = "deployments",
    params(EventsQuery, ("Last-Event-ID" = Option<u64>, Header, description = "Of a stream: the number of the last event that was seen.")),
    responses(
        (status = 200, content((Events = "application/json"), (String = "text/event-stream"))),
        (status = 204, description = "Of a stream: the deployment has ended and all was seen")))]
pub async fn list_events(
    State(state): State<ApiState>,
    caller: Caller,
    PathOf(id): PathOf<DeploymentId>,
    QueryOf(query): QueryOf<EventsQuery>,
    accepts: Accepts,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let deployment = find(&state, &caller, id, Scope::Read).await?;
    let redactor = state.redactor(&deployment.trigger.key).await?;
    let limit = limit(query.limit, DEFAULT_LIMIT, MOST)?;
    let (after, seen) = (query.after.unwrap_or(0), last_event_id(&headers)?);
    if accepts.choose(&[JSON, STREAM])? == JSON {
        return Ok(Json(page(&state, id, after, limit, &redactor).await?).into_response());
    }
    let after = seen.unwrap_or(after);
    if deployment.ending.is_some() && after >= deployment.sequence {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let events = tail::events(&state, id, after).take_until(caller.gone(state));
    let events = events.map(move |entry| Ok::<_, Infallible>(framed(&entry.shown(&redactor))));
    Ok(Sse::new(events)
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response())
}

async fn page(
    state: &ApiState,
    id: DeploymentId,
    after: u64,
    limit: u32,
    redactor: &Redactor,
) -> Result<Events, Problem> {
    let items = state.store.journal(id, after, limit).await?;
    let last = items.last();
    Ok(Events {
        after: last.map_or(after, |entry| entry.sequence),
        ended: last.is_some_and(|entry| matches!(entry.event, Event::Ended(_))),
        items: items
            .into_iter()
            .map(|entry| entry.shown(redactor))
            .collect(),
    })
}

fn framed(entry: &Entry) -> sse::Event {
    let frame = sse::Event::default()
        .id(entry.sequence.to_string())
        .event(entry.event.kind());
    match serde_json::to_string(entry) {
        Ok(json) => frame.data(json),
        Err(error) => {
            tracing::error!(%error, "an event could not be written as JSON");
            frame.data("null")
        }
    }
}

/// Where a stream that broke goes on.
pub(crate) fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get("last-event-id") else {
        return Ok(None);
    };
    let number = value
        .to_str()
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .and_then(|number: i64| u64::try_from(number).ok());
    number.map(Some).ok_or_else(|| {
        let detail = "Last-Event-ID must be the number of an event or a line";
        Problem::new(Kind::InvalidHeader, detail)
    })
}
