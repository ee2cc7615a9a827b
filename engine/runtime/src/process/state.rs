//! The runtime's folder on disk, and how files in it are written.
//!
//! ```text
//! images/APP/COMMIT-SETTINGS-DEPLOYMENT/   app/ home/ image.json
//! instances/ID/                            instance.json status.json output.log home/ tmp/
//! runs/DEPLOYMENT/NONCE/                   run.json home/ tmp/ of a build, a probe, …
//! runs/DEPLOYMENT/run-NAME/                run.json home/ tmp/ of release commands
//!     commands/INDEX/                      begun.json output ended.json
//! volumes/APP/ENVIRONMENT/NAME/            kept
//! ```
//!
//! A file is written beside its place and renamed, so that a reader sees the
//! old or the new one, never a part.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use shipway_core::environment::EnvironmentKey;
use shipway_core::name::{AppName, DeploymentId};
use shipway_core::ports::runtime::RuntimeError;

/// A record in the folder is never larger.
const LARGEST_RECORD: u64 = 1024 * 1024;

#[derive(Debug, Clone)]
pub struct State {
    root: PathBuf,
}

impl State {
    pub fn new(root: &Path) -> Self {
        // Paths go to other processes, so they must not depend on where we stand.
        let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        Self { root }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn images(&self) -> PathBuf {
        self.root.join("images")
    }

    pub fn images_of(&self, app: &AppName) -> PathBuf {
        self.images().join(app.as_str())
    }

    pub fn instances(&self) -> PathBuf {
        self.root.join("instances")
    }

    pub fn volumes_of(&self, key: &EnvironmentKey) -> PathBuf {
        let app = self.root.join("volumes").join(key.app.as_str());
        app.join(key.environment.as_str())
    }

    pub fn runs_of(&self, deployment: DeploymentId) -> PathBuf {
        self.root
            .join("runs")
            .join(deployment.0.simple().to_string())
    }
}

/// A folder that only the engine's own user can enter, with its parents.
pub fn make_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Writes a record beside its place, flushes it and renames it.
pub fn write_record(path: &Path, record: &impl Serialize) -> io::Result<()> {
    let beside = path.with_extension("new");
    write_whole(&beside, record)?.sync_all()?;
    fs::rename(&beside, path)
}

/// The same for what means nothing any more once the machine has stopped; so
/// it need not wait for the disk.
pub fn write_passing_record(path: &Path, record: &impl Serialize) -> io::Result<()> {
    let beside = path.with_extension("new");
    write_whole(&beside, record)?;
    fs::rename(&beside, path)
}

fn write_whole(path: &Path, record: &impl Serialize) -> io::Result<File> {
    let mut file = File::create(path)?;
    file.write_all(&serde_json::to_vec_pretty(record)?)?;
    Ok(file)
}

/// A record that is there and readable; a broken one counts as absent, because
/// records are written whole.
pub fn read_record<T: DeserializeOwned>(path: &Path) -> Option<T> {
    let size = fs::metadata(path).ok()?.len();
    if size > LARGEST_RECORD {
        return None;
    }
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// The folders in a folder, sorted by name; none if it is not there.
pub fn folders(path: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            folders.push(entry.path());
        }
    }
    folders.sort();
    Ok(folders)
}

/// Removes a folder with all that is in it, also where it is read-only.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            make_removable(path)?;
            fs::remove_dir_all(path)
        }
        done => done,
    }
}

fn make_removable(folder: &Path) -> io::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    for inner in folders(folder)? {
        make_removable(&inner)?;
    }
    Ok(())
}

/// Sorts a full disk out from everything else that may go wrong with files.
pub fn failed(what: impl Into<String>, error: io::Error) -> RuntimeError {
    let what = what.into();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            RuntimeError::DiskFull { what }
        }
        _ => RuntimeError::Other {
            what,
            source: error.into(),
        },
    }
}

/// Runs file work off the async threads.
pub async fn blocking<T: Send + 'static>(
    what: &str,
    work: impl FnOnce() -> Result<T, RuntimeError> + Send + 'static,
) -> Result<T, RuntimeError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(RuntimeError::Other {
            what: what.to_owned(),
            source: error.into(),
        }),
    }
}
