//! The store in memory: for simulations and tests. It forgets everything when
//! it is dropped, and keeps every rule that the others keep.

mod apps;
mod audit;
mod deployments;
mod logs;
mod outbox;
mod registry;
mod sessions;
mod webhooks;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use shipway_core::app::App;
use shipway_core::environment::{Environment, EnvironmentKey};
use shipway_core::journal::{Entry, Serving};
use shipway_core::name::{AppName, DeploymentId, Digest, PluginName, WebhookId};
use shipway_core::plugin::Installed;
use shipway_core::ports::store::{Delivery, Deployment, Due, StoreError};
use shipway_core::session::Session;
use shipway_core::token::Token;
use shipway_core::webhook::Webhook;

use crate::rules::{Held, not_found};

#[derive(Debug, Default)]
pub struct MemoryStore {
    state: Mutex<State>,
}

impl MemoryStore {
    pub fn new() -> Self {
        Self::default()
    }

    /// Each call of the port is one turn with the state, as each is one
    /// transaction in a database. Nothing awaits while it is held. A panic of
    /// another thread cannot have left it half changed: every change checks
    /// first and writes after.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct State {
    apps: BTreeMap<AppName, App>,
    environments: BTreeMap<EnvironmentKey, Environment>,
    deployments: BTreeMap<DeploymentId, Record>,
    serving: BTreeMap<EnvironmentKey, Serving>,
    leases: BTreeMap<EnvironmentKey, Held>,
    plugins: BTreeMap<PluginName, Installed>,
    components: BTreeMap<Digest, Vec<u8>>,
    tokens: BTreeMap<String, Token>,
    sessions: BTreeMap<Digest, Session>,
    outbox: BTreeMap<(DeploymentId, PluginName), Place>,
    webhooks: BTreeMap<WebhookId, Webhook>,
    /// Oldest first.
    deliveries: Vec<Delivery>,
    /// Oldest first.
    audit: Vec<shipway_core::audit::Record>,
}

/// A notifier's place in a journal.
#[derive(Debug)]
struct Place {
    delivered: u64,
    attempts: u32,
    due: Due,
}

/// A deployment with everything that goes when it goes.
#[derive(Debug)]
struct Record {
    deployment: Deployment,
    journal: Vec<Entry>,
    log: logs::Log,
}

impl State {
    /// The deployment that an idempotency key made.
    fn made_by(&self, key: &EnvironmentKey, idempotency_key: &str) -> Option<Deployment> {
        let made = self.deployments.values().find(|record| {
            let trigger = &record.deployment.trigger;
            trigger.key == *key && trigger.idempotency_key.as_deref() == Some(idempotency_key)
        });
        made.map(|record| record.deployment.clone())
    }

    fn record(&mut self, id: DeploymentId) -> Result<&mut Record, StoreError> {
        self.deployments
            .get_mut(&id)
            .ok_or_else(|| not_found("deployment", id))
    }
}
