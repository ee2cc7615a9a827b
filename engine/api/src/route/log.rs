//! `/v1/deployments/{deployment}/log`, as text, as JSON lines, as a stream of
//! events and as JSON pages.

use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use shipway_core::name::DeploymentId;
use shipway_core::ports::store::LogLine;
use shipway_core::token::Scope;

use super::deployment::find;
use super::event::last_event_id;
use crate::access::Caller;
use crate::extract::{PathOf, QueryOf, limit};
use crate::negotiate::Accepts;
use crate::problem::Problem;
use crate::state::ApiState;
use crate::tail::{self, Until};
use crate::wire::log::{LogPage, LogQuery};

const DEFAULT_LIMIT: u32 = 1000;
const MOST: u32 = 10_000;
/// Lines of a page that are read at once, and the text after which a page is
/// long enough: lines may have 16 KiB each.
const AT_ONCE: u32 = 500;
const PAGE_BYTES: usize = 8 << 20;
/// An empty line this often tells a reader of JSON lines that the connection
/// lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

const TEXT: &str = "text/plain";
const LINES: &str = "application/x-ndjson";
const JSON: &str = "application/json";
const STREAM: &str = "text/event-stream";

/// Shows a deployment's log: as text, as JSON lines (`application/x-ndjson`),
/// as a stream of events or as a JSON page. Text and JSON lines go on until the
/// deployment has ended with `follow=true`; a stream of events always does.
///
/// Each line has a number: who lost the connection asks for the lines `after`
/// the last one it has, or sends it as `Last-Event-ID`, and gets each line
/// once. Where numbers are missing lines were left out, because the log passed
/// its limit or was pruned, and the line after the gap says so. A stream of
/// which all was seen is answered with 204.
#[utoipa::path(get, path = "/v1/deployments/{deployment}/log", tag = "deployments",
    params(LogQuery, ("Last-Event-ID" = Option<u64>, Header, description = "Of a stream: the number of the last line that was seen.")),
    responses(
        (status = 200, content(
            (String = "text/plain"), (LogLine = "application/x-ndjson"), (LogPage = "application/json"),
            (String = "text/event-stream"))),
        (status = 204, description = "Of a stream: the deployment has ended and all was seen")))]
pub async fn get_log(
    State(state): State<ApiState>,
    caller: Caller,
    PathOf(id): PathOf<DeploymentId>,
    QueryOf(query): QueryOf<LogQuery>,
    accepts: Accepts,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let deployment = find(&state, &caller, id, Scope::Read).await?;
    let form = accepts.choose(&[TEXT, LINES, JSON, STREAM])?;
    let ended = deployment.ending.is_some();
    let limit = limit(query.limit, DEFAULT_LIMIT, MOST)?;
    let (after, seen) = (query.after.unwrap_or(0), last_event_id(&headers)?);
    if form == JSON {
        return Ok(Json(page(&state, id, after, limit, ended).await?).into_response());
    }
    if form == STREAM {
        let after = seen.unwrap_or(after);
        return stream(&state, caller, id, after, ended).await;
    }
    let until = if query.follow {
        Until::Ended
    } else {
        Until::Now
    };
    let lines = tail::lines(&state, id, after, until).take_until(async move {
        match until {
            Until::Now => pending().await,
            Until::Ended => caller.gone(state).await,
        }
    });
    let body = if form == LINES {
        Body::from_stream(alive(lines.map(as_json)))
    } else {
        Body::from_stream(lines.map(|line| Ok::<_, Infallible>(line.text + "\n")))
    };
    Ok((content_type(form), body).into_response())
}

/// One event for each line, to the deployment's last.
async fn stream(
    state: &ApiState,
    caller: Caller,
    id: DeploymentId,
    after: u64,
    ended: bool,
) -> Result<Response, Problem> {
    if ended && after >= state.store.last_number(id).await? {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let lines = tail::lines(state, id, after, Until::Ended);
    let lines = lines.take_until(caller.gone(state.clone()));
    let events = lines.map(|line| Ok::<_, Infallible>(framed(&line)));
    Ok(Sse::new(events)
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response())
}

fn framed(line: &LogLine) -> sse::Event {
    sse::Event::default()
        .id(line.number.to_string())
        .event("log.line")
        .data(serde_json::to_string(line).unwrap_or_default())
}

async fn page(
    state: &ApiState,
    id: DeploymentId,
    after: u64,
    limit: u32,
    ended: bool,
) -> Result<LogPage, Problem> {
    let mut page = LogPage {
        items: Vec::new(),
        after,
        ended: false,
    };
    let (mut left, mut bytes) = (limit, 0);
    while left > 0 && bytes < PAGE_BYTES {
        let lines = state.store.log(id, page.after, left.min(AT_ONCE)).await?;
        let Some(last) = lines.last() else {
            page.ended = ended;
            break;
        };
        page.after = last.number;
        left = left.saturating_sub(u32::try_from(lines.len()).unwrap_or(left));
        bytes += lines.iter().map(|line| line.text.len()).sum::<usize>();
        page.items.extend(lines);
    }
    Ok(page)
}

fn as_json(line: LogLine) -> String {
    serde_json::to_string(&line).unwrap_or_default() + "\n"
}

fn alive(
    lines: impl Stream<Item = String> + Send + 'static,
) -> impl Stream<Item = Result<String, Infallible>> + Send + 'static {
    futures::stream::unfold(Box::pin(lines), |mut lines| async move {
        match tokio::time::timeout(KEEP_ALIVE, lines.next()).await {
            Ok(line) => line.map(|line| (Ok(line), lines)),
            Err(_) => Some((Ok("\n".to_owned()), lines)),
        }
    })
}

fn content_type(form: &str) -> [(http::HeaderName, HeaderValue); 1] {
    let value = match form {
        LINES => "application/x-ndjson",
        _ => "text/plain; charset=utf-8",
    };
    [(CONTENT_TYPE, HeaderValue::from_static(value))]
}
