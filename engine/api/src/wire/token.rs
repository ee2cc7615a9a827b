//! Tokens on the wire. The text of one is in the answer that makes it and
//! nowhere else.

use serde::{Deserialize, Serialize};
use shipway_core::name::{AppName, Timestamp};
use shipway_core::secret::Secret;
use shipway_core::token::{self, Scope};
use utoipa::ToSchema;

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Token {
    pub name: String,
    pub scope: Scope,
    /// Empty means every app.
    pub apps: Vec<AppName>,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    /// From then on it is refused; absent for one that lasts until it is deleted.
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What people call it: 1 to 100 characters, unique.
    pub name: String,
    pub scope: Scope,
    /// Empty means every app.
    #[serde(default)]
    pub apps: Vec<AppName>,
    /// When it is to be refused; it lasts until it is deleted unless set.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// A token that was just made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CreatedToken {
    /// Shown this once.
    pub token: Secret,
    #[serde(flatten)]
    pub kept: Token,
}

impl From<token::Token> for Token {
    fn from(token: token::Token) -> Self {
        Self {
            name: token.name,
            scope: token.scope,
            apps: token.apps,
            created_at: token.created_at,
            last_used_at: token.last_used_at,
            expires_at: token.expires_at,
        }
    }
}
