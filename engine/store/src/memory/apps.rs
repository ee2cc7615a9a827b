use async_trait::async_trait;
use shipway_core::app::App;
use shipway_core::environment::{Environment, EnvironmentKey};
use shipway_core::name::AppName;
use shipway_core::ports::store::{Apps, Delivery, StoreError};

use super::{MemoryStore, State};
use crate::rules::{exists, not_found};

#[async_trait]
impl Apps for MemoryStore {
    async fn apps(&self) -> Result<Vec<App>, StoreError> {
        Ok(self.state().apps.values().cloned().collect())
    }

    async fn app(&self, name: &AppName) -> Result<Option<App>, StoreError> {
        Ok(self.state().apps.get(name).cloned())
    }

    async fn create_app(&self, app: &App) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.apps.contains_key(&app.name) {
            return Err(exists("app", &app.name));
        }
        state.apps.insert(app.name.clone(), app.clone());
        Ok(())
    }

    async fn update_app(&self, app: &App) -> Result<(), StoreError> {
        let mut state = self.state();
        let known = state.apps.get_mut(&app.name);
        *known.ok_or_else(|| not_found("app", &app.name))? = app.clone();
        Ok(())
    }

    async fn delete_app(&self, name: &AppName) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.apps.remove(name).is_none() {
            return Err(not_found("app", name));
        }
        state.forget(|key| key.app == *name);
        state.webhooks.retain(|_, webhook| webhook.app != *name);
        let webhooks = state.webhooks.keys().cloned().collect::<Vec<_>>();
        let is_left = |delivery: &Delivery| webhooks.contains(&delivery.webhook);
        state.deliveries.retain(is_left);
        Ok(())
    }

    async fn environments(&self, app: &AppName) -> Result<Vec<Environment>, StoreError> {
        let state = self.state();
        let all = state.environments.values();
        Ok(all.filter(|e| e.key.app == *app).cloned().collect())
    }

    async fn environment(&self, key: &EnvironmentKey) -> Result<Option<Environment>, StoreError> {
        Ok(self.state().environments.get(key).cloned())
    }

    async fn create_environment(&self, environment: &Environment) -> Result<(), StoreError> {
        let key = &environment.key;
        let mut state = self.state();
        if !state.apps.contains_key(&key.app) {
            return Err(not_found("app", &key.app));
        }
        if state.environments.contains_key(key) {
            return Err(exists("environment", key));
        }
        state.put_environment(environment)
    }

    async fn update_environment(&self, environment: &Environment) -> Result<(), StoreError> {
        let mut state = self.state();
        if !state.environments.contains_key(&environment.key) {
            return Err(not_found("environment", &environment.key));
        }
        state.put_environment(environment)
    }

    async fn delete_environment(&self, key: &EnvironmentKey) -> Result<(), StoreError> {
        let mut state = self.state();
        if !state.environments.contains_key(key) {
            return Err(not_found("environment", key));
        }
        state.forget(|other| other == key);
        Ok(())
    }
}

impl State {
    fn put_environment(&mut self, environment: &Environment) -> Result<(), StoreError> {
        for other in self.environments.values() {
            let taken = |domain: &&_| other.domains.contains(domain);
            if other.key != environment.key
                && let Some(domain) = environment.domains.iter().find(taken)
            {
                return Err(StoreError::DomainTaken {
                    domain: domain.clone(),
                    owner: other.key.clone(),
                });
            }
        }
        self.environments
            .insert(environment.key.clone(), environment.clone());
        Ok(())
    }

    /// Drops environments with their deployments. Leases stay, given back, so
    /// that no generation is given twice.
    fn forget(&mut self, gone: impl Fn(&EnvironmentKey) -> bool) {
        self.environments.retain(|key, _| !gone(key));
        self.serving.retain(|key, _| !gone(key));
        self.deployments
            .retain(|_, record| !gone(&record.deployment.trigger.key));
        for (key, held) in &mut self.leases {
            if gone(key) {
                held.holder = None;
            }
        }
    }
}
