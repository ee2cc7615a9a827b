//! A run: the folder, the cgroup and the record of programs that the engine
//! waits for. The record is how a run is found and ended after a crash; one of
//! release commands has a name, by which it is found and gone on with.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use shipway_core::environment::Limits;
use shipway_core::name::DeploymentId;
use shipway_core::ports::runtime::{CommandRun, RuntimeError};

use super::cgroup::{Cgroups, Group};
use super::child::Scratch;
use super::identity::{ProcessId, boot};
use super::state::{State, blocking, failed, folders, read_record, remove_tree, write_record};
use super::stray;
use crate::supervise::spec::{self, Begun};

const RECORD: &str = "run.json";
const COMMANDS: &str = "commands";

#[derive(Debug)]
pub struct Run {
    folder: PathBuf,
    /// In the record: another engine that takes the folder over writes its own.
    attempt: String,
    pub scratch: Scratch,
    pub group: Group,
    /// Limits that are not kept, for the log.
    pub problems: Vec<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    process: Option<ProcessId>,
    group: Group,
    /// The machine's; empty in a record of an older engine.
    #[serde(default)]
    boot: String,
    /// Empty in a record of an older engine.
    #[serde(default)]
    attempt: String,
}

/// Whether what a run had begun can still be at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    TheSame,
    Restarted,
}

impl Run {
    pub fn open(
        state: &State,
        cgroups: &Cgroups,
        deployment: DeploymentId,
        limits: Limits,
        image_home: Option<&Path>,
    ) -> Result<Self, RuntimeError> {
        let nonce = nonce();
        let name = format!("run-{}-{nonce}", deployment.0.simple());
        let folder = state.runs_of(deployment).join(nonce);
        Self::in_folder(folder, cgroups.group(&name, limits), image_home)
    }

    /// A run that is found again by its name. One that is there is ended first.
    pub async fn named(
        state: &State,
        cgroups: &Cgroups,
        request: &CommandRun,
        image_home: &Path,
    ) -> Result<Self, RuntimeError> {
        let folder = folder_of(state, request);
        let before = folder.clone();
        blocking("end an earlier run", move || end(&before)).await?;
        let group = cgroups.group(&group_name(request), request.limits);
        Self::in_folder(folder, group, Some(image_home))
    }

    /// The one with this name that an engine before this one has made.
    pub fn find(
        state: &State,
        cgroups: &Cgroups,
        request: &CommandRun,
    ) -> Result<Option<(Self, Machine)>, RuntimeError> {
        let folder = folder_of(state, request);
        let Some(record) = read_record::<Record>(&folder.join(RECORD)) else {
            return Ok(None);
        };
        let machine = if record.boot == boot() {
            Machine::TheSame
        } else {
            Machine::Restarted
        };
        // Made anew where it went with the machine.
        let (group, _told_before) = cgroups.group(&group_name(request), request.limits);
        let run = Self {
            scratch: Scratch::of(&folder),
            folder,
            attempt: record.attempt,
            group,
            problems: Vec::new(),
        };
        Ok(Some((run, machine)))
    }

    /// A run within the limits of an instance, whose group this is.
    pub fn inside(
        state: &State,
        deployment: DeploymentId,
        instance: &Group,
    ) -> Result<Self, RuntimeError> {
        let nonce = nonce();
        let group = instance
            .inner(&format!("exec-{nonce}"))
            .map_err(|error| failed("make a cgroup within the instance's", error))?;
        let folder = state.runs_of(deployment).join(nonce);
        Self::in_folder(folder, (group, Vec::new()), None)
    }

    fn in_folder(
        folder: PathBuf,
        (group, problems): (Group, Vec<String>),
        image_home: Option<&Path>,
    ) -> Result<Self, RuntimeError> {
        let what = || format!("make the run's folder {}", folder.display());
        let scratch = Scratch::make(&folder, image_home).map_err(|e| failed(what(), e))?;
        let run = Self {
            folder,
            attempt: nonce(),
            scratch,
            group,
            problems,
        };
        run.write(None)?;
        Ok(run)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Of one of its commands.
    pub fn command(&self, index: usize) -> PathBuf {
        self.folder.join(COMMANDS).join(index.to_string())
    }

    /// Writes down what runs now.
    pub fn note(&self, process: Option<ProcessId>) -> Result<(), RuntimeError> {
        if is_of(&self.folder, &self.attempt) {
            self.write(process)
        } else {
            let taken = io::Error::other("another engine has begun it again");
            Err(failed("go on with the run", taken))
        }
    }

    fn write(&self, process: Option<ProcessId>) -> Result<(), RuntimeError> {
        let record = Record {
            process,
            group: self.group.clone(),
            boot: boot().to_owned(),
            attempt: self.attempt.clone(),
        };
        write_record(&self.folder.join(RECORD), &record)
            .map_err(|error| failed("write down what the run does", error))
    }

    /// Ends whatever is left of it and removes its folder.
    pub async fn close(self) {
        self.close_after(Next::Stop).await;
    }

    /// The same, unless the folder stays for a look inside, or is another
    /// engine's by now. `last` is what came of the run's last command.
    pub async fn close_after(self, last: Next) {
        let (folder, attempt) = (self.folder.clone(), self.attempt);
        let closed = blocking("close the run", move || match last {
            _ if !is_of(&folder, &attempt) => Ok(()),
            Next::Start | Next::Stop => end(&folder),
            Next::Keep => halt(&folder),
        });
        if let Err(error) = closed.await {
            tracing::warn!(folder = %self.folder.display(), %error, "a run's folder stays behind");
        }
    }
}

/// What is to be done after a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    Start,
    Stop,
    /// The command failed, and the run's folder stays for a look inside.
    Keep,
}

fn nonce() -> String {
    format!("{:016x}", rand::random::<u64>())
}

/// Whether it was that attempt which made the run's folder.
fn is_of(folder: &Path, attempt: &str) -> bool {
    read_record::<Record>(&folder.join(RECORD)).is_some_and(|record| record.attempt == attempt)
}

/// No nonce holds a dash.
const NAMED: &str = "run-";

fn folder_of(state: &State, run: &CommandRun) -> PathBuf {
    state
        .runs_of(run.deployment)
        .join(format!("{NAMED}{}", run.name))
}

fn group_name(run: &CommandRun) -> String {
    format!("run-{}-{}", run.deployment.0.simple(), run.name)
}

/// Ends every run of a deployment, also those of an engine that is no more.
pub fn end_all(state: &State, deployment: DeploymentId) -> Result<(), RuntimeError> {
    let all = state.runs_of(deployment);
    for folder in folders(&all).map_err(|error| failed("list the deployment's runs", error))? {
        end(&folder)?;
    }
    remove_tree(&all).map_err(|error| failed("remove the deployment's runs", error))
}

/// Ends every run of a deployment and removes those without a name. Gives the
/// names of the others, which have ended before or end now, and their folders.
pub fn set_aside(
    state: &State,
    deployment: DeploymentId,
) -> Result<Vec<(String, PathBuf)>, RuntimeError> {
    let all = folders(&state.runs_of(deployment))
        .map_err(|error| failed("list the deployment's runs", error))?;
    let mut kept = Vec::new();
    for folder in all {
        let name = folder.file_name().and_then(|name| name.to_str());
        match name.and_then(|name| name.strip_prefix(NAMED)) {
            Some(name) => {
                halt(&folder)?;
                kept.push((name.to_owned(), folder));
            }
            None => end(&folder)?,
        }
    }
    Ok(kept)
}

fn end(folder: &Path) -> Result<(), RuntimeError> {
    halt(folder)?;
    remove_tree(folder).map_err(|error| failed(format!("remove {}", folder.display()), error))?;
    // The deployment's folder goes with its last run.
    if let Some(parent) = folder.parent() {
        let _ = fs::remove_dir(parent);
    }
    Ok(())
}

/// Nothing of it runs afterwards.
fn halt(folder: &Path) -> Result<(), RuntimeError> {
    let record: Record = read_record(&folder.join(RECORD)).unwrap_or_default();
    end_commands(folder)?;
    if let Some(process) = &record.process {
        process.signal_group(Signal::SIGKILL);
    }
    if record.group.is_some() {
        record.group.remove();
    } else {
        stray::kill_those_in(folder);
    }
    Ok(())
}

/// Supervisors first: they would only see that their command ended.
fn end_commands(run: &Path) -> Result<(), RuntimeError> {
    let all = folders(&run.join(COMMANDS)).map_err(|error| failed("list the commands", error))?;
    for folder in all {
        if let Some(begun) = Begun::read(&folder) {
            begun.supervisor.signal(Signal::SIGKILL);
        }
        if let Some(process) = spec::process(&folder) {
            process.signal_group(Signal::SIGKILL);
        }
    }
    Ok(())
}
