use async_trait::async_trait;
use shipway_core::name::{DeploymentId, PluginName, Timestamp};
use shipway_core::ports::store::{Due, Outbox, StoreError, Subscription};

use super::{MemoryStore, Place, State};

#[async_trait]
impl Outbox for MemoryStore {
    async fn subscribe(
        &self,
        id: DeploymentId,
        notifiers: &[PluginName],
    ) -> Result<(), StoreError> {
        self.state().subscribe(id, notifiers);
        Ok(())
    }

    async fn take_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        most: u32,
    ) -> Result<Vec<Subscription>, StoreError> {
        let mut state = self.state();
        let state = &mut *state;
        let mut taken = Vec::new();
        for ((deployment, notifier), place) in &mut state.outbox {
            let newest = state.deployments.get(deployment);
            let newest = newest.map_or(0, |record| record.deployment.sequence);
            let is_due = matches!(place.due, Due::At(time) if time <= now);
            if taken.len() < most as usize && is_due && newest > place.delivered {
                place.due = Due::At(until);
                taken.push(Subscription {
                    deployment: *deployment,
                    notifier: notifier.clone(),
                    delivered: place.delivered,
                    attempts: place.attempts,
                });
            }
        }
        Ok(taken)
    }

    async fn settle(&self, subscription: &Subscription, due: Due) -> Result<(), StoreError> {
        let mut state = self.state();
        let key = (subscription.deployment, subscription.notifier.clone());
        if let Some(place) = state.outbox.get_mut(&key)
            && place.delivered <= subscription.delivered
        {
            *place = Place {
                delivered: subscription.delivered,
                attempts: subscription.attempts,
                due,
            };
        }
        Ok(())
    }
}

impl State {
    pub(super) fn subscribe(&mut self, id: DeploymentId, notifiers: &[PluginName]) {
        for notifier in notifiers {
            let place = self.outbox.entry((id, notifier.clone()));
            place.or_insert(Place {
                delivered: 0,
                attempts: 0,
                due: Due::At(Timestamp::from_millis(0)),
            });
        }
    }
}
