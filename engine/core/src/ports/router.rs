//! The data plane, as the executor sees it.

use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::BoxError;
use crate::environment::EnvironmentKey;
use crate::name::{DeploymentId, Domain};

#[async_trait]
pub trait Router: Send + Sync + std::fmt::Debug {
    /// Replaces the route of its environment in one atomic change. Returns
    /// when the proxy has confirmed that every new request goes to the new
    /// targets, and its state is on disk. Refused when the route there is of a
    /// newer generation.
    async fn switch(&self, route: &Route) -> Result<Switched, RouterError>;

    /// The route of an environment, as the proxy has it.
    async fn route(&self, key: &EnvironmentKey) -> Result<Option<Route>, RouterError>;

    /// Waits until no request is under way on these targets, at most `limit`.
    async fn drain(&self, targets: &[SocketAddr], limit: Duration) -> Result<Drained, RouterError>;

    /// Forgets the route of an environment. Safe to repeat.
    async fn remove(&self, key: &EnvironmentKey) -> Result<(), RouterError>;
}

/// What the proxy does for an environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    pub key: EnvironmentKey,
    pub domains: Vec<Domain>,
    pub targets: Vec<SocketAddr>,
    pub deployment: DeploymentId,
    /// Of the lease under which it is set. A route is never replaced by one of
    /// an older generation: whoever sets that has lost its lease.
    #[serde(default)]
    pub generation: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switched {
    /// Requests still under way on the targets that were routed before.
    pub in_flight_on_old: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drained {
    /// Requests that had not finished at the limit.
    pub unfinished: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum RouterError {
    #[error("the proxy does not answer: {message}")]
    Unreachable { message: String },
    #[error("the proxy refused: {message}")]
    Refused { message: String },
    #[error("could not {what}")]
    Other {
        what: String,
        #[source]
        source: BoxError,
    },
}
