//! The executor's front door: triggers, cancels and plans come in here; a
//! worker per environment does the rest.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shipway_core::app::App;
use shipway_core::ending::{Aftermath, Ending, Failure, Reason};
use shipway_core::environment::{Environment, EnvironmentKey, QueuePolicy};
use shipway_core::journal::{Event, Trigger};
use shipway_core::name::{DeploymentId, Label};
use shipway_core::pipeline::{Pipeline, State, Step};
use shipway_core::plan::Plan;
use shipway_core::ports::store::{Created, Deployment, Guard, StoreError};
use shipway_core::redact::Redactor;
use shipway_core::release::CancelPolicy;
use tokio::sync::Mutex;
use tokio_util::task::TaskTracker;

use crate::bell::{Bell, Listener};
use crate::command::{
    CancelError, Commands, PlanImage, PlanRequest, PlanningError, Promote, RollBack, TearDownError,
    TriggerError,
};
use crate::deploy::Cancel;
use crate::earlier;
use crate::failures::{self, Broken, sentence};
use crate::journal;
use crate::kept;
use crate::log::Log;
use crate::measure;
use crate::notify;
use crate::origins::Origins;
use crate::pulse::{Loop, Pulse};
use crate::scene::Scene;
use crate::steps::build;
use crate::sweep;
use crate::world::World;

/// Between SIGTERM and SIGKILL when an environment is torn down.
const GRACE: Duration = Duration::from_secs(10);
/// How often an engine looks for deployments that nobody works on.
const PATROL: Duration = Duration::from_secs(15);

/// A handle; clones are the same engine.
#[derive(Debug, Clone)]
pub struct Engine(Arc<Inner>);

#[derive(Debug)]
pub struct Inner {
    pub world: World,
    pub bell: Bell,
    pub pulse: Arc<Pulse>,
    pub origins: Origins,
    /// Who holds this engine's leases.
    pub holder: String,
    /// One trigger at a time, so that a queue policy sees a queue that stands still.
    triggers: Mutex<()>,
    workers: Mutex<Workers>,
    tasks: TaskTracker,
}

/// The environments that have a worker now, and the deployments that run.
#[derive(Debug, Default)]
pub struct Workers {
    pub busy: HashMap<EnvironmentKey, ()>,
    pub running: HashMap<DeploymentId, Cancel>,
}

impl Engine {
    /// `holder` names this engine among those that share the store.
    pub fn new(world: World, holder: String) -> Self {
        Self(Arc::new(Inner {
            world,
            bell: Bell::default(),
            pulse: Arc::default(),
            origins: Origins::default(),
            holder,
            triggers: Mutex::default(),
            workers: Mutex::default(),
            tasks: TaskTracker::new(),
        }))
    }

    /// Takes up every deployment that has not ended. Call it once, at the start.
    pub async fn recover(&self) -> Result<usize, StoreError> {
        let unfinished = self.wake_all().await?;
        self.0.tasks.spawn(look_after(self.0.clone()));
        // These go on for as long as the engine does; nobody waits for them.
        tokio::spawn(patrol(self.clone()));
        tokio::spawn(notify::post(self.0.clone()));
        tokio::spawn(sweep::sweep(self.0.clone()));
        tokio::spawn(crate::log::keep_pruned(self.0.clone()));
        Ok(unfinished)
    }

    /// A worker for every environment that has something to deploy.
    async fn wake_all(&self) -> Result<usize, StoreError> {
        let unfinished = self.0.world.store.unfinished().await?;
        for deployment in &unfinished {
            self.wake(&deployment.trigger.key).await;
        }
        Ok(unfinished.len())
    }

    /// Sees to it that an environment has a worker.
    async fn wake(&self, key: &EnvironmentKey) {
        let mut workers = self.0.workers.lock().await;
        if workers.busy.insert(key.clone(), ()).is_none() {
            self.0
                .tasks
                .spawn(crate::worker::work(self.0.clone(), key.clone()));
        }
    }

    /// Whether the loops that [`Engine::recover`] has started still turn.
    pub fn pulse(&self) -> Arc<Pulse> {
        self.0.pulse.clone()
    }

    /// Waits for the notifications that are under way, at most `limit`.
    pub async fn settle(&self, limit: Duration) {
        self.0.tasks.close();
        let _ = tokio::time::timeout(limit, self.0.tasks.wait()).await;
    }

    /// The command that runs and may not be stopped, if there is one.
    async fn protected_command(&self, id: DeploymentId) -> Result<Option<Label>, StoreError> {
        let entries = journal::read(self.0.world.store.as_ref(), id).await?;
        let Ok(pipeline) = Pipeline::replay(&entries) else {
            return Ok(None);
        };
        let planned = match pipeline.state() {
            State::Release(planned) => planned,
            State::Gate(candidate) => &candidate.planned,
            _ => return Ok(None),
        };
        let open = pipeline.open_command();
        let command = open.and_then(|open| planned.plan.command(&open.label));
        Ok(command
            .filter(|command| command.cancel == CancelPolicy::Never)
            .map(|command| command.label.clone()))
    }

    async fn existing(&self, key: &EnvironmentKey) -> Result<Environment, TriggerError> {
        let environment = self.0.world.store.environment(key).await?;
        environment.ok_or_else(|| TriggerError::UnknownEnvironment(key.clone()))
    }

    /// Whoever asks again gets what the first time gave, though it would now be
    /// something else.
    async fn made_before(
        &self,
        key: &EnvironmentKey,
        idempotency_key: Option<&str>,
    ) -> Result<Option<Deployment>, StoreError> {
        match idempotency_key {
            Some(it) => self.0.world.store.deployment_of(key, it).await,
            None => Ok(None),
        }
    }

    async fn queued(&self, key: &EnvironmentKey) -> Result<Vec<Deployment>, StoreError> {
        let unfinished = self.0.world.store.unfinished().await?;
        Ok(unfinished
            .into_iter()
            .filter(|deployment| deployment.trigger.key == *key)
            .collect())
    }

    /// `latest-wins`: those that wait and are older end superseded.
    async fn supersede(&self, by: &Deployment) -> Result<(), StoreError> {
        let waiting = self.queued(&by.trigger.key).await?;
        for older in waiting.iter().filter(|one| one.id < by.id) {
            self.end_queued(older, Ending::Superseded { by: by.id })
                .await?;
        }
        Ok(())
    }

    /// Ends a deployment that waits; one that a worker has begun meanwhile is
    /// the worker's to end.
    async fn end_queued(&self, waiting: &Deployment, ending: Ending) -> Result<(), StoreError> {
        if waiting.started_at.is_some() {
            return Ok(());
        }
        let inner = &self.0;
        inner.origins.take(waiting.id);
        let (now, guard) = (inner.world.clock.now(), Guard::After(waiting.sequence));
        let event = Event::Ended(ending.clone());
        let ended = inner
            .world
            .store
            .append(waiting.id, now, &event, guard)
            .await;
        match ended {
            Ok(_) => measure::ended(&waiting.trigger.key, &ending, waiting.created_at, now),
            Err(StoreError::Ended(_) | StoreError::Outdated(_)) => {}
            Err(error) => return Err(error),
        }
        inner.bell.ring(waiting.id);
        Ok(())
    }
}

impl Inner {
    pub fn workers(&self) -> &Mutex<Workers> {
        &self.workers
    }

    pub fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    pub async fn app_and_environment(
        &self,
        key: &EnvironmentKey,
    ) -> Result<Option<(App, Environment)>, StoreError> {
        let app = self.world.store.app(&key.app).await?;
        let environment = self.world.store.environment(key).await?;
        Ok(app.zip(environment))
    }
}

#[async_trait]
impl Commands for Engine {
    async fn trigger(&self, mut trigger: Trigger) -> Result<Created, TriggerError> {
        let inner = &self.0;
        let key = trigger.key.clone();
        let known = inner.app_and_environment(&key).await?;
        let (app, environment) =
            known.ok_or_else(|| TriggerError::UnknownEnvironment(key.clone()))?;
        if trigger.reference.is_empty() {
            trigger.reference = environment
                .reference
                .clone()
                .unwrap_or(app.repository.default_reference);
        }
        let _one_at_a_time = inner.triggers.lock().await;
        let older = self.queued(&key).await?;
        let is_repeat = |d: &Deployment| {
            trigger.idempotency_key.is_some()
                && d.trigger.idempotency_key == trigger.idempotency_key
        };
        if environment.queue == QueuePolicy::Reject
            && let Some(running) = older.first()
            && !older.iter().any(is_repeat)
        {
            return Err(TriggerError::Busy {
                key,
                running: running.id,
            });
        }
        let id = inner.world.clock.new_deployment_id();
        let chosen = environment.plugins.and_then(|choice| choice.notifiers);
        let notifiers = chosen.unwrap_or_default();
        let created = inner
            .world
            .store
            .create_deployment(id, inner.world.clock.now(), &trigger, &notifiers)
            .await?;
        if let Created::New(deployment) = &created {
            inner.origins.note(deployment.id);
        }
        // Also for one that was there: whoever made it may have got no further.
        let (Created::New(deployment) | Created::Earlier(deployment)) = &created;
        if deployment.ending.is_none() {
            if environment.queue == QueuePolicy::LatestWins {
                self.supersede(deployment).await?;
            }
            inner.bell.ring(deployment.id);
            self.wake(&key).await;
        }
        Ok(created)
    }

    async fn roll_back(&self, request: &RollBack) -> Result<Created, TriggerError> {
        self.existing(&request.key).await?;
        if let Some(made) = self
            .made_before(&request.key, request.idempotency_key.as_deref())
            .await?
        {
            return Ok(Created::Earlier(made));
        }
        let trigger = earlier::rollback(self.0.world.store.as_ref(), request).await?;
        self.trigger(trigger).await
    }

    async fn promote(&self, request: &Promote) -> Result<Created, TriggerError> {
        let from = request.source();
        if from == request.key {
            return Err(TriggerError::Same(from));
        }
        let ours = self.existing(&request.key).await?;
        let theirs = self.existing(&from).await?;
        if ours.runtime != theirs.runtime {
            return Err(TriggerError::OtherRuntime {
                from,
                theirs: theirs.runtime,
                to: ours.key,
                ours: ours.runtime,
            });
        }
        if let Some(made) = self
            .made_before(&request.key, request.idempotency_key.as_deref())
            .await?
        {
            return Ok(Created::Earlier(made));
        }
        let trigger = earlier::promotion(self.0.world.store.as_ref(), request).await?;
        self.trigger(trigger).await
    }

    async fn cancel(&self, id: DeploymentId, by: &str) -> Result<(), CancelError> {
        let inner = &self.0;
        let deployment = inner
            .world
            .store
            .deployment(id)
            .await?
            .ok_or(CancelError::Unknown(id))?;
        if deployment.ending.is_some() {
            return Err(CancelError::Ended(id));
        }
        if deployment.step.is_some_and(|step| step >= Step::Switch) {
            return Err(CancelError::TooLate(id));
        }
        if let Some(command) = self.protected_command(id).await? {
            return Err(CancelError::Protected(id, command));
        }
        let workers = inner.workers.lock().await;
        let event = Event::CancelRequested { by: by.to_owned() };
        let (now, store) = (inner.world.clock.now(), &inner.world.store);
        let asked = match store.append(id, now, &event, Guard::Open).await {
            Ok(entry) => entry,
            Err(StoreError::Ended(_)) => return Err(CancelError::Ended(id)),
            Err(error) => return Err(error.into()),
        };
        match workers.running.get(&id) {
            Some(cancel) => cancel.request(by),
            // It still waits as it did when it was read.
            None if asked.sequence == deployment.sequence + 1 => {
                let mut waiting = deployment;
                waiting.note(&asked);
                self.end_queued(&waiting, Ending::Cancelled(Aftermath::default()))
                    .await?;
            }
            // Another engine runs it, and will see the request.
            None => {}
        }
        inner.bell.ring(id);
        Ok(())
    }

    async fn plan(&self, request: &PlanRequest) -> Result<Plan, PlanningError> {
        let inner = &self.0;
        let known = inner.app_and_environment(&request.key).await?;
        let (app, environment) =
            known.ok_or_else(|| PlanningError::UnknownEnvironment(request.key.clone()))?;
        let default = environment
            .reference
            .clone()
            .unwrap_or_else(|| app.repository.default_reference.clone());
        let runtime = inner
            .world
            .runtime(environment.runtime)
            .map_err(|error| failed(failures::of_runtime(Step::Build, &error)))?;
        let scene = Scene {
            world: inner.world.clone(),
            app,
            environment,
            runtime,
            deployment: inner.world.clock.new_deployment_id(),
            reference: request.reference.clone().unwrap_or(default),
            log: Log::discard(inner.world.clock.clone()),
        };
        let plan = make_plan(&scene, request.image).await;
        if let Err(error) = inner.world.source.discard(scene.deployment).await {
            tracing::warn!(%error, "the working directory of a plan stays");
        }
        let plugins = inner.world.store.plugins().await?;
        let redactor = Redactor::of(&scene.app, &scene.environment, &plugins);
        let plan = plan.map(|plan| plan.shown(&redactor));
        plan.map_err(|broken| match broken {
            Broken::Failed(failure) => failed(failure.redacted(&redactor)),
            Broken::Cancelled => failed(Failure::new(Step::Plan, Reason::Internal, "cancelled")),
            Broken::Halted(halted) => failed(Failure::new(
                Step::Plan,
                Reason::Internal,
                sentence(&halted),
            )),
        })
    }

    async fn tear_down(&self, key: &EnvironmentKey) -> Result<(), TearDownError> {
        if let Some(running) = self.queued(key).await?.first() {
            return Err(TearDownError::Busy(running.id));
        }
        let problem = |message: String| TearDownError::Failed {
            key: key.clone(),
            message,
        };
        let world = &self.0.world;
        world
            .router
            .remove(key)
            .await
            .map_err(|error| problem(sentence(&error)))?;
        let Some(environment) = world.store.environment(key).await? else {
            return Ok(());
        };
        let runtime = world
            .runtime(environment.runtime)
            .map_err(|error| problem(sentence(&error)))?;
        kept::let_go(world, &environment, None).await?;
        for owned in runtime
            .instances(key)
            .await
            .map_err(|error| problem(sentence(&error)))?
        {
            runtime
                .stop(&owned.instance, GRACE)
                .await
                .map_err(|error| problem(sentence(&error)))?;
            runtime
                .clean_up(owned.deployment)
                .await
                .map_err(|error| problem(sentence(&error)))?;
        }
        Ok(())
    }

    fn listen(&self, deployment: DeploymentId) -> Listener {
        self.0.bell.listen(deployment)
    }
}

/// Finds what nobody works on: an engine that shares the store may have died.
async fn patrol(engine: Engine) {
    loop {
        tokio::time::sleep(PATROL).await;
        engine.0.pulse.beat(Loop::Patrol);
        if let Err(error) = engine.wake_all().await {
            tracing::warn!(%error, "the queue could not be looked at");
        }
    }
}

/// A runtime notices what became of its instances when it is asked for them:
/// one that was proven while no engine ran is from now on started again by
/// itself when it ends.
async fn look_after(engine: Arc<Inner>) {
    let outcome: Result<(), StoreError> = async {
        let store = &engine.world.store;
        for app in store.apps().await? {
            for environment in store.environments(&app.name).await? {
                if store.serving(&environment.key).await?.is_none() {
                    continue;
                }
                let Ok(runtime) = engine.world.runtime(environment.runtime) else { continue };
                if let Err(error) = runtime.instances(&environment.key).await {
                    tracing::warn!(key = %environment.key, %error, "the instances could not be listed");
                }
            }
        }
        Ok(())
    }
    .await;
    if let Err(error) = outcome {
        tracing::warn!(%error, "the environments could not be looked after");
    }
}

async fn make_plan(scene: &Scene, wish: PlanImage) -> Result<Plan, Broken> {
    let checkout = scene.check_out(&scene.reference).await?;
    let draft = scene.draft(Step::Plan, &checkout)?;
    let found = scene.find_image(&checkout.commit, &draft).await;
    let image = match (found, wish) {
        (Ok(Some(image)), _) => Some(image),
        (_, PlanImage::Build) => Some(build::build(scene, &checkout, &draft).await?),
        (_, PlanImage::IfBuilt) => None,
    };
    scene.complete(draft, &checkout, image.as_ref()).await
}

fn failed(failure: Failure) -> PlanningError {
    PlanningError::Failed(Box::new(failure))
}
