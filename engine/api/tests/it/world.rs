//! A world to ask: the router over a store in memory, with fakes that do as
//! little as an executor and a plugin host can.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use shipway_api::ApiState;
use shipway_api::console::settings::ConsoleSettings;
use shipway_api::signature::Key;
use shipway_core::ending::{Aftermath, Ending, Failure, Reason};
use shipway_core::environment::{EnvironmentKey, RuntimeKind};
use shipway_core::journal::{BuildWish, Commit, Entry, Event, Subject, Trigger};
use shipway_core::name::{AppName, DeploymentId, Digest, Timestamp};
use shipway_core::pipeline::Step;
use shipway_core::plan::{Collected, Draft, Plan};
use shipway_core::plugin::{Description, Request as PluginRequest, Role, SettingDescription};
use shipway_core::ports::Stream;
use shipway_core::ports::clock::Clock;
use shipway_core::ports::plugins::{Call, Check, PluginError, PluginErrorKind, Plugins};
use shipway_core::ports::store::{Created, Guard, NewLine, Store};
use shipway_core::token::{Scope, Token};
use shipway_executor::bell::{Bell, Listener};
use shipway_executor::command::{
    CancelError, Commands, PlanRequest, PlanningError, Promote, RollBack, TearDownError,
    TriggerError,
};
use shipway_store::MemoryStore;
use tower::ServiceExt;

/// A component that the fake host takes.
pub const COMPONENT: &[u8] = b"\0asm component";

#[derive(Debug, Default)]
pub struct StepClock(AtomicI64);

impl StepClock {
    pub fn pass(&self, time: Duration) {
        let millis = i64::try_from(time.as_millis()).unwrap();
        self.0.fetch_add(millis, Ordering::Relaxed);
    }
}

impl Clock for StepClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.fetch_add(1000, Ordering::Relaxed))
    }

    fn new_deployment_id(&self) -> DeploymentId {
        DeploymentId(uuid::Uuid::now_v7())
    }
}

#[derive(Debug)]
pub struct Executor {
    store: Arc<dyn Store>,
    clock: Arc<StepClock>,
    bell: Bell,
}

impl Executor {
    pub async fn note(&self, id: DeploymentId, event: Event) -> Entry {
        let at = self.clock.now();
        let entry = self
            .store
            .append(id, at, &event, Guard::Open)
            .await
            .unwrap();
        self.bell.ring(id);
        entry
    }

    pub async fn print(&self, id: DeploymentId, text: &str) {
        let line = NewLine {
            at: self.clock.now(),
            stream: Stream::Stdout,
            text: text.to_owned(),
        };
        self.store.append_log(id, &[line], None).await.unwrap();
        self.bell.ring(id);
    }

    pub async fn start(&self, id: DeploymentId) {
        let step = Step::Services;
        self.note(id, Event::StepStarted { step }).await;
    }

    pub async fn succeed(&self, id: DeploymentId) {
        self.note(id, Event::Ended(Ending::Succeeded)).await;
    }
}

#[async_trait]
impl Commands for Executor {
    async fn trigger(&self, trigger: Trigger) -> Result<Created, TriggerError> {
        let (id, at) = (self.clock.new_deployment_id(), self.clock.now());
        Ok(self.store.create_deployment(id, at, &trigger, &[]).await?)
    }

    async fn roll_back(&self, request: &RollBack) -> Result<Created, TriggerError> {
        let to = request
            .to
            .ok_or_else(|| TriggerError::NothingBefore(request.key.clone()))?;
        let subject = Subject::Rollback {
            to,
            release_commands: request.release_commands,
        };
        let trigger = Trigger {
            key: request.key.clone(),
            reference: "main".to_owned(),
            by: request.by.clone(),
            idempotency_key: request.idempotency_key.clone(),
            build: BuildWish::Reuse,
            subject,
        };
        self.trigger(trigger).await
    }

    async fn promote(&self, request: &Promote) -> Result<Created, TriggerError> {
        let from = EnvironmentKey {
            app: request.key.app.clone(),
            environment: request.from.clone(),
        };
        Err(TriggerError::NothingServes(from))
    }

    async fn cancel(&self, id: DeploymentId, by: &str) -> Result<(), CancelError> {
        let found = self.store.deployment(id).await?;
        if found.ok_or(CancelError::Unknown(id))?.ending.is_some() {
            return Err(CancelError::Ended(id));
        }
        self.note(id, Event::CancelRequested { by: by.to_owned() })
            .await;
        let ending = Ending::Cancelled(Aftermath::default());
        self.note(id, Event::Ended(ending)).await;
        Ok(())
    }

    async fn plan(&self, request: &PlanRequest) -> Result<Plan, PlanningError> {
        if request.reference.as_deref() == Some("nowhere") {
            let message = "the repository has no branch, tag or commit \"nowhere\"";
            let failure = Failure::new(Step::Checkout, Reason::Checkout, message)
                .with_hint("see what there is with `git ls-remote`");
            return Err(PlanningError::Failed(Box::new(failure)));
        }
        Ok(empty_draft().complete(commit(), vec![], vec![]).unwrap())
    }

    async fn tear_down(&self, key: &EnvironmentKey) -> Result<(), TearDownError> {
        let unfinished = self.store.unfinished().await?;
        match unfinished.iter().find(|d| d.trigger.key == *key) {
            Some(busy) => Err(TearDownError::Busy(busy.id)),
            None => Ok(()),
        }
    }

    fn listen(&self, deployment: DeploymentId) -> Listener {
        self.bell.listen(deployment)
    }
}

fn commit() -> Commit {
    Commit {
        id: "a".repeat(40).parse().unwrap(),
        subject: "First".into(),
        author: "Ann".into(),
    }
}

fn empty_draft() -> Draft {
    Draft {
        runtime: RuntimeKind::Process,
        build: Default::default(),
        processes: vec![],
        domains: vec![],
        services: vec![],
        variables: vec![],
        commands: vec![],
        release_sources: None,
        self_tests: vec![],
        notifiers: vec![],
    }
}

#[derive(Debug)]
struct Host;

#[async_trait]
impl Plugins for Host {
    async fn inspect(&self, component: &[u8]) -> Result<Description, PluginError> {
        if !component.starts_with(b"\0asm") {
            return Err(PluginError {
                kind: PluginErrorKind::Malformed,
                message: "the file is no WebAssembly component".into(),
                hint: Some("build it for wasm32-wasip2".into()),
                retryable: false,
                answered: None,
                backtrace: None,
            });
        }
        let mut requests = vec![PluginRequest {
            capability: "http".into(),
            targets: vec!["setting:url".into()],
            reason: "Events are POSTed to this URL.".into(),
        }];
        if component.ends_with(b"wants files") {
            requests.push(PluginRequest {
                capability: "files".into(),
                targets: vec!["NEWS.md".into()],
                reason: "It says what is new.".into(),
            });
        }
        Ok(Description {
            name: "webhook".parse().unwrap(),
            version: "0.1.0".into(),
            summary: "POSTs every event".into(),
            digest: format!("{:064x}", component.len()).parse().unwrap(),
            size: component.len() as u64,
            roles: vec![Role::Notifier],
            settings: vec![setting("url", false), setting("token", true)],
            requests,
        })
    }

    async fn collect(&self, _: &Call) -> Result<Collected, PluginError> {
        Ok(Collected::default())
    }

    async fn self_test(&self, _: &Call) -> Result<Vec<Check>, PluginError> {
        Ok(vec![])
    }

    async fn deliver(&self, _: &Call, _: &Entry) -> Result<(), PluginError> {
        Ok(())
    }

    async fn forget(&self, _: &Digest) {}
}

fn setting(name: &str, secret: bool) -> SettingDescription {
    SettingDescription {
        name: name.into(),
        summary: String::new(),
        required: false,
        secret,
        places: match secret {
            true => vec!["header:authorization".parse().unwrap()],
            false => vec![],
        },
    }
}

pub struct World {
    pub router: axum::Router,
    pub state: ApiState,
    pub executor: Arc<Executor>,
    pub clock: Arc<StepClock>,
    pub admin: String,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    /// The last part of the problem's type.
    #[track_caller]
    pub fn problem(&self) -> String {
        let kind = &self.headers["content-type"];
        assert_eq!(kind, "application/problem+json", "{}", self.text);
        let text = self.json()["type"].as_str().unwrap().to_owned();
        text.strip_prefix("/problems/").unwrap().to_owned()
    }
}

impl World {
    pub async fn new() -> Self {
        Self::demanding(vec![]).await
    }

    /// Plugins must be signed with one of these keys.
    pub async fn demanding(keys: Vec<Key>) -> Self {
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let clock = Arc::new(StepClock::default());
        let executor = Arc::new(Executor {
            store: store.clone(),
            clock: clock.clone(),
            bell: Bell::default(),
        });
        let state = ApiState::new(
            store,
            executor.clone(),
            Arc::new(Host),
            clock.clone(),
            RuntimeKind::Process,
        )
        .with_demanded_keys(keys);
        let mut world = Self {
            router: shipway_api::router(state.clone()),
            state,
            executor,
            clock,
            admin: String::new(),
        };
        world.admin = world.token("admin", Scope::Admin, &[]).await;
        world
    }

    /// Limits how often one may ask.
    pub fn limit(&mut self, rate: shipway_api::rate::Rate) {
        self.state = self.state.clone().with_rate(rate);
        self.router = shipway_api::router(self.state.clone());
    }

    /// With the app `guestbook` and its environment `live`.
    pub async fn with_guestbook() -> Self {
        let world = Self::new().await;
        let app = json!({"name": "guestbook", "repository": "/srv/git/guestbook"});
        world.post("/v1/apps", app).await.expect(201);
        let live = json!({"name": "live"});
        world
            .post("/v1/apps/guestbook/environments", live)
            .await
            .expect(201);
        world
    }

    pub fn with_console(&mut self, settings: ConsoleSettings) {
        self.state = self.state.clone().with_console(settings);
        self.router = shipway_api::router(self.state.clone());
    }

    pub async fn install_webhook(&self) {
        let request = self
            .request("POST", "/v1/plugins")
            .header("content-type", "application/wasm")
            .body(Body::from(COMPONENT));
        self.send(request.unwrap()).await.expect(201);
    }

    pub async fn token(&self, name: &str, scope: Scope, apps: &[&str]) -> String {
        let (text, digest) = shipway_api::new_token().unwrap();
        let token = Token {
            name: name.to_owned(),
            digest,
            scope,
            apps: apps
                .iter()
                .map(|app| app.parse::<AppName>().unwrap())
                .collect(),
            created_at: self.state.clock.now(),
            last_used_at: None,
            expires_at: None,
        };
        self.state.store.create_token(&token).await.unwrap();
        text.reveal().to_owned()
    }

    pub async fn deployment(&self) -> DeploymentId {
        let path = "/v1/apps/guestbook/environments/live/deployments";
        let answer = self.post(path, json!({})).await.expect(202);
        answer.json()["id"].as_str().unwrap().parse().unwrap()
    }

    pub fn request(&self, method: &str, path: &str) -> http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {}", self.admin))
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let sent = self.router.clone().oneshot(request);
        let response = tokio::time::timeout(Duration::from_secs(10), sent)
            .await
            .unwrap()
            .unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer {
            status,
            headers,
            text,
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        let request = self.request("GET", path).body(Body::empty()).unwrap();
        self.send(request).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        let request = self.request("DELETE", path).body(Body::empty()).unwrap();
        self.send(request).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.json("POST", path, body).await
    }

    pub async fn json(&self, method: &str, path: &str, body: Value) -> Answer {
        let request = self
            .request(method, path)
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        self.send(request).await
    }

    /// Serves on a free loopback port until the test ends.
    pub async fn serve(&self) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = self.router.clone();
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }
}
