//! Asks instances whether they are healthy, and services whether they are there.

use std::net::SocketAddr;
use std::time::Duration;

use async_trait::async_trait;

use crate::health::HealthRule;
use crate::name::Domain;
use crate::secret::Secret;

#[async_trait]
pub trait Prober: Send + Sync + std::fmt::Debug {
    /// Tries until the target is healthy by the rule or the rule gives up.
    /// `host` is sent as `Host`. Connects are tried `rule.tries` times, 0.4 s
    /// apart; once connected an answer must come within 20 s, and an answer that
    /// the preset does not accept is final.
    async fn wait_healthy(
        &self,
        target: SocketAddr,
        host: Option<&Domain>,
        rule: &HealthRule,
    ) -> Result<Healthy, Unhealthy>;

    /// Asks a backing service by the scheme of its URL whether it is there:
    /// `tcp`, `http`, `https`, `postgres(ql)`, `mysql`, `redis(s)`, `amqp(s)`.
    /// Gives what it answered. No message holds the URL's user or password.
    async fn service(&self, url: &Secret, timeout: Duration) -> Result<String, ServiceDown>;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Healthy {
    pub tries: u32,
    /// What it answered, for people: `200 OK`, `accepts connections`.
    pub answer: String,
    pub took: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unhealthy {
    #[error("nothing answered on {target} after {tries} tries in {seconds} s: {last}")]
    NeverConnected {
        target: SocketAddr,
        tries: u32,
        seconds: u64,
        last: String,
    },
    #[error("{target} accepted the connection and gave no answer within {seconds} s")]
    NoAnswer { target: SocketAddr, seconds: u64 },
    #[error("{target} answered {status}, which is not healthy")]
    BadAnswer { target: SocketAddr, status: u16 },
}

/// A backing service that did not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ServiceDown(pub String);
