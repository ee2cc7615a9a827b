//! Images of the process runtime: release directories that nothing changes.
//!
//! An image is built where it will stay, because what a build makes (a Python
//! virtual environment, for one) names its own place. It exists from the moment
//! its record is renamed into it; without a record it is a half-built thing,
//! and is found by the deployment in its name.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use shipway_core::environment::{BuildSettings, Limits};
use shipway_core::journal::{Exit, Image};
use shipway_core::name::{AppName, CommitId, DeploymentId};
use shipway_core::ports::Output;
use shipway_core::ports::runtime::{BuildRequest, ImageKey, RuntimeError};

use super::ProcessRuntime;
use super::child::{Program, base_variables};
use super::copy::{Deadline, copy_commit, make_read_only};
use super::instances::images_in_use;
use super::run::Run;
use super::running::{Running, time_out};
use super::state::{
    State, blocking, failed, folders, make_private, read_record, remove_tree, write_record,
};

const RECORD: &str = "image.json";
/// Less free space than this after a failed build means that it failed for it.
const NO_SPACE: u128 = 1024 * 1024;

#[derive(Debug, Serialize, Deserialize)]
struct Record {
    app: AppName,
    commit: CommitId,
    /// The SHA-256 of the settings that matter to this runtime.
    settings: String,
    deployment: DeploymentId,
    built_at: SystemTime,
}

/// An image that exists, by its folder.
#[derive(Debug, Clone)]
pub struct ImageFolder(PathBuf);

impl ImageFolder {
    /// Where programs run: the commit and what the build made of it.
    pub fn app(&self) -> PathBuf {
        self.0.join("app")
    }

    /// `HOME` during the build, and what it left there.
    pub fn home(&self) -> PathBuf {
        self.0.join("home")
    }
}

/// The folder of an image that a deployment names. A reference is
/// `APP/FOLDER` below the folder of images, and nothing else.
pub fn resolve(state: &State, image: &Image) -> Result<ImageFolder, RuntimeError> {
    let path = Path::new(&image.reference);
    let plain = path.components().all(|c| matches!(c, Component::Normal(_)));
    let folder = state.images().join(path);
    if !plain || path.components().count() != 2 || !folder.join(RECORD).is_file() {
        return Err(RuntimeError::Other {
            what: format!("use the image {}", image.reference),
            source: "it does not exist (any more); deploy again to build it".into(),
        });
    }
    Ok(ImageFolder(folder))
}

/// The newest image of the key.
pub fn find(state: &State, key: &ImageKey) -> Result<Option<Image>, RuntimeError> {
    let settings = settings_hash(&key.build);
    let all = folders(&state.images_of(&key.app)).map_err(|e| failed("list the images", e))?;
    let newest = all
        .iter()
        .filter_map(|folder| {
            let record: Record = read_record(&folder.join(RECORD))?;
            let same = record.commit == key.commit && record.settings == settings;
            same.then_some((record.built_at, folder))
        })
        .max();
    Ok(newest.map(|(_, folder)| Image {
        reused: true,
        ..image(&key.app, folder)
    }))
}

/// Removes finished images that are neither kept nor in use. Half-built ones
/// belong to deployments that may still run.
pub fn prune(state: &State, app: &AppName, keep: &[String]) -> Result<Vec<String>, RuntimeError> {
    let in_use = images_in_use(state)?;
    let mut removed = Vec::new();
    for folder in folders(&state.images_of(app)).map_err(|e| failed("list the images", e))? {
        let reference = image(app, &folder).reference;
        let needed = keep.contains(&reference) || in_use.contains(&reference);
        if needed || !folder.join(RECORD).is_file() {
            continue;
        }
        remove_image(&folder)?;
        removed.push(reference);
    }
    Ok(removed)
}

/// Removes what a deployment has begun to build and not finished.
pub fn remove_half_built(state: &State, deployment: DeploymentId) -> Result<(), RuntimeError> {
    let suffix = deployment_suffix(deployment);
    for app in folders(&state.images()).map_err(|e| failed("list the images", e))? {
        for folder in folders(&app).map_err(|e| failed("list the images", e))? {
            let ours = folder.to_string_lossy().ends_with(&suffix);
            if ours && !folder.join(RECORD).is_file() {
                remove_image(&folder)?;
            }
        }
    }
    Ok(())
}

/// The record goes first: a folder without one is no image.
fn remove_image(folder: &Path) -> Result<(), RuntimeError> {
    let what = || format!("remove the image {}", folder.display());
    let writable = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(folder, writable).map_err(|error| failed(what(), error))?;
    match fs::remove_file(folder.join(RECORD)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(what(), error)),
        _ => remove_tree(folder).map_err(|error| failed(what(), error)),
    }
}

/// Copies the commit, runs the app's build command in it, makes it read-only.
pub async fn build(
    runtime: &ProcessRuntime,
    request: &BuildRequest,
    output: Arc<dyn Output>,
) -> Result<Image, RuntimeError> {
    let folder = folder_of(&runtime.state, request);
    let image = image(&request.key.app, &folder);
    if folder.join(RECORD).is_file() {
        return Ok(image);
    }
    let deadline = Deadline {
        at: Instant::now() + request.timeout,
        seconds: request.timeout.as_secs(),
    };
    let built = async {
        copy(request, &folder, deadline).await?;
        if let Some(command) = &request.key.build.command {
            run_build_command(runtime, request, &folder, command, deadline, output).await?;
        }
        finish(request, &folder).await
    };
    match built.await {
        Ok(()) => Ok(image),
        Err(error) => {
            // What is half-built only takes space, above all on a full disk.
            let removed = blocking("remove what was built", move || remove_image(&folder)).await;
            if let Err(left) = removed {
                tracing::warn!(error = %left, "a half-built image stays behind");
            }
            Err(error)
        }
    }
}

async fn copy(
    request: &BuildRequest,
    folder: &Path,
    deadline: Deadline,
) -> Result<(), RuntimeError> {
    let from = request.directory.clone();
    let folder = folder.to_owned();
    blocking("copy the commit", move || {
        let what = || format!("make the image's folder {}", folder.display());
        // What a crash has left of the same build would mix with this one.
        remove_tree(&folder).map_err(|error| failed(what(), error))?;
        make_private(&folder.join("home")).map_err(|error| failed(what(), error))?;
        copy_commit(&from, &folder.join("app"), deadline)
    })
    .await
}

async fn run_build_command(
    runtime: &ProcessRuntime,
    request: &BuildRequest,
    folder: &Path,
    command: &str,
    deadline: Deadline,
    output: Arc<dyn Output>,
) -> Result<(), RuntimeError> {
    let run = Run::open(
        &runtime.state,
        runtime.cgroups(),
        request.deployment,
        Limits::default(),
        None,
    )?;
    let home = folder.join("home");
    let program = Program {
        argv: vec!["/bin/sh".to_owned(), "-c".to_owned(), command.to_owned()],
        folder: folder.join("app"),
        variables: base_variables(runtime.search_path(), &home, &run.scratch.temporary),
        group: run.group.clone(),
    };
    let exit = run_to_end(&run, &program, deadline, &*output).await;
    run.close().await;
    match exit? {
        exit if exit.is_success() => Ok(()),
        Exit::TimedOut { .. } => Err(RuntimeError::Timeout {
            what: "the build".to_owned(),
            seconds: deadline.seconds,
        }),
        _ if is_full(folder) => Err(RuntimeError::DiskFull {
            what: format!("the build filled {}", folder.display()),
        }),
        exit => Err(RuntimeError::BuildFailed {
            message: format!("the build command {command:?} {exit}"),
        }),
    }
}

async fn run_to_end(
    run: &Run,
    program: &Program,
    deadline: Deadline,
    output: &dyn Output,
) -> Result<Exit, RuntimeError> {
    let what = "run the build command";
    let command = program.command().map_err(|error| failed(what, error))?;
    let mut running =
        Running::start(command, run.group.clone()).map_err(|error| failed(what, error))?;
    run.note(running.id())?;
    let left = deadline.at.saturating_duration_since(Instant::now());
    running
        .lines_until(
            |stream, line, end| output.piece(stream, line, end),
            time_out(left),
        )
        .await
        .map_err(|error| failed(what, error))
}

async fn finish(request: &BuildRequest, folder: &Path) -> Result<(), RuntimeError> {
    let record = Record {
        app: request.key.app.clone(),
        commit: request.key.commit.clone(),
        settings: settings_hash(&request.key.build),
        deployment: request.deployment,
        built_at: SystemTime::now(),
    };
    let folder = folder.to_owned();
    blocking("finish the image", move || {
        for part in ["app", "home"] {
            make_read_only(&folder.join(part))
                .map_err(|error| failed("make the image read-only", error))?;
        }
        write_record(&folder.join(RECORD), &record)
            .map_err(|error| failed("write the image's record", error))
    })
    .await
}

fn is_full(folder: &Path) -> bool {
    nix::sys::statvfs::statvfs(folder).is_ok_and(|seen| {
        // The two differ in size from one system to the next.
        let free = u128::from(seen.blocks_available()) * u128::from(seen.fragment_size());
        free < NO_SPACE
    })
}

/// Only the build command matters here; a Dockerfile and its arguments do not.
fn settings_hash(build: &BuildSettings) -> String {
    let command = build.command.as_deref().unwrap_or_default();
    let hash = Sha256::digest(command.as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn folder_of(state: &State, request: &BuildRequest) -> PathBuf {
    let settings = settings_hash(&request.key.build);
    let name = format!(
        "{}-{}{}",
        request.key.commit.short(),
        settings.get(..8).unwrap_or_default(),
        deployment_suffix(request.deployment)
    );
    state.images_of(&request.key.app).join(name)
}

/// Short, for the path is written into what a build makes; the last digits of
/// an id are its random ones.
fn deployment_suffix(deployment: DeploymentId) -> String {
    let id = deployment.0.simple().to_string();
    format!("-{}", id.get(20..).unwrap_or_default())
}

fn image(app: &AppName, folder: &Path) -> Image {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    Image {
        reference: format!("{app}/{name}"),
        tag: folder.display().to_string(),
        reused: false,
    }
}
