//! The new instances before they are routed. Only in self-tests.

use crate::failure::Failure;
use crate::host;
use crate::image::Output;

/// One address of the candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// The process type: `web`, …
    pub process: String,
    /// `http://ADDRESS:PORT`, private to the engine's machine.
    pub url: String,
    /// The domain to send as `Host`, or empty.
    pub host: String,
}

impl Endpoint {
    /// The URL of a path on this endpoint. The path begins with `/`.
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.url.trim_end_matches('/'))
    }
}

/// Every instance with a port, of every process type. Empty outside of
/// self-tests.
pub fn endpoints() -> Vec<Endpoint> {
    host::endpoints()
}

/// Runs `argv` inside one instance of the candidate, of this process type,
/// with the app's own environment, for at most 60 s.
///
/// # Errors
/// `denied` unless granted, `not-found` when there is no such process type,
/// `timeout`. A command that ends with a code other than zero is no error of
/// this function.
pub fn exec(process: &str, argv: &[&str]) -> Result<Output, Failure> {
    host::exec(process, argv)
}
