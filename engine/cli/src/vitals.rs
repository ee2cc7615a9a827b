//! The engine's health and numbers, as `/healthz`, `/readyz` and `/metrics`
//! tell them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use async_trait::async_trait;
use metrics::{describe_gauge, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;
use shipway_api::vitals::{PATIENCE, Vitals, store};
use shipway_api::wire::health::Part;
use shipway_core::environment::RuntimeKind;
use shipway_core::ports::store::{Deployment, StoreError};
use shipway_executor::pulse::{Loop, Pulse};
use shipway_executor::world::World;
use shipway_proxy::ProxyRouter;
use tokio::sync::Mutex;
use tokio::time::{Instant, interval, timeout};

/// Whoever asks more often gets the same answer: anybody may ask.
const FRESH: Duration = Duration::from_secs(1);
/// How often it is looked which runtimes environments use.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// What was recorded is summed up this often, whoever reads it.
const UPKEEP: Duration = Duration::from_secs(10);

const QUEUED: &str = "shipway_deployments_queued";
const RUNNING: &str = "shipway_deployments_running";
const OLDEST: &str = "shipway_deployments_queued_oldest_seconds";
const OUTBOX_EVENTS: &str = "shipway_outbox_events";
const OUTBOX_NOTIFIERS: &str = "shipway_outbox_notifiers";
const STORE_UP: &str = "shipway_store_up";

/// Seconds. Steps take from milliseconds to an hour.
const STEPS: [f64; 15] = [
    0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0, 600.0, 1800.0, 3600.0,
];
const CALLS: [f64; 15] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0,
];

/// Takes every number that any part of this program counts.
#[derive(Clone)]
pub struct Recorder {
    handle: PrometheusHandle,
    process: Collector,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").finish_non_exhaustive()
    }
}

impl Recorder {
    /// Once, before anything counts.
    pub fn install() -> anyhow::Result<Self> {
        let of = |name: &str| Matcher::Full(format!("shipway_{name}_duration_seconds"));
        let wait = Matcher::Full("shipway_deployment_wait_seconds".to_owned());
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(of("step"), &STEPS)?
            .set_buckets_for_metric(of("deployment"), &STEPS)?
            .set_buckets_for_metric(wait, &STEPS)?
            .set_buckets_for_metric(of("plugin_call"), &CALLS)?
            .set_buckets_for_metric(of("api_request"), &CALLS)?
            .install_recorder()
            .context("could not begin to count")?;
        let process = Collector::default();
        process.describe();
        describe();
        tokio::spawn(keep_up(handle.clone()));
        Ok(Self { handle, process })
    }

    fn text(&self) -> String {
        self.process.collect();
        self.handle.render()
    }
}

async fn keep_up(handle: PrometheusHandle) {
    let mut ticks = interval(UPKEEP);
    loop {
        ticks.tick().await;
        handle.run_upkeep();
    }
}

fn describe() {
    shipway_executor::measure::describe();
    shipway_plugin_host::measure::describe();
    shipway_api::observe::describe();
    describe_gauge!(QUEUED, "Deployments that wait, in the store");
    describe_gauge!(RUNNING, "Deployments that run, in the store");
    describe_gauge!(OLDEST, "How long the oldest of those has waited");
    describe_gauge!(
        OUTBOX_EVENTS,
        "Events that notifiers are still to be told, each for each"
    );
    describe_gauge!(
        OUTBOX_NOTIFIERS,
        "Notifiers of deployments with something to hear"
    );
    describe_gauge!(STORE_UP, "1 while the store answers");
    describe_gauge!(
        "shipway_build_info",
        "Always 1; the program and its version"
    );
    gauge!("shipway_build_info", "program" => "shipway", "version" => env!("CARGO_PKG_VERSION"))
        .set(1.0);
}

/// What this engine is made of, as far as it can be asked how it does.
#[derive(Debug)]
pub struct Engine {
    pub world: World,
    pub proxy: ProxyRouter,
    pub pulse: Arc<Pulse>,
    pub recorder: Recorder,
    pub default_runtime: RuntimeKind,
    pub seen: Seen,
}

/// What was found out, and when.
#[derive(Debug, Default)]
pub struct Seen {
    ready: Mutex<Option<(Instant, Vec<Part>)>>,
    runtimes: Mutex<Option<(Instant, BTreeSet<RuntimeKind>)>>,
}

#[async_trait]
impl Vitals for Engine {
    fn alive(&self) -> Vec<Part> {
        let part = |of: &Loop| {
            let (name, since) = (format!("loop {}", of.as_str()), self.pulse.since(*of));
            match since > of.limit() {
                false => Part::ok(name),
                true => {
                    let detail = format!("it has not turned for {} s", since.as_secs());
                    Part::failing(name, detail)
                }
            }
        };
        Loop::ALL.iter().map(part).collect()
    }

    async fn ready(&self) -> Vec<Part> {
        // Whoever comes meanwhile waits for the same look.
        let mut seen = self.seen.ready.lock().await;
        if let Some((at, parts)) = seen.as_ref()
            && at.elapsed() < FRESH
        {
            return parts.clone();
        }
        let (store, proxy, runtimes) = tokio::join!(
            store(self.world.store.as_ref()),
            self.proxy(),
            self.runtimes()
        );
        let mut parts = vec![store, proxy];
        parts.extend(runtimes);
        *seen = Some((Instant::now(), parts.clone()));
        parts
    }

    async fn metrics(&self) -> String {
        let counted = timeout(PATIENCE, self.count_what_waits()).await;
        gauge!(STORE_UP).set(match counted {
            Ok(Ok(())) => 1.0,
            Ok(Err(_)) | Err(_) => 0.0,
        });
        self.recorder.text()
    }
}

impl Engine {
    async fn proxy(&self) -> Part {
        let name = "proxy".to_owned();
        match timeout(PATIENCE, self.proxy.ready()).await {
            Ok(Ok(_)) => Part::ok(name),
            Ok(Err(error)) => {
                tracing::warn!(%error, "not ready");
                Part::failing(name, "it does not answer; the engine's log says more")
            }
            Err(_) => Part::failing(name, "it does not answer in time"),
        }
    }

    /// Those that environments use; one that nobody uses need not be there.
    async fn runtimes(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        for kind in self.used_runtimes().await {
            let name = format!("runtime {kind}");
            let ready = async { Ok(self.world.runtime(kind)?.ready().await?) };
            let ready: Result<Result<(), anyhow::Error>, _> = timeout(PATIENCE, ready).await;
            parts.push(match ready {
                Ok(Ok(())) => Part::ok(name),
                Ok(Err(error)) => {
                    tracing::warn!(%kind, error = format!("{error:#}"), "not ready");
                    Part::failing(name, "it cannot be used; the engine's log says why")
                }
                Err(_) => Part::failing(name, "it does not answer in time"),
            });
        }
        parts
    }

    async fn used_runtimes(&self) -> BTreeSet<RuntimeKind> {
        let mut known = self.seen.runtimes.lock().await;
        if let Some((at, kinds)) = known.as_ref()
            && at.elapsed() < LOOK_AGAIN
        {
            return kinds.clone();
        }
        // A store that fails is another part's to tell.
        let looked = timeout(PATIENCE, self.look_for_runtimes()).await;
        let Ok(Ok(kinds)) = looked else {
            return BTreeSet::from([self.default_runtime]);
        };
        *known = Some((Instant::now(), kinds.clone()));
        kinds
    }

    async fn look_for_runtimes(&self) -> Result<BTreeSet<RuntimeKind>, StoreError> {
        let store = &self.world.store;
        let mut kinds = BTreeSet::from([self.default_runtime]);
        for app in store.apps().await? {
            let environments = store.environments(&app.name).await?;
            kinds.extend(environments.iter().map(|environment| environment.runtime));
        }
        Ok(kinds)
    }

    async fn count_what_waits(&self) -> Result<(), StoreError> {
        let store = &self.world.store;
        let unfinished = store.unfinished().await?;
        let (running, queued): (Vec<&Deployment>, Vec<&Deployment>) = unfinished
            .iter()
            .partition(|deployment| deployment.started_at.is_some());
        gauge!(RUNNING).set(running.len() as f64);
        gauge!(QUEUED).set(queued.len() as f64);
        let now = self.world.clock.now().as_millis();
        let waited = queued
            .first()
            .map(|oldest| now - oldest.created_at.as_millis());
        gauge!(OLDEST).set(waited.unwrap_or(0) as f64 / 1000.0);
        let backlog = store.backlog().await?;
        gauge!(OUTBOX_EVENTS).set(backlog.events as f64);
        gauge!(OUTBOX_NOTIFIERS).set(backlog.notifiers as f64);
        Ok(())
    }
}
