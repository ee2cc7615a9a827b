//! A stream of server-sent events, read one by one.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::api::Api;
use crate::wait::{block, runtime};

/// Between two events of a test's deployment.
const PATIENCE: Duration = Duration::from_secs(120);

/// As long as an EventSource of a browser might, for a short test.
const COME_BACK_AFTER: Duration = Duration::from_millis(200);

/// One event of a stream.
#[derive(Debug, Clone)]
pub struct Framed {
    pub id: u64,
    pub kind: String,
    pub data: Value,
}

#[derive(Debug)]
pub struct EventStream {
    response: reqwest::Response,
    unread: String,
}

impl EventStream {
    /// Opens a deployment's stream. None when there is nothing after `after`
    /// and there never will be.
    pub fn open(api: &Api, deployment: &str, after: Option<u64>) -> Option<Self> {
        let path = format!("/v1/deployments/{deployment}/events");
        let mut request = api
            .request(Method::GET, &path)
            .header("accept", "text/event-stream");
        if let Some(after) = after {
            request = request.header("last-event-id", after);
        }
        let response = block(request.send()).expect("an answer");
        if response.status().as_u16() == 204 {
            return None;
        }
        assert_eq!(response.status().as_u16(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Some(Self {
            response,
            unread: String::new(),
        })
    }

    /// The next event, or none at the end.
    pub fn next_event(&mut self) -> Option<Framed> {
        loop {
            if let Some((frame, rest)) = self.unread.split_once("\n\n") {
                let (frame, rest) = (frame.to_owned(), rest.to_owned());
                self.unread = rest;
                if let Some(event) = parse(&frame) {
                    return Some(event);
                }
                continue;
            }
            let chunk =
                block(async { tokio::time::timeout(PATIENCE, self.response.chunk()).await });
            let chunk = chunk
                .expect("an event in time")
                .expect("a stream that does not break")?;
            self.unread.push_str(&String::from_utf8_lossy(&chunk));
        }
    }

    /// All events to the end.
    pub fn rest(mut self) -> Vec<Framed> {
        std::iter::from_fn(|| self.next_event()).collect()
    }
}

/// Follows a deployment to its end beside the test, and comes back after the
/// last event that it has seen as often as it is cut off.
#[derive(Debug)]
pub struct Watcher(JoinHandle<Vec<u64>>);

impl Watcher {
    pub fn start(api: &Api, deployment: &str) -> Self {
        let (api, path) = (api.clone(), format!("/v1/deployments/{deployment}/events"));
        Self(runtime().spawn(async move {
            let mut seen = Vec::new();
            while follow(&api, &path, &mut seen).await == Next::ComeBack {
                sleep(COME_BACK_AFTER).await;
            }
            seen
        }))
    }

    /// The numbers of the events, in the order in which they came.
    #[track_caller]
    pub fn seen(self) -> Vec<u64> {
        let seen = block(async { timeout(PATIENCE, self.0).await });
        seen.expect("the end in time").expect("a watcher")
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Next {
    ComeBack,
    Ended,
}

async fn follow(api: &Api, path: &str, seen: &mut Vec<u64>) -> Next {
    let request = api
        .request(Method::GET, path)
        .header("accept", "text/event-stream")
        .header("last-event-id", seen.last().copied().unwrap_or(0));
    let Ok(mut response) = request.send().await else {
        return Next::ComeBack;
    };
    if response.status().as_u16() == 204 {
        return Next::Ended;
    }
    let mut unread = String::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        unread.push_str(&String::from_utf8_lossy(&chunk));
        while let Some((frame, rest)) = unread.split_once("\n\n") {
            let event = parse(frame);
            unread = rest.to_owned();
            let Some(event) = event else { continue };
            seen.push(event.id);
            if event.kind == "deployment.ended" {
                return Next::Ended;
            }
        }
    }
    Next::ComeBack
}

/// None for a comment.
fn parse(frame: &str) -> Option<Framed> {
    let field = |name: &str| {
        frame
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map(str::trim)
    };
    Some(Framed {
        id: field("id")?.parse().expect("a number"),
        kind: field("event")?.to_owned(),
        data: serde_json::from_str(field("data")?).expect("JSON"),
    })
}
