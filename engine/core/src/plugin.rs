//! Plugins as the control plane knows them: described, installed, granted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::environment::Variable;
use crate::grant::Grants;
use crate::name::{Digest, PluginName, Timestamp};

/// A question that a plugin answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    ReleaseSource,
    Notifier,
    SelfTest,
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::ReleaseSource => "release-source",
            Self::Notifier => "notifier",
            Self::SelfTest => "self-test",
        })
    }
}

/// What a component says of itself, and what was seen of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Description {
    pub name: PluginName,
    pub version: String,
    pub summary: String,
    pub digest: Digest,
    /// Bytes of the component.
    pub size: u64,
    /// From its exports.
    pub roles: Vec<Role>,
    pub settings: Vec<SettingDescription>,
    pub requests: Vec<Request>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SettingDescription {
    pub name: String,
    pub summary: String,
    pub required: bool,
    pub secret: bool,
}

/// What a plugin asks for. A request is never a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Request {
    /// `files`, `image`, `http`, or a word of a later contract.
    pub capability: String,
    pub targets: Vec<String>,
    pub reason: String,
}

/// A plugin that an operator installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    pub description: Description,
    pub grants: Grants,
    /// For every environment; an environment's own settings win.
    pub settings: BTreeMap<String, Variable>,
    pub enabled: Enabled,
    pub installed_at: Timestamp,
}

impl Installed {
    pub fn name(&self) -> &PluginName {
        &self.description.name
    }

    pub fn has(&self, role: Role) -> bool {
        self.description.roles.contains(&role)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Enabled {
    Yes,
    /// Switched off everywhere at once.
    No,
}
