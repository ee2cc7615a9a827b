//! One run: engines come and go, people deploy and cancel, everything goes
//! wrong that the seed says, and then it calms down until every deployment has
//! ended.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use shipway_core::environment::RuntimeKind;
use shipway_core::journal::{BuildWish, Entry, ReleaseCommands, Serving, Subject, Trigger};
use shipway_core::name::DeploymentId;
use shipway_core::plugin::{Description, Enabled, Installed, Role};
use shipway_core::ports::runtime::Runtime;
use shipway_core::ports::store::{Apps, Created, Deployment, Deployments, Registry};
use shipway_executor::command::{Commands, RollBack, TriggerError};
use shipway_executor::engine::Engine;
use shipway_store::MemoryStore;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::faults::{Fault, Faults};
use crate::line::Line;
use crate::mutant::Mutant;
use crate::promises;
use crate::scenario::{self, Scenario, Wanted};
use crate::store::LineStore;
use crate::world::{Standing, State, World};

/// How long a person waits for an answer before asking again.
const PATIENCE: Duration = Duration::from_secs(60);
const MOST_TRIES: usize = 50;
/// Trouble lasts at most so long after the last ask.
const TROUBLE: Duration = Duration::from_secs(3 * 60 * 60);
/// By then every deployment must have ended, once nothing goes wrong any more.
const CALM: Duration = Duration::from_secs(24 * 60 * 60);
/// For what comes after an ending: notifications, leftovers.
const AFTERMATH: Duration = Duration::from_secs(80 * 60);

/// What is known after a run.
#[derive(Debug)]
pub struct Outcome {
    pub scenario: Scenario,
    pub deployments: Vec<Told>,
    pub serving: Option<Serving>,
    pub state: State,
    /// The deployments that each idempotency key gave.
    pub answers: BTreeMap<String, BTreeSet<DeploymentId>>,
    /// Whether every deployment ended in its time.
    pub ended: bool,
    /// Whether there was a call for the one fault.
    pub fault_came: bool,
}

/// A deployment and its journal.
#[derive(Debug)]
pub struct Told {
    pub deployment: Deployment,
    pub journal: Vec<Entry>,
}

/// Runs a seed; gives the promises that it broke, as sentences.
pub fn run(seed: u64, mutant: Option<Mutant>) -> Result<Vec<String>> {
    Ok(promises::broken(&outcome(seed, mutant)?))
}

pub fn outcome(seed: u64, mutant: Option<Mutant>) -> Result<Outcome> {
    play(Scenario::of(seed), mutant)
}

/// Two deployments with one fault.
pub fn with_one(fault: Fault) -> Result<Outcome> {
    play(Scenario::with_one(fault), None)
}

fn play(scenario: Scenario, mutant: Option<Mutant>) -> Result<Outcome> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .context("making a runtime")?;
    runtime.block_on(Play::new(scenario, mutant).run())
}

/// A run under way.
struct Play {
    scenario: Scenario,
    world: Arc<World>,
    store: Arc<MemoryStore>,
    fleet: Arc<Fleet>,
    answers: Mutex<BTreeMap<String, BTreeSet<DeploymentId>>>,
}

impl Play {
    fn new(scenario: Scenario, mutant: Option<Mutant>) -> Self {
        let faults = Faults::new(scenario.seed, scenario.rates, scenario.fault);
        let world = World::new(faults, mutant);
        Self {
            scenario,
            world: Arc::new(world),
            store: Arc::new(MemoryStore::new()),
            fleet: Arc::default(),
            answers: Mutex::default(),
        }
    }

    async fn run(self) -> Result<Outcome> {
        self.furnish().await?;
        for place in 0..self.scenario.engines {
            tokio::spawn(keep_engine(
                self.world.clone(),
                self.store.clone(),
                self.fleet.clone(),
                place,
            ));
        }
        self.people().await;
        self.until_ended(TROUBLE).await?;
        self.world.faults().calm_down();
        let ended = self.until_ended(CALM).await?;
        sleep(AFTERMATH).await;
        self.look(ended).await
    }

    async fn furnish(&self) -> Result<()> {
        self.store.create_app(&self.scenario.app).await?;
        self.store
            .create_environment(&self.scenario.environment)
            .await?;
        self.store
            .put_plugin(&herald()?, Some(b"component"))
            .await?;
        Ok(())
    }

    /// Everybody asks at their time, and asks again until there is an answer.
    async fn people(&self) {
        let start = Instant::now();
        let last = self.scenario.asks.len() - 1;
        for (number, ask) in self.scenario.asks.iter().enumerate() {
            sleep_until(start + ask.after).await;
            if number == last {
                self.world.faults().arm();
            }
            match ask.what {
                Wanted::Deployment { copies } => {
                    for _ in 0..copies {
                        self.trigger(&format!("ask-{number}")).await;
                    }
                }
                Wanted::Rollback {
                    copies,
                    release_commands,
                } => {
                    for _ in 0..copies {
                        let key = format!("ask-{number}");
                        self.roll_back(&key, release_commands).await;
                    }
                }
                Wanted::Cancel => self.cancel().await,
            }
        }
        let cancel = self.world.faults().cancel();
        if let Some(cancel) = cancel {
            tokio::select! {
                () = cancel.notified() => self.cancel().await,
                _never = self.until_ended(TROUBLE) => {}
            }
        }
    }

    async fn trigger(&self, idempotency_key: &str) {
        let trigger = Trigger {
            key: scenario::key(),
            reference: String::new(),
            by: "somebody".to_owned(),
            idempotency_key: Some(idempotency_key.to_owned()),
            build: BuildWish::Reuse,
            subject: Subject::Commit,
        };
        self.until_answered(idempotency_key, async |engine| {
            engine.trigger(trigger.clone()).await
        })
        .await;
    }

    async fn roll_back(&self, idempotency_key: &str, release_commands: ReleaseCommands) {
        let request = RollBack {
            key: scenario::key(),
            to: None,
            release_commands,
            by: "somebody".to_owned(),
            idempotency_key: Some(idempotency_key.to_owned()),
        };
        self.until_answered(idempotency_key, async |engine| {
            engine.roll_back(&request).await
        })
        .await;
    }

    async fn until_answered(
        &self,
        idempotency_key: &str,
        ask: impl AsyncFn(Engine) -> Result<Created, TriggerError>,
    ) {
        for _ in 0..MOST_TRIES {
            let engine = self.fleet.any(&self.world).await;
            match patiently(ask(engine)).await {
                Some(Ok(Created::New(one) | Created::Earlier(one))) => {
                    let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
                    answers
                        .entry(idempotency_key.to_owned())
                        .or_default()
                        .insert(one.id);
                    return;
                }
                Some(Err(TriggerError::Busy { .. } | TriggerError::NothingBefore(_))) => return,
                Some(Err(_)) | None => sleep(Duration::from_secs(1)).await,
            }
        }
    }

    async fn cancel(&self) {
        let newest = self.store.deployments(&Default::default()).await;
        let Some(newest) = newest.ok().and_then(|all| all.first().map(|one| one.id)) else {
            return;
        };
        let engine = self.fleet.any(&self.world).await;
        // Too late is an answer as good as any.
        let _ = patiently(engine.cancel(newest, "somebody")).await;
    }

    async fn until_ended(&self, limit: Duration) -> Result<bool> {
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            if self.store.unfinished().await?.is_empty() {
                return Ok(true);
            }
            sleep(Duration::from_secs(1)).await;
        }
        Ok(false)
    }

    async fn look(self, ended: bool) -> Result<Outcome> {
        let mut deployments = Vec::new();
        for deployment in self.store.deployments(&Default::default()).await? {
            let journal = self.store.journal(deployment.id, 0, 10_000).await?;
            deployments.push(Told {
                deployment,
                journal,
            });
        }
        deployments.reverse();
        let state = self.world.state().clone();
        let fault_came = self.world.faults().came();
        Ok(Outcome {
            serving: self.store.serving(&scenario::key()).await?,
            deployments,
            state,
            answers: self
                .answers
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner),
            scenario: self.scenario,
            ended,
            fault_came,
        })
    }
}

async fn patiently<T>(call: impl Future<Output = T>) -> Option<T> {
    timeout(PATIENCE, call).await.ok()
}

/// The engines that are up.
#[derive(Debug, Default)]
struct Fleet {
    up: Mutex<BTreeMap<usize, Engine>>,
}

impl Fleet {
    /// One of them; whoever asks waits for one.
    async fn any(&self, world: &World) -> Engine {
        loop {
            let up: Vec<Engine> = self.up().values().cloned().collect();
            let choice = usize::try_from(world.faults().number(up.len() as u64)).unwrap_or(0);
            if let Some(engine) = up.get(choice) {
                return engine.clone();
            }
            sleep(Duration::from_millis(500)).await;
        }
    }

    fn up(&self) -> std::sync::MutexGuard<'_, BTreeMap<usize, Engine>> {
        self.up.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts an engine at its place, and another one a while after it has died.
async fn keep_engine(world: Arc<World>, store: Arc<MemoryStore>, fleet: Arc<Fleet>, place: usize) {
    for life in 0.. {
        let number = place * 1_000 + life;
        let line = Line {
            world: world.clone(),
            engine: number,
        };
        let died = dies(&world, number);
        let lives = live(&line, &store, &fleet, place);
        tokio::select! {
            biased;
            () = died => {}
            () = lives => {}
        }
        fleet.up().remove(&place);
        let pause = world.faults().number(40_000);
        sleep(Duration::from_millis(pause)).await;
    }
}

async fn dies(world: &World, engine: usize) {
    loop {
        let rung = world.died.notified();
        if world.standing(engine) == Standing::Dead {
            return;
        }
        rung.await;
    }
}

/// Comes up as `shipway serve` does; does not come back.
async fn live(line: &Line, store: &Arc<MemoryStore>, fleet: &Fleet, place: usize) {
    let engine = Engine::new(engine_world(line, store), format!("engine-{place}"));
    while engine.recover().await.is_err() {
        sleep(Duration::from_secs(1)).await;
    }
    fleet.up().insert(place, engine);
    std::future::pending().await
}

fn engine_world(line: &Line, store: &Arc<MemoryStore>) -> shipway_executor::world::World {
    let line = Arc::new(line.clone());
    let runtime: Arc<dyn Runtime> = line.clone();
    shipway_executor::world::World {
        store: Arc::new(LineStore {
            line: (*line).clone(),
            store: store.clone(),
        }),
        source: line.clone(),
        runtimes: [(RuntimeKind::Process, runtime)].into(),
        router: line.clone(),
        prober: line.clone(),
        plugins: line.clone(),
        clock: line,
    }
}

fn herald() -> Result<Installed> {
    Ok(Installed {
        description: Description {
            name: scenario::herald(),
            version: "1.0.0".to_owned(),
            summary: "Hears everything".to_owned(),
            digest: "0".repeat(64).parse().ok().context("a digest")?,
            size: 9,
            roles: vec![Role::Notifier],
            settings: Vec::new(),
            requests: Vec::new(),
        },
        grants: Default::default(),
        settings: BTreeMap::new(),
        enabled: Enabled::Yes,
        limits: Default::default(),
        origin: Default::default(),
        installed_at: shipway_core::name::Timestamp::from_millis(0),
    })
}
