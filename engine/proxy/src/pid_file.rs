//! The process id on disk, for whoever sends signals. After a restart it is
//! the new proxy's; the old one leaves it alone.

use std::fs;
use std::path::PathBuf;

use crate::error::ProxyError;

#[derive(Debug)]
pub(crate) struct PidFile(Option<PathBuf>);

impl PidFile {
    pub fn new(path: Option<PathBuf>) -> Self {
        Self(path)
    }

    /// Replaced as a whole: it is never seen empty.
    pub fn write(&self) -> Result<(), ProxyError> {
        let Some(path) = &self.0 else {
            return Ok(());
        };
        let mut beside = path.as_os_str().to_owned();
        beside.push(".new");
        fs::write(&beside, std::process::id().to_string())
            .and_then(|()| fs::rename(&beside, path))
            .map_err(|source| ProxyError::PidFile {
                path: path.clone(),
                source,
            })
    }

    pub fn remove(&self) {
        if let Some(path) = &self.0
            && let Err(error) = fs::remove_file(path)
        {
            tracing::debug!(%error, "the file of the process id could not be removed");
        }
    }
}
