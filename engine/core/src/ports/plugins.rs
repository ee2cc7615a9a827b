//! Asks plugins their three questions, each in a fresh sandbox.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::source::Files;
use crate::environment::{EnvironmentKey, Variable};
use crate::journal::{CheckOutcome, Entry};
use crate::name::VariableName;
use crate::name::{CommitId, DeploymentId, Digest, PluginName};
use crate::plan::Collected;
use crate::plugin::{Description, Installed};

#[async_trait]
pub trait Plugins: Send + Sync + std::fmt::Debug {
    /// Checks a component, compiles it, and asks it to describe itself with
    /// nothing granted. It is kept under its digest for later calls.
    async fn inspect(&self, component: &[u8]) -> Result<Description, PluginError>;

    /// Which release commands does this app want?
    async fn collect(&self, call: &Call) -> Result<Collected, PluginError>;

    /// Is the new version fit to serve?
    async fn self_test(&self, call: &Call) -> Result<Vec<Check>, PluginError>;

    /// Who must be told?
    async fn deliver(&self, call: &Call, entry: &Entry) -> Result<(), PluginError>;

    /// Forgets a component that no plugin uses any more.
    async fn forget(&self, digest: &Digest);
}

/// Whom to call, about what, and what is there for it to look at. What of it
/// the plugin may use, its grants decide.
#[derive(Debug, Clone)]
pub struct Call {
    pub plugin: Arc<Installed>,
    /// The plugin's settings for this environment, with secret values.
    pub settings: BTreeMap<String, Variable>,
    /// The environment's variables. Secret ones are never shown.
    pub variables: BTreeMap<VariableName, Variable>,
    pub deployment: DeploymentId,
    pub environment: EnvironmentKey,
    pub commit: Option<CommitId>,
    pub reference: String,
    pub files: Option<Arc<dyn Files>>,
    /// None while there is no image.
    pub image: Option<Arc<dyn ImageProbe>>,
    /// The candidate's endpoints; only in self-tests.
    pub candidate: Vec<Endpoint>,
    /// None outside self-tests.
    pub exec: Option<Arc<dyn CandidateExec>>,
    /// Where its log lines go.
    pub log: Arc<dyn PluginLog>,
}

/// Runs one bounded command in the deployment's image.
#[async_trait]
pub trait ImageProbe: Send + Sync + std::fmt::Debug {
    /// At most 60 s, at most 1 MiB of each stream.
    async fn run(
        &self,
        argv: Vec<String>,
        variables: Vec<(String, String)>,
    ) -> Result<super::runtime::ProbeOutput, super::runtime::RuntimeError>;
}

/// Runs one bounded command in an instance of the candidate.
#[async_trait]
pub trait CandidateExec: Send + Sync + std::fmt::Debug {
    /// At most 60 s, at most 1 MiB of each stream. None when the candidate has
    /// no such process type.
    async fn run(
        &self,
        process: &str,
        argv: Vec<String>,
    ) -> Result<Option<super::runtime::ProbeOutput>, super::runtime::RuntimeError>;
}

/// Takes the lines that a plugin logs, and what the host says about it.
pub trait PluginLog: Send + Sync + std::fmt::Debug {
    fn line(&self, plugin: &PluginName, level: Level, message: &str);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Debug,
    Info,
    Warn,
    Error,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub process: String,
    pub address: std::net::SocketAddr,
    /// The domain to send as `Host`.
    pub host: Option<String>,
}

/// One check of a self-test's report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub name: String,
    pub outcome: CheckOutcome,
    pub message: String,
    pub took: Duration,
}

/// Always an error of that plugin, never of the engine: one sentence that
/// names plugin, version, limit and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PluginError {
    pub kind: PluginErrorKind,
    pub message: String,
    /// What a person can do about it.
    pub hint: Option<String>,
    /// Whether the same call may succeed later.
    pub retryable: bool,
    /// What the plugin itself answered, if it did.
    pub answered: Option<PluginFailure>,
    /// Where in the plugin's code it happened, for its author.
    pub backtrace: Option<String>,
}

/// A failure in the plugin's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFailure {
    pub code: String,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PluginErrorKind {
    /// The file is no component that Shipway can use.
    Malformed,
    /// It exports no role that Shipway knows.
    NoRole,
    /// It imports what Shipway does not have.
    UnknownImport,
    Trap,
    /// CPU or wall time.
    Timeout,
    Memory,
    /// It returned what no plugin may return.
    Nonsense,
    /// It answered with a failure of its own.
    Failure,
    /// Something of the host's: a disk, a compiler.
    Host,
}

impl std::fmt::Display for PluginErrorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Malformed => "malformed",
            Self::NoRole => "no-role",
            Self::UnknownImport => "unknown-import",
            Self::Trap => "trap",
            Self::Timeout => "timeout",
            Self::Memory => "memory",
            Self::Nonsense => "nonsense",
            Self::Failure => "failure",
            Self::Host => "host",
        })
    }
}
