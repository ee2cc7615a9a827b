//! What an engine knows of its own health. The API only passes it on.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shipway_core::ports::store::Store;

use crate::wire::health::{Part, PartStatus};

/// A part that takes longer to answer is not there.
pub const PATIENCE: Duration = Duration::from_secs(2);

#[async_trait]
pub trait Vitals: Send + Sync + std::fmt::Debug {
    /// The loops of the engine: whether they still turn.
    fn alive(&self) -> Vec<Part>;

    /// What the engine needs for its work: whether it is there.
    async fn ready(&self) -> Vec<Part>;

    /// What it has counted, as Prometheus reads it.
    async fn metrics(&self) -> String;
}

/// Of an API that is wired with nothing but a store.
#[derive(Debug)]
pub(crate) struct StoreAlone(pub(crate) Arc<dyn Store>);

#[async_trait]
impl Vitals for StoreAlone {
    fn alive(&self) -> Vec<Part> {
        Vec::new()
    }

    async fn ready(&self) -> Vec<Part> {
        vec![store(self.0.as_ref()).await]
    }

    async fn metrics(&self) -> String {
        String::new()
    }
}

/// Whether the store takes a write.
pub async fn store(store: &dyn Store) -> Part {
    let name = "store".to_owned();
    match tokio::time::timeout(PATIENCE, store.prove_writable()).await {
        Ok(Ok(())) => Part::ok(name),
        Ok(Err(error)) => {
            tracing::error!(%error, "not ready");
            Part::failing(name, "it takes no write; the engine's log says why")
        }
        Err(_) => Part::failing(name, "it does not answer"),
    }
}

impl Part {
    pub fn ok(name: String) -> Self {
        Self {
            name,
            status: PartStatus::Ok,
            detail: None,
        }
    }

    pub fn failing(name: String, detail: impl Into<String>) -> Self {
        Self {
            name,
            status: PartStatus::Failing,
            detail: Some(detail.into()),
        }
    }

    pub fn is_failing(&self) -> bool {
        self.status == PartStatus::Failing
    }
}
