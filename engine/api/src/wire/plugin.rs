//! Plugins on the wire.

use serde::{Deserialize, Serialize};
use shipway_core::grant::Grants;
use shipway_core::name::Timestamp;
use shipway_core::plugin::{Description, Enabled, Installed, Origin, PluginLimits, Request};
use utoipa::{IntoParams, ToSchema};

use super::variable::Variable;
use crate::problem::{Kind, Problem};

/// The header with a signature's text, in base64.
pub const SIGNATURE: &str = "shipway-signature";
/// The header with a public key's text, in base64.
pub const SIGNATURE_KEY: &str = "shipway-signature-key";
/// In bytes.
const LONGEST_SOURCE: usize = 1024;

#[derive(Debug, Clone, Default, Serialize, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct InstallQuery {
    /// Whether a version that asks for more than the installed one is accepted.
    #[param(inline)]
    pub more: More,
    /// Where the component is from, to be shown; at most 1,024 bytes.
    pub source: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum More {
    #[default]
    Refuse,
    Accept,
}

impl InstallQuery {
    /// The source as it may be kept and shown.
    pub(crate) fn source(&self) -> Result<Option<String>, Problem> {
        match &self.source {
            Some(text) if text.len() > LONGEST_SOURCE || text.chars().any(char::is_control) => {
                let detail = "source is longer than 1,024 bytes, or has control characters";
                Err(Problem::new(Kind::InvalidQuery, detail))
            }
            source => Ok(source.clone()),
        }
    }
}

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
    /// Where it came from, and who signed it.
    pub origin: Origin,
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
            origin,
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
            origin,
            installed_at,
        }
    }
}
