//! What the adapters agree on, as functions of values: how a journal grows,
//! who holds a lease, which write is too late.

use std::time::Duration;

use shipway_core::environment::EnvironmentKey;
use shipway_core::journal::{Entry, Event, Output, Serving, Trigger};
use shipway_core::name::{DeploymentId, Timestamp};
use shipway_core::ports::Stream;
use shipway_core::ports::store::{
    Delivery, Deployment, Guard, Lease, LogPolicy, NewLine, Seen, StoreError,
};
use shipway_core::token::Token;

/// The most deployments that one question is answered with.
const MOST_DEPLOYMENTS: u32 = 1000;
/// How many when the question does not say.
const DEFAULT_DEPLOYMENTS: u32 = 100;
/// A token's last use is kept to the minute, so that reading does not write.
const TOKEN_USE_PRECISION: Duration = Duration::from_secs(60);

/// A new deployment with the first entry of its journal.
pub fn first(id: DeploymentId, at: Timestamp, trigger: &Trigger) -> (Deployment, Entry) {
    let mut deployment = Deployment {
        id,
        trigger: trigger.clone(),
        created_at: at,
        started_at: None,
        ended_at: None,
        cancel_requested_at: None,
        step: None,
        commit: None,
        ending: None,
        sequence: 0,
    };
    let entry = note(&mut deployment, at, &Event::Queued(trigger.clone()));
    (deployment, entry)
}

/// The next entry of a journal, with the deployment brought up to date. Who
/// writes too late, or no longer has the lease, gets the reason.
pub fn next(
    deployment: &mut Deployment,
    at: Timestamp,
    event: &Event,
    guard: Guard<'_>,
    held: Option<&Held>,
) -> Result<Entry, StoreError> {
    if let Guard::Lease(lease) = guard
        && !(lease.key == deployment.trigger.key && held.is_some_and(|held| held.is(lease)))
    {
        return Err(StoreError::LeaseLost(lease.key.clone()));
    }
    if deployment.ending.is_some() {
        return Err(StoreError::Ended(deployment.id));
    }
    if matches!(guard, Guard::After(sequence) if sequence != deployment.sequence) {
        return Err(StoreError::Outdated(deployment.id));
    }
    Ok(note(deployment, at, event))
}

fn note(deployment: &mut Deployment, at: Timestamp, event: &Event) -> Entry {
    let entry = Entry {
        deployment: deployment.id,
        sequence: deployment.sequence + 1,
        at,
        event: event.clone(),
    };
    deployment.note(&entry);
    entry
}

/// What serves from this event on, if it is a switch.
pub fn switched(event: &Event) -> Option<&Serving> {
    match event {
        Event::StepSucceeded { output, .. } => match output.as_ref() {
            Output::Switch(serving) => Some(serving),
            _ => None,
        },
        _ => None,
    }
}

/// A lease as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Of the newest taking; it only grows.
    pub generation: u64,
    /// None once it is given back.
    pub holder: Option<String>,
    pub expires_at: Timestamp,
}

impl Held {
    /// Whether this is still the lease that was given out.
    pub fn is(&self, lease: &Lease) -> bool {
        self.generation == lease.generation && self.holder.as_deref() == Some(&lease.holder)
    }

    fn is_free(&self, holder: &str, now: Timestamp) -> bool {
        match self.holder.as_deref() {
            None => true,
            Some(other) => other == holder || self.expires_at <= now,
        }
    }
}

/// Whether somebody took the lease after the worker that has this one.
pub fn fence(lease: Option<&Lease>, held: Option<&Held>) -> Result<(), StoreError> {
    match (lease, held) {
        (Some(lease), Some(held)) if held.generation > lease.generation => {
            Err(StoreError::LeaseLost(lease.key.clone()))
        }
        _ => Ok(()),
    }
}

/// The lease as it is after it was taken, or None when somebody else has it.
pub fn take(held: Option<&Held>, holder: &str, now: Timestamp, ttl: Duration) -> Option<Held> {
    if held.is_some_and(|held| !held.is_free(holder, now)) {
        return None;
    }
    Some(Held {
        generation: held.map_or(0, |held| held.generation) + 1,
        holder: Some(holder.to_owned()),
        expires_at: now.later(ttl),
    })
}

/// The holder's own copy of a lease.
pub fn lease(key: &EnvironmentKey, holder: &str, held: &Held) -> Lease {
    Lease {
        key: key.clone(),
        holder: holder.to_owned(),
        generation: held.generation,
    }
}

/// Whether a use of a token at this time is news.
pub fn is_news(token: &Token, at: Timestamp) -> bool {
    token
        .last_used_at
        .is_none_or(|last| last.later(TOKEN_USE_PRECISION) <= at)
}

/// Whether the log of a deployment that ended then has to go. The answer for
/// logs from the oldest on is yes until it is no.
pub fn is_due(ended_at: Timestamp, total: u64, now: Timestamp, policy: &LogPolicy) -> bool {
    ended_at.later(policy.age) <= now || total > policy.bytes
}

/// What stands in the place of the lines of a log up to `through`.
pub fn pruned(now: Timestamp, through: u64, policy: &LogPolicy) -> NewLine {
    let text = format!(
        "… {through} lines were removed on {}: logs are kept for {} days and up to {} MiB in all, \
         those of the newest {} deployments of each environment always",
        now.0.date(),
        policy.age.as_secs() / (24 * 60 * 60),
        policy.bytes >> 20,
        policy.newest
    );
    NewLine {
        at: now,
        stream: Stream::Engine,
        text,
    }
}

/// Deliveries of one webhook that are known again.
pub const MOST_DELIVERIES: u32 = 10_000;

/// What a delivery is beside an earlier one that has its id or its digest.
pub fn seen(delivery: &Delivery, earlier_id: &str, earlier_digest: &str) -> Seen {
    let same_id = earlier_id == delivery.id;
    let same_digest = earlier_digest == delivery.digest.as_str();
    match (same_id, same_digest) {
        (true, true) => Seen::Again,
        (true, false) => Seen::OtherBody,
        (false, _) => Seen::OtherId(earlier_id.to_owned()),
    }
}

/// After a record with this number the log is cut back to its policy.
pub fn cuts_back(number: u64) -> bool {
    number.is_multiple_of(64)
}

/// How many deployments to answer with; 0 asks for the default of 100.
pub fn page(limit: u32) -> u32 {
    match limit {
        0 => DEFAULT_DEPLOYMENTS,
        asked => asked.min(MOST_DEPLOYMENTS),
    }
}

pub fn exists(what: &'static str, name: impl std::fmt::Display) -> StoreError {
    let name = name.to_string();
    StoreError::Exists { what, name }
}

pub fn not_found(what: &'static str, name: impl std::fmt::Display) -> StoreError {
    let name = name.to_string();
    StoreError::NotFound { what, name }
}
