use std::time::Duration;

use async_trait::async_trait;
use shipway_core::environment::EnvironmentKey;
use shipway_core::journal::{Entry, Event, Serving, Trigger};
use shipway_core::name::{DeploymentId, PluginName, Timestamp};
use shipway_core::ports::store::{
    Created, Deployment, DeploymentFilter, Deployments, Guard, Lease, Leases, StoreError,
};

use super::logs::Log;
use super::{MemoryStore, Record};
use crate::rules::{self, exists, not_found};

#[async_trait]
impl Deployments for MemoryStore {
    async fn create_deployment(
        &self,
        id: DeploymentId,
        at: Timestamp,
        trigger: &Trigger,
        notifiers: &[PluginName],
    ) -> Result<Created, StoreError> {
        let mut state = self.state();
        if !state.environments.contains_key(&trigger.key) {
            return Err(not_found("environment", &trigger.key));
        }
        if let Some(idempotency_key) = &trigger.idempotency_key
            && let Some(earlier) = state.made_by(&trigger.key, idempotency_key)
        {
            return Ok(Created::Earlier(earlier));
        }
        if state.deployments.contains_key(&id) {
            return Err(exists("deployment", id));
        }
        let (deployment, entry) = rules::first(id, at, trigger);
        let record = Record {
            deployment: deployment.clone(),
            journal: vec![entry],
            log: Log::default(),
        };
        state.deployments.insert(id, record);
        state.subscribe(id, notifiers);
        Ok(Created::New(deployment))
    }

    async fn deployment(&self, id: DeploymentId) -> Result<Option<Deployment>, StoreError> {
        let state = self.state();
        let record = state.deployments.get(&id);
        Ok(record.map(|record| record.deployment.clone()))
    }

    async fn deployment_of(
        &self,
        key: &EnvironmentKey,
        idempotency_key: &str,
    ) -> Result<Option<Deployment>, StoreError> {
        Ok(self.state().made_by(key, idempotency_key))
    }

    async fn deployments(&self, filter: &DeploymentFilter) -> Result<Vec<Deployment>, StoreError> {
        let limit = usize::try_from(rules::page(filter.limit)).unwrap_or(usize::MAX);
        let wanted = |deployment: &&Deployment| {
            let key = &deployment.trigger.key;
            filter.app.as_ref().is_none_or(|app| *app == key.app)
                && filter.environment.as_ref().is_none_or(|env| env == key)
                && filter.before.is_none_or(|before| deployment.id < before)
        };
        let state = self.state();
        let newest_first = state.deployments.values().rev().map(|r| &r.deployment);
        Ok(newest_first.filter(wanted).take(limit).cloned().collect())
    }

    async fn unfinished(&self) -> Result<Vec<Deployment>, StoreError> {
        let state = self.state();
        let oldest_first = state.deployments.values().map(|r| &r.deployment);
        Ok(oldest_first
            .filter(|deployment| deployment.ending.is_none())
            .cloned()
            .collect())
    }

    async fn append(
        &self,
        id: DeploymentId,
        at: Timestamp,
        event: &Event,
        guard: Guard<'_>,
    ) -> Result<Entry, StoreError> {
        let mut state = self.state();
        let key = state.record(id)?.deployment.trigger.key.clone();
        let held = state.leases.get(&key).cloned();
        let record = state.record(id)?;
        let entry = rules::next(&mut record.deployment, at, event, guard, held.as_ref())?;
        record.journal.push(entry.clone());
        if let Some(serving) = rules::switched(event) {
            state.serving.insert(key, serving.clone());
        }
        Ok(entry)
    }

    async fn journal(
        &self,
        id: DeploymentId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let state = self.state();
        let Some(record) = state.deployments.get(&id) else {
            return Ok(Vec::new());
        };
        Ok(page(&record.journal, after, limit))
    }

    async fn serving(&self, key: &EnvironmentKey) -> Result<Option<Serving>, StoreError> {
        Ok(self.state().serving.get(key).cloned())
    }
}

/// Entries are numbered from 1 without a gap, so a number is a place.
fn page<T: Clone>(all: &[T], after: u64, limit: u32) -> Vec<T> {
    let start = usize::try_from(after).unwrap_or(usize::MAX);
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    all.iter().skip(start).take(limit).cloned().collect()
}

#[async_trait]
impl Leases for MemoryStore {
    async fn acquire(
        &self,
        key: &EnvironmentKey,
        holder: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        let mut state = self.state();
        let Some(held) = rules::take(state.leases.get(key), holder, now, ttl) else {
            return Ok(None);
        };
        let lease = rules::lease(key, holder, &held);
        state.leases.insert(key.clone(), held);
        Ok(Some(lease))
    }

    async fn renew(
        &self,
        lease: &Lease,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        let mut state = self.state();
        let Some(held) = state
            .leases
            .get_mut(&lease.key)
            .filter(|held| held.is(lease))
        else {
            return Ok(false);
        };
        held.expires_at = now.later(ttl);
        Ok(true)
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let mut state = self.state();
        if let Some(held) = state
            .leases
            .get_mut(&lease.key)
            .filter(|held| held.is(lease))
        {
            held.holder = None;
        }
        Ok(())
    }
}
