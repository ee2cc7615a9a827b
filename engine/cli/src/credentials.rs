//! Where the server is, and the token that it knows: a small file for its user
//! alone, written by `serve` on its first start.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use serde::{Deserialize, Serialize};
use shipway_core::secret::Secret;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Credentials {
    pub server: String,
    pub token: Secret,
}

/// `~/.config/shipway/credentials`.
pub fn default_path() -> anyhow::Result<PathBuf> {
    let config = std::env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".config")));
    let config = config.ok_or_else(|| {
        anyhow!("neither HOME nor XDG_CONFIG_HOME is set; use --credentials FILE")
    })?;
    Ok(config.join("shipway").join("credentials"))
}

/// The credentials in a file, if there is one.
pub fn read(path: &Path) -> anyhow::Result<Option<Credentials>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("could not read {}", path.display()));
        }
    };
    let credentials = toml::from_str(&text)
        .with_context(|| format!("{} is not as `serve` wrote it", path.display()))?;
    Ok(Some(credentials))
}

/// Writes beside and renames, so that a reader never sees half a file.
pub fn write(path: &Path, server: &str, token: &Secret) -> anyhow::Result<()> {
    let problem = || format!("could not write {}", path.display());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(problem)?;
    }
    let text = toml::to_string(&Credentials {
        server: server.to_owned(),
        token: token.clone(),
    })?;
    let beside = path.with_extension("new");
    let _ = fs::remove_file(&beside);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&beside)
        .with_context(problem)?;
    file.write_all(text.as_bytes()).with_context(problem)?;
    fs::rename(&beside, path).with_context(problem)
}
