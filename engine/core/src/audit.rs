//! The audit log: who did what, from where, and what became of it. It holds
//! names and words of the engine's own, never a secret and never a body.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::name::{AppName, Timestamp};

/// Something that was done, or that somebody tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Act {
    pub at: Timestamp,
    pub actor: Actor,
    /// The client's address, when there was one.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub from: Option<IpAddr>,
    /// The operation, as the API's description names it: `create_deployment`.
    pub action: String,
    /// What it was done to: a path of the API.
    pub subject: String,
    pub app: Option<AppName>,
    pub outcome: Outcome,
    /// Refused attempts of strangers before this one that were too many to be
    /// written down.
    #[serde(default)]
    pub unrecorded: u64,
}

/// An act in the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Record {
    /// Later ones have higher numbers.
    pub number: u64,
    #[serde(flatten)]
    pub act: Act,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Actor {
    /// Whoever holds the token of this name.
    Token { name: String },
    /// A Git host, by the id of its webhook.
    Webhook { name: String },
    /// Whoever pushed with the token of this name.
    GitPush { name: String },
    /// Whoever an OpenID provider says this is.
    Person { name: String },
    /// Nobody who could prove who they are.
    Anonymous,
}

impl Actor {
    /// What the log is searched for.
    pub fn name(&self) -> &str {
        match self {
            Self::Token { name }
            | Self::Webhook { name }
            | Self::GitPush { name }
            | Self::Person { name } => name,
            Self::Anonymous => "anonymous",
        }
    }
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Token { name } => write!(f, "token {name}"),
            Self::Webhook { name } => write!(f, "webhook {name}"),
            Self::GitPush { name } => write!(f, "git push of token {name}"),
            Self::Person { name } => f.write_str(name),
            Self::Anonymous => f.write_str("anonymous"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "result", rename_all = "kebab-case")]
pub enum Outcome {
    Accepted,
    /// The last part of the problem's `type`: `forbidden`, `invalid-signature`.
    Refused {
        reason: String,
    },
    /// The engine could not do it.
    Failed {
        reason: String,
    },
}

impl Outcome {
    /// The reason that it was not done for.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Accepted => None,
            Self::Refused { reason } | Self::Failed { reason } => Some(reason),
        }
    }
}

impl Act {
    /// What was refused may come in any number, so it has a share of the log of
    /// its own and never pushes out what was done.
    pub fn share(&self) -> Share {
        match self.outcome {
            Outcome::Refused { .. } => Share::Refused,
            Outcome::Accepted | Outcome::Failed { .. } => Share::Done,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    Done,
    Refused,
}

/// What is kept: of each share the newest, and nothing beyond an age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    pub done: u32,
    pub refused: u32,
    pub age: Duration,
}

impl Policy {
    pub fn newest_of(&self, share: Share) -> u32 {
        match share {
            Share::Done => self.done,
            Share::Refused => self.refused,
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            done: 100_000,
            refused: 10_000,
            age: Duration::from_secs(400 * 24 * 60 * 60),
        }
    }
}

/// Which records are asked for, newest first.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The name of a token, the id of a webhook, or `anonymous`.
    pub actor: Option<String>,
    pub action: Option<String>,
    pub app: Option<AppName>,
    pub since: Option<Timestamp>,
    /// Only lower numbers than this.
    pub before: Option<u64>,
    /// At most this many, and never more than 1,000; 0 means 100.
    pub limit: u32,
}

impl Filter {
    pub fn fits(&self, record: &Record) -> bool {
        let act = &record.act;
        let is = |wanted: &Option<String>, text: &str| wanted.as_ref().is_none_or(|it| it == text);
        is(&self.actor, act.actor.name())
            && is(&self.action, &act.action)
            && (self.app.is_none() || self.app == act.app)
            && self.since.is_none_or(|since| act.at >= since)
            && self.before.is_none_or(|before| record.number < before)
    }
}
