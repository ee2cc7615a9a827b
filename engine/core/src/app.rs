//! An app: a Git repository and its settings.

use serde::{Deserialize, Serialize};

use crate::name::{AppName, Timestamp};
use crate::secret::Secret;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    pub name: AppName,
    pub repository: Repository,
    /// The app whose images this one reuses: a mirror never builds a commit
    /// that its original has built.
    pub mirror_of: Option<AppName>,
    pub created_at: Timestamp,
}

/// Where the code comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repository {
    /// `https://…`, `ssh://…`, `user@host:path`, `file://…` or a local path.
    pub url: String,
    /// What is deployed when nobody says otherwise.
    pub default_reference: String,
    pub credentials: Option<Credentials>,
}

/// The address of the repository that the engine keeps for an app itself, which
/// is pushed to.
pub const PUSHED: &str = "push:";

impl Repository {
    pub fn is_pushed(&self) -> bool {
        self.url == PUSHED
    }
}

/// How an app proves itself to its Git host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Credentials {
    /// A user and a password or access token, for https.
    Password { username: String, password: Secret },
    /// An OpenSSH private key, for ssh.
    Key {
        username: String,
        private_key: Secret,
        passphrase: Option<Secret>,
        /// Lines of a `known_hosts` file; the host's key must be among them.
        /// Without them the host's key is taken from the user's own file.
        known_hosts: Option<String>,
    },
}

impl Credentials {
    /// The secret texts in it, for redaction.
    pub fn secrets(&self) -> Vec<&Secret> {
        match self {
            Self::Password { password, .. } => vec![password],
            Self::Key {
                private_key,
                passphrase,
                ..
            } => std::iter::once(private_key).chain(passphrase).collect(),
        }
    }
}
