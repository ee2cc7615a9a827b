//! An environment on the wire.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shipway_core::environment::{
    self, BuildSettings, EnvironmentKey, Limits, PluginChoice, ProcessSettings, QueuePolicy,
    RuntimeKind, Service, Volume,
};
use shipway_core::journal::Serving;
use shipway_core::name::{AppName, Domain, EnvironmentName, ProcessName, Timestamp};
use utoipa::ToSchema;

use super::deployment::Deployment;
use crate::patch::Patch;

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Environment {
    pub app: AppName,
    pub name: EnvironmentName,
    pub created_at: Timestamp,
    #[serde(flatten)]
    pub settings: EnvironmentSettings,
}

/// What is absent or empty is left to `shipway.toml`, then to the defaults.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentSettings {
    pub runtime: RuntimeKind,
    /// What is deployed when a trigger names nothing; else the app's.
    #[serde(default)]
    pub reference: Option<String>,
    #[serde(default)]
    pub domains: Vec<Domain>,
    #[serde(default)]
    pub processes: BTreeMap<ProcessName, ProcessSettings>,
    #[serde(default)]
    pub build: BuildSettings,
    #[serde(default)]
    pub services: Vec<Service>,
    /// Places for files that outlive a deployment.
    #[serde(default)]
    pub volumes: Vec<Volume>,
    /// Which plugins take part; `null` leaves it to the file.
    #[serde(default)]
    pub plugins: Option<PluginChoice>,
    #[serde(default)]
    pub queue: QueuePolicy,
    #[serde(default)]
    pub limits: Limits,
    /// How long old instances may finish their requests, in seconds.
    #[serde(default = "thirty")]
    pub drain_seconds: u32,
    /// How long a failed deployment's instances and release container are kept,
    /// ended, for a look inside, in seconds; 0 keeps nothing.
    #[serde(default = "an_hour")]
    pub keep_failed_seconds: u32,
}

fn thirty() -> u32 {
    30
}

fn an_hour() -> u32 {
    60 * 60
}

pub type EnvironmentPatch = Patch<EnvironmentSettings>;

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct NewEnvironment {
    pub name: EnvironmentName,
    /// Settings from the start. An environment that names no domain gets
    /// `ENVIRONMENT.APP.localhost`.
    #[serde(flatten)]
    pub settings: EnvironmentPatch,
}

/// What an environment does now.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct EnvironmentStatus {
    pub domains: Vec<Domain>,
    /// What answers its requests; absent before the first success.
    pub serving: Option<Serving>,
    /// The newest deployment, whatever became of it.
    pub latest: Option<Deployment>,
}

impl EnvironmentSettings {
    /// Writes them into the environment; variables and release commands stay.
    pub(crate) fn write(self, environment: &mut environment::Environment) {
        environment.runtime = self.runtime;
        environment.reference = self.reference;
        environment.domains = self.domains;
        environment.processes = self.processes;
        environment.build = self.build;
        environment.services = self.services;
        environment.volumes = self.volumes;
        environment.plugins = self.plugins;
        environment.queue = self.queue;
        environment.limits = self.limits;
        environment.drain_seconds = self.drain_seconds;
        environment.keep_failed_seconds = self.keep_failed_seconds;
        environment.domains.sort();
        environment.domains.dedup();
    }
}

impl From<&environment::Environment> for EnvironmentSettings {
    fn from(environment: &environment::Environment) -> Self {
        let from = environment.clone();
        Self {
            runtime: from.runtime,
            reference: from.reference,
            domains: from.domains,
            processes: from.processes,
            build: from.build,
            services: from.services,
            volumes: from.volumes,
            plugins: from.plugins,
            queue: from.queue,
            limits: from.limits,
            drain_seconds: from.drain_seconds,
            keep_failed_seconds: from.keep_failed_seconds,
        }
    }
}

impl From<&environment::Environment> for Environment {
    fn from(environment: &environment::Environment) -> Self {
        let EnvironmentKey {
            app,
            environment: name,
        } = environment.key.clone();
        Self {
            app,
            name,
            created_at: environment.created_at,
            settings: environment.into(),
        }
    }
}
