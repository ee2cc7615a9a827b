//! What every call is about: one deployment, one commit, and a plugin that is
//! granted what it asks for.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use async_trait::async_trait;
use serde_json::json;
use shipway_core::environment::EnvironmentKey;
use shipway_core::grant::Grants;
use shipway_core::name::{DeploymentId, Digest, PluginName, Timestamp};
use shipway_core::plugin::{Description, Installed};
use shipway_core::ports::plugins::{Call, Level, PluginLog};
use shipway_core::ports::source::{Files, FilesError};
use shipway_core::ports::store::{Registry, StoreError};

const RELEASEFILE: &str = include_str!("../../../../tests/bench/Releasefile");

/// A component, and what it was written in.
#[derive(Debug)]
pub struct Plugin {
    pub language: String,
    pub bytes: Vec<u8>,
}

impl Plugin {
    pub fn read(language: &str, file: &str) -> Result<Self> {
        Ok(Self {
            language: language.to_owned(),
            bytes: std::fs::read(file).with_context(|| format!("could not read {file}"))?,
        })
    }
}

/// One call, as the engine would make it.
pub fn call(description: Description) -> Result<Call> {
    let grants = Grants::requested(&description, &BTreeMap::new());
    let installed = json!({
        "description": description,
        "grants": grants,
        "settings": {},
        "enabled": "yes",
        "installed_at": Timestamp::from_millis(0),
    });
    let plugin: Installed = serde_json::from_value(installed)?;
    Ok(Call {
        plugin: Arc::new(plugin),
        settings: BTreeMap::new(),
        variables: BTreeMap::new(),
        deployment: DeploymentId(uuid::Uuid::nil()),
        environment: EnvironmentKey {
            app: "guestbook".parse()?,
            environment: "live".parse()?,
        },
        commit: Some("c".repeat(40).parse()?),
        reference: "main".to_owned(),
        files: Some(Arc::new(Commit)),
        image: None,
        candidate: Vec::new(),
        exec: None,
        log: Arc::new(Silence),
    })
}

/// A commit with a Releasefile, in memory: the disk is not what is measured.
#[derive(Debug, Clone, Copy)]
pub struct Commit;

impl Files for Commit {
    fn read(&self, path: &str, _: u64) -> Result<Vec<u8>, FilesError> {
        match path {
            "Releasefile" => Ok(RELEASEFILE.as_bytes().to_vec()),
            other => Err(FilesError::NotFound(other.to_owned())),
        }
    }

    fn find(&self, _: &str, _: usize) -> Result<Vec<String>, FilesError> {
        Ok(Vec::new())
    }

    fn in_memory(&self) -> bool {
        true
    }
}

#[derive(Debug)]
struct Silence;

impl PluginLog for Silence {
    fn line(&self, _: &PluginName, _: Level, _: &str) {}
}

/// A store that has nothing: all that is called was compiled before.
#[derive(Debug)]
pub struct NoRegistry;

#[async_trait]
impl Registry for NoRegistry {
    async fn plugins(&self) -> Result<Vec<Installed>, StoreError> {
        Ok(Vec::new())
    }

    async fn plugin(&self, _: &PluginName) -> Result<Option<Installed>, StoreError> {
        Ok(None)
    }

    async fn put_plugin(&self, _: &Installed, _: Option<&[u8]>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn component(&self, _: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }

    async fn delete_plugin(&self, _: &PluginName) -> Result<(), StoreError> {
        Ok(())
    }
}
