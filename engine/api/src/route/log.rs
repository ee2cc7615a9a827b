//! `/v1/deployments/{deployment}/log`, as text, as JSON lines and as JSON pages.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt};
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use shipway_core::name::DeploymentId;
use shipway_core::ports::store::LogLine;
use shipway_core::token::Scope;

use super::deployment::find;
use crate::access::Caller;
use crate::extract::{PathOf, QueryOf};
use crate::negotiate::Accepts;
use crate::problem::{Kind, Problem};
use crate::state::ApiState;
use crate::tail::{self, Until};
use crate::wire::log::{LogPage, LogQuery};

const DEFAULT_LIMIT: u32 = 1000;
const MOST: u32 = 10_000;
/// An empty line this often tells a reader of JSON lines that the connection
/// lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

const TEXT: &str = "text/plain";
const LINES: &str = "application/x-ndjson";
const JSON: &str = "application/json";

/// Shows a deployment's log: as text, as JSON lines (`application/x-ndjson`)
/// or as a JSON page. Text and JSON lines go on until the deployment has ended
/// with `follow=true`.
#[utoipa::path(get, path = "/v1/deployments/{deployment}/log", tag = "deployments",
    params(LogQuery),
    responses((status = 200, content(
        (String = "text/plain"), (LogLine = "application/x-ndjson"), (LogPage = "application/json")))))]
pub async fn get_log(
    State(state): State<ApiState>,
    caller: Caller,
    PathOf(id): PathOf<DeploymentId>,
    QueryOf(query): QueryOf<LogQuery>,
    accepts: Accepts,
) -> Result<Response, Problem> {
    let deployment = find(&state, &caller, id, Scope::Read).await?;
    let form = accepts.choose(&[TEXT, LINES, JSON])?;
    if form == JSON {
        let ended = deployment.ending.is_some();
        return Ok(Json(page(&state, id, &query, ended).await?).into_response());
    }
    let after = query.after.unwrap_or(0);
    let until = if query.follow {
        Until::Ended
    } else {
        Until::Now
    };
    let lines = tail::lines(&state, id, after, until);
    let body = if form == LINES {
        Body::from_stream(alive(lines.map(as_json)))
    } else {
        Body::from_stream(lines.map(|line| Ok::<_, Infallible>(line.text + "\n")))
    };
    Ok((content_type(form), body).into_response())
}

async fn page(
    state: &ApiState,
    id: DeploymentId,
    query: &LogQuery,
    ended: bool,
) -> Result<LogPage, Problem> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MOST).contains(&limit) {
        let detail = format!("limit: {limit} is not between 1 and {MOST}");
        return Err(Problem::new(Kind::InvalidQuery, detail));
    }
    let after = query.after.unwrap_or(0);
    let items = state.store.log(id, after, limit).await?;
    let full = u32::try_from(items.len()).is_ok_and(|count| count == limit);
    Ok(LogPage {
        after: items.last().map_or(after, |line| line.number),
        ended: ended && !full,
        items,
    })
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
