//! One call to a proxy, as [`protocol`](crate::protocol) has it: in words, in
//! HTTP, and its reply.

use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use http::header::HOST;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shipway_core::environment::EnvironmentKey;
use shipway_core::ports::router::{Route, RouterError};

use crate::protocol::{BODY_LIMIT, DrainRequest, Problem, route_path};

pub(crate) struct Call {
    /// What could not be done if it fails: "could not …".
    pub what: String,
    pub method: Method,
    pub path: String,
    pub body: Bytes,
    /// How long what was asked for takes by itself.
    pub limit: Duration,
}

/// How a request names its path: HTTP/2 wants the whole address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Path,
    Absolute,
}

pub(crate) struct Reply {
    pub status: StatusCode,
    body: Bytes,
}

impl Call {
    pub fn new(what: &str, method: Method, path: &str) -> Self {
        Self {
            what: what.to_owned(),
            method,
            path: path.to_owned(),
            body: Bytes::new(),
            limit: Duration::ZERO,
        }
    }

    pub fn switch(route: &Route) -> Result<Self, RouterError> {
        let what = format!("switch the route of {}", route.key);
        Self::new(&what, Method::PUT, &route_path(&route.key)).with(route)
    }

    pub fn remove(key: &EnvironmentKey) -> Self {
        let what = format!("remove the route of {key}");
        Self::new(&what, Method::DELETE, &route_path(key))
    }

    pub fn drain(targets: &[SocketAddr], limit: Duration) -> Result<Self, RouterError> {
        let request = DrainRequest {
            targets: targets.to_vec(),
            limit_ms: u64::try_from(limit.as_millis()).unwrap_or(u64::MAX),
        };
        let mut call =
            Self::new("drain the old instances", Method::POST, "/drain").with(&request)?;
        call.limit = limit;
        Ok(call)
    }

    pub fn with<T: Serialize>(mut self, body: &T) -> Result<Self, RouterError> {
        self.body = serde_json::to_vec(body)
            .map_err(|error| self.failed(error))?
            .into();
        Ok(self)
    }

    pub fn request(&self, form: Form) -> Result<Request<Full<Bytes>>, RouterError> {
        let request = Request::builder().method(&self.method);
        let request = match form {
            Form::Path => request.uri(&self.path).header(HOST, "proxy"),
            Form::Absolute => request.uri(format!("http://proxy{}", self.path)),
        };
        request
            .body(Full::new(self.body.clone()))
            .map_err(|error| self.failed(error))
    }

    pub fn failed(&self, error: impl Error + Send + Sync + 'static) -> RouterError {
        RouterError::Other {
            what: self.what.clone(),
            source: Box::new(error),
        }
    }
}

impl Reply {
    pub async fn of(call: &Call, response: Response<Incoming>) -> Result<Self, RouterError> {
        let status = response.status();
        let body = Limited::new(response.into_body(), BODY_LIMIT).collect();
        let body = body.await.map_err(|source| RouterError::Other {
            what: call.what.clone(),
            source,
        })?;
        let body = body.to_bytes();
        Ok(Self { status, body })
    }

    pub fn read<T: DeserializeOwned>(&self, call: &Call) -> Result<T, RouterError> {
        self.check(call)?;
        serde_json::from_slice(&self.body).map_err(|error| call.failed(error))
    }

    pub fn check(&self, call: &Call) -> Result<(), RouterError> {
        if self.status.is_success() {
            return Ok(());
        }
        let message = match serde_json::from_slice::<Problem>(&self.body) {
            Ok(problem) => problem.error,
            Err(_) => format!("it answered {}", self.status),
        };
        if self.status.is_client_error() {
            return Err(RouterError::Refused { message });
        }
        Err(RouterError::Other {
            what: call.what.clone(),
            source: message.into(),
        })
    }
}
