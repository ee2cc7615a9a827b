//! Release commands of the settings, on the wire.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};
use shipway_core::name::Label;
use shipway_core::release::{CancelPolicy, Invocation, Phase, SettingsCommand, When};
use utoipa::ToSchema;

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCommand {
    /// What people call it; unique in the environment.
    pub label: Label,
    /// A string goes through a shell; a list does not.
    pub run: Invocation,
    #[serde(default)]
    pub phase: Phase,
    /// 1800 unless set; at most 86400.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    #[serde(default)]
    pub when: When,
    /// Whether it is stopped when its deployment is cancelled.
    #[serde(default)]
    pub cancel: CancelPolicy,
    /// What takes it back when a later step fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Invocation>,
    /// Where it stands in the list, from 1; at the end unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<usize>, minimum = 1)]
    pub position: Option<NonZeroUsize>,
}

/// Where a command is moved to.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// From 1; beyond the end means the end.
    #[schema(value_type = usize, minimum = 1)]
    pub position: NonZeroUsize,
}

impl From<NewCommand> for SettingsCommand {
    fn from(command: NewCommand) -> Self {
        Self {
            label: command.label,
            run: command.run,
            phase: command.phase,
            timeout_seconds: command.timeout_seconds,
            when: command.when,
            cancel: command.cancel,
            undo: command.undo,
        }
    }
}
