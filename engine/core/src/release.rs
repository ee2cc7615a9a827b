//! Release commands: what runs once per deployment, how, when, and who asked.

use serde::{Deserialize, Serialize};

use crate::name::{Label, PluginName};

/// A release command may take this long unless it says otherwise (Divio: 30 min).
pub const DEFAULT_TIMEOUT_SECONDS: u32 = 30 * 60;
/// No command may ask for more than a day.
pub const LONGEST_TIMEOUT_SECONDS: u32 = 24 * 60 * 60;

/// One command of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReleaseCommand {
    pub label: Label,
    pub run: Invocation,
    pub phase: Phase,
    #[serde(default)]
    pub entrypoint: Entrypoint,
    pub timeout_seconds: u32,
    #[serde(default)]
    pub when: When,
    #[serde(default)]
    pub cancel: CancelPolicy,
    /// What takes it back, run in the new image when a later step fails.
    pub undo: Option<Invocation>,
    pub provenance: Provenance,
}

/// A command as the settings keep it: what is absent has a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct SettingsCommand {
    pub label: Label,
    pub run: Invocation,
    #[serde(default)]
    pub phase: Phase,
    #[serde(default)]
    pub timeout_seconds: Option<u32>,
    #[serde(default)]
    pub when: When,
    #[serde(default)]
    pub cancel: CancelPolicy,
    #[serde(default)]
    pub undo: Option<Invocation>,
}

impl SettingsCommand {
    pub fn planned(self, provenance: Provenance) -> ReleaseCommand {
        ReleaseCommand {
            label: self.label,
            run: self.run,
            phase: self.phase,
            entrypoint: Entrypoint::default(),
            timeout_seconds: self.timeout_seconds.unwrap_or(DEFAULT_TIMEOUT_SECONDS),
            when: self.when,
            cancel: self.cancel,
            undo: self.undo,
            provenance,
        }
    }
}

/// How a command is run. In JSON and TOML a string goes through a shell, a
/// list does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(untagged)]
pub enum Invocation {
    /// For `sh -c`, byte for byte as its author wrote it.
    Shell(String),
    /// A program and its arguments.
    Argv(Vec<String>),
}

impl Invocation {
    /// The arguments to execute.
    pub fn argv(&self) -> Vec<String> {
        match self {
            Self::Shell(script) => vec!["/bin/sh".into(), "-c".into(), script.clone()],
            Self::Argv(argv) => argv.clone(),
        }
    }

    /// The first thing wrong with it, in words.
    pub fn problem(&self) -> Option<&'static str> {
        let empty = match self {
            Self::Shell(script) => script.trim().is_empty(),
            Self::Argv(argv) => argv.first().is_none_or(|program| program.is_empty()),
        };
        let nul = match self {
            Self::Shell(script) => script.contains('\0'),
            Self::Argv(argv) => argv.iter().any(|argument| argument.contains('\0')),
        };
        let size: usize = match self {
            Self::Shell(script) => script.len(),
            Self::Argv(argv) => argv.iter().map(String::len).sum(),
        };
        match (empty, nul, size > 64 * 1024) {
            (true, _, _) => Some("the command is empty"),
            (_, true, _) => Some("the command holds a NUL byte"),
            (_, _, true) => Some("the command is longer than 64 KiB"),
            _ => None,
        }
    }
}

impl std::fmt::Display for Invocation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Shell(script) => f.write_str(script),
            Self::Argv(argv) => write!(f, "{argv:?}"),
        }
    }
}

/// When in the deployment a command runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Image built, new version not started, old one serving.
    #[default]
    Release,
    /// New version up and healthy, not yet routed.
    Gate,
    /// New version routed.
    After,
    /// The deployment failed.
    Failed,
}

impl Phase {
    pub const ALL: [Self; 4] = [Self::Release, Self::Gate, Self::After, Self::Failed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Gate => "gate",
            Self::After => "after",
            Self::Failed => "failed",
        }
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether the image's entrypoint is kept in front of the command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Entrypoint {
    #[default]
    Bypass,
    Keep,
}

/// In which deployments a command runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum When {
    #[default]
    Always,
    /// Only while the environment has never had a successful deployment.
    FirstDeploy,
    /// Once per environment, image and command.
    Once,
}

/// Whether a command that runs may be stopped when its deployment is cancelled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CancelPolicy {
    /// It gets SIGTERM, 10 s, SIGKILL.
    #[default]
    Allowed,
    /// It runs to its end; whoever asks to cancel meanwhile is refused.
    Never,
}

/// Who asked for a command, and where to find it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Provenance {
    pub origin: Origin,
    /// Path in the repository, or empty.
    pub file: String,
    /// The place in it: `line 3`, `MIGRATION_COMMANDS[0]`.
    pub place: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "type", content = "name", rename_all = "kebab-case")]
pub enum Origin {
    /// The environment's settings in the control plane.
    Settings,
    /// `shipway.toml` of the commit.
    File,
    Plugin(PluginName),
}

impl std::fmt::Display for Provenance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.origin {
            Origin::Settings => f.write_str("settings")?,
            Origin::File => f.write_str("file")?,
            Origin::Plugin(name) => write!(f, "plugin {name}")?,
        }
        match (self.file.as_str(), self.place.as_str()) {
            ("", "") => Ok(()),
            ("", place) => write!(f, ", {place}"),
            (file, "") => write!(f, ", {file}"),
            (file, place) => write!(f, ", {file} {place}"),
        }
    }
}
