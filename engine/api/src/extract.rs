//! What comes in, with every refusal as a problem that says what to change.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::audit::Note;
use crate::problem::{Kind, Problem, internal};

/// The body of a request as JSON.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Serialize> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        require_type(&request, is_json, "application/json")?;
        let note = Note::of(request.extensions());
        let bytes = Bytes::from_request(request, state).await.map_err(unread)?;
        let value = from_body(&bytes)?;
        if let Ok(Named { name, label }) = serde_json::from_slice(&bytes) {
            note.name(name.or(label).unwrap_or_default());
        }
        Ok(Self(value))
    }
}

/// What is made is told by its name in the audit log.
#[derive(Deserialize)]
struct Named<'a> {
    name: Option<&'a str>,
    label: Option<&'a str>,
}

/// The body of a request as JSON; no body at all is the default.
#[derive(Debug)]
pub struct OptionalBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Serialize + Default> FromRequest<S> for OptionalBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let typed = request.headers().contains_key(CONTENT_TYPE);
        let checked = require_type(&request, is_json, "application/json");
        let bytes = Bytes::from_request(request, state).await.map_err(unread)?;
        match (bytes.is_empty(), typed) {
            (true, _) => Ok(Self(T::default())),
            (false, _) => checked.and_then(|()| from_body(&bytes)).map(Self),
        }
    }
}

/// The bytes of a WebAssembly component.
#[derive(Debug)]
pub struct Component(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Component {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let wasm = |kind: &str| matches!(kind, "application/wasm" | "application/octet-stream");
        require_type(&request, wasm, "application/wasm")?;
        Bytes::from_request(request, state)
            .await
            .map(Self)
            .map_err(unread)
    }
}

/// The names in the path.
#[derive(Debug)]
pub struct PathOf<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for PathOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(rejection) => Err(Problem::new(Kind::InvalidPath, in_path(&rejection))),
        }
    }
}

fn in_path(rejection: &PathRejection) -> String {
    match rejection {
        PathRejection::FailedToDeserializePathParams(failed) => failed.kind().to_string(),
        other => other.body_text(),
    }
}

/// What stands behind the `?`.
#[derive(Debug)]
pub struct QueryOf<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for QueryOf<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(rejection) => {
                let text = rejection.body_text();
                let detail = text
                    .rsplit_once("query string: ")
                    .map_or(&*text, |(_, d)| d);
                Err(Problem::new(Kind::InvalidQuery, detail))
            }
        }
    }
}

/// How many items a page has: what was asked for, or as many as usual.
pub(crate) fn limit(asked: Option<u32>, usual: u32, most: u32) -> Result<u32, Problem> {
    let limit = asked.unwrap_or(usual);
    if (1..=most).contains(&limit) {
        return Ok(limit);
    }
    let detail = format!("limit: {limit} is not between 1 and {most}");
    Err(Problem::new(Kind::InvalidQuery, detail))
}

/// Reads JSON; an error names the place: `processes.web.port: …`.
pub(crate) fn from_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        unfit(&path, &error.into_inner())
    })?;
    json.end().map_err(|error| unfit(".", &error))?;
    Ok(value)
}

/// The same for bodies of the API, in which a list is never taken for an object.
fn from_body<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> Result<T, Problem> {
    let value = from_json(bytes)?;
    let given = serde_json::from_slice(bytes).map_err(|error| unfit(".", &error))?;
    refuse_lists_for_objects(&given, &value)?;
    Ok(value)
}

/// The fields of an object are read from a list as well, in their order, which
/// nobody means: where a list was given nothing else may have been read.
pub(crate) fn refuse_lists_for_objects(
    given: &Value,
    read: &impl Serialize,
) -> Result<(), Problem> {
    let read = serde_json::to_value(read).map_err(|error| internal(&error))?;
    match list_for_object(given, &read, "") {
        None => Ok(()),
        Some(path) => {
            let place = if path.is_empty() { "the body" } else { &path };
            let detail = format!("{place}: a list stands where an object should");
            Err(Problem::new(Kind::InvalidBody, detail))
        }
    }
}

fn list_for_object(given: &Value, read: &Value, path: &str) -> Option<String> {
    let below = |name: &str| match path {
        "" => name.to_owned(),
        path => format!("{path}.{name}"),
    };
    match (given, read) {
        (Value::Array(_), Value::Object(_)) => Some(path.to_owned()),
        (Value::Array(given), Value::Array(read)) => {
            let mut items = given.iter().zip(read).enumerate();
            items.find_map(|(at, (given, read))| {
                list_for_object(given, read, &format!("{path}[{at}]"))
            })
        }
        (Value::Object(given), Value::Object(read)) => given
            .iter()
            .find_map(|(name, given)| list_for_object(given, read.get(name)?, &below(name))),
        _ => None,
    }
}

/// The problem of JSON that does not fit, at a path where that is known.
pub(crate) fn unfit(path: &str, error: &serde_json::Error) -> Problem {
    if error.is_data() {
        let detail = match path {
            "." | "" | "?" => error.to_string(),
            path => format!("{path}: {error}"),
        };
        return Problem::new(Kind::InvalidBody, detail);
    }
    Problem::new(Kind::MalformedBody, format!("the body is no JSON: {error}"))
}

/// `application/json` and the types made of it.
fn is_json(kind: &str) -> bool {
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

fn require_type(
    request: &Request,
    fits: impl Fn(&str) -> bool,
    wanted: &str,
) -> Result<(), Problem> {
    let given = request.headers().get(CONTENT_TYPE);
    let given = given.and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = given.split(';').next().unwrap_or("").trim();
    if fits(&kind.to_ascii_lowercase()) {
        return Ok(());
    }
    let detail = match kind {
        "" => format!("the body has no content type; this takes {wanted}"),
        kind => format!("the body is {kind:?}; this takes {wanted}"),
    };
    let hint = format!("send the header `Content-Type: {wanted}`");
    Err(Problem::new(Kind::UnsupportedMediaType, detail).with_hint(hint))
}

pub(crate) fn unread(rejection: BytesRejection) -> Problem {
    if rejection.status() == http::StatusCode::PAYLOAD_TOO_LARGE {
        return Problem::new(Kind::TooLarge, "the body is larger than this takes")
            .with_hint("settings are at most 1 MiB, deliveries 5 MiB, components 64 MiB");
    }
    Problem::new(Kind::MalformedBody, "the body ended before it was complete")
}
