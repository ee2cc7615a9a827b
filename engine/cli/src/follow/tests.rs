//! Against a server that breaks off after every few words.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures::stream;
use serde_json::json;
use shipway_core::secret::Secret;

use super::*;

const ID: &str = "01890000-0000-7000-8000-000000000001";
const EVENTS: u64 = 7;
const LINES: u64 = 9;

/// Counts the connections.
type Asked = Arc<AtomicUsize>;

/// At most two events a connection, then it is cut in the middle of a word.
async fn events(State(asked): State<Asked>, headers: HeaderMap) -> Response {
    asked.fetch_add(1, Ordering::Relaxed);
    let after: u64 = headers["last-event-id"].to_str().unwrap().parse().unwrap();
    let last = (after + 2).min(EVENTS);
    let mut text: String = (after + 1..=last).map(frame).collect();
    if last < EVENTS {
        text.push_str("id: 99\ndata: {\"deploy");
    }
    cut(text, "text/event-stream")
}

fn frame(sequence: u64) -> String {
    let event = match sequence {
        EVENTS => json!({"kind": "deployment.ended", "data": {"status": "succeeded"}}),
        _ => json!({"kind": "step.started", "data": {"step": "build"}}),
    };
    let mut entry = event;
    entry["deployment"] = ID.into();
    entry["sequence"] = sequence.into();
    entry["at"] = "2026-01-01T00:00:00Z".into();
    format!("id: {sequence}\ndata: {entry}\n\n")
}

/// Four lines a connection; only the last one ends as it should.
async fn log(Query(query): Query<Vec<(String, String)>>) -> Response {
    let after = query.iter().find(|(name, _)| name == "after").unwrap();
    let after: u64 = after.1.parse().unwrap();
    let last = (after + 4).min(LINES);
    let line = |number| {
        let line = json!({"number": number, "at": "2026-01-01T00:00:00Z",
            "stream": "stdout", "text": format!("line {number}")});
        format!("{line}\n")
    };
    let text: String = (after + 1..=last).map(line).collect();
    match last {
        LINES => Body::from(text).into_response(),
        _ => cut(text + "{\"number\":", "application/x-ndjson"),
    }
}

/// Sends a text, then breaks the connection.
fn cut(text: String, kind: &'static str) -> Response {
    let broken = async {
        // What was said so far goes out first.
        tokio::task::yield_now().await;
        Err(std::io::Error::other("cut"))
    };
    let said = stream::once(async { Ok(text) });
    let body = Body::from_stream(said.chain(stream::once(broken)));
    ([("content-type", kind)], body).into_response()
}

async fn server() -> (Client, Asked) {
    let asked = Asked::default();
    let router = Router::new()
        .route(&format!("/v1/deployments/{ID}/events"), get(events))
        .route(&format!("/v1/deployments/{ID}/log"), get(log))
        .fallback(|| async {
            let problem = json!({"type": "/problems/not-found", "title": "There is no such thing",
                "status": 404, "detail": "there is no deployment"});
            Ok::<_, Infallible>((StatusCode::NOT_FOUND, axum::Json(problem)))
        })
        .with_state(asked.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let server = format!("http://{address}");
    (Client::of(&server, Secret::new("x")).unwrap(), asked)
}

#[tokio::test]
async fn nothing_is_lost_or_repeated_over_broken_connections() {
    let (client, asked) = server().await;
    let (mut sequences, mut lines) = (Vec::new(), Vec::new());
    let hear = |heard: Heard| {
        match heard {
            Heard::Event(entry) => sequences.push(entry.sequence),
            Heard::Line(line) => lines.push(line.number),
            Heard::Lost | Heard::Back => {}
        }
        Ok(())
    };
    let id = ID.parse().unwrap();
    let following = follow(&client, id, What::EventsAndLog, 0, hear);
    let ending = timeout(Duration::from_secs(30), following).await.unwrap();
    assert_eq!(ending.unwrap(), Ending::Succeeded);
    assert_eq!(sequences, (1..=EVENTS).collect::<Vec<_>>());
    assert_eq!(lines, (1..=LINES).collect::<Vec<_>>());
    assert_eq!(asked.load(Ordering::Relaxed), 4);
}

#[tokio::test]
async fn what_the_api_refuses_is_not_asked_again() {
    let (client, _) = server().await;
    let unknown = "01890000-0000-7000-8000-000000000002".parse().unwrap();
    let following = follow(&client, unknown, What::Events, 0, |_| Ok(()));
    let refused = timeout(Duration::from_secs(5), following).await.unwrap();
    assert_eq!(refused.unwrap_err().heading, "There is no such thing");
}

#[test]
fn lines_are_cut_where_they_end() {
    let mut rest = b"{}\n\n{\"a".to_vec();
    assert_eq!(cut_line(&mut rest).unwrap(), b"{}\n");
    assert_eq!(cut_line(&mut rest).unwrap(), b"\n");
    assert_eq!(cut_line(&mut rest), None);
    rest.extend(b"\":1}\n");
    assert_eq!(cut_line(&mut rest).unwrap(), b"{\"a\":1}\n");
}
