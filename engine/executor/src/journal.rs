//! The pen of a deployment: each event is redacted, folded into the pipeline,
//! appended under the lease, and rung for watchers, in that order. An event that the
//! pipeline refuses or the store does not take has not happened.

use std::sync::Arc;

use shipway_core::journal::{Entry, Event};
use shipway_core::name::DeploymentId;
use shipway_core::pipeline::{Pipeline, State};
use shipway_core::ports::clock::Clock;
use shipway_core::ports::store::{Guard, Lease, Store, StoreError};
use shipway_core::redact::Redactor;
use tokio::sync::Mutex;

use crate::bell::Bell;
use crate::failures::Halted;
use crate::measure;

/// Entries read at once.
const PAGE: u32 = 1_000;

#[derive(Debug)]
pub struct Journal {
    deployment: DeploymentId,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    bell: Bell,
    lease: Lease,
    redactor: Arc<Redactor>,
    pipeline: Mutex<Pipeline>,
}

impl Journal {
    /// Takes up the journal where it ends.
    pub async fn open(
        deployment: DeploymentId,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        bell: Bell,
        lease: Lease,
    ) -> Result<Self, Halted> {
        let entries = read(store.as_ref(), deployment).await?;
        let pipeline = Mutex::new(Pipeline::replay(&entries)?);
        Ok(Self {
            deployment,
            store,
            clock,
            bell,
            lease,
            redactor: Arc::default(),
            pipeline,
        })
    }

    /// From here on no event holds a secret that this redactor knows.
    #[must_use]
    pub fn redacting(self, redactor: Arc<Redactor>) -> Self {
        Self { redactor, ..self }
    }

    pub fn deployment(&self) -> DeploymentId {
        self.deployment
    }

    pub async fn record(&self, event: Event) -> Result<Entry, Halted> {
        let event = event.redacted(&self.redactor);
        let mut pipeline = self.pipeline.lock().await;
        let now = self.clock.now();
        let next = pipeline.clone().apply(&event, now)?;
        let (id, kind) = (self.deployment, event.kind());
        tracing::trace!(name: "journal.writing", deployment = %id, kind);
        let entry = self
            .store
            .append(self.deployment, now, &event, Guard::Lease(&self.lease))
            .await?;
        tracing::trace!(name: "journal.written", deployment = %id, kind);
        measure::written(&event);
        *pipeline = next;
        self.bell.ring(self.deployment);
        Ok(entry)
    }

    /// Of the lease under which this is written.
    pub fn generation(&self) -> u64 {
        self.lease.generation
    }

    pub async fn state(&self) -> State {
        self.pipeline.lock().await.state().clone()
    }

    pub async fn pipeline(&self) -> Pipeline {
        self.pipeline.lock().await.clone()
    }
}

/// The whole journal of a deployment.
pub async fn read(store: &dyn Store, deployment: DeploymentId) -> Result<Vec<Entry>, StoreError> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let after = entries.last().map_or(0, |entry| entry.sequence);
        let page = store.journal(deployment, after, PAGE).await?;
        let is_last = page.len() < PAGE as usize;
        entries.extend(page);
        if is_last {
            return Ok(entries);
        }
    }
}
