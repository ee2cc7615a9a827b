//! Git pushes to the engine itself: who pushes hands over commits, and hears
//! whether they were deployed before the branch moves.

use std::sync::Arc;

use async_trait::async_trait;

use super::BoxError;
use crate::environment::EnvironmentKey;
use crate::name::{AppName, CommitId};

/// The repositories that apps are pushed to.
#[async_trait]
pub trait Pushes: Send + Sync + std::fmt::Debug {
    /// What Git is told first: the references that there are.
    async fn advertise(&self, key: &EnvironmentKey) -> Result<Vec<u8>, PushError>;

    /// Takes what Git sends, and answers as Git expects it. A deployment goes
    /// on when nobody listens to the answer any more, and its branch moves when
    /// it succeeds.
    async fn receive(
        &self,
        push: Push,
        sent: Box<dyn Chunks>,
    ) -> Result<Box<dyn Chunks>, PushError>;

    /// Removes an app's repository. Safe to repeat.
    async fn forget(&self, app: &AppName) -> Result<(), PushError>;
}

/// A push that somebody may make.
#[derive(Debug, Clone)]
pub struct Push {
    pub key: EnvironmentKey,
    /// The one branch that deploys.
    pub branch: String,
    pub deployer: Arc<dyn Deployer>,
}

/// What deploys the commit of a push.
#[async_trait]
pub trait Deployer: Send + Sync + std::fmt::Debug {
    /// Deploys it and tells the pusher of it, line by line. The error is why
    /// the push is refused, in a few words.
    async fn deploy(&self, commit: &CommitId, pusher: &dyn Pusher) -> Result<(), String>;
}

/// Somebody at a terminal, or nobody any more.
#[async_trait]
pub trait Pusher: Send + Sync {
    async fn hear(&self, line: &str);
}

/// Bytes that come bit by bit.
#[async_trait]
pub trait Chunks: Send {
    /// None at the end.
    async fn next(&mut self) -> Option<std::io::Result<Vec<u8>>>;
}

#[derive(Debug, thiserror::Error)]
pub enum PushError {
    #[error("the program `git` is not installed where the engine runs")]
    NoGit,
    #[error("so many pushes are under way that no other can begin")]
    Busy,
    #[error("the repository of {app} has grown larger than {} MiB", limit >> 20)]
    Full { app: AppName, limit: u64 },
    #[error("could not {what}")]
    Failed {
        what: &'static str,
        #[source]
        source: BoxError,
    },
}
