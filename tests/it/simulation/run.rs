//! One run: a first deployment without trouble, a second one with it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use shipway_core::app::{App, Repository};
use shipway_core::environment::{
    Environment, EnvironmentKey, ProcessSettings, RuntimeKind, Service,
};
use shipway_core::journal::{BuildWish, Entry, Event, Output, Trigger};
use shipway_core::name::{DeploymentId, Timestamp};
use shipway_core::ports::router::Route;
use shipway_core::ports::store::{Apps, Created, Deployments};
use shipway_core::release::{Invocation, Phase, SettingsCommand, When};
use shipway_executor::command::Commands;
use shipway_executor::engine::Engine;
use shipway_executor::world::World;
use shipway_store::MemoryStore;
use tokio::runtime::Runtime;

use super::fakes::{FakeWorld, Trouble};

/// A deployment over fakes takes milliseconds; this is for a loaded machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is known after a run.
#[derive(Debug)]
pub struct Outcome {
    pub first: DeploymentId,
    pub second: DeploymentId,
    pub status: String,
    pub serving: Option<DeploymentId>,
    pub route: Option<Route>,
    pub running: BTreeMap<SocketAddr, DeploymentId>,
    pub working_directories: Vec<DeploymentId>,
    pub open_containers: Vec<DeploymentId>,
    pub effects: Vec<String>,
    pub violations: Vec<String>,
    pub journal: Vec<Entry>,
    /// Problems that a retire step or a clean-up reported.
    pub problems: usize,
    pub trouble_came: bool,
}

struct Stage {
    fake: Arc<FakeWorld>,
    store: Arc<MemoryStore>,
    key: EnvironmentKey,
}

pub fn second_deployment(trouble: Trouble) -> Outcome {
    let stage = Stage::new();
    let runtime = tokio_runtime();
    let engine = stage.engine(&runtime);
    let first = runtime.block_on(stage.deploy(&engine));
    runtime.block_on(stage.ended(first));
    runtime.block_on(engine.settle(PATIENCE));
    drop(runtime);

    stage.fake.state().effects.clear();
    stage.fake.expect(trouble);
    let runtime = tokio_runtime();
    let engine = stage.engine(&runtime);
    let second = runtime.block_on(async {
        let second = stage.deploy(&engine).await;
        tokio::select! {
            () = stage.ended(second) => {}
            () = stage.fake.came.notified(), if trouble.is_crash() => {}
        }
        second
    });
    // Dropping the runtime ends every task where it stands, as a crash does.
    runtime.shutdown_timeout(Duration::ZERO);

    stage.fake.expect(Trouble::none());
    let runtime = tokio_runtime();
    let engine = stage.engine(&runtime);
    runtime.block_on(async {
        engine.recover().await.unwrap();
        stage.ended(second).await;
    });
    runtime.block_on(stage.outcome(first, second))
}

pub fn second_deployment_is_cancelled(at: usize) -> Outcome {
    let stage = Stage::new();
    let runtime = tokio_runtime();
    let engine = stage.engine(&runtime);
    let first = runtime.block_on(stage.deploy(&engine));
    runtime.block_on(stage.ended(first));
    stage.fake.state().effects.clear();
    stage.fake.expect(Trouble::cancel_at(at));
    runtime.block_on(async {
        let second = stage.deploy(&engine).await;
        tokio::select! {
            () = stage.ended(second) => {}
            () = stage.fake.came.notified() => {
                // Too late is an answer as good as any: then it goes on.
                let _ = engine.cancel(second, "somebody").await;
                stage.fake.resume.notify_one();
                stage.ended(second).await;
            }
        }
        stage.outcome(first, second).await
    })
}

fn tokio_runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

impl Stage {
    fn new() -> Self {
        let key = EnvironmentKey {
            app: "shop".parse().unwrap(),
            environment: "live".parse().unwrap(),
        };
        let stage = Self {
            fake: FakeWorld::new(),
            store: Arc::new(MemoryStore::new()),
            key,
        };
        tokio_runtime().block_on(stage.furnish());
        stage
    }

    async fn furnish(&self) {
        let at = Timestamp::from_millis(0);
        let app = App {
            name: self.key.app.clone(),
            repository: Repository {
                url: "https://example.com/shop.git".into(),
                default_reference: "main".into(),
                credentials: None,
            },
            mirror_of: None,
            created_at: at,
        };
        self.store.create_app(&app).await.unwrap();
        let mut environment = Environment::new(self.key.clone(), RuntimeKind::Process, at);
        environment.domains = vec!["shop.example.com".parse().unwrap()];
        environment.services = vec![Service {
            name: "database".into(),
            url: "tcp://db:1".into(),
            timeout_seconds: 1,
        }];
        let web = ProcessSettings {
            instances: Some(2),
            ..ProcessSettings::default()
        };
        environment.processes.insert("web".parse().unwrap(), web);
        environment.release_commands = vec![
            command("migrate", Phase::Release, Some("unmigrate")),
            command("seed", Phase::Release, None),
            command("announce", Phase::Gate, None),
            command("purge", Phase::After, None),
            command("alarm", Phase::Failed, None),
        ];
        self.store.create_environment(&environment).await.unwrap();
    }

    fn engine(&self, runtime: &Runtime) -> Engine {
        let _entered = runtime.enter();
        let fake = &self.fake;
        let world = World {
            store: self.store.clone(),
            source: fake.clone(),
            runtimes: [(
                RuntimeKind::Process,
                fake.clone() as Arc<dyn shipway_core::ports::runtime::Runtime>,
            )]
            .into(),
            router: fake.clone(),
            prober: fake.clone(),
            plugins: fake.clone(),
            clock: fake.clone(),
        };
        Engine::new(world, "engine".to_owned())
    }

    async fn deploy(&self, engine: &Engine) -> DeploymentId {
        let trigger = Trigger {
            key: self.key.clone(),
            reference: String::new(),
            by: "test".into(),
            idempotency_key: None,
            build: BuildWish::Fresh,
            subject: shipway_core::journal::Subject::Commit,
        };
        match engine.trigger(trigger).await.unwrap() {
            Created::New(deployment) | Created::Earlier(deployment) => deployment.id,
        }
    }

    async fn ended(&self, id: DeploymentId) {
        let ended = async {
            while self
                .store
                .deployment(id)
                .await
                .unwrap()
                .unwrap()
                .ending
                .is_none()
            {
                tokio::task::yield_now().await;
            }
        };
        if tokio::time::timeout(PATIENCE, ended).await.is_err() {
            let journal = self.store.journal(id, 0, 1000).await.unwrap();
            panic!(
                "deployment {id} does not end: {journal:#?}\n{:#?}",
                self.fake.state()
            );
        }
    }

    async fn outcome(&self, first: DeploymentId, second: DeploymentId) -> Outcome {
        let journal = self.store.journal(second, 0, 1000).await.unwrap();
        let deployment = self.store.deployment(second).await.unwrap().unwrap();
        let serving = self
            .store
            .serving(&self.key)
            .await
            .unwrap()
            .map(|serving| serving.deployment);
        let state = self.fake.state();
        Outcome {
            first,
            second,
            status: deployment.status().to_owned(),
            serving,
            route: state.route.clone(),
            running: state
                .running
                .iter()
                .map(|(address, (owner, _))| (*address, *owner))
                .collect(),
            working_directories: state.working_directories.iter().copied().collect(),
            open_containers: state.open_containers.iter().copied().collect(),
            effects: state.effects.clone(),
            violations: state.violations.clone(),
            problems: journal.iter().map(|entry| problems(&entry.event)).sum(),
            journal,
            trouble_came: state.trouble_came,
        }
    }
}

fn problems(event: &Event) -> usize {
    match event {
        Event::Warning { .. } => 1,
        Event::StepSucceeded { output, .. } => match output.as_ref() {
            Output::Retire(retired) => retired.problems.len(),
            _ => 0,
        },
        _ => 0,
    }
}

fn command(run: &str, phase: Phase, undo: Option<&str>) -> SettingsCommand {
    SettingsCommand {
        label: run.parse().unwrap(),
        run: Invocation::Shell(run.to_owned()),
        phase,
        timeout_seconds: None,
        when: When::Always,
        cancel: shipway_core::release::CancelPolicy::Allowed,
        undo: undo.map(|undo| Invocation::Shell(undo.to_owned())),
    }
}
