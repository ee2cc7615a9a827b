//! Plugins on the wire.

use serde::{Deserialize, Serialize};
use shipway_core::grant::Grants;
use shipway_core::name::Timestamp;
use shipway_core::plugin::{Description, Enabled, Installed, PluginLimits, Request};
use utoipa::ToSchema;

use super::variable::Variable;

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Plugin {
    #[serde(flatten)]
    pub description: Description,
    pub enabled: Enabled,
    pub grants: Grants,
    /// Grants that would allow all it asks for, as far as its settings tell.
    pub requested: Grants,
    /// What it asks for and has not been granted.
    pub lacks: Vec<Request>,
    /// Its settings for every environment.
    #[serde(rename = "values")]
    pub settings: Vec<Variable>,
    /// Limits that were set in place of the host's own.
    pub limits: PluginLimits,
    pub installed_at: Timestamp,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PluginPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<Enabled>,
    /// In place of all limits that were set before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<PluginLimits>,
}

impl From<Installed> for Plugin {
    fn from(plugin: Installed) -> Self {
        let Installed {
            description,
            grants,
            settings,
            enabled,
            limits,
            installed_at,
        } = plugin;
        Self {
            enabled,
            requested: Grants::requested(&description, &settings),
            lacks: grants.lacks(&description, &settings),
            grants,
            settings: settings
                .iter()
                .map(|(name, value)| Variable::new(name, value))
                .collect(),
            description,
            limits,
            installed_at,
        }
    }
}
