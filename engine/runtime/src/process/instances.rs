//! Instances, each under a supervisor of its own. The engine keeps nothing of
//! them in memory: their folders say what there is.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use shipway_core::environment::{EnvironmentKey, RuntimeKind, Volume};
use shipway_core::journal::Instance;
use shipway_core::name::DeploymentId;
use shipway_core::ports::runtime::{
    ImageHealth, InstanceStatus, Owned, RuntimeError, StartRequest, Variables,
};
use shipway_core::secret::Secret;

use super::ProcessRuntime;
use super::cgroup::Group;
use super::child::{Program, base_variables};
use super::identity::ProcessId;
use super::images::resolve;
use super::launch::launch;
use super::ports;
use super::state::{
    State, blocking, failed, folders, make_private, read_record, remove_tree, write_record,
};
use super::{stray, volumes};
use crate::supervise::spec::{Spec, State as InstanceState, Status, write_grace};

const RECORD: &str = "instance.json";
/// How much longer than the grace a supervisor may take to stop one.
const STOP: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(20);

/// What is known of an instance from before its start.
#[derive(Debug, Serialize, Deserialize)]
pub struct Record {
    environment: EnvironmentKey,
    deployment: DeploymentId,
    number: u32,
    image: String,
    pub instance: Instance,
    pub group: Group,
    /// None in a record of an older engine.
    #[serde(default)]
    volumes: Vec<Volume>,
}

/// An instance's folder and what is written there.
pub struct Place {
    pub folder: PathBuf,
    pub record: Record,
}

impl Place {
    pub fn status(&self) -> InstanceStatus {
        status_in(&self.folder)
    }
}

/// None for an instance that is gone.
pub fn place(state: &State, instance: &Instance) -> Option<Place> {
    let folder = folder_of(state, &instance.id)?;
    let record = read_record(&folder.join(RECORD))?;
    Some(Place { folder, record })
}

/// Starts one, unless the same one runs already.
pub async fn start(
    runtime: &ProcessRuntime,
    request: &StartRequest,
) -> Result<Instance, RuntimeError> {
    let image = resolve(&runtime.state, &request.image)?;
    let command = request
        .process
        .command
        .clone()
        .ok_or_else(no_command(request))?;
    let id = id_of(request);
    let folder = runtime.state.instances().join(&id);
    if let Some(record) = read_record::<Record>(&folder.join(RECORD)) {
        if let InstanceStatus::Running(_) = status_in(&folder) {
            return Ok(record.instance);
        }
        stop(&runtime.state, &id, Duration::ZERO).await?;
    }
    let (record, notes) = prepare(runtime, request, &id, &folder).await?;
    let variables = variables(runtime, &record, &request.variables, &folder)?;
    let spec = Spec {
        program: Program {
            argv: vec!["/bin/sh".to_owned(), "-c".to_owned(), command],
            folder: image.app(),
            variables,
            group: record.group.clone(),
        },
        log_bytes: runtime.config.log_bytes,
        notes,
        folder,
    };
    match launch(runtime, spec).await {
        Ok(()) => Ok(record.instance),
        Err(error) => {
            stop(&runtime.state, &id, Duration::ZERO).await?;
            Err(error)
        }
    }
}

fn no_command(request: &StartRequest) -> impl FnOnce() -> RuntimeError {
    let name = request.process.name.clone();
    move || RuntimeError::Unsupported {
        kind: RuntimeKind::Process,
        what: format!(
            "starting {name:?} without a command, because a release directory has none of its \
             own; name one in the Procfile, in shipway.toml or in the settings",
            name = name.as_str()
        ),
    }
}

/// The same for each start of the same instance, so that a repeated start finds
/// the first.
fn id_of(request: &StartRequest) -> String {
    format!(
        "{}-{}-{}",
        request.process.name,
        request.number,
        request.deployment.0.simple()
    )
}

/// Chooses its port and writes its record, one instance at a time.
async fn prepare(
    runtime: &ProcessRuntime,
    request: &StartRequest,
    id: &str,
    folder: &Path,
) -> Result<(Record, Vec<String>), RuntimeError> {
    let _one_at_a_time = runtime.choosing_ports.lock().await;
    let address = match request.process.port {
        Some(_) => Some(free_address(runtime)?),
        None => None,
    };
    let (group, notes) = runtime.cgroups().group(id, request.limits);
    let record = Record {
        environment: request.environment.clone(),
        deployment: request.deployment,
        number: request.number,
        image: request.image.reference.clone(),
        instance: Instance {
            id: id.to_owned(),
            process: request.process.name.clone(),
            address,
        },
        group,
        volumes: request.volumes.clone(),
    };
    make_private(folder)
        .and_then(|()| write_record(&folder.join(RECORD), &record))
        .map_err(|error| failed(format!("make the instance's folder {id}"), error))?;
    Ok((record, notes))
}

fn free_address(runtime: &ProcessRuntime) -> Result<SocketAddr, RuntimeError> {
    let taken: BTreeSet<u16> = records(&runtime.state)?
        .into_iter()
        .filter_map(|(_, record)| record.instance.address)
        .map(|address| address.port())
        .collect();
    let range = &runtime.config.ports;
    let port = ports::free(&taken, range, rand::random()).ok_or_else(|| RuntimeError::Other {
        what: "find a free port for an instance".to_owned(),
        source: format!("all of {} to {} are taken", range.start(), range.end()).into(),
    })?;
    Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

/// All that a program of the instance sees, with what the environment gives it.
pub fn variables(
    runtime: &ProcessRuntime,
    record: &Record,
    given: &Variables,
    folder: &Path,
) -> Result<Variables, RuntimeError> {
    let (home, temporary) = (folder.join("home"), folder.join("tmp"));
    let port = record.instance.address.map(|address| address.port());
    let volumes = volumes::make(&runtime.state, &record.environment, &record.volumes)?;
    Ok(base_variables(runtime.search_path(), &home, &temporary)
        .into_iter()
        .chain(given.iter().cloned())
        .chain(volumes)
        .chain(port.map(|port| ("PORT".to_owned(), Secret::new(port.to_string()))))
        .collect())
}

pub fn status(state: &State, instance: &Instance) -> InstanceStatus {
    match folder_of(state, &instance.id) {
        Some(folder) => status_in(&folder),
        None => InstanceStatus::Gone,
    }
}

fn status_in(folder: &Path) -> InstanceStatus {
    let Some(status) = Status::read(folder) else {
        return InstanceStatus::Gone;
    };
    let running = |process: &Option<ProcessId>| {
        status.supervisor.is_running() || process.as_ref().is_some_and(ProcessId::is_running)
    };
    match &status.state {
        InstanceState::Exited { exit } => InstanceStatus::Exited(*exit),
        InstanceState::Running { process } if running(process) => {
            InstanceStatus::Running(ImageHealth::None)
        }
        InstanceState::Starting if status.supervisor.is_running() => {
            InstanceStatus::Running(ImageHealth::None)
        }
        _ => InstanceStatus::Gone,
    }
}

/// Stops one and removes all that is of it.
pub async fn stop(state: &State, id: &str, grace: Duration) -> Result<(), RuntimeError> {
    let Some(folder) = halt(state, id, grace).await? else {
        return Ok(());
    };
    let what = format!("remove the instance {id}");
    blocking(&what.clone(), move || {
        remove_tree(&folder).map_err(|error| failed(what, error))
    })
    .await
}

/// Stops one and keeps its folder, which it gives for people.
pub async fn set_aside(
    state: &State,
    id: &str,
    grace: Duration,
) -> Result<Option<(String, PathBuf)>, RuntimeError> {
    let folder = halt(state, id, grace).await?;
    Ok(folder.and_then(|folder| {
        let record: Record = read_record(&folder.join(RECORD))?;
        let who = format!("{}.{}", record.instance.process, record.number);
        Some((who, folder))
    }))
}

/// Nothing of it runs afterwards. None if there is no such instance.
async fn halt(state: &State, id: &str, grace: Duration) -> Result<Option<PathBuf>, RuntimeError> {
    let Some(folder) = folder_of(state, id) else {
        return Ok(None);
    };
    if let Some(status) = Status::read(&folder) {
        ask_supervisor(&folder, &status, grace).await?;
        end_orphan(&folder, &status, grace).await;
    }
    blocking(&format!("end the instance {id}"), move || {
        let group = read_record::<Record>(&folder.join(RECORD)).map(|record| record.group);
        match group.filter(Group::is_some) {
            Some(group) => group.remove(),
            None => stray::kill_those_in(&folder),
        }
        Ok(Some(folder))
    })
    .await
}

async fn ask_supervisor(
    folder: &Path,
    status: &Status,
    grace: Duration,
) -> Result<(), RuntimeError> {
    if !status.supervisor.is_running() {
        return Ok(());
    }
    // On a full disk the supervisor's own grace has to do.
    if let Err(error) = write_grace(folder, grace) {
        tracing::warn!(folder = %folder.display(), %error, "the grace could not be written");
    }
    status.supervisor.signal(Signal::SIGTERM);
    if !ended(|| status.supervisor.is_running(), grace + STOP).await {
        status.supervisor.signal(Signal::SIGKILL);
    }
    Ok(())
}

/// An instance whose supervisor was killed goes on without one until now.
async fn end_orphan(folder: &Path, asked: &Status, grace: Duration) {
    let latest = Status::read(folder);
    let status = latest.as_ref().unwrap_or(asked);
    let InstanceState::Running {
        process: Some(process),
    } = &status.state
    else {
        return;
    };
    process.signal_group(Signal::SIGTERM);
    if !ended(|| process.is_running(), grace).await {
        process.signal_group(Signal::SIGKILL);
    }
}

async fn ended(is_running: impl Fn() -> bool, within: Duration) -> bool {
    let until = Instant::now() + within;
    while is_running() {
        if Instant::now() >= until {
            return false;
        }
        tokio::time::sleep(LOOK).await;
    }
    true
}

pub fn last_lines(
    state: &State,
    instance: &Instance,
    count: usize,
) -> Result<Vec<String>, RuntimeError> {
    match folder_of(state, &instance.id) {
        Some(folder) => crate::supervise::last_lines(&folder, count)
            .map_err(|error| failed(format!("read the log of {}", instance.id), error)),
        None => Ok(Vec::new()),
    }
}

pub fn of_environment(state: &State, key: &EnvironmentKey) -> Result<Vec<Owned>, RuntimeError> {
    let all = records(state)?.into_iter();
    Ok(all
        .filter(|(folder, record)| {
            record.environment == *key && status_in(folder) != InstanceStatus::Gone
        })
        .map(|(_, record)| Owned {
            deployment: record.deployment,
            instance: record.instance,
        })
        .collect())
}

/// The ids of all that a deployment has made, also of what is gone.
pub fn of_deployment(state: &State, deployment: DeploymentId) -> Result<Vec<String>, RuntimeError> {
    // By name: a crash may have come before the record.
    let suffix = format!("-{}", deployment.0.simple());
    let all = folders(&state.instances()).map_err(|e| failed("list the instances", e))?;
    Ok(all
        .iter()
        .filter_map(|folder| folder.file_name()?.to_str())
        .filter(|id| id.ends_with(&suffix))
        .map(str::to_owned)
        .collect())
}

/// References of the images that an instance stands in.
pub fn images_in_use(state: &State) -> Result<BTreeSet<String>, RuntimeError> {
    let all = records(state)?.into_iter();
    Ok(all
        .filter(|(folder, _)| status_in(folder) != InstanceStatus::Gone)
        .map(|(_, record)| record.image)
        .collect())
}

fn records(state: &State) -> Result<Vec<(PathBuf, Record)>, RuntimeError> {
    let all = folders(&state.instances()).map_err(|e| failed("list the instances", e))?;
    let read = |folder: PathBuf| read_record(&folder.join(RECORD)).map(|record| (folder, record));
    Ok(all.into_iter().filter_map(read).collect())
}

/// An id is one name in the folder of instances, never a path out of it.
fn folder_of(state: &State, id: &str) -> Option<PathBuf> {
    let plain = !id.is_empty() && !id.contains(['/', '\0']) && id != "." && id != "..";
    let folder = state.instances().join(id);
    (plain && folder.is_dir()).then_some(folder)
}
