//! Bearer tokens of the API: shown once, kept as a hash.

use serde::{Deserialize, Serialize};

use crate::name::{AppName, Digest, Timestamp};

/// A token as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// What people call it; unique.
    pub name: String,
    /// SHA-256 of the token, which has 256 random bits of its own.
    pub digest: Digest,
    pub scope: Scope,
    /// Empty means every app.
    pub apps: Vec<AppName>,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    /// From then on it is refused. None lasts until it is deleted.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

impl Token {
    /// Since when it is refused, if it is.
    pub fn expired(&self, now: Timestamp) -> Option<Timestamp> {
        self.expires_at.filter(|at| *at <= now)
    }

    /// Whether it may do this, to this app.
    pub fn allows(&self, scope: Scope, app: Option<&AppName>) -> bool {
        let reaches = match app {
            Some(app) => self.apps.is_empty() || self.apps.contains(app),
            None => self.apps.is_empty(),
        };
        self.scope >= scope && reaches
    }
}

/// What a token may do; each includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    Read,
    Deploy,
    Admin,
}

impl std::fmt::Display for Scope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Read => "read",
            Self::Deploy => "deploy",
            Self::Admin => "admin",
        })
    }
}
