use async_trait::async_trait;
use shipway_core::name::{Digest, PluginName, Timestamp};
use shipway_core::plugin::Installed;
use shipway_core::ports::store::{Registry, StoreError, Tokens};
use shipway_core::token::Token;

use super::{MemoryStore, State};
use crate::rules::{self, exists, not_found};

#[async_trait]
impl Registry for MemoryStore {
    async fn plugins(&self) -> Result<Vec<Installed>, StoreError> {
        Ok(self.state().plugins.values().cloned().collect())
    }

    async fn plugin(&self, name: &PluginName) -> Result<Option<Installed>, StoreError> {
        Ok(self.state().plugins.get(name).cloned())
    }

    async fn put_plugin(
        &self,
        plugin: &Installed,
        component: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let digest = &plugin.description.digest;
        let mut state = self.state();
        if component.is_none() && !state.components.contains_key(digest) {
            return Err(not_found("component", digest));
        }
        if let Some(bytes) = component {
            let stored = state.components.entry(digest.clone());
            stored.or_insert_with(|| bytes.to_vec());
        }
        state.plugins.insert(plugin.name().clone(), plugin.clone());
        state.sweep_components();
        Ok(())
    }

    async fn component(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.state().components.get(digest).cloned())
    }

    async fn delete_plugin(&self, name: &PluginName) -> Result<(), StoreError> {
        let mut state = self.state();
        if state.plugins.remove(name).is_none() {
            return Err(not_found("plugin", name));
        }
        state.sweep_components();
        Ok(())
    }
}

impl State {
    /// A component that no plugin has any more goes, but not while a deployment
    /// runs: its plan may have pinned it.
    fn sweep_components(&mut self) {
        let running = |r: &super::Record| r.deployment.ending.is_none();
        if self.deployments.values().any(running) {
            return;
        }
        let plugins = &self.plugins;
        self.components
            .retain(|digest, _| plugins.values().any(|p| p.description.digest == *digest));
    }
}

#[async_trait]
impl Tokens for MemoryStore {
    async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        Ok(self.state().tokens.values().cloned().collect())
    }

    async fn create_token(&self, token: &Token) -> Result<(), StoreError> {
        let mut state = self.state();
        let same = |other: &Token| other.name == token.name || other.digest == token.digest;
        if state.tokens.values().any(same) {
            return Err(exists("token", &token.name));
        }
        state.tokens.insert(token.name.clone(), token.clone());
        Ok(())
    }

    async fn token_by_digest(&self, digest: &Digest) -> Result<Option<Token>, StoreError> {
        let state = self.state();
        Ok(state.tokens.values().find(|t| t.digest == *digest).cloned())
    }

    async fn note_token_use(&self, digest: &Digest, at: Timestamp) -> Result<(), StoreError> {
        let mut state = self.state();
        let known = state.tokens.values_mut().find(|t| t.digest == *digest);
        if let Some(token) = known.filter(|token| rules::is_news(token, at)) {
            token.last_used_at = Some(at);
        }
        Ok(())
    }

    async fn delete_token(&self, name: &str) -> Result<(), StoreError> {
        match self.state().tokens.remove(name) {
            Some(_) => Ok(()),
            None => Err(not_found("token", name)),
        }
    }
}
