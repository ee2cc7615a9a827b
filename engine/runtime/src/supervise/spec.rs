//! What engine and supervisor tell each other.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shipway_core::journal::Exit;

use crate::process::child::Program;
use crate::process::identity::ProcessId;
use crate::process::state::{read_record, write_passing_record, write_record};

const STATUS: &str = "status.json";
const GRACE: &str = "grace.json";
const PROVEN: &str = "proven.json";
const BEGUN: &str = "begun.json";
const PROCESS: &str = "process.json";
const ENDED: &str = "ended.json";
/// Where the engine did not say how long an instance may take to stop.
const DEFAULT_GRACE: Duration = Duration::from_secs(10);

/// What a supervisor is there for.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Job {
    Instance(Spec),
    Command(CommandSpec),
}

impl Job {
    /// Where its supervisor's own last words are kept.
    pub fn folder(&self) -> &Path {
        match self {
            Self::Instance(spec) => &spec.folder,
            Self::Command(spec) => &spec.folder,
        }
    }
}

/// One release command, from the engine to its supervisor.
#[derive(Debug, Serialize, Deserialize)]
pub struct CommandSpec {
    /// Of this command alone.
    pub folder: PathBuf,
    /// Of the whole run; it is named by what its programs see.
    pub run: PathBuf,
    pub program: Program,
    pub timeout: Duration,
    /// What is kept of its output.
    pub output_bytes: u64,
}

/// One instance, from the engine to its supervisor.
#[derive(Debug, Serialize, Deserialize)]
pub struct Spec {
    pub folder: PathBuf,
    pub program: Program,
    /// The log is rotated at this size; one older file is kept.
    pub log_bytes: u64,
    /// First lines of the log.
    pub notes: Vec<String>,
}

/// From the supervisor to the engine, in the instance's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub supervisor: ProcessId,
    pub restarts: u32,
    pub up: Up,
    pub state: State,
}

/// Whether the instance was ever up, which is known when it ends. One that never
/// was is not started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Up {
    NotYet,
    Once,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum State {
    Starting,
    Running {
        process: Option<ProcessId>,
    },
    /// It ended; it may be started again.
    Exited {
        exit: Exit,
    },
    /// It was stopped because the engine asked for it.
    Stopped,
}

impl Status {
    /// Of the process that calls it.
    pub fn starting() -> io::Result<Self> {
        Ok(Self {
            supervisor: ourselves()?,
            restarts: 0,
            up: Up::NotYet,
            state: State::Starting,
        })
    }

    pub fn read(folder: &Path) -> Option<Self> {
        read_record(&folder.join(STATUS))
    }

    pub fn write(&self, folder: &Path) -> io::Result<()> {
        write_record(&folder.join(STATUS), self)
    }
}

/// A command's supervisor has taken it on. Nobody else ever does: what is
/// written here first stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    pub supervisor: ProcessId,
}

/// Who was first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    Ours,
    Taken,
}

impl Begun {
    pub fn read(folder: &Path) -> Option<Self> {
        read_record(&folder.join(BEGUN))
    }

    /// Takes the command on for the process that calls it.
    pub fn claim(folder: &Path) -> io::Result<Claim> {
        let supervisor = ourselves()?;
        let beside = folder.join(format!("begun-{}.json", std::process::id()));
        write_passing_record(&beside, &Self { supervisor })?;
        // Unlike a rename, a link never replaces what is there.
        let linked = fs::hard_link(&beside, folder.join(BEGUN));
        fs::remove_file(&beside)?;
        match linked {
            Ok(()) => Ok(Claim::Ours),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Claim::Taken),
            Err(error) => Err(error),
        }
    }
}

/// How a command ended, written after the last of its output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub exit: Exit,
    pub millis: u64,
}

impl Ended {
    pub fn read(folder: &Path) -> Option<Self> {
        read_record(&folder.join(ENDED))
    }

    pub fn write(&self, folder: &Path) -> io::Result<()> {
        write_record(&folder.join(ENDED), self)
    }
}

/// The command's own process, which leads its group.
pub fn write_process(folder: &Path, process: Option<ProcessId>) -> io::Result<()> {
    write_passing_record(&folder.join(PROCESS), &process)
}

pub fn process(folder: &Path) -> Option<ProcessId> {
    read_record(&folder.join(PROCESS)).flatten()
}

/// How long the instance may take to stop, as the engine asked.
pub fn grace(folder: &Path) -> Duration {
    read_record(&folder.join(GRACE)).map_or(DEFAULT_GRACE, Duration::from_millis)
}

/// Written before the engine asks to stop.
pub fn write_grace(folder: &Path, grace: Duration) -> io::Result<()> {
    let millis = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
    write_record(&folder.join(GRACE), &millis)
}

fn ourselves() -> io::Result<ProcessId> {
    ProcessId::of(std::process::id()).ok_or_else(|| io::Error::other("cannot see our own process"))
}

/// Whether the engine has found the instance healthy.
pub fn is_proven(folder: &Path) -> bool {
    folder.join(PROVEN).exists()
}

pub fn write_proven(folder: &Path) -> io::Result<()> {
    write_record(&folder.join(PROVEN), &())
}
