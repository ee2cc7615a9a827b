//! Plugins as the control plane knows them: described, installed, granted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::environment::Variable;
use crate::grant::{Grants, Place};
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
    /// Where in a request the plugin puts it, if it is secret or made so.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schema(value_type = Vec<String>))]
    pub places: Vec<Place>,
}

/// What a plugin asks for. A request is never a grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Request {
    /// `files`, `variables`, `image`, `http`, `exec`, or a word of a later
    /// contract.
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
    #[serde(default)]
    pub limits: PluginLimits,
    #[serde(default)]
    pub origin: Origin,
    pub installed_at: Timestamp,
}

/// Where an installed component came from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default)]
pub struct Origin {
    /// As who installed it said: a registry's reference, a file's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Whose signature was verified over its bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signer: Option<Signer>,
}

/// The key that a verified signature was made with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Signer {
    /// `minisign` or `cosign`.
    pub scheme: String,
    /// minisign: the key id that the tool shows. cosign: SHA-256 of the public
    /// key in DER, in hex.
    pub key: String,
}

impl std::fmt::Display for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} key {}", self.scheme, self.key)
    }
}

/// Limits that an operator set for one plugin, in place of the host's own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct PluginLimits {
    /// Milliseconds of processor time of a call, 1 to 60,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_ms: Option<u32>,
    /// Seconds that a call may take in all, 1 to 600.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_seconds: Option<u32>,
    /// MiB of memory, 1 to 256.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u32>,
    /// HTTP requests of a call, at most 10,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http_requests: Option<u32>,
    /// Image probes and commands in the candidate of a call, at most 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commands: Option<u32>,
    /// KiB of log and standard output of a call, at most 16,384.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_kib: Option<u32>,
}

impl PluginLimits {
    /// The first limit that is out of its bounds, in words.
    pub fn problem(&self) -> Option<String> {
        let bounds = [
            ("cpu_ms", self.cpu_ms, 1, 60_000),
            ("wall_seconds", self.wall_seconds, 1, 600),
            ("memory_mib", self.memory_mib, 1, 256),
            ("http_requests", self.http_requests, 0, 10_000),
            ("commands", self.commands, 0, 100),
            ("output_kib", self.output_kib, 0, 16_384),
        ];
        bounds.into_iter().find_map(|(name, value, least, most)| {
            let value = value.filter(|value| !(least..=most).contains(value))?;
            Some(format!("{name} is {value}, and may be {least} to {most}"))
        })
    }
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
