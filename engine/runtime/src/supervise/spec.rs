//! What engine and supervisor tell each other.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shipway_core::journal::Exit;

use crate::process::child::Program;
use crate::process::identity::ProcessId;
use crate::process::state::{read_record, write_record};

const STATUS: &str = "status.json";
const GRACE: &str = "grace.json";
const PROVEN: &str = "proven.json";
/// Where the engine did not say how long an instance may take to stop.
const DEFAULT_GRACE: Duration = Duration::from_secs(10);

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
        let us = ProcessId::of(std::process::id());
        Ok(Self {
            supervisor: us.ok_or_else(|| io::Error::other("cannot see our own process"))?,
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

/// How long the instance may take to stop, as the engine asked.
pub fn grace(folder: &Path) -> Duration {
    read_record(&folder.join(GRACE)).map_or(DEFAULT_GRACE, Duration::from_millis)
}

/// Written before the engine asks to stop.
pub fn write_grace(folder: &Path, grace: Duration) -> io::Result<()> {
    let millis = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
    write_record(&folder.join(GRACE), &millis)
}

/// Whether the engine has found the instance healthy.
pub fn is_proven(folder: &Path) -> bool {
    folder.join(PROVEN).exists()
}

pub fn write_proven(folder: &Path) -> io::Result<()> {
    write_record(&folder.join(PROVEN), &())
}
