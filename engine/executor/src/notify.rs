//! The postman: notifiers hear of every event, in order, at least once, beside
//! the deployments. What they must hear stands in the store with the journal
//! itself, so a restart loses nothing. Nothing a notifier does changes a result
//! or hides its cause.

use std::sync::Arc;
use std::time::Duration;

use shipway_core::journal::{Entry, Event, Output};
use shipway_core::name::PluginName;
use shipway_core::plugin::{Enabled, Installed, Role};
use shipway_core::ports::plugins::{Call, Level, PluginError, PluginLog};
use shipway_core::ports::store::{Due, Store, StoreError, Subscription};
use shipway_core::redact::Redactor;
use tokio::time::{sleep, timeout};

use crate::engine::Inner;
use crate::log::{Log, Place};
use crate::measure;
use crate::pulse::Loop;
use crate::scene;

/// Tries of one event: some eight hours in all.
const TRIES: u32 = 20;
/// Between the first and the second try; it doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);
/// Notifiers that are told at once.
const ROUND: u32 = 16;
/// Whose postman has not come back by then is anybody's to tell: longer than a
/// call may take.
const ROUND_LIMIT: Duration = Duration::from_secs(15 * 60);
/// How often the outbox is looked at when nothing is heard of.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Between two looks: a chatty command rings often.
const BREATH: Duration = Duration::from_millis(50);
/// Entries of one read.
const PAGE: u32 = 200;

/// Delivers what is due, for ever.
pub async fn post(engine: Arc<Inner>) {
    let mut rings = engine.bell.listen_to_all();
    loop {
        engine.pulse.beat(Loop::Outbox);
        match take_due(&engine).await {
            Ok(round) => {
                for subscription in round {
                    let telling = tell(engine.clone(), subscription);
                    engine.tasks().spawn(telling);
                }
            }
            Err(error) => tracing::warn!(%error, "the outbox could not be looked at"),
        }
        sleep(BREATH).await;
        // In time or not, it is looked again.
        let _ = timeout(LOOK_EVERY, rings.heard()).await;
    }
}

async fn take_due(engine: &Inner) -> Result<Vec<Subscription>, StoreError> {
    let now = engine.world.clock.now();
    let until = now.later(ROUND_LIMIT);
    engine.world.store.take_due(now, until, ROUND).await
}

async fn tell(engine: Arc<Inner>, subscription: Subscription) {
    let (id, name) = (subscription.deployment, subscription.notifier.clone());
    if let Err(error) = tell_all(&engine, subscription).await {
        tracing::warn!(deployment = %id, notifier = %name, %error, "the outbox could not be kept");
    }
}

/// Tells a notifier all that it has not heard of, until it refuses.
async fn tell_all(engine: &Inner, mut subscription: Subscription) -> Result<(), StoreError> {
    let store = &engine.world.store;
    let Some(mut address) = Address::find(engine, &subscription).await? else {
        return store.settle(&subscription, Due::Never).await;
    };
    address.recall(store.as_ref(), &subscription).await?;
    loop {
        let (id, after) = (subscription.deployment, subscription.delivered);
        let entries = store.journal(id, after, PAGE).await?;
        if entries.is_empty() {
            return store
                .settle(&subscription, Due::At(engine.world.clock.now()))
                .await;
        }
        for entry in &entries {
            address.note_commit(entry);
            let shown = entry.clone().shown(address.log.redactor());
            let outcome = engine.world.plugins.deliver(&address.call, &shown).await;
            let due = next(engine, &address, &mut subscription, entry, outcome);
            store.settle(&subscription, due.when).await?;
            if due.pause == Pause::Yes {
                return Ok(());
            }
        }
    }
}

/// What comes after one try.
struct Next {
    when: Due,
    pause: Pause,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pause {
    Yes,
    No,
}

fn next(
    engine: &Inner,
    address: &Address,
    subscription: &mut Subscription,
    entry: &Entry,
    outcome: Result<(), PluginError>,
) -> Next {
    let now = engine.world.clock.now();
    let notifier = subscription.notifier.clone();
    if let Err(error) = outcome {
        subscription.attempts += 1;
        if error.retryable && subscription.attempts < TRIES {
            if subscription.attempts == 1 {
                address.put_off(entry, &error);
            }
            measure::delivery(&notifier, "put-off");
            return Next {
                when: Due::At(now.later(pause(subscription.attempts))),
                pause: Pause::Yes,
            };
        }
        address.give_up(entry, &error);
        measure::delivery(&notifier, "given-up");
    } else {
        measure::delivery(&notifier, "delivered");
    }
    subscription.delivered = entry.sequence;
    subscription.attempts = 0;
    match entry.event {
        Event::Ended(_) => Next {
            when: Due::Never,
            pause: Pause::Yes,
        },
        _ => Next {
            when: Due::At(now.later(ROUND_LIMIT)),
            pause: Pause::No,
        },
    }
}

fn pause(attempts: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
    FIRST_PAUSE.saturating_mul(doubled).min(LONGEST_PAUSE)
}

/// Whom to tell, and what each call has in common.
struct Address {
    call: Call,
    log: Log,
}

impl Address {
    /// None when there is nobody to tell, which the log says.
    async fn find(engine: &Inner, subscription: &Subscription) -> Result<Option<Self>, StoreError> {
        let store = &engine.world.store;
        let Some(deployment) = store.deployment(subscription.deployment).await? else {
            return Ok(None);
        };
        let key = &deployment.trigger.key;
        let Some((app, environment)) = engine.app_and_environment(key).await? else {
            return Ok(None);
        };
        let installed = store.plugins().await?;
        let redactor = Redactor::of(&app, &environment, &installed);
        let place = Place {
            deployment: deployment.id,
            store: store.clone(),
            bell: engine.bell.clone(),
            clock: engine.world.clock.clone(),
            // Whoever works for the environment, a notifier's place is ours.
            lease: None,
        };
        let log = Log::open(place, Arc::new(redactor));
        let name = &subscription.notifier;
        let is_asked = |plugin: &Installed| {
            plugin.name() == name && plugin.has(Role::Notifier) && plugin.enabled == Enabled::Yes
        };
        let Some(plugin) = installed.into_iter().find(is_asked) else {
            say_missing(&log, name);
            return Ok(None);
        };
        let call = scene::call(
            Arc::new(plugin),
            &environment,
            deployment.id,
            &deployment.trigger.reference,
            &log,
        );
        Ok(Some(Self { call, log }))
    }

    /// What was in the entries that the notifier was told of before.
    async fn recall(
        &mut self,
        store: &dyn Store,
        subscription: &Subscription,
    ) -> Result<(), StoreError> {
        if subscription.delivered == 0 {
            return Ok(());
        }
        let first = store.journal(subscription.deployment, 0, PAGE).await?;
        let told = first
            .iter()
            .filter(|entry| entry.sequence <= subscription.delivered);
        told.for_each(|entry| self.note_commit(entry));
        Ok(())
    }

    /// From the checkout on a notifier is told which commit it is.
    fn note_commit(&mut self, entry: &Entry) {
        if let Event::StepSucceeded { output, .. } = &entry.event
            && let Output::Checkout(commit) = output.as_ref()
        {
            self.call.commit = Some(commit.id.clone());
        }
    }

    fn put_off(&self, entry: &Entry, error: &PluginError) {
        self.warn(
            entry,
            &format!("was not delivered yet, and will be tried again: {error}"),
        );
    }

    fn give_up(&self, entry: &Entry, error: &PluginError) {
        self.warn(entry, &format!("was not delivered: {error}"));
    }

    fn warn(&self, entry: &Entry, what: &str) {
        let (number, kind) = (entry.sequence, entry.event.kind());
        let message = format!("event {number} ({kind}) {what}");
        PluginLog::line(&self.log, self.call.plugin.name(), Level::Warn, &message);
    }
}

fn say_missing(log: &Log, name: &PluginName) {
    let message =
        "is chosen as notifier and is not installed, is disabled, or does not have that role";
    PluginLog::line(log, name, Level::Warn, message);
}
