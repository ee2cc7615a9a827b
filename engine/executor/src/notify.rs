//! Notifiers hear of every event, in order, each in a task of its own beside
//! the deployment. Nothing a notifier does changes a result or hides its cause.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shipway_core::journal::{Entry, Event};
use shipway_core::name::PluginName;
use shipway_core::plugin::{Enabled, Installed, Role};
use shipway_core::ports::plugins::{Call, Level, PluginError, PluginLog};
use shipway_core::ports::store::StoreError;

use crate::engine::Inner;
use crate::log::Log;
use crate::scene::Scene;

/// Tries of one event, and what lies between them; it doubles.
const TRIES: u32 = 4;
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const PAGE: u32 = 200;

/// Starts the notifiers of one deployment, each once.
#[derive(Debug)]
pub struct Messenger {
    engine: Arc<Inner>,
    /// What every call has in common; the plugin and its settings differ.
    template: Template,
    told: Mutex<BTreeSet<PluginName>>,
}

#[derive(Debug, Clone)]
struct Template {
    deployment: shipway_core::name::DeploymentId,
    environment: shipway_core::environment::Environment,
    reference: String,
    log: Log,
}

impl Messenger {
    pub fn new(engine: Arc<Inner>, scene: &Scene) -> Self {
        let template = Template {
            deployment: scene.deployment,
            environment: scene.environment.clone(),
            reference: scene.reference.clone(),
            log: scene.log.clone(),
        };
        Self {
            engine,
            template,
            told: Mutex::default(),
        }
    }

    /// From now on these hear of every event, the earlier ones first.
    pub fn tell(&self, notifiers: &[PluginName]) {
        for name in notifiers {
            let is_new = self
                .told
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(name.clone());
            if is_new {
                let follow = follow(self.engine.clone(), self.template.clone(), name.clone());
                self.engine.tasks().spawn(follow);
            }
        }
    }
}

async fn follow(engine: Arc<Inner>, template: Template, name: PluginName) {
    let plugin = match engine.world.store.plugin(&name).await {
        Ok(Some(plugin)) if plugin.has(Role::Notifier) && plugin.enabled == Enabled::Yes => {
            Arc::new(plugin)
        }
        Ok(_) => {
            let message = "is chosen as notifier and is not installed, is disabled, or does not have that role";
            PluginLog::line(&template.log, &name, Level::Warn, message);
            return;
        }
        Err(error) => {
            tracing::warn!(%name, %error, "the notifier could not be loaded");
            return;
        }
    };
    if let Err(error) = deliver_all(&engine, &template, plugin).await {
        tracing::warn!(%name, %error, "the journal could not be read for the notifier");
    }
}

async fn deliver_all(
    engine: &Inner,
    template: &Template,
    plugin: Arc<Installed>,
) -> Result<(), StoreError> {
    let mut rings = engine.bell.listen(template.deployment);
    let mut after = 0;
    loop {
        let entries = engine
            .world
            .store
            .journal(template.deployment, after, PAGE)
            .await?;
        for entry in &entries {
            after = entry.sequence;
            deliver(engine, template, &plugin, entry).await;
            if matches!(entry.event, Event::Ended(_)) {
                return Ok(());
            }
        }
        if entries.is_empty() {
            rings.heard().await;
        }
    }
}

async fn deliver(engine: &Inner, template: &Template, plugin: &Arc<Installed>, entry: &Entry) {
    let call = call(template, plugin.clone());
    let mut pause = FIRST_PAUSE;
    for tried in 1..=TRIES {
        match engine.world.plugins.deliver(&call, entry).await {
            Ok(()) => return,
            Err(error) if error.retryable && tried < TRIES => tokio::time::sleep(pause).await,
            Err(error) => return give_up(template, plugin.name(), entry, &error),
        }
        pause *= 2;
    }
}

fn give_up(template: &Template, name: &PluginName, entry: &Entry, error: &PluginError) {
    let message = format!(
        "event {} ({}) was not delivered: {error}",
        entry.sequence,
        entry.event.kind()
    );
    PluginLog::line(&template.log, name, Level::Warn, &message);
}

fn call(template: &Template, plugin: Arc<Installed>) -> Call {
    let mut settings = plugin.settings.clone();
    if let Some(own) = template.environment.plugin_settings.get(plugin.name()) {
        settings.extend(own.clone());
    }
    Call {
        settings,
        variables: template.environment.variables.clone(),
        deployment: template.deployment,
        environment: template.environment.key.clone(),
        commit: None,
        reference: template.reference.clone(),
        files: None,
        image: None,
        candidate: Vec::new(),
        exec: None,
        log: Arc::new(template.log.clone()),
        plugin,
    }
}
