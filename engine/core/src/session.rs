//! Sessions of the console: who is signed in, until when. A browser holds 256
//! random bits, the store their digest.

use serde::{Deserialize, Serialize};

use crate::name::{Digest, Timestamp};

/// A session as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// SHA-256 of what the browser holds.
    pub digest: Digest,
    pub who: Who,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

impl Session {
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.expires_at
    }
}

/// Who signed in, and by what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Who {
    /// Whoever has this token may do what it allows. When the token is deleted
    /// the session is over.
    Token { digest: Digest },
    /// A person whom somebody else knows: an OpenID provider.
    Person {
        name: String,
        /// What let them in, as the operator wrote it, and says what they may
        /// do. When it is taken away the session is over.
        rule: String,
    },
}
