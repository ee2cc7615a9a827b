//! Where code comes from.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;

use super::BoxError;
use crate::app::Repository;
use crate::journal::Commit;
use crate::name::{AppName, DeploymentId};

#[async_trait]
pub trait Source: Send + Sync + std::fmt::Debug {
    /// Fetches the repository into its mirror, resolves the reference (a
    /// branch, a tag or a commit) and checks it out, submodules included, into
    /// a working directory of this deployment's own. Safe to repeat: a second
    /// call with the same `commit` gives the same tree.
    async fn check_out(&self, request: &CheckoutRequest) -> Result<Checkout, SourceError>;

    /// Removes the working directory of a deployment. Safe to repeat.
    async fn discard(&self, deployment: DeploymentId) -> Result<(), SourceError>;
}

#[derive(Debug, Clone)]
pub struct CheckoutRequest {
    pub app: AppName,
    pub repository: Repository,
    pub reference: String,
    pub deployment: DeploymentId,
}

#[derive(Debug, Clone)]
pub struct Checkout {
    pub commit: Commit,
    pub directory: PathBuf,
    pub files: Arc<dyn Files>,
}

/// The files of a checked-out commit. Nothing outside the tree is ever read:
/// no absolute path, no `..`, no link that leaves it.
pub trait Files: Send + Sync + std::fmt::Debug {
    /// The bytes of one file of at most `limit` bytes.
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, FilesError>;

    /// The paths of the files that match a glob, sorted, at most `limit`.
    /// `*` stays within a folder, `**` does not; `.git` is left out.
    fn find(&self, glob: &str, limit: usize) -> Result<Vec<String>, FilesError>;

    /// Whether the answers come from memory, so that asking never waits.
    fn in_memory(&self) -> bool {
        false
    }
}

#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    #[error("there is no file {0:?} in the commit")]
    NotFound(String),
    #[error("{0:?} is no path of a file in the commit")]
    Outside(String),
    #[error("file {path:?} is larger than {limit} bytes")]
    TooLarge { path: String, limit: u64 },
    #[error("glob {glob:?} matches more than {limit} files")]
    TooMany { glob: String, limit: usize },
    #[error("glob {glob:?} is not valid: {message}")]
    BadGlob { glob: String, message: String },
    #[error("could not read {path:?}")]
    Read {
        path: String,
        #[source]
        source: std::io::Error,
    },
}

/// Why a commit could not be had. The repository's URL stands in the messages
/// without user or password.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("there is no branch, tag or commit {reference:?} in {repository}")]
    UnknownReference {
        reference: String,
        repository: String,
    },
    #[error("there is no repository at {repository}, or these credentials may not see it")]
    UnknownRepository { repository: String },
    #[error("repository {repository} did not answer: {message}")]
    Unreachable { repository: String, message: String },
    #[error("repository {repository} refused the credentials: {message}")]
    Refused { repository: String, message: String },
    #[error("repository {repository} could not prove who it is: {message}")]
    Untrusted { repository: String, message: String },
    #[error("{what} is larger than the limit of {} MiB", limit >> 20)]
    TooLarge {
        what: String,
        /// Bytes.
        limit: u64,
    },
    #[error("repository {repository} took longer than {seconds} s")]
    Timeout { repository: String, seconds: u64 },
    #[error("submodule {path:?} of {repository} could not be fetched: {message}")]
    Submodule {
        path: String,
        repository: String,
        message: String,
    },
    #[error("the disk under {directory} is full")]
    DiskFull { directory: PathBuf },
    #[error("could not {what}")]
    Other {
        what: String,
        #[source]
        source: BoxError,
    },
}

impl SourceError {
    /// What a person can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::UnknownReference { .. } => Some("push it first, or check its spelling"),
            Self::UnknownRepository { .. } | Self::Refused { .. } => {
                Some("check the URL, and give the app's credentials with `shipway app set`")
            }
            Self::Untrusted { .. } => Some(
                "give the app known_hosts lines that you have checked, or mend its certificate",
            ),
            Self::TooLarge { .. } => Some("make it smaller, or raise the limit of `shipway serve`"),
            Self::Unreachable { .. } | Self::Timeout { .. } => {
                Some("check that this machine reaches the Git host, then deploy again")
            }
            Self::Submodule { .. } => {
                Some("check the submodule's URL and that its commit is pushed")
            }
            Self::DiskFull { .. } => Some("free some space, then deploy again"),
            Self::Other { .. } => None,
        }
    }
}
