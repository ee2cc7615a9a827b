//! One worker per environment, one deployment at a time, under a lease. It
//! lives as long as there is something to deploy.

use std::sync::Arc;
use std::time::Duration;

use shipway_core::ending::{Ending, Failed, Failure, Reason};
use shipway_core::environment::EnvironmentKey;
use shipway_core::journal::Event;
use shipway_core::pipeline::Step;
use shipway_core::ports::store::{Deployment, Lease, StoreError};
use tokio::sync::OnceCell;

use crate::deploy::{Cancel, Deploying};
use crate::engine::Inner;
use crate::failures::{self, Halted, sentence};
use crate::journal::Journal;
use crate::log::Log;
use crate::notify::Messenger;
use crate::scene::{self, Scene};

/// A lease that is not renewed for this long is anybody's.
const LEASE: Duration = Duration::from_secs(30);
const RENEW_EVERY: Duration = Duration::from_secs(10);
/// Before a deployment is taken up again that the store would not let go on.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Deploys whatever waits in an environment, oldest first, then ends.
pub async fn work(engine: Arc<Inner>, key: EnvironmentKey) {
    loop {
        if let Err(error) = deploy_all(&engine, &key).await {
            tracing::error!(%key, error = sentence(&error), "the worker stopped; it tries again");
            tokio::time::sleep(RETRY_AFTER).await;
            continue;
        }
        // Leave only while nobody can add to the queue unseen.
        let mut workers = engine.workers().lock().await;
        if let Ok(None) = next(&engine, &key).await {
            workers.busy.remove(&key);
            return;
        }
    }
}

async fn next(engine: &Inner, key: &EnvironmentKey) -> Result<Option<Deployment>, StoreError> {
    let unfinished = engine.world.store.unfinished().await?;
    Ok(unfinished
        .into_iter()
        .find(|deployment| deployment.trigger.key == *key))
}

async fn deploy_all(engine: &Arc<Inner>, key: &EnvironmentKey) -> Result<(), Halted> {
    let store = &engine.world.store;
    let Some(lease) = store
        .acquire(key, &engine.holder, engine.world.clock.now(), LEASE)
        .await?
    else {
        tracing::info!(%key, "another engine works for this environment");
        tokio::time::sleep(RENEW_EVERY).await;
        return Ok(());
    };
    let outcome = tokio::select! {
        outcome = deploy_each(engine, key, &lease) => outcome,
        lost = keep(engine, &lease) => Err(lost),
    };
    store.release(&lease).await?;
    outcome
}

async fn deploy_each(
    engine: &Arc<Inner>,
    key: &EnvironmentKey,
    lease: &Lease,
) -> Result<(), Halted> {
    while let Some(deployment) = next(engine, key).await? {
        let id = deployment.id;
        let cancel = Cancel::default();
        engine
            .workers()
            .lock()
            .await
            .running
            .insert(id, cancel.clone());
        let outcome = deploy(engine, deployment, lease.clone(), cancel).await;
        engine.workers().lock().await.running.remove(&id);
        match outcome {
            Ok(ending) => {
                tracing::info!(deployment = %id, %key, status = ending.status(), "deployment ended")
            }
            Err(Halted::Store(StoreError::Ended(_))) => {}
            Err(halted) => return Err(halted),
        }
    }
    Ok(())
}

/// Renews the lease until it is lost.
async fn keep(engine: &Inner, lease: &Lease) -> Halted {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        match engine
            .world
            .store
            .renew(lease, engine.world.clock.now(), LEASE)
            .await
        {
            Ok(true) => {}
            Ok(false) => return StoreError::LeaseLost(lease.key.clone()).into(),
            // The lease outlives two missed renewals; the next try decides.
            Err(error) => {
                tracing::warn!(key = %lease.key, %error, "the lease could not be renewed")
            }
        }
    }
}

async fn deploy(
    engine: &Arc<Inner>,
    deployment: Deployment,
    lease: Lease,
    cancel: Cancel,
) -> Result<Ending, Halted> {
    let world = &engine.world;
    let (store, clock) = (world.store.clone(), world.clock.clone());
    let journal = Journal::open(
        deployment.id,
        store.clone(),
        clock.clone(),
        engine.bell.clone(),
        lease,
    )
    .await?;
    let Some((app, environment)) = engine.app_and_environment(&deployment.trigger.key).await?
    else {
        let failure = Failure::new(
            Step::Services,
            Reason::Internal,
            "the environment was deleted",
        );
        return refuse(&journal, failure).await;
    };
    let runtime = match world.runtime(environment.runtime) {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&journal, failures::of_runtime(Step::Services, &error)).await,
    };
    let plugins = store.plugins().await?;
    let redactor = Arc::new(scene::redactor(&app, &environment, &plugins));
    let log = Log::open(deployment.id, store, engine.bell.clone(), clock, redactor);
    let chosen = environment
        .plugins
        .as_ref()
        .and_then(|choice| choice.notifiers.clone());
    let scene = Scene {
        world: world.clone(),
        app,
        environment,
        runtime,
        deployment: deployment.id,
        reference: deployment.trigger.reference.clone(),
        log,
    };
    let messenger = Messenger::new(engine.clone(), &scene);
    messenger.tell(&chosen.unwrap_or_default());
    let deploying = Deploying {
        scene,
        journal,
        cancel,
        messenger,
        checkout: OnceCell::new(),
        wish: deployment.trigger.build,
    };
    deploying.run().await
}

/// A deployment that cannot even begin ends with its reason.
async fn refuse(journal: &Journal, failure: Failure) -> Result<Ending, Halted> {
    journal
        .record(Event::StepStarted { step: failure.step })
        .await?;
    journal
        .record(Event::StepFailed {
            failure: failure.clone(),
        })
        .await?;
    let ending = Ending::Failed(Failed {
        failure,
        aftermath: shipway_core::ending::Aftermath::default(),
    });
    journal.record(Event::Ended(ending.clone())).await?;
    Ok(ending)
}
