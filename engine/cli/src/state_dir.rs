//! The engine's directory: everything it keeps is below it, for its user alone.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// A Unix socket's path may not be longer; the names in the directory need some.
const LONGEST_PATH: usize = 90;
/// An engine that stops settles its notifications first, at most 5 s.
const LOCK_PATIENCE: Duration = Duration::from_secs(8);
const LOCK_RETRY: Duration = Duration::from_millis(100);

#[derive(Debug, Clone)]
pub struct StateDir(PathBuf);

/// Held while `serve` runs; one engine a directory.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "the lock lasts as long as its file is open")] File);

impl StateDir {
    /// Makes the directory if need be.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(path).with_context(|| format!("could not make {}", path.display()))?;
        let path = path
            .canonicalize()
            .with_context(|| format!("could not find {}", path.display()))?;
        if path.as_os_str().len() > LONGEST_PATH {
            bail!(
                "the state directory's path is longer than {LONGEST_PATH} bytes, too long for a socket in it: {}",
                path.display()
            );
        }
        fs::set_permissions(&path, Permissions::from_mode(0o700))
            .with_context(|| format!("could not keep {} to its user", path.display()))?;
        Ok(Self(path))
    }

    /// Waits a moment for an engine that is about to end.
    pub async fn lock(&self) -> anyhow::Result<Lock> {
        let path = self.0.join("engine.lock");
        let file =
            File::create(&path).with_context(|| format!("could not make {}", path.display()))?;
        let deadline = Instant::now() + LOCK_PATIENCE;
        while file.try_lock().is_err() {
            if Instant::now() > deadline {
                bail!(
                    "another `shipway serve` runs on {}; one engine a state directory",
                    self.0.display()
                );
            }
            tokio::time::sleep(LOCK_RETRY).await;
        }
        Ok(Lock(file))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn database(&self) -> PathBuf {
        self.0.join("shipway.db")
    }

    pub fn secrets_key(&self) -> PathBuf {
        self.0.join("secrets.key")
    }

    pub fn git(&self) -> PathBuf {
        self.0.join("git")
    }

    pub fn runtime(&self) -> PathBuf {
        self.0.join("runtime")
    }

    pub fn plugin_cache(&self) -> PathBuf {
        self.0.join("plugins")
    }

    pub fn proxy_socket(&self) -> PathBuf {
        self.0.join("proxy.sock")
    }

    pub fn proxy_routes(&self) -> PathBuf {
        self.0.join("proxy.json")
    }

    pub fn proxy_pid(&self) -> PathBuf {
        self.0.join("proxy.pid")
    }

    /// What the proxy obtained for TLS.
    pub fn certificates(&self) -> PathBuf {
        self.0.join("certificates")
    }

    pub fn proxy_log(&self) -> PathBuf {
        self.0.join("proxy.log")
    }
}

/// Where state is kept when nobody says otherwise.
pub fn default_path() -> PathBuf {
    let data = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share")));
    data.unwrap_or_else(|| PathBuf::from(".")).join("shipway")
}
