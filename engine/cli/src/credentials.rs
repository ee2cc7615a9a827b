//! Where the engine of this machine is, and the token that it knows: a small
//! file for its user alone, written by `serve` on its first start.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use shipway_core::secret::Secret;

use crate::private_file;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Credentials {
    pub server: String,
    pub token: Secret,
}

/// `~/.config/shipway/credentials`.
pub fn default_path() -> anyhow::Result<PathBuf> {
    Ok(private_file::folder()?.join("credentials"))
}

/// The credentials in a file, if there is one.
pub fn read(path: &Path) -> anyhow::Result<Option<Credentials>> {
    private_file::read(path)
}

pub fn write(path: &Path, server: &str, token: &Secret) -> anyhow::Result<()> {
    let credentials = Credentials {
        server: server.to_owned(),
        token: token.clone(),
    };
    private_file::write(path, &credentials)
}
