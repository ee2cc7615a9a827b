//! What the attacks happen in: the real plugin host with its production
//! limits, servers that may and may not be reached, names, and a real engine.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use anyhow::{Context, Result};
use shipway_core::plugin::Description;
use shipway_core::ports::plugins::Plugins;
use shipway_plugin_host::{Compiler, HostConfig, Limits, PluginHost};
use shipway_store::MemoryStore;
use shipway_tests::wait::block;

use crate::engine::Scene;
use crate::names::FakeNames;
use crate::server::Server;

/// How this program is told to compile, in a child of its own.
pub const COMPILE: &str = "compile-plugin";

pub struct World {
    pub host: Arc<PluginHost>,
    pub names: Arc<FakeNames>,
    /// The guest as it was built.
    pub guest: Vec<u8>,
    /// What the guest says of itself when it asks for everything.
    pub eager: Description,
    /// A server that attacks are granted.
    pub hook: Server,
    /// A server that nobody is granted. That it is reached fails any attack.
    pub victim: Server,
    /// A real engine; it starts when it is attacked first.
    pub scene: OnceLock<Option<Scene>>,
    /// What is compiled, and what goes when the world goes.
    folder: tempfile::TempDir,
}

impl World {
    pub fn new(guest: Vec<u8>) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let victim = Server::start("http://nowhere.example.test");
        let hook = Server::start(&victim.origin());
        let names = Arc::new(FakeNames::default());
        let host = Arc::new(host(&folder, &names, Limits::default())?);
        let eager = describing(&guest, "eager");
        let eager = block(host.inspect(&eager)).context("taking the guest in")?;
        Ok(Self {
            host,
            names,
            guest,
            eager,
            hook,
            victim,
            scene: OnceLock::new(),
            folder,
        })
    }

    /// Another host, with other limits.
    pub fn host_with(&self, limits: Limits) -> Result<PluginHost> {
        host(&self.folder, &self.names, limits)
    }

    /// The machine code that the host keeps.
    pub fn compiled(&self) -> Result<Vec<PathBuf>> {
        let entries = std::fs::read_dir(self.cache())?;
        let files = entries.map(|entry| entry.map(|entry| entry.path()));
        Ok(files.collect::<Result<_, _>>()?)
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("compiled")
    }

    /// The guest with another first act.
    pub fn describing(&self, act: &str) -> Vec<u8> {
        describing(&self.guest, act)
    }

    /// `http://NAME:PORT`, where the port is the one that may not be reached.
    pub fn victim_at(&self, name: &str) -> String {
        format!("http://{name}:{}", self.victim.address.port())
    }

    /// `http://NAME:PORT`, where the port is the one that is granted.
    pub fn hook_at(&self, name: &str) -> String {
        format!("http://{name}:{}", self.hook.address.port())
    }
}

fn host(folder: &tempfile::TempDir, names: &Arc<FakeNames>, limits: Limits) -> Result<PluginHost> {
    let mut config = HostConfig::new(folder.path().join("compiled"));
    config.limits = limits;
    let compiler: [OsString; 2] = [std::env::current_exe()?.into(), COMPILE.into()];
    config.compiler = Compiler::Child(compiler.to_vec());
    config.names = Arc::clone(names) as Arc<dyn shipway_plugin_host::Names>;
    // What is called was taken in before: nothing is asked of the store.
    Ok(PluginHost::new(config, Arc::new(MemoryStore::default()))?)
}

/// The guest carries its first act behind this.
const ACT: &[u8] = b"describe-act:honest             ";

pub fn describing(guest: &[u8], act: &str) -> Vec<u8> {
    let at = guest.windows(ACT.len()).position(|part| part == ACT);
    let at = at.expect("the guest's first act");
    let mut changed = guest.to_vec();
    let text = format!("{:<32}", format!("describe-act:{act}"));
    changed[at..at + ACT.len()].copy_from_slice(text.as_bytes());
    changed
}
