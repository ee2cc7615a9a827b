//! HTTP to granted hosts. In a self-test the candidate's endpoints are granted
//! without asking. Redirects are returned, never followed.

use std::borrow::Cow;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure::Failure;
use crate::host;

/// Asks for a URL.
///
/// # Errors
/// As [`Request::send`].
pub fn get(url: impl Into<String>) -> Result<Response, Failure> {
    Request::new("GET", url).send()
}

/// Sends a request; the same as [`Request::send`].
///
/// # Errors
/// As [`Request::send`].
pub fn send(request: Request) -> Result<Response, Failure> {
    request.send()
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    /// At most 1 MiB.
    pub body: Vec<u8>,
    /// 10 s unless set; at most 60 s.
    pub timeout: Option<Duration>,
}

impl Request {
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout: None,
        }
    }

    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Makes `value` the body, as JSON. Sets no header.
    ///
    /// # Errors
    /// `invalid` when the value has no JSON form.
    pub fn json(self, value: &impl Serialize) -> Result<Self, Failure> {
        let body = serde_json::to_vec(value)
            .map_err(|reason| Failure::invalid(format!("cannot write the JSON body: {reason}")))?;
        Ok(self.body(body))
    }

    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sends it and reads the whole answer. Any status is an answer.
    ///
    /// # Errors
    /// `denied` (not granted), `timeout`, `unavailable` (no connection),
    /// `too-large` (a body over 1 MiB), `limit`, `invalid`.
    pub fn send(self) -> Result<Response, Failure> {
        host::send(self)
    }
}

/// One answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    /// At most 1 MiB.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer without headers, for tests.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: body.into(),
        }
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The values of a header, whose name is compared without case.
    pub fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// `invalid` when it is not the JSON expected.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body)
            .map_err(|reason| Failure::invalid(format!("the answer is not as expected: {reason}")))
    }
}
