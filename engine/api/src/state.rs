//! What every handler may use.

use std::sync::Arc;

use shipway_core::app::App;
use shipway_core::environment::{Environment, EnvironmentKey, RuntimeKind};
use shipway_core::name::AppName;
use shipway_core::ports::clock::Clock;
use shipway_core::ports::plugins::Plugins;
use shipway_core::ports::pushes::Pushes;
use shipway_core::ports::store::Store;
use shipway_core::redact::Redactor;
use shipway_executor::command::Commands;
use tokio::sync::{Mutex, MutexGuard};
use tokio_util::sync::CancellationToken;

use crate::address::TrustedProxy;
use crate::audit::Strangers;
use crate::console::settings::ConsoleSettings;
use crate::problem::{Kind, Problem};
use crate::rate::Rate;
use crate::signature::Key;
use crate::vitals::{StoreAlone, Vitals};

#[derive(Debug, Clone)]
pub struct ApiState {
    pub store: Arc<dyn Store>,
    pub commands: Arc<dyn Commands>,
    pub plugins: Arc<dyn Plugins>,
    pub clock: Arc<dyn Clock>,
    pub vitals: Arc<dyn Vitals>,
    /// A component must be signed with one of them; empty demands nothing.
    demanded_keys: Arc<[Key]>,
    rate: Option<Rate>,
    console: Arc<ConsoleSettings>,
    trusted_proxies: Arc<[TrustedProxy]>,
    pushes: Option<Arc<dyn Pushes>>,
    pub(crate) strangers: Arc<Strangers>,
    /// For environments that name no runtime.
    pub default_runtime: RuntimeKind,
    /// Cancelled when the engine goes down: streams end, so that a graceful
    /// shutdown does not wait for their readers.
    pub shutdown: CancellationToken,
    /// Held from reading settings to writing them, so that of two changes at
    /// once none is lost.
    edits: Arc<Mutex<()>>,
}

impl ApiState {
    pub fn new(
        store: Arc<dyn Store>,
        commands: Arc<dyn Commands>,
        plugins: Arc<dyn Plugins>,
        clock: Arc<dyn Clock>,
        default_runtime: RuntimeKind,
    ) -> Self {
        Self {
            vitals: Arc::new(StoreAlone(store.clone())),
            store,
            commands,
            plugins,
            clock,
            demanded_keys: Arc::default(),
            rate: None,
            console: Arc::default(),
            trusted_proxies: Arc::default(),
            pushes: None,
            strangers: Arc::default(),
            default_runtime,
            shutdown: CancellationToken::new(),
            edits: Arc::default(),
        }
    }

    /// Answers for the engine's health with these.
    #[must_use]
    pub fn with_vitals(self, vitals: Arc<dyn Vitals>) -> Self {
        Self { vitals, ..self }
    }

    /// Demands that every component that is installed is signed with one of
    /// these keys.
    #[must_use]
    pub fn with_demanded_keys(mut self, keys: Vec<Key>) -> Self {
        self.demanded_keys = keys.into();
        self
    }

    /// Limits how often somebody may ask.
    #[must_use]
    pub fn with_rate(mut self, rate: Rate) -> Self {
        self.rate = Some(rate);
        self
    }

    pub(crate) fn rate(&self) -> Option<Rate> {
        let rate = self.rate.clone()?;
        Some(rate.behind(self.trusted_proxies.clone()))
    }

    #[must_use]
    pub fn with_console(mut self, settings: ConsoleSettings) -> Self {
        self.console = Arc::new(settings);
        self
    }

    pub(crate) fn console(&self) -> &ConsoleSettings {
        &self.console
    }

    /// Believes what these write into `X-Forwarded-For`.
    #[must_use]
    pub fn with_trusted_proxies(mut self, proxies: Vec<TrustedProxy>) -> Self {
        self.trusted_proxies = proxies.into();
        self
    }

    pub(crate) fn trusted_proxies(&self) -> &[TrustedProxy] {
        &self.trusted_proxies
    }

    /// Takes pushes of Git.
    #[must_use]
    pub fn with_pushes(mut self, pushes: Arc<dyn Pushes>) -> Self {
        self.pushes = Some(pushes);
        self
    }

    pub(crate) fn pushes(&self) -> Option<Arc<dyn Pushes>> {
        self.pushes.clone()
    }

    pub(crate) fn demanded_keys(&self) -> &[Key] {
        &self.demanded_keys
    }

    pub(crate) async fn editing(&self) -> MutexGuard<'_, ()> {
        self.edits.lock().await
    }

    pub(crate) async fn app(&self, name: &AppName) -> Result<App, Problem> {
        let app = self.store.app(name).await?;
        app.ok_or_else(|| Problem::new(Kind::NotFound, format!("there is no app {name}")))
    }

    pub(crate) async fn environment(&self, key: &EnvironmentKey) -> Result<Environment, Problem> {
        let environment = self.store.environment(key).await?;
        environment
            .ok_or_else(|| Problem::new(Kind::NotFound, format!("there is no environment {key}")))
    }

    /// Masks what is secret in an environment now.
    pub(crate) async fn redactor(&self, key: &EnvironmentKey) -> Result<Redactor, Problem> {
        let app = self.app(&key.app).await?;
        let environment = self.environment(key).await?;
        let plugins = self.store.plugins().await?;
        Ok(Redactor::of(&app, &environment, &plugins))
    }

    /// Reads an environment, changes it, checks it against the rules of core
    /// and writes it. Returns it with whatever the change gives back.
    pub(crate) async fn edit_environment<T>(
        &self,
        key: &EnvironmentKey,
        change: impl FnOnce(&mut Environment) -> Result<T, Problem>,
    ) -> Result<(Environment, T), Problem> {
        let _editing = self.editing().await;
        let mut environment = self.environment(key).await?;
        let given = change(&mut environment)?;
        environment.check()?;
        self.store.update_environment(&environment).await?;
        Ok((environment, given))
    }
}
