//! What is spoken on the admin socket: HTTP/1.1, JSON bodies.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `PUT /routes/{app}/{environment}` | [`Route`](shipway_core::ports::router::Route) | [`Switched`](shipway_core::ports::router::Switched) |
//! | `GET /routes/{app}/{environment}` | | the route, or 404 |
//! | `DELETE /routes/{app}/{environment}` | | 204, also when there was none |
//! | `GET /routes` | | all routes |
//! | `POST /drain` | [`DrainRequest`] | [`Drained`](shipway_core::ports::router::Drained) |
//! | `GET /health` | | [`Health`] |
//! | `GET /stats` | | [`Stats`] |
//! | `POST /restart` | [`RestartRequest`] | [`Restarted`], when the new proxy serves |
//!
//! An error is a [`Problem`]: 4xx when the request asks for what cannot be,
//! 5xx when the proxy could not do it. After an error nothing has changed.
//! 503 says that another proxy takes over at this moment: ask again, on a new
//! connection.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shipway_core::environment::EnvironmentKey;
use shipway_core::name::DeploymentId;

/// Bytes of a request's or an answer's body at most; 10,000 routes fit.
pub const BODY_LIMIT: usize = 8 * 1024 * 1024;

/// How long one drain may be asked to wait.
pub const DRAIN_LIMIT: Duration = Duration::from_secs(24 * 60 * 60);

pub fn route_path(key: &EnvironmentKey) -> String {
    format!("/routes/{}/{}", key.app, key.environment)
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DrainRequest {
    pub targets: Vec<SocketAddr>,
    pub limit_ms: u64,
}

/// The program is the one that runs, or what lies in its place by now.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct RestartRequest {
    /// Those of the proxy that runs, unless given.
    pub arguments: Option<Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restarted {
    /// Of the new proxy.
    pub pid: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Health {
    /// Where clients connect, with the ports that were really taken.
    pub listen: Vec<SocketAddr>,
    /// Where they connect with TLS.
    #[serde(default)]
    pub tls_listen: Vec<SocketAddr>,
    pub routes: usize,
    /// How often the routes were replaced since the proxy started.
    pub generation: u64,
    pub pid: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    pub counts: Counts,
    pub routes: Vec<RouteStats>,
    #[serde(default)]
    pub changes: Changes,
}

/// Since the proxy started; `connections` is of now.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    pub connections: u64,
    pub requests: u64,
    pub own_pages: u64,
    pub retries: u64,
    #[serde(default)]
    pub failures: Failures,
    #[serde(default)]
    pub durations: Durations,
}

/// Requests that no instance answered, and why.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    pub no_target: u64,
    pub refused: u64,
    pub connect_timeout: u64,
    pub broken: u64,
    pub answer_timeout: u64,
}

/// From a request's head to the head of its answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Durations {
    /// How many took at most each of [`BUCKETS`] and more than the one before;
    /// the last took longer than all.
    pub buckets: Vec<u64>,
    /// The sum of all.
    pub micros: u64,
}

/// In microseconds.
pub const BUCKETS: [u64; 14] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 10_000_000, 60_000_000,
];

/// 1xx, 2xx, 3xx, 4xx, 5xx.
pub type Answers = [u64; 5];

/// What the engine had the proxy do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    pub switches: u64,
    pub drains: u64,
    /// Requests that had not finished when their drain's time was over.
    pub cut_off: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteStats {
    pub key: EnvironmentKey,
    pub deployment: DeploymentId,
    pub targets: Vec<TargetStats>,
    #[serde(default)]
    pub answers: Answers,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetStats {
    pub address: SocketAddr,
    pub in_flight: u64,
    #[serde(default)]
    pub state: TargetState,
    /// How often in turn no connection to it came about.
    #[serde(default)]
    pub failures: u32,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TargetState {
    #[default]
    InUse,
    /// Accepts no connection; asked only if there is no other, and looked at
    /// again and again.
    Aside,
}

/// What went wrong and what to do, in words for people.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Problem {
    pub error: String,
}
