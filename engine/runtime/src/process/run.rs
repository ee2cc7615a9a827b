//! A run: the folder, the cgroup and the record of programs that the engine
//! waits for. The record is how a run is found and ended after a crash.

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use shipway_core::environment::Limits;
use shipway_core::name::DeploymentId;
use shipway_core::ports::runtime::RuntimeError;

use super::cgroup::{Cgroups, Group};
use super::child::Scratch;
use super::identity::ProcessId;
use super::state::{State, blocking, failed, folders, read_record, remove_tree, write_record};
use super::stray;

const RECORD: &str = "run.json";

#[derive(Debug)]
pub struct Run {
    folder: PathBuf,
    pub scratch: Scratch,
    pub group: Group,
    /// Limits that are not kept, for the log.
    pub problems: Vec<String>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Record {
    process: Option<ProcessId>,
    group: Group,
}

impl Run {
    pub fn open(
        state: &State,
        cgroups: &Cgroups,
        deployment: DeploymentId,
        limits: Limits,
        image_home: Option<&Path>,
    ) -> Result<Self, RuntimeError> {
        let (nonce, folder, scratch) = make_folder(state, deployment, image_home)?;
        let name = format!("run-{}-{nonce}", deployment.0.simple());
        let (group, problems) = cgroups.group(&name, limits);
        let run = Self {
            folder,
            scratch,
            group,
            problems,
        };
        run.note(None)?;
        Ok(run)
    }

    /// A run within the limits of an instance, whose group this is.
    pub fn inside(
        state: &State,
        deployment: DeploymentId,
        instance: &Group,
    ) -> Result<Self, RuntimeError> {
        let (nonce, folder, scratch) = make_folder(state, deployment, None)?;
        let group = instance
            .inner(&format!("exec-{nonce}"))
            .map_err(|error| failed("make a cgroup within the instance's", error))?;
        let run = Self {
            folder,
            scratch,
            group,
            problems: Vec::new(),
        };
        run.note(None)?;
        Ok(run)
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes down what runs now.
    pub fn note(&self, process: Option<ProcessId>) -> Result<(), RuntimeError> {
        let record = Record {
            process,
            group: self.group.clone(),
        };
        write_record(&self.folder.join(RECORD), &record)
            .map_err(|error| failed("write down what the run does", error))
    }

    /// Ends whatever is left of it and removes its folder.
    pub async fn close(self) {
        let folder = self.folder.clone();
        let closed = blocking("close the run", move || end(&folder)).await;
        if let Err(error) = closed {
            tracing::warn!(folder = %self.folder.display(), %error, "a run's folder stays behind");
        }
    }
}

fn make_folder(
    state: &State,
    deployment: DeploymentId,
    image_home: Option<&Path>,
) -> Result<(String, PathBuf, Scratch), RuntimeError> {
    let nonce = format!("{:016x}", rand::random::<u64>());
    let folder = state.runs_of(deployment).join(&nonce);
    let what = || format!("make the run's folder {}", folder.display());
    let scratch = Scratch::make(&folder, image_home).map_err(|e| failed(what(), e))?;
    Ok((nonce, folder, scratch))
}

/// Ends every run of a deployment, also those of an engine that is no more.
pub fn end_all(state: &State, deployment: DeploymentId) -> Result<(), RuntimeError> {
    let all = state.runs_of(deployment);
    for folder in folders(&all).map_err(|error| failed("list the deployment's runs", error))? {
        end(&folder)?;
    }
    remove_tree(&all).map_err(|error| failed("remove the deployment's runs", error))
}

fn end(folder: &Path) -> Result<(), RuntimeError> {
    let record: Record = read_record(&folder.join(RECORD)).unwrap_or_default();
    if let Some(process) = &record.process {
        process.signal_group(Signal::SIGKILL);
    }
    if record.group.is_some() {
        record.group.remove();
    } else {
        stray::kill_those_in(folder);
    }
    remove_tree(folder).map_err(|error| failed(format!("remove {}", folder.display()), error))?;
    // The deployment's folder goes with its last run.
    if let Some(parent) = folder.parent() {
        let _ = fs::remove_dir(parent);
    }
    Ok(())
}
