//! The routes on disk. A crash at any moment leaves the old or the new
//! routes, whole: the file is written beside, synced, and renamed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use shipway_core::environment::EnvironmentKey;
use shipway_core::ports::router::Route;

use crate::error::ProxyError;

pub(crate) type Routes = BTreeMap<EnvironmentKey, Route>;

#[derive(Debug, Clone)]
pub(crate) struct StateFile {
    path: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Saved {
    /// Of the file's form; 1 is the only one so far.
    version: u32,
    routes: Vec<Route>,
}

impl StateFile {
    pub fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// No file means no routes: the first start.
    pub fn load(&self) -> Result<Routes, ProxyError> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Routes::new()),
            Err(source) => {
                let path = self.path.clone();
                return Err(ProxyError::ReadState { path, source });
            }
        };
        let saved: Saved =
            serde_json::from_slice(&text).map_err(|source| ProxyError::DamagedState {
                path: self.path.clone(),
                source,
            })?;
        Ok(saved
            .routes
            .into_iter()
            .map(|route| (route.key.clone(), route))
            .collect())
    }

    /// Returns when the routes would survive a power cut.
    pub fn save(&self, routes: &Routes) -> Result<(), ProxyError> {
        let saved = Saved {
            version: 1,
            routes: routes.values().cloned().collect(),
        };
        self.replace(&saved)
            .map_err(|source| ProxyError::WriteState {
                path: self.path.clone(),
                source,
            })
    }

    fn replace(&self, saved: &Saved) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(saved)?;
        let beside = self.path.with_extension("new");
        let mut file = File::create(&beside)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&beside, &self.path)?;
        File::open(folder_of(&self.path))?.sync_all()
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(app: &str) -> Route {
        Route {
            key: EnvironmentKey {
                app: app.parse().unwrap(),
                environment: "live".parse().unwrap(),
            },
            domains: vec![format!("{app}.example.com").parse().unwrap()],
            targets: vec!["127.0.0.1:8001".parse().unwrap()],
            deployment: "01936c5e-7f00-7000-8000-000000000001".parse().unwrap(),
            generation: 1,
        }
    }

    #[test]
    fn what_was_saved_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let file = StateFile::new(folder.path().join("proxy.json"));
        assert!(file.load().unwrap().is_empty());
        let routes: Routes = ["shop", "blog"]
            .map(|app| (route(app).key, route(app)))
            .into();
        file.save(&routes).unwrap();
        assert_eq!(file.load().unwrap(), routes);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_damaged_file_is_said_to_be_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("proxy.json");
        fs::write(&path, "{\"version\": 1, \"rou").unwrap();
        let error = StateFile::new(path).load().unwrap_err().to_string();
        assert!(error.contains("move it away"), "{error}");
    }
}
