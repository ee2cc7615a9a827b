use async_trait::async_trait;
use shipway_core::name::{DeploymentId, PluginName, Timestamp};
use shipway_core::ports::store::{Backlog, Due, Outbox, StoreError, Subscription, Upkeep};

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

#[async_trait]
impl Upkeep for MemoryStore {
    async fn prove_writable(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        let state = self.state();
        let waiting = state.outbox.iter().filter_map(|((deployment, _), place)| {
            let newest = state.deployments.get(deployment)?.deployment.sequence;
            let events = newest.saturating_sub(place.delivered);
            (place.due != Due::Never && events > 0).then_some(events)
        });
        Ok(waiting.fold(Backlog::default(), |sum, events| Backlog {
            notifiers: sum.notifiers + 1,
            events: sum.events + events,
        }))
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
