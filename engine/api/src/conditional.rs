//! Conditional requests, the same for every route. An answer in JSON carries an
//! `ETag` made from its text. `If-None-Match` spares a reader what it has;
//! `If-Match` lets a change happen only to what its author has seen.
//!
//! A change is held against what a GET of the same path gives, or, where that
//! has none, of the nearest path above: a release command against the list that
//! it stands in. Of changes here, a conditional one has its turn alone, so that
//! nothing comes between the look and the change.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use ring::digest::{SHA256, digest};
use tokio::sync::RwLock;
use tower::ServiceExt;
use tracing::Instrument;

use crate::problem::{Kind, Problem};

/// Settings and pages of lists are smaller; nothing larger gets a tag.
const MOST_TAGGED: usize = 16 * 1024 * 1024;
/// A push lasts as long as its deployment.
const PUSHES: &str = "/git/";
/// What asks for something and changes no settings: it may take long, and
/// nobody waits for it.
const ACTIONS: [&str; 5] = ["/plan", "/deployments", "/cancel", "/rollback", "/promote"];

/// Answers requests by asking the routes.
#[derive(Debug, Clone)]
pub struct Conditional {
    routes: Router,
    /// Shared by changes without a condition.
    changes: Arc<RwLock<()>>,
}

impl Conditional {
    pub fn over(routes: Router) -> Self {
        Self {
            routes,
            changes: Arc::default(),
        }
    }

    pub async fn answer(self, request: Request) -> Response {
        match *request.method() {
            Method::GET | Method::HEAD => self.read(request).await,
            _ if is_action(request.uri()) => self.ask(request).await,
            _ if request.headers().contains_key(IF_MATCH) => {
                // A caller who hangs up must not let another change in between.
                let task = tokio::spawn(self.change_if_unchanged(request).in_current_span());
                let joined = task.await;
                joined.unwrap_or_else(|error| crate::problem::internal(&error).into_response())
            }
            _ => {
                let _shared = self.changes.read().await;
                self.ask(request).await
            }
        }
    }

    async fn ask(&self, request: Request) -> Response {
        let answered = self.routes.clone().oneshot(request).await;
        answered.unwrap_or_else(|never| match never {})
    }

    async fn read(&self, request: Request) -> Response {
        let known = header(request.headers(), IF_NONE_MATCH);
        let response = tagged(self.ask(request).await).await;
        match (known, tag(&response)) {
            (Some(known), Some(tag)) if names(&known, tag) => unmodified(&response),
            _ => response,
        }
    }

    async fn change_if_unchanged(self, request: Request) -> Response {
        let wanted = header(request.headers(), IF_MATCH).unwrap_or_default();
        let _alone = self.changes.write().await;
        let (head, body) = request.into_parts();
        let now = self.look(&head).await;
        let request = Request::from_parts(head, body);
        let Some(now) = now else {
            return untagged().into_response();
        };
        match tag(&now) {
            Some(tag) if !names(&wanted, tag) => changed(tag),
            // What is refused or not there, the change itself tells.
            Some(_) | None => self.ask(request).await,
        }
    }

    /// What is there now, at the path or the nearest above that can be read.
    async fn look(&self, change: &Parts) -> Option<Response> {
        let mut path = change.uri.path();
        loop {
            let response = tagged(self.ask(reading(change, path)?).await).await;
            if response.status() != StatusCode::METHOD_NOT_ALLOWED {
                return Some(response);
            }
            (path, _) = path.rsplit_once('/')?;
        }
    }
}

/// A GET with the same rights.
fn reading(change: &Parts, path: &str) -> Option<Request> {
    let mut request = Request::builder().method(Method::GET).uri(path);
    *request.headers_mut()? = change.headers.clone();
    for name in [CONTENT_LENGTH, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH] {
        request.headers_mut()?.remove(name);
    }
    let mut request = request.body(Body::empty()).ok()?;
    *request.extensions_mut() = change.extensions.clone();
    Some(request)
}

fn is_action(uri: &Uri) -> bool {
    let path = uri.path();
    path.starts_with(PUSHES) || ACTIONS.iter().any(|action| path.ends_with(action))
}

/// Gives whole answers in JSON a tag; streams stay as they are.
async fn tagged(response: Response) -> Response {
    let is_json =
        header(response.headers(), CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if response.status() != StatusCode::OK || !is_json || response.headers().contains_key(ETAG) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, MOST_TAGGED).await else {
        return Problem::new(Kind::Internal, "the answer could not be read").into_response();
    };
    if let Ok(tag) = HeaderValue::from_str(&tag_of(&bytes)) {
        parts.headers.insert(ETAG, tag);
    }
    Response::from_parts(parts, Body::from(bytes))
}

fn tag_of(bytes: &Bytes) -> String {
    let digest = digest(&SHA256, bytes);
    let start = digest.as_ref().iter().take(16);
    let text: String = start.map(|byte| format!("{byte:02x}")).collect();
    format!("\"{text}\"")
}

fn tag(response: &Response) -> Option<&str> {
    response.headers().get(ETAG)?.to_str().ok()
}

fn header(headers: &HeaderMap, name: http::HeaderName) -> Option<String> {
    let all = headers.get_all(name).iter();
    let texts: Vec<&str> = all.filter_map(|value| value.to_str().ok()).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}

/// Whether a list of tags names this one. A proxy on the way may have weakened
/// a tag; what it stands for is the same.
fn names(list: &str, tag: &str) -> bool {
    list.split(',')
        .map(str::trim)
        .any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

fn unmodified(response: &Response) -> Response {
    let mut answer = StatusCode::NOT_MODIFIED.into_response();
    *answer.headers_mut() = response.headers().clone();
    for name in [CONTENT_LENGTH, CONTENT_TYPE] {
        answer.headers_mut().remove(name);
    }
    answer
}

fn changed(now: &str) -> Response {
    let problem = Problem::new(
        Kind::PreconditionFailed,
        "somebody has changed it since you read it",
    );
    let problem = problem.with_hint("read it again, then change it with its new ETag in If-Match");
    let mut response = problem.into_response();
    if let Ok(tag) = HeaderValue::from_str(now) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

fn untagged() -> Problem {
    Problem::new(
        Kind::PreconditionFailed,
        "there is nothing here that has an ETag",
    )
    .with_hint("leave If-Match out")
}
