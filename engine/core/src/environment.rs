//! An environment: a place where an app runs, with its own variables,
//! instances, domains and release commands.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::health::HealthRule;
use crate::name::{
    AppName, Domain, EnvironmentName, Label, PluginName, ProcessName, Timestamp, VariableName,
    VolumeName,
};
use crate::release::SettingsCommand;
use crate::secret::Secret;

/// An app and one of its environments, as `app/environment`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EnvironmentKey {
    pub app: AppName,
    pub environment: EnvironmentName,
}

impl std::fmt::Display for EnvironmentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.app, self.environment)
    }
}

/// The settings of an environment as the control plane keeps them. What is
/// `None` or empty here is left to `shipway.toml`, and then to the defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    pub key: EnvironmentKey,
    pub runtime: RuntimeKind,
    /// What is deployed here when a trigger names nothing; else the app's.
    pub reference: Option<String>,
    pub variables: BTreeMap<VariableName, Variable>,
    pub domains: Vec<Domain>,
    pub processes: BTreeMap<ProcessName, ProcessSettings>,
    pub build: BuildSettings,
    pub services: Vec<Service>,
    /// Shared by every instance and command of every deployment.
    pub volumes: Vec<Volume>,
    pub release_commands: Vec<SettingsCommand>,
    pub plugins: Option<PluginChoice>,
    /// What each plugin gets to read here, over the plugin's own settings.
    pub plugin_settings: BTreeMap<PluginName, BTreeMap<String, Variable>>,
    pub queue: QueuePolicy,
    pub limits: Limits,
    /// How long old instances may finish their requests. 30 s unless set.
    pub drain_seconds: u32,
    /// How long what a failed deployment made is kept, ended, for a look
    /// inside: its instances, and the release container whose command failed.
    /// An hour unless set; 0 keeps nothing.
    #[serde(default = "an_hour")]
    pub keep_failed_seconds: u32,
    pub created_at: Timestamp,
}

impl Environment {
    pub fn new(key: EnvironmentKey, runtime: RuntimeKind, created_at: Timestamp) -> Self {
        Self {
            key,
            runtime,
            reference: None,
            variables: BTreeMap::new(),
            domains: Vec::new(),
            processes: BTreeMap::new(),
            build: BuildSettings::default(),
            services: Vec::new(),
            volumes: Vec::new(),
            release_commands: Vec::new(),
            plugins: None,
            plugin_settings: BTreeMap::new(),
            queue: QueuePolicy::default(),
            limits: Limits::default(),
            drain_seconds: 30,
            keep_failed_seconds: an_hour(),
            created_at,
        }
    }

    pub fn drain(&self) -> Duration {
        Duration::from_secs(u64::from(self.drain_seconds))
    }

    pub fn keep_failed(&self) -> Duration {
        Duration::from_secs(u64::from(self.keep_failed_seconds))
    }
}

fn an_hour() -> u32 {
    60 * 60
}

/// Where instances run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RuntimeKind {
    Process,
    Docker,
}

impl std::fmt::Display for RuntimeKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Process => "process",
            Self::Docker => "docker",
        })
    }
}

/// A variable of the environment, plain or secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "kebab-case")]
pub enum Variable {
    Plain(String),
    Secret(Secret),
}

impl Variable {
    /// The value itself, for a process that is given it.
    pub fn reveal(&self) -> &str {
        match self {
            Self::Plain(value) => value,
            Self::Secret(secret) => secret.reveal(),
        }
    }
}

/// What the settings say of one process type; what is absent is the file's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct ProcessSettings {
    pub command: Option<String>,
    pub port: Option<u16>,
    /// 0 switches the process type off.
    pub instances: Option<u32>,
    pub health: Option<HealthRule>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct BuildSettings {
    /// Path of the Dockerfile in the repository. `Dockerfile` unless set.
    pub dockerfile: Option<String>,
    /// The build command of the process runtime.
    pub command: Option<String>,
    /// Build arguments of the Dockerfile. Never the environment's variables.
    pub args: BTreeMap<String, String>,
    /// Whether layers of earlier builds may be reused. Off unless asked for.
    pub cache: Option<LayerCache>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LayerCache {
    #[default]
    Off,
    On,
}

/// A backing service that must answer before a deployment begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Service {
    pub name: String,
    /// Probed by its scheme: `tcp`, `http`, `https`, `postgres`, `mysql`,
    /// `redis`, `amqp`. `$NAME` takes the value of a variable.
    pub url: String,
    /// How long it may take to answer. 5 s unless set.
    #[serde(default = "five")]
    pub timeout_seconds: u32,
}

fn five() -> u32 {
    5
}

/// A place for files that outlive a deployment. Whoever writes it must bear
/// that the old and the new version write at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Volume {
    pub name: VolumeName,
    /// The absolute path in a container. The process runtime has no mounts: it
    /// gives a directory of the machine. On both, the place is told as
    /// `SHIPWAY_VOLUME_NAME`, in upper case with underscores.
    pub path: String,
}

impl Volume {
    /// The variable that tells where the volume is.
    pub fn variable(&self) -> String {
        format!(
            "SHIPWAY_VOLUME_{}",
            self.name.as_str().to_ascii_uppercase().replace('-', "_")
        )
    }

    /// The first thing wrong with it, in words.
    pub fn problem(&self) -> Option<&'static str> {
        let clean = self.path.starts_with('/')
            && self.path.len() > 1
            && !self.path.contains(':')
            && self
                .path
                .split('/')
                .skip(1)
                .all(|part| !matches!(part, "" | "." | ".."));
        (!clean).then_some("a volume's path must be absolute, such as /data")
    }
}

/// Which plugins take part. Named explicitly: two sources that both speak are
/// an error until one is chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PluginChoice {
    pub release_sources: Option<Vec<PluginName>>,
    pub self_tests: Option<Vec<PluginName>>,
    pub notifiers: Option<Vec<PluginName>>,
}

/// What happens to a trigger while a deployment runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum QueuePolicy {
    /// The newest waits; an older one that waits ends `superseded`.
    #[default]
    LatestWins,
    /// All wait, in order.
    Queue,
    /// The trigger is refused.
    Reject,
}

/// Limits of each instance and each release container, where the machine can
/// keep them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Mebibytes of memory.
    #[cfg_attr(feature = "schema", schema(minimum = 4, maximum = 16_777_216))]
    pub memory_mib: Option<u32>,
    /// Thousandths of a core.
    #[cfg_attr(feature = "schema", schema(minimum = 10, maximum = 1_000_000))]
    pub cpu_millis: Option<u32>,
}

/// A label that two of an environment's release commands share.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is a release command {0:?} already; labels are unique in an environment")]
pub struct DuplicateLabel(pub Label);
