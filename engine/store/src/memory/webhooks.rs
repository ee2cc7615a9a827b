use async_trait::async_trait;
use shipway_core::name::{AppName, WebhookId};
use shipway_core::ports::store::{Delivery, Seen, StoreError, Webhooks};
use shipway_core::webhook::Webhook;

use super::MemoryStore;
use crate::rules::{self, exists, not_found};

#[async_trait]
impl Webhooks for MemoryStore {
    async fn webhooks(&self, app: &AppName) -> Result<Vec<Webhook>, StoreError> {
        let state = self.state();
        let all = state.webhooks.values();
        Ok(all.filter(|webhook| webhook.app == *app).cloned().collect())
    }

    async fn webhook(&self, id: &WebhookId) -> Result<Option<Webhook>, StoreError> {
        Ok(self.state().webhooks.get(id).cloned())
    }

    async fn create_webhook(&self, webhook: &Webhook) -> Result<(), StoreError> {
        let mut state = self.state();
        if !state.apps.contains_key(&webhook.app) {
            return Err(not_found("app", &webhook.app));
        }
        if state.webhooks.contains_key(&webhook.id) {
            return Err(exists("webhook", &webhook.id));
        }
        state.webhooks.insert(webhook.id.clone(), webhook.clone());
        Ok(())
    }

    async fn delete_webhook(&self, app: &AppName, id: &WebhookId) -> Result<(), StoreError> {
        let mut state = self.state();
        let known = state.webhooks.get(id).filter(|known| known.app == *app);
        known.ok_or_else(|| not_found("webhook", id))?;
        state.webhooks.remove(id);
        state.deliveries.retain(|delivery| delivery.webhook != *id);
        Ok(())
    }

    async fn note_delivery(&self, delivery: &Delivery) -> Result<Seen, StoreError> {
        let mut state = self.state();
        if !state.webhooks.contains_key(&delivery.webhook) {
            return Err(not_found("webhook", &delivery.webhook));
        }
        let of_this = |one: &&Delivery| one.webhook == delivery.webhook;
        let known = || state.deliveries.iter().filter(of_this);
        let earlier = known()
            .find(|one| one.id == delivery.id)
            .or_else(|| known().find(|one| one.digest == delivery.digest));
        if let Some(earlier) = earlier {
            return Ok(rules::seen(delivery, &earlier.id, earlier.digest.as_str()));
        }
        let too_many = known().count() >= usize::try_from(rules::MOST_DELIVERIES).unwrap_or(0);
        let oldest = state.deliveries.iter().position(|one| of_this(&one));
        if let Some(oldest) = oldest.filter(|_| too_many) {
            state.deliveries.remove(oldest);
        }
        state.deliveries.push(delivery.clone());
        Ok(Seen::New)
    }
}
