//! What the host is told once, when it is built.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use shipway_core::plugin::{PluginLimits, Role};

use crate::compiler::Compiler;
use crate::http::{Names, SystemNames};

/// Where the host keeps its compiled components, and what it lets them have.
#[derive(Debug, Clone)]
pub struct HostConfig {
    /// A directory of the host's own. It is made with mode 0700 and refused
    /// when others may write there: what it holds is executed.
    pub cache_dir: PathBuf,
    pub limits: Limits,
    /// Certificate authorities that are trusted beside the system's own.
    pub extra_roots: Vec<CertificateDer<'static>>,
    /// Where components are compiled.
    pub compiler: Compiler,
    /// Who says which addresses a name has.
    pub names: Arc<dyn Names>,
}

impl HostConfig {
    /// The default limits, the system's certificate authorities alone, and a
    /// compiler in this process.
    pub fn new(cache_dir: impl Into<PathBuf>) -> Self {
        Self {
            cache_dir: cache_dir.into(),
            limits: Limits::default(),
            extra_roots: Vec::new(),
            compiler: Compiler::Here,
            names: Arc::new(SystemNames),
        }
    }
}

/// The limits of each call, and of each component.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Processor time that the guest itself may use in one call.
    pub cpu: Duration,
    /// Wall time of `describe`.
    pub describe: Duration,
    /// Wall time of `collect`; image probes have their own minute each.
    pub collect: Duration,
    /// Wall time of `deliver`.
    pub deliver: Duration,
    /// Wall time of a self-test.
    pub self_test: Duration,
    /// Bytes of all linear memories together.
    pub memory: usize,
    /// Elements of all tables together.
    pub table_elements: usize,
    /// Core instances, memories and tables, each.
    pub instances: usize,
    /// Bytes that a guest may hand over in one function call.
    pub call_bytes: usize,
    /// Bytes that it may hand over in all function calls of a run.
    pub run_bytes: usize,
    /// Handles of resources.
    pub handles: usize,
    /// Bytes of log and standard output.
    pub output_bytes: usize,
    /// Lines of log and standard output a second.
    pub lines_per_second: u32,
    /// HTTP requests of a run.
    pub http_requests: u32,
    /// Bytes of an HTTP body, each way.
    pub http_body: usize,
    /// Image probes and commands in the candidate of a run, together.
    pub commands: u32,
    /// Bytes of a component's file.
    pub component_bytes: usize,
    /// How long compiling a component may take.
    pub compile: Duration,
    /// Processor time of compiling, on all cores together; of a child only.
    pub compile_cpu: Duration,
    /// Bytes of memory for compiling; of a child only.
    pub compile_memory: usize,
    /// Bytes of machine code that a component may compile to; of a child only.
    pub compiled_bytes: u64,
    /// Components that stay ready in memory; one beyond that maps its file
    /// again when it is called.
    pub ready: usize,
    /// Calls that run at once; more wait.
    pub calls_at_once: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu: Duration::from_secs(2),
            describe: Duration::from_secs(2),
            collect: Duration::from_secs(15),
            deliver: Duration::from_secs(15),
            self_test: Duration::from_secs(120),
            memory: 128 << 20,
            table_elements: 65_536,
            instances: 256,
            call_bytes: 4 << 20,
            run_bytes: 32 << 20,
            handles: 1_000,
            output_bytes: 64 << 10,
            lines_per_second: 200,
            http_requests: 64,
            http_body: 1 << 20,
            commands: 8,
            component_bytes: 64 << 20,
            compile: Duration::from_secs(120),
            compile_cpu: Duration::from_secs(120),
            compile_memory: 1 << 30,
            compiled_bytes: 256 << 20,
            ready: 64,
            calls_at_once: 16,
        }
    }
}

impl Limits {
    /// These, with what the operator set for one plugin.
    pub(crate) fn of(self: &Arc<Self>, own: &PluginLimits) -> Arc<Self> {
        if *own == PluginLimits::default() {
            return Arc::clone(self);
        }
        let mut limits = Self::clone(self);
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        if let Some(cpu) = own.cpu_ms {
            limits.cpu = Duration::from_millis(cpu.into());
        }
        if let Some(wall) = own
            .wall_seconds
            .map(|wall| Duration::from_secs(wall.into()))
        {
            (limits.collect, limits.deliver, limits.self_test) = (wall, wall, wall);
        }
        if let Some(memory) = own.memory_mib {
            limits.memory = size(memory) << 20;
        }
        if let Some(output) = own.output_kib {
            limits.output_bytes = size(output) << 10;
        }
        limits.http_requests = own.http_requests.unwrap_or(limits.http_requests);
        limits.commands = own.commands.unwrap_or(limits.commands);
        Arc::new(limits)
    }

    /// The wall time of one call.
    pub(crate) fn wall(&self, role: Option<Role>) -> Duration {
        match role {
            None => self.describe,
            Some(Role::ReleaseSource) => self.collect,
            Some(Role::Notifier) => self.deliver,
            Some(Role::SelfTest) => self.self_test,
        }
    }
}

/// Why there can be no plugin host.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    #[error("could not make the plugin cache {path:?}")]
    MakeCache {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error(
        "the plugin cache {path:?} is not ours alone: it must be a directory that belongs to the \
         engine's user and that nobody else may write to (chmod 700)"
    )]
    OpenCache { path: PathBuf },
    #[error("could not start the WebAssembly engine: {message}")]
    Engine { message: String },
    #[error("could not start the thread that limits processor time")]
    Ticker {
        #[source]
        source: std::io::Error,
    },
}
