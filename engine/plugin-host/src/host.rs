//! The host: takes components in, and asks them their questions.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shipway_core::journal::Entry;
use shipway_core::name::Digest;
use shipway_core::plan::Collected;
use shipway_core::plugin::{Description, Role};
use shipway_core::ports::plugins::{Call, Check, PluginError, PluginErrorKind, Plugins};
use shipway_core::ports::store::Registry;

use crate::bindings::model::Failure;
use crate::bindings::notifier;
use crate::cache::Cache;
use crate::call::{Answer, Asked, Caller};
use crate::compiler::Workshop;
use crate::config::{HostConfig, HostError, Limits};
use crate::fault::{Fault, Who};
use crate::http::{Http, Outside};
use crate::library::Library;
use crate::loaded::Loaded;
use crate::sandbox::{Sandbox, Scene};
use crate::tape::Tape;
use crate::ticker::Ticker;
use crate::{convert, describe, engine, measure};

/// An event as notifiers see it, in the contract's words.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: String,
    pub sequence: u64,
    /// RFC 3339, UTC.
    pub time: String,
    pub kind: String,
    pub summary: String,
    /// JSON.
    pub data: String,
}

/// How a rehearsal differs from the real thing.
#[derive(Debug, Clone, Default)]
pub struct Rehearsal {
    /// Answers requests that would leave for the outside.
    pub outside: Option<Arc<dyn Outside>>,
    /// What becomes of host calls.
    pub tape: Tape,
}

/// Runs plugins on wasmtime, each call in a sandbox of its own.
#[derive(Debug)]
pub struct PluginHost {
    library: Arc<Library>,
    caller: Caller,
    limits: Arc<Limits>,
}

impl PluginHost {
    /// Opens the cache and starts the engine. The registry gives the bytes of
    /// installed components by their digest.
    ///
    /// # Errors
    /// When the cache cannot be made or is not ours alone, or WebAssembly
    /// cannot run on this machine.
    pub fn new(config: HostConfig, registry: Arc<dyn Registry>) -> Result<Self, HostError> {
        let limits = Arc::new(config.limits);
        let engine = engine::engine(&limits)?;
        let linker = engine::linker(&engine)?;
        let cache = Cache::open(&config.cache_dir, &engine)?;
        let ticker =
            Ticker::start(engine.clone()).map_err(|source| HostError::Ticker { source })?;
        let workshop = Workshop::new(config.compiler, engine.clone(), Arc::clone(&limits));
        let library = Library::new(linker, cache, registry, workshop, Arc::clone(&limits));
        let http = Arc::new(Http::new(
            config.extra_roots,
            config.names,
            limits.http_body,
        ));
        Ok(Self {
            library: Arc::new(library),
            caller: Caller::new(engine, &limits, http, ticker),
            limits,
        })
    }

    /// This host for a rehearsal: the same sandbox, with a tape, and perhaps
    /// with somebody who stands for the world outside.
    pub fn rehearse(&self, rehearsal: Rehearsal) -> Self {
        let Rehearsal { outside, tape } = rehearsal;
        Self {
            library: Arc::clone(&self.library),
            caller: self.caller.rehearsing(tape, outside),
            limits: Arc::clone(&self.limits),
        }
    }

    /// How long it took to compile the component when it was inspected. None
    /// when it had been compiled before, or is not ready in memory any more.
    pub fn took(&self, digest: &Digest) -> Option<Duration> {
        self.library.took(digest)
    }

    /// Loads a plugin and asks it as one of its roles.
    async fn ask<T: Send>(
        &self,
        call: &Call,
        role: Role,
        question: impl for<'a> FnOnce(
            Arc<Loaded>,
            &'a mut wasmtime::Store<Sandbox>,
            wasmtime::component::Instance,
        ) -> Asked<'a, Result<T, Failure>>
        + Send,
    ) -> Result<T, Fault> {
        let loaded = self.library.get(&call.plugin.description.digest).await?;
        loaded.require(role)?;
        let limits = self.limits.of(&call.plugin.limits);
        let scene = Scene::of(call, &limits);
        let lines = Arc::clone(&scene.lines);
        let guest = Arc::clone(&loaded);
        let answer = self
            .caller
            .ask(
                &loaded,
                scene,
                limits,
                Some(role),
                move |store, instance| question(guest, store, instance),
            )
            .await
            .map_err(|fault| Fault {
                what: lines.clean(&fault.what),
                ..fault
            })?;
        let Answer { value, seen } = answer;
        value.map_err(|failure| convert::failed(failure, &seen, &lines))
    }

    async fn describe(&self, component: &[u8]) -> Result<Description, Fault> {
        let (digest, loaded) = self.library.take_in(component).await?;
        let scene = Scene::empty(&self.limits);
        let guest = Arc::clone(&loaded);
        let answer = self
            .caller
            .ask(
                &loaded,
                scene,
                Arc::clone(&self.limits),
                None,
                move |store, instance| {
                    Box::pin(async move {
                        if let Err(error) = guest.well_typed(store, &instance) {
                            return Ok(Err(error.to_string()));
                        }
                        let manifest = guest.manifest(store, &instance)?;
                        manifest.call_describe(store).await.map(Ok)
                    })
                },
            )
            .await?;
        let description = answer.value.map_err(|mismatch| {
            let what = format!("exports a role with types that are not the contract's: {mismatch}");
            Fault::new(PluginErrorKind::Malformed, what)
                .with_hint("build it against shipway:plugin 0.1")
        })?;
        let size = u64::try_from(component.len()).unwrap_or(u64::MAX);
        describe::description(description, digest, size, loaded.roles())
    }

    async fn collected(&self, call: &Call) -> Result<Collected, Fault> {
        let deployment = convert::deployment(call);
        let collected = self
            .ask(call, Role::ReleaseSource, move |guest, store, instance| {
                Box::pin(async move {
                    let source = guest.commands(store, &instance)?;
                    source.call_collect(store, &deployment).await
                })
            })
            .await?;
        convert::collected(collected, call.plugin.name())
    }

    async fn tested(&self, call: &Call) -> Result<Vec<Check>, Fault> {
        let deployment = convert::deployment(call);
        let report = self
            .ask(call, Role::SelfTest, move |guest, store, instance| {
                Box::pin(async move {
                    let checks = guest.checks(store, &instance)?;
                    checks.call_run(store, &deployment).await
                })
            })
            .await?;
        convert::report(report)
    }

    /// Delivers an event that no journal has, as authors do in their tests.
    ///
    /// # Errors
    /// As [`Plugins::deliver`].
    pub async fn deliver_event(&self, call: &Call, event: &Event) -> Result<(), PluginError> {
        let who = Who::plugin(&call.plugin, Role::Notifier);
        let event = convert::made_up(call, event);
        self.told(call, event).await.map_err(|fault| fault.of(&who))
    }

    async fn delivered(&self, call: &Call, entry: &Entry) -> Result<(), Fault> {
        self.told(call, convert::event(call, entry)?).await
    }

    async fn told(&self, call: &Call, event: notifier::Event) -> Result<(), Fault> {
        self.ask(call, Role::Notifier, move |guest, store, instance| {
            Box::pin(async move {
                let notifier = guest.notifier(store, &instance)?;
                notifier.call_deliver(store, &event).await
            })
        })
        .await
    }
}

#[async_trait]
impl Plugins for PluginHost {
    async fn inspect(&self, component: &[u8]) -> Result<Description, PluginError> {
        let described = self.describe(component).await;
        described.map_err(|fault| fault.of(&Who::component()))
    }

    async fn collect(&self, call: &Call) -> Result<Collected, PluginError> {
        measure::observed(call, Role::ReleaseSource, self.collected(call)).await
    }

    async fn self_test(&self, call: &Call) -> Result<Vec<Check>, PluginError> {
        measure::observed(call, Role::SelfTest, self.tested(call)).await
    }

    async fn deliver(&self, call: &Call, entry: &Entry) -> Result<(), PluginError> {
        measure::observed(call, Role::Notifier, self.delivered(call, entry)).await
    }

    async fn forget(&self, digest: &Digest) {
        self.library.forget(digest);
    }
}
