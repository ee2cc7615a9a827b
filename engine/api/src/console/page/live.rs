//! What the script listens to, and the log as text.
//!
//! One stream has both a deployment's events and its lines, because browsers
//! keep few connections to one host. Its ids say how far each has been seen:
//! `EVENTS-LINES`.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{self, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, future, stream};
use http::{HeaderMap, StatusCode};
use shipway_core::name::DeploymentId;
use shipway_core::ports::store::LogLine;
use shipway_core::token::Scope;
use tokio::time::sleep;

use crate::console::fields::Fields;
use crate::console::session::Visitor;
use crate::extract::{PathOf, QueryOf};
use crate::negotiate::Accepts;
use crate::problem::Problem;
use crate::route::deployment::find;
use crate::route::log as log_route;
use crate::state::ApiState;
use crate::tail::{self, Until};
use crate::wire::log::LogQuery;

const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How far a page has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    events: u64,
    lines: u64,
}

impl Seen {
    fn of(headers: &HeaderMap, query: &Fields) -> Self {
        let number = |name| query.text(name).parse().unwrap_or(0);
        let resumed = headers.get("last-event-id").and_then(|id| {
            let (events, lines) = id.to_str().ok()?.split_once('-')?;
            Some(Self {
                events: events.parse().ok()?,
                lines: lines.parse().ok()?,
            })
        });
        resumed.unwrap_or_else(|| Self {
            events: number("events"),
            lines: number("lines"),
        })
    }

    fn id(self) -> String {
        format!("{}-{}", self.events, self.lines)
    }
}

enum Heard {
    Event { number: u64, kind: &'static str },
    Line(LogLine),
}

pub async fn live(
    State(state): State<ApiState>,
    visitor: Visitor,
    PathOf(id): PathOf<DeploymentId>,
    query: Fields,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let deployment = find(&state, &visitor.caller, id, Scope::Read).await?;
    let seen = Seen::of(&headers, &query);
    let all_events = seen.events >= deployment.sequence;
    let all_lines = seen.lines >= state.store.last_number(id).await?;
    if deployment.ending.is_some() && all_events && all_lines {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let frames = heard(&state, id, seen).scan(seen, |seen, heard| {
        future::ready(Some(Ok::<_, Infallible>(framed(seen, &heard))))
    });
    // The browser comes again, goes on where it was, and must be signed in still.
    let over = sleep(state.console().stream_limit);
    let frames = frames.take_until(Box::pin(over));
    Ok(Sse::new(frames)
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response())
}

fn heard(
    state: &ApiState,
    id: DeploymentId,
    seen: Seen,
) -> impl Stream<Item = Heard> + Send + use<> {
    let events = tail::events(state, id, seen.events).map(|entry| Heard::Event {
        number: entry.sequence,
        kind: entry.event.kind(),
    });
    let lines = tail::lines(state, id, seen.lines, Until::Ended).map(Heard::Line);
    stream::select(events, lines)
}

/// Of an event only that there is one: the page asks for what it shows.
fn framed(seen: &mut Seen, heard: &Heard) -> sse::Event {
    let frame = match heard {
        Heard::Event { number, kind } => {
            seen.events = *number;
            sse::Event::default().event("change").data(kind)
        }
        Heard::Line(line) => {
            seen.lines = line.number;
            let json = serde_json::to_string(line).unwrap_or_default();
            sse::Event::default().event("line").data(json)
        }
    };
    frame.id(seen.id())
}

/// The whole log, as text.
pub async fn log(
    State(state): State<ApiState>,
    visitor: Visitor,
    path: PathOf<DeploymentId>,
) -> Result<Response, Problem> {
    let query = QueryOf(LogQuery::default());
    let as_text = Accepts::just("text/plain");
    let headers = HeaderMap::new();
    log_route::get_log(State(state), visitor.caller, path, query, as_text, headers).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_goes_on_where_it_broke() {
        let query = Fields::read(b"events=3&lines=20");
        let mut headers = HeaderMap::new();
        let seen = |headers: &HeaderMap| Seen::of(headers, &query).id();
        assert_eq!(seen(&headers), "3-20");
        headers.insert("last-event-id", "5-44".parse().unwrap());
        assert_eq!(seen(&headers), "5-44");
        headers.insert("last-event-id", "nonsense".parse().unwrap());
        assert_eq!(seen(&headers), "3-20");
    }
}
