//! The new instances before they are routed. Only in self-tests.

use crate::host;

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
