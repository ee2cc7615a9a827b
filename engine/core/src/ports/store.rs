//! Where state is kept. One schema, several adapters, one conformance suite.

use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{BoxError, Stream};
use crate::app::App;
use crate::audit;
use crate::ending::Ending;
use crate::environment::{Environment, EnvironmentKey};
use crate::journal::{Commit, Entry, Event, Serving, Trigger};
use crate::name::{AppName, DeploymentId, Digest, Domain, PluginName, Timestamp, WebhookId};
use crate::pipeline::Step;
use crate::plugin::Installed;
use crate::session::Session;
use crate::token::Token;
use crate::webhook::Webhook;

/// Everything that is kept.
pub trait Store:
    Apps
    + Deployments
    + Outbox
    + Logs
    + Leases
    + Registry
    + Tokens
    + Sessions
    + Audit
    + Webhooks
    + Upkeep
{
}

impl<T> Store for T where
    T: Apps
        + Deployments
        + Outbox
        + Logs
        + Leases
        + Registry
        + Tokens
        + Sessions
        + Audit
        + Webhooks
        + Upkeep
{
}

/// Apps and their environments.
#[async_trait]
pub trait Apps: Send + Sync + std::fmt::Debug {
    async fn apps(&self) -> Result<Vec<App>, StoreError>;
    async fn app(&self, name: &AppName) -> Result<Option<App>, StoreError>;
    async fn create_app(&self, app: &App) -> Result<(), StoreError>;
    async fn update_app(&self, app: &App) -> Result<(), StoreError>;
    /// With its environments, deployments and logs.
    async fn delete_app(&self, name: &AppName) -> Result<(), StoreError>;

    async fn environments(&self, app: &AppName) -> Result<Vec<Environment>, StoreError>;
    async fn environment(&self, key: &EnvironmentKey) -> Result<Option<Environment>, StoreError>;
    /// Fails with [`StoreError::DomainTaken`] when another environment has one
    /// of its domains.
    async fn create_environment(&self, environment: &Environment) -> Result<(), StoreError>;
    /// Likewise.
    async fn update_environment(&self, environment: &Environment) -> Result<(), StoreError>;
    async fn delete_environment(&self, key: &EnvironmentKey) -> Result<(), StoreError>;
}

/// Deployments and their journals. What a deployment looks like from outside
/// is kept in step with its journal, in the same transaction.
#[async_trait]
pub trait Deployments: Send + Sync + std::fmt::Debug {
    /// Writes the deployment, its first entry, and who hears of it. The same
    /// idempotency key in the same environment gives back the earlier
    /// deployment instead.
    async fn create_deployment(
        &self,
        id: DeploymentId,
        at: Timestamp,
        trigger: &Trigger,
        notifiers: &[PluginName],
    ) -> Result<Created, StoreError>;

    async fn deployment(&self, id: DeploymentId) -> Result<Option<Deployment>, StoreError>;

    /// The deployment that an idempotency key made.
    async fn deployment_of(
        &self,
        key: &EnvironmentKey,
        idempotency_key: &str,
    ) -> Result<Option<Deployment>, StoreError>;

    /// Newest first; `before` is a cursor.
    async fn deployments(&self, filter: &DeploymentFilter) -> Result<Vec<Deployment>, StoreError>;

    /// Every deployment that has not ended, oldest first.
    async fn unfinished(&self) -> Result<Vec<Deployment>, StoreError>;

    /// Appends one event with the next number, if its guard holds. A writer
    /// whose lease is not the newest fails with [`StoreError::LeaseLost`].
    async fn append(
        &self,
        id: DeploymentId,
        at: Timestamp,
        event: &Event,
        guard: Guard<'_>,
    ) -> Result<Entry, StoreError>;

    /// The entries after a number, oldest first.
    async fn journal(
        &self,
        id: DeploymentId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError>;

    /// What serves an environment: the newest `switch` of its journals.
    async fn serving(&self, key: &EnvironmentKey) -> Result<Option<Serving>, StoreError>;
}

/// What notifiers are still to be told. The journal is what is told: each
/// notifier has its place in it, and what comes after that place is due, from
/// the moment in which it is written.
#[async_trait]
pub trait Outbox: Send + Sync + std::fmt::Debug {
    /// From now on these hear of every event of a deployment, of those before
    /// too. Safe to repeat.
    async fn subscribe(&self, id: DeploymentId, notifiers: &[PluginName])
    -> Result<(), StoreError>;

    /// Takes at most so many subscriptions that have something to tell and are
    /// due. Nobody else gets them before `until`.
    async fn take_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        most: u32,
    ) -> Result<Vec<Subscription>, StoreError>;

    /// Keeps how far a notifier was told, and when it is its turn again. A
    /// place never goes back.
    async fn settle(&self, subscription: &Subscription, due: Due) -> Result<(), StoreError>;
}

/// The lines of deployments' logs.
#[async_trait]
pub trait Logs: Send + Sync + std::fmt::Debug {
    /// Appends lines in one transaction; numbers go on from the last line. A
    /// worker shows its lease: nothing is written once somebody took it after
    /// this worker. What was said before may still be written after the lease
    /// was given back.
    async fn append_log(
        &self,
        id: DeploymentId,
        lines: &[NewLine],
        lease: Option<&Lease>,
    ) -> Result<(), StoreError>;

    /// The lines after a number, oldest first.
    async fn log(
        &self,
        id: DeploymentId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<LogLine>, StoreError>;

    /// How much there is of a log; nothing for a deployment that has none.
    async fn log_size(&self, id: DeploymentId) -> Result<LogSize, StoreError>;

    /// The number of the newest line, 0 before the first. It outlives what is
    /// left out and what is pruned.
    async fn last_number(&self, id: DeploymentId) -> Result<u64, StoreError> {
        Ok(self.log_size(id).await?.last)
    }

    /// Takes out the lines of a gap and puts one line in their place, which
    /// says so and has the number of the last of them. A gap may only grow.
    async fn leave_out(
        &self,
        id: DeploymentId,
        gap: Gap,
        notice: &NewLine,
    ) -> Result<(), StoreError>;

    /// Takes out the logs of ended deployments that the policy does not keep;
    /// one line in the place of each says so. Journals are never pruned. What
    /// is freed is given back to the disk. It works in small steps, so that
    /// others can write in between, and can be broken off at any time.
    async fn prune_logs(&self, now: Timestamp, policy: &LogPolicy) -> Result<Pruned, StoreError>;
}

/// One worker per environment, fenced by a generation number.
#[async_trait]
pub trait Leases: Send + Sync + std::fmt::Debug {
    /// Takes the lease when it is free, expired, or already this holder's; each
    /// taking has a higher generation. None when somebody else holds it.
    async fn acquire(
        &self,
        key: &EnvironmentKey,
        holder: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Option<Lease>, StoreError>;
    /// False when it is lost.
    async fn renew(&self, lease: &Lease, now: Timestamp, ttl: Duration)
    -> Result<bool, StoreError>;
    async fn release(&self, lease: &Lease) -> Result<(), StoreError>;
}

/// Installed plugins and their components.
#[async_trait]
pub trait Registry: Send + Sync + std::fmt::Debug {
    async fn plugins(&self) -> Result<Vec<Installed>, StoreError>;
    async fn plugin(&self, name: &PluginName) -> Result<Option<Installed>, StoreError>;
    /// Inserts or replaces, with the component's bytes when they are new.
    async fn put_plugin(
        &self,
        plugin: &Installed,
        component: Option<&[u8]>,
    ) -> Result<(), StoreError>;
    async fn component(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError>;
    async fn delete_plugin(&self, name: &PluginName) -> Result<(), StoreError>;
}

#[async_trait]
pub trait Tokens: Send + Sync + std::fmt::Debug {
    async fn tokens(&self) -> Result<Vec<Token>, StoreError>;
    async fn create_token(&self, token: &Token) -> Result<(), StoreError>;
    async fn token_by_digest(&self, digest: &Digest) -> Result<Option<Token>, StoreError>;
    async fn note_token_use(&self, digest: &Digest, at: Timestamp) -> Result<(), StoreError>;
    async fn delete_token(&self, name: &str) -> Result<(), StoreError>;
}

/// Who is signed in to the console.
#[async_trait]
pub trait Sessions: Send + Sync + std::fmt::Debug {
    /// Keeps a session, and forgets those that were over when it was made.
    async fn create_session(&self, session: &Session) -> Result<(), StoreError>;
    async fn session(&self, digest: &Digest) -> Result<Option<Session>, StoreError>;
    /// Whether it was there or not.
    async fn delete_session(&self, digest: &Digest) -> Result<(), StoreError>;
}

/// Who did what, from where.
#[async_trait]
pub trait Audit: Send + Sync + std::fmt::Debug {
    /// Writes an act down. Now and then it takes out what the policy does not
    /// keep, so that the log passes it by a few records at most.
    async fn record(&self, act: &audit::Act, policy: &audit::Policy) -> Result<(), StoreError>;

    /// Newest first.
    async fn audit(&self, filter: &audit::Filter) -> Result<Vec<audit::Record>, StoreError>;
}

/// What Git hosts may tell the engine, and what of it was seen.
#[async_trait]
pub trait Webhooks: Send + Sync + std::fmt::Debug {
    async fn webhooks(&self, app: &AppName) -> Result<Vec<Webhook>, StoreError>;
    async fn webhook(&self, id: &WebhookId) -> Result<Option<Webhook>, StoreError>;
    async fn create_webhook(&self, webhook: &Webhook) -> Result<(), StoreError>;
    async fn delete_webhook(&self, app: &AppName, id: &WebhookId) -> Result<(), StoreError>;

    /// Notes a delivery unless it, or one with the same digest, was noted
    /// before. The newest 10,000 of each webhook are known.
    async fn note_delivery(&self, delivery: &Delivery) -> Result<Seen, StoreError>;
}

/// A delivery of a webhook, without what was in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub webhook: WebhookId,
    /// The host's own id of it.
    pub id: String,
    /// Of what the host signed.
    pub digest: Digest,
    pub at: Timestamp,
}

/// Whether a delivery came before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    New,
    Again,
    /// The same id, and something else was signed.
    OtherBody,
    /// The same was signed, and came with this id.
    OtherId(String),
}

/// For whoever looks after the engine.
#[async_trait]
pub trait Upkeep: Send + Sync + std::fmt::Debug {
    /// Fails when nothing can be written now. Leaves nothing behind.
    async fn prove_writable(&self) -> Result<(), StoreError>;

    /// What notifiers have not been told yet and still will be.
    async fn backlog(&self) -> Result<Backlog, StoreError>;
}

/// What waits in the outbox.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Notifiers of deployments that have something to hear.
    pub notifiers: u64,
    /// Events, each counted for each notifier.
    pub events: u64,
}

/// A deployment as it looks from outside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deployment {
    pub id: DeploymentId,
    pub trigger: Trigger,
    pub created_at: Timestamp,
    /// When its first step started.
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// When somebody first asked it to stop.
    #[serde(default)]
    pub cancel_requested_at: Option<Timestamp>,
    /// The step that runs, while one does.
    pub step: Option<Step>,
    pub commit: Option<Commit>,
    pub ending: Option<Ending>,
    /// The number of its newest entry.
    pub sequence: u64,
}

impl Deployment {
    /// `queued`, `running`, `cancelling`, or how it ended.
    pub fn status(&self) -> &'static str {
        match (&self.ending, self.cancel_requested_at, self.started_at) {
            (Some(ending), _, _) => ending.status(),
            (None, Some(_), _) => "cancelling",
            (None, None, Some(_)) => "running",
            (None, None, None) => "queued",
        }
    }

    /// Brings it up to date with one more entry of its journal.
    pub fn note(&mut self, entry: &Entry) {
        self.sequence = entry.sequence;
        match &entry.event {
            Event::StepStarted { step } => {
                self.started_at.get_or_insert(entry.at);
                self.step = Some(*step);
            }
            Event::StepSucceeded { output, .. } => {
                if let crate::journal::Output::Checkout(commit) = output.as_ref() {
                    self.commit = Some(commit.clone());
                }
            }
            Event::CancelRequested { .. } => {
                self.cancel_requested_at.get_or_insert(entry.at);
            }
            Event::Ended(ending) => {
                self.ended_at = Some(entry.at);
                self.step = None;
                self.ending = Some(ending.clone());
            }
            _ => {}
        }
    }
}

/// A notifier's place in the journal of a deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    pub deployment: DeploymentId,
    pub notifier: PluginName,
    /// The number of the newest entry it was told of.
    pub delivered: u64,
    /// Tries of the next entry so far.
    pub attempts: u32,
}

/// When a notifier is told more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    At(Timestamp),
    /// Everything is told, or it was given up.
    Never,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Created {
    New(Deployment),
    /// The same trigger was seen before.
    Earlier(Deployment),
}

#[derive(Debug, Clone, Default)]
pub struct DeploymentFilter {
    pub app: Option<AppName>,
    pub environment: Option<EnvironmentKey>,
    pub before: Option<DeploymentId>,
    /// At most this many, and never more than 1,000; 0 means 100.
    pub limit: u32,
}

/// A line on its way into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLine {
    pub at: Timestamp,
    pub stream: Stream,
    pub text: String,
}

impl NewLine {
    /// What a line costs beyond its text, in bytes: an empty one is not free.
    pub const OVERHEAD: u64 = 32;

    /// What it counts for in the size of its log.
    pub fn cost(&self) -> u64 {
        u64::try_from(self.text.len()).unwrap_or(u64::MAX) + Self::OVERHEAD
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct LogLine {
    /// From 1, in order. Where lines were left out or pruned numbers are
    /// missing; the line after the gap says so.
    pub number: u64,
    pub at: Timestamp,
    pub stream: Stream,
    pub text: String,
}

/// How much there is of a log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogSize {
    /// The number of the newest line.
    pub last: u64,
    /// What the lines that are kept cost.
    pub bytes: u64,
    /// The lines that were left out, if any were.
    pub gap: Option<Gap>,
    /// Lines of each of the two outputs that were ever appended, whatever became
    /// of them: who takes a running command up again knows by them how much of
    /// its output is in the log.
    pub stdout: u64,
    pub stderr: u64,
}

impl LogSize {
    /// Takes note of a line that is appended.
    pub fn note(&mut self, line: &NewLine) {
        self.last += 1;
        self.bytes += line.cost();
        match line.stream {
            Stream::Stdout => self.stdout += 1,
            Stream::Stderr => self.stderr += 1,
            Stream::Engine => {}
        }
    }
}

/// Lines of a log, by their numbers: those after `after`, to `through` and with
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    pub after: u64,
    pub through: u64,
}

/// Which logs of ended deployments are kept: those of the newest deployments of
/// each environment always, of the others those that are younger than `age`,
/// and of these the newest, until `bytes` are reached by all logs together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPolicy {
    /// Since the deployment's end.
    pub age: Duration,
    /// By all logs together, counted as [`NewLine::cost`] does.
    pub bytes: u64,
    /// Deployments of each environment.
    pub newest: u32,
}

impl Default for LogPolicy {
    fn default() -> Self {
        Self {
            age: Duration::from_secs(90 * 24 * 60 * 60),
            bytes: 2 << 30,
            newest: 20,
        }
    }
}

/// What a pruning took out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    pub logs: u64,
    pub bytes: u64,
}

/// The right to act for an environment, until it expires or is taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub key: EnvironmentKey,
    pub holder: String,
    pub generation: u64,
}

/// What must hold for an entry to be written.
#[derive(Debug, Clone, Copy)]
pub enum Guard<'a> {
    /// The writer has the lease of the deployment's environment.
    Lease(&'a Lease),
    /// Nothing was written after the entry of this number.
    After(u64),
    /// Nothing: anybody may write it at any time before the end.
    Open,
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("{what} {name:?} exists already")]
    Exists { what: &'static str, name: String },
    #[error("there is no {what} {name:?}")]
    NotFound { what: &'static str, name: String },
    #[error("domain {domain} belongs to {owner} already")]
    DomainTaken {
        domain: Domain,
        owner: EnvironmentKey,
    },
    #[error("the lease on {0} was lost to another worker")]
    LeaseLost(EnvironmentKey),
    #[error("deployment {0} has ended; nothing can be added to its journal")]
    Ended(DeploymentId),
    #[error("deployment {0} has gone on meanwhile")]
    Outdated(DeploymentId),
    #[error("the disk that holds the store is full")]
    DiskFull,
    #[error("the store failed while it tried to {what}")]
    Failed {
        what: String,
        #[source]
        source: BoxError,
    },
}
