//! The store over a line: real rules, in memory, behind the same faults as
//! everything else. A write whose answer is lost has been written.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shipway_core::app::App;
use shipway_core::audit;
use shipway_core::environment::{Environment, EnvironmentKey};
use shipway_core::journal::{Entry, Event, Serving, Trigger};
use shipway_core::name::{AppName, DeploymentId, Digest, PluginName, Timestamp, WebhookId};
use shipway_core::plugin::Installed;
use shipway_core::ports::store::{
    Apps, Audit, Backlog, Created, Delivery, Deployment, DeploymentFilter, Deployments, Due, Gap,
    Guard, Lease, Leases, LogLine, LogPolicy, LogSize, Logs, NewLine, Outbox, Pruned, Registry,
    Seen, Sessions, StoreError, Subscription, Tokens, Upkeep, Webhooks,
};
use shipway_core::release::CancelPolicy;
use shipway_core::session::Session;
use shipway_core::token::Token;
use shipway_core::webhook::Webhook;
use shipway_store::MemoryStore;

use crate::faults::Fate;
use crate::line::{Line, Refused};
use crate::mutant::Mutant;

#[derive(Debug, Clone)]
pub struct LineStore {
    pub line: Line,
    pub store: Arc<MemoryStore>,
}

impl LineStore {
    async fn ask<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let fate = self.line.fate().await;
        if fate == Fate::Fails {
            return Err(failed());
        }
        let outcome = call.await;
        self.line.after(fate).await;
        match fate {
            Fate::AnswerLost => Err(failed()),
            _ => outcome,
        }
    }

    fn is(&self, mutant: Mutant) -> bool {
        self.line.world.mutant() == Some(mutant)
    }
}

fn failed() -> StoreError {
    StoreError::Failed {
        what: "answer".to_owned(),
        source: Refused.into(),
    }
}

#[async_trait]
impl Deployments for LineStore {
    async fn create_deployment(
        &self,
        id: DeploymentId,
        at: Timestamp,
        trigger: &Trigger,
        notifiers: &[PluginName],
    ) -> Result<Created, StoreError> {
        let mut trigger = trigger.clone();
        if self.is(Mutant::IgnoreIdempotencyKey) {
            trigger.idempotency_key = None;
        }
        self.ask(self.store.create_deployment(id, at, &trigger, notifiers))
            .await
    }

    async fn deployment(&self, id: DeploymentId) -> Result<Option<Deployment>, StoreError> {
        self.ask(self.store.deployment(id)).await
    }

    async fn deployment_of(
        &self,
        key: &EnvironmentKey,
        idempotency_key: &str,
    ) -> Result<Option<Deployment>, StoreError> {
        self.ask(self.store.deployment_of(key, idempotency_key))
            .await
    }

    async fn deployments(&self, filter: &DeploymentFilter) -> Result<Vec<Deployment>, StoreError> {
        self.ask(self.store.deployments(filter)).await
    }

    async fn unfinished(&self) -> Result<Vec<Deployment>, StoreError> {
        self.ask(self.store.unfinished()).await
    }

    async fn append(
        &self,
        id: DeploymentId,
        at: Timestamp,
        event: &Event,
        guard: Guard<'_>,
    ) -> Result<Entry, StoreError> {
        let lease = match guard {
            Guard::Lease(lease) => Some(lease.clone()),
            Guard::After(_) | Guard::Open => None,
        };
        let after = match guard {
            Guard::After(seq) => Some(seq),
            Guard::Lease(_) | Guard::Open => None,
        };
        let (this, event) = (self.clone(), event.clone());
        let writing = async move {
            let guard = match (&lease, after) {
                (Some(_), _) if this.is(Mutant::WriteWithoutLease) => Guard::Open,
                (Some(lease), _) => Guard::Lease(lease),
                (None, Some(seq)) => Guard::After(seq),
                (None, None) => Guard::Open,
            };
            let write = async {
                let entry = this.store.append(id, at, &event, guard).await?;
                let mut state = this.line.world.state();
                if let Some(lease) = &lease
                    && lease.generation < state.generation
                {
                    let generation = lease.generation;
                    state.broken(format!(
                        "generation {generation} wrote {} after it had lost the lease",
                        event.kind()
                    ));
                }
                Ok(entry)
            };
            this.ask(write).await
        };
        // What is on its way arrives, though nobody waits for the answer any more.
        tokio::spawn(writing)
            .await
            .map_err(|error| StoreError::Failed {
                what: "append".to_owned(),
                source: error.into(),
            })?
    }

    async fn journal(
        &self,
        id: DeploymentId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut entries = self.ask(self.store.journal(id, after, limit)).await?;
        if self.is(Mutant::RetryCommand) {
            entries.retain(|entry| {
                !matches!(
                    entry.event,
                    Event::CommandStarted { .. } | Event::CommandFinished { .. }
                )
            });
        }
        Ok(entries)
    }

    async fn serving(&self, key: &EnvironmentKey) -> Result<Option<Serving>, StoreError> {
        self.ask(self.store.serving(key)).await
    }
}

#[async_trait]
impl Outbox for LineStore {
    async fn subscribe(
        &self,
        id: DeploymentId,
        notifiers: &[PluginName],
    ) -> Result<(), StoreError> {
        self.ask(self.store.subscribe(id, notifiers)).await
    }

    async fn take_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        most: u32,
    ) -> Result<Vec<Subscription>, StoreError> {
        self.ask(self.store.take_due(now, until, most)).await
    }

    async fn settle(&self, subscription: &Subscription, due: Due) -> Result<(), StoreError> {
        let mut subscription = subscription.clone();
        if self.is(Mutant::ForgetEvent) {
            subscription.delivered += 1;
        }
        self.ask(self.store.settle(&subscription, due)).await
    }
}

#[async_trait]
impl Upkeep for LineStore {
    async fn prove_writable(&self) -> Result<(), StoreError> {
        self.ask(self.store.prove_writable()).await
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        self.ask(self.store.backlog()).await
    }
}

#[async_trait]
impl Leases for LineStore {
    async fn acquire(
        &self,
        key: &EnvironmentKey,
        holder: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        let taking = async {
            let lease = self.store.acquire(key, holder, now, ttl).await?;
            if let Some(lease) = &lease {
                self.line.world.state().generation = lease.generation;
            }
            Ok(lease)
        };
        self.ask(taking).await
    }

    async fn renew(
        &self,
        lease: &Lease,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        self.ask(self.store.renew(lease, now, ttl)).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        self.ask(self.store.release(lease)).await
    }
}

#[async_trait]
impl Logs for LineStore {
    async fn append_log(
        &self,
        id: DeploymentId,
        lines: &[NewLine],
        lease: Option<&Lease>,
    ) -> Result<(), StoreError> {
        self.ask(self.store.append_log(id, lines, lease)).await
    }

    async fn log_size(&self, id: DeploymentId) -> Result<LogSize, StoreError> {
        self.ask(self.store.log_size(id)).await
    }

    async fn leave_out(
        &self,
        id: DeploymentId,
        gap: Gap,
        notice: &NewLine,
    ) -> Result<(), StoreError> {
        self.ask(self.store.leave_out(id, gap, notice)).await
    }

    async fn prune_logs(&self, now: Timestamp, policy: &LogPolicy) -> Result<Pruned, StoreError> {
        self.ask(self.store.prune_logs(now, policy)).await
    }

    async fn log(
        &self,
        id: DeploymentId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<LogLine>, StoreError> {
        self.ask(self.store.log(id, after, limit)).await
    }
}

#[async_trait]
impl Apps for LineStore {
    async fn apps(&self) -> Result<Vec<App>, StoreError> {
        self.ask(self.store.apps()).await
    }

    async fn app(&self, name: &AppName) -> Result<Option<App>, StoreError> {
        self.ask(self.store.app(name)).await
    }

    async fn create_app(&self, app: &App) -> Result<(), StoreError> {
        self.ask(self.store.create_app(app)).await
    }

    async fn update_app(&self, app: &App) -> Result<(), StoreError> {
        self.ask(self.store.update_app(app)).await
    }

    async fn delete_app(&self, name: &AppName) -> Result<(), StoreError> {
        self.ask(self.store.delete_app(name)).await
    }

    async fn environments(&self, app: &AppName) -> Result<Vec<Environment>, StoreError> {
        self.ask(self.store.environments(app)).await
    }

    async fn environment(&self, key: &EnvironmentKey) -> Result<Option<Environment>, StoreError> {
        let mut environment = self.ask(self.store.environment(key)).await?;
        if self.is(Mutant::StopProtected)
            && let Some(environment) = &mut environment
        {
            for command in &mut environment.release_commands {
                command.cancel = CancelPolicy::Allowed;
            }
        }
        Ok(environment)
    }

    async fn create_environment(&self, environment: &Environment) -> Result<(), StoreError> {
        self.ask(self.store.create_environment(environment)).await
    }

    async fn update_environment(&self, environment: &Environment) -> Result<(), StoreError> {
        self.ask(self.store.update_environment(environment)).await
    }

    async fn delete_environment(&self, key: &EnvironmentKey) -> Result<(), StoreError> {
        self.ask(self.store.delete_environment(key)).await
    }
}

#[async_trait]
impl Registry for LineStore {
    async fn plugins(&self) -> Result<Vec<Installed>, StoreError> {
        self.ask(self.store.plugins()).await
    }

    async fn plugin(&self, name: &PluginName) -> Result<Option<Installed>, StoreError> {
        self.ask(self.store.plugin(name)).await
    }

    async fn put_plugin(
        &self,
        plugin: &Installed,
        component: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        self.ask(self.store.put_plugin(plugin, component)).await
    }

    async fn component(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.ask(self.store.component(digest)).await
    }

    async fn delete_plugin(&self, name: &PluginName) -> Result<(), StoreError> {
        self.ask(self.store.delete_plugin(name)).await
    }
}

/// Nobody is signed in here: no engine asks for tokens.
#[async_trait]
impl Tokens for LineStore {
    async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        self.store.tokens().await
    }

    async fn create_token(&self, token: &Token) -> Result<(), StoreError> {
        self.store.create_token(token).await
    }

    async fn token_by_digest(&self, digest: &Digest) -> Result<Option<Token>, StoreError> {
        self.store.token_by_digest(digest).await
    }

    async fn note_token_use(&self, digest: &Digest, at: Timestamp) -> Result<(), StoreError> {
        self.store.note_token_use(digest, at).await
    }

    async fn delete_token(&self, name: &str) -> Result<(), StoreError> {
        self.store.delete_token(name).await
    }
}

#[async_trait]
impl Sessions for LineStore {
    async fn create_session(&self, session: &Session) -> Result<(), StoreError> {
        self.store.create_session(session).await
    }

    async fn session(&self, digest: &Digest) -> Result<Option<Session>, StoreError> {
        self.store.session(digest).await
    }

    async fn delete_session(&self, digest: &Digest) -> Result<(), StoreError> {
        self.store.delete_session(digest).await
    }
}

#[async_trait]
impl Webhooks for LineStore {
    async fn webhooks(&self, app: &AppName) -> Result<Vec<Webhook>, StoreError> {
        self.store.webhooks(app).await
    }

    async fn webhook(&self, id: &WebhookId) -> Result<Option<Webhook>, StoreError> {
        self.store.webhook(id).await
    }

    async fn create_webhook(&self, webhook: &Webhook) -> Result<(), StoreError> {
        self.store.create_webhook(webhook).await
    }

    async fn delete_webhook(&self, app: &AppName, id: &WebhookId) -> Result<(), StoreError> {
        self.store.delete_webhook(app, id).await
    }

    async fn note_delivery(&self, delivery: &Delivery) -> Result<Seen, StoreError> {
        self.store.note_delivery(delivery).await
    }
}

/// Likewise nobody whose acts would be kept.
#[async_trait]
impl Audit for LineStore {
    async fn record(&self, act: &audit::Act, policy: &audit::Policy) -> Result<(), StoreError> {
        self.store.record(act, policy).await
    }

    async fn audit(&self, filter: &audit::Filter) -> Result<Vec<audit::Record>, StoreError> {
        self.store.audit(filter).await
    }
}
