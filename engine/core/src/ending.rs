//! How a deployment ends, and why. The words are shared by API, CLI, log and
//! plugins.

use serde::{Deserialize, Serialize};

use crate::name::{DeploymentId, Label, PluginName};
use crate::pipeline::Step;

/// The end of a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "status", rename_all = "kebab-case")]
pub enum Ending {
    Succeeded,
    Failed(Failed),
    Cancelled(Aftermath),
    /// A newer trigger took its place in the queue.
    Superseded {
        by: DeploymentId,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Failed {
    pub failure: Failure,
    #[serde(flatten)]
    pub aftermath: Aftermath,
}

/// What a deployment that did not succeed leaves behind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Aftermath {
    /// Commands that had run when it ended: the data may be ahead of the code.
    pub release_commands_ran: Vec<Label>,
    /// Commands whose undo succeeded.
    pub undone: Vec<Label>,
    /// Commands whose undo failed: somebody has to look.
    pub undo_failed: Vec<Label>,
    /// The deployment that goes on serving, if there is one.
    pub serving: Option<DeploymentId>,
}

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Failure {
    pub step: Step,
    pub reason: Reason,
    /// One sentence: what happened.
    pub message: String,
    /// What a person can do about it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
    /// The release command that failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub command: Option<Label>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub exit_code: Option<i32>,
    /// The plugin at fault.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub plugin: Option<PluginName>,
    /// What it printed last, at most 20 lines.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub last_lines: Vec<String>,
}

impl Failure {
    pub fn new(step: Step, reason: Reason, message: impl Into<String>) -> Self {
        Self {
            step,
            reason,
            message: message.into(),
            hint: None,
            command: None,
            exit_code: None,
            plugin: None,
            last_lines: Vec::new(),
        }
    }

    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Why, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    Services,
    Checkout,
    Build,
    Plugin,
    ReleaseCommand,
    Timeout,
    Unhealthy,
    SelfTest,
    HookError,
    Switch,
    Interrupted,
    Internal,
}

impl Reason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Services => "services",
            Self::Checkout => "checkout",
            Self::Build => "build",
            Self::Plugin => "plugin",
            Self::ReleaseCommand => "release-command",
            Self::Timeout => "timeout",
            Self::Unhealthy => "unhealthy",
            Self::SelfTest => "self-test",
            Self::HookError => "hook-error",
            Self::Switch => "switch",
            Self::Interrupted => "interrupted",
            Self::Internal => "internal",
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
