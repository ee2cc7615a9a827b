//! One worker per environment, one deployment at a time, under a lease. It
//! lives as long as there is something to deploy.

use std::sync::Arc;
use std::time::Duration;

use shipway_core::ending::{Ending, Failed, Failure, Reason};
use shipway_core::environment::EnvironmentKey;
use shipway_core::journal::Event;
use shipway_core::name::DeploymentId;
use shipway_core::pipeline::Step;
use shipway_core::ports::store::{Deployment, Lease, StoreError};
use shipway_core::redact::Redactor;
use tokio::sync::OnceCell;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::Instrument;

use crate::deploy::{Cancel, Deploying};
use crate::engine::Inner;
use crate::failures::{self, Halted, sentence};
use crate::journal::Journal;
use crate::log::{Log, Place};
use crate::measure;
use crate::scene::Scene;

/// A lease that is not renewed for this long is anybody's.
pub const LEASE: Duration = Duration::from_secs(30);
const RENEW_EVERY: Duration = Duration::from_secs(10);
/// How often a worker looks whether another engine was asked to cancel.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Before a deployment is taken up again that the store would not let go on.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Deploys whatever waits in an environment, oldest first, then ends.
pub async fn work(engine: Arc<Inner>, key: EnvironmentKey) {
    loop {
        if let Err(error) = deploy_all(&engine, &key).await {
            tracing::error!(%key, error = sentence(&error), "the worker stopped; it tries again");
            sleep(RETRY_AFTER).await;
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
    let taken = Instant::now();
    let Some(lease) = store
        .acquire(key, &engine.holder, engine.world.clock.now(), LEASE)
        .await?
    else {
        tracing::info!(%key, "another engine works for this environment");
        measure::lease("held-elsewhere");
        sleep(RENEW_EVERY).await;
        return Ok(());
    };
    measure::lease("taken");
    // Whether the lease still holds is asked before anything goes on.
    let outcome = tokio::select! {
        biased;
        lost = keep(engine, &lease, taken) => {
            measure::lease("lost");
            Err(lost)
        }
        outcome = deploy_each(engine, key, &lease) => outcome,
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
        let (id, created) = (deployment.id, deployment.created_at);
        if deployment.started_at.is_none() {
            measure::began(created, engine.world.clock.now());
        }
        let cancel = Cancel::default();
        engine
            .workers()
            .lock()
            .await
            .running
            .insert(id, cancel.clone());
        let span = measure::span(&deployment);
        engine.origins.lead_to(id, &span);
        let deploying = deploy(engine, deployment, lease.clone(), cancel.clone());
        let outcome = tokio::select! {
            biased;
            () = hear_of_cancel(engine, id, &cancel) => continue,
            outcome = deploying.instrument(span.clone()) => outcome,
        };
        engine.workers().lock().await.running.remove(&id);
        match outcome {
            Ok(ending) => {
                measure::close(&span, &ending);
                measure::ended(key, &ending, created, engine.world.clock.now());
                tracing::info!(deployment = %id, %key, status = ending.status(), "deployment ended")
            }
            Err(Halted::Store(StoreError::Ended(_))) => {}
            Err(halted) => return Err(halted),
        }
    }
    Ok(())
}

/// A request to cancel may come to another engine that shares the store; it is
/// in the journal then. Never ends.
async fn hear_of_cancel(engine: &Inner, id: DeploymentId, cancel: &Cancel) {
    while !cancel.is_requested() {
        sleep(LOOK_EVERY).await;
        let looked = engine.world.store.deployment(id).await;
        if looked.is_ok_and(|one| one.is_some_and(|one| one.cancel_requested_at.is_some())) {
            cancel.request("somebody, at another engine");
        }
    }
    std::future::pending().await
}

/// Renews the lease until it is lost, or may be: a worker that could not renew
/// it in time stops, whoever has it now.
async fn keep(engine: &Inner, lease: &Lease, taken: Instant) -> Halted {
    let store = &engine.world.store;
    let mut expires = taken + LEASE;
    loop {
        sleep(RENEW_EVERY).await;
        let asked = Instant::now();
        match timeout_at(expires, store.renew(lease, engine.world.clock.now(), LEASE)).await {
            Ok(Ok(true)) => expires = asked + LEASE,
            Ok(Err(error)) if Instant::now() < expires => {
                tracing::warn!(key = %lease.key, %error, "the lease could not be renewed")
            }
            _ => return StoreError::LeaseLost(lease.key.clone()).into(),
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
        lease.clone(),
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
    let redactor = Arc::new(Redactor::of(&app, &environment, &plugins));
    let journal = journal.redacting(redactor.clone());
    let place = Place {
        deployment: deployment.id,
        store,
        bell: engine.bell.clone(),
        clock,
        lease: Some(lease),
    };
    let log = Log::open(place, redactor);
    let scene = Scene {
        world: world.clone(),
        app,
        environment,
        runtime,
        deployment: deployment.id,
        reference: deployment.trigger.reference.clone(),
        log,
    };
    let deploying = Deploying {
        scene,
        journal,
        cancel,
        checkout: OnceCell::new(),
        build: deployment.trigger.build,
        subject: deployment.trigger.subject,
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
