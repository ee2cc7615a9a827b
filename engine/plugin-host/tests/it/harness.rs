//! A host, the hostile guest, and calls to it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};

use async_trait::async_trait;
use shipway_core::environment::{EnvironmentKey, Variable};
use shipway_core::grant::{Addresses, Grants, HttpGrant, Permission};
use shipway_core::name::{DeploymentId, Digest, PluginName, Timestamp};
use shipway_core::plan::Collected;
use shipway_core::plugin::{Description, Enabled, Installed};
use shipway_core::ports::plugins::{
    Call, Check, Level, PluginError, PluginErrorKind, PluginLog, Plugins,
};
use shipway_core::ports::source::{Files, FilesError};
use shipway_core::ports::store::{Registry, StoreError};
use shipway_core::secret::Secret;
use shipway_plugin_host::{HostConfig, Limits, PluginHost};

/// The hostile guest, built once.
pub static HOSTILE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let path = hostile_guest();
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
});

/// What is compiled once serves every test.
static CACHE: LazyLock<tempfile::TempDir> = LazyLock::new(|| tempfile::tempdir().unwrap());

/// `SHIPWAY_GUESTS` names a folder of guests that are built already; else
/// cargo builds the guest, and `cargo xtask plugins` where cargo cannot.
fn hostile_guest() -> PathBuf {
    if let Some(folder) = std::env::var_os("SHIPWAY_GUESTS") {
        return Path::new(&folder).join("hostile.wasm");
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "shipway-hostile-guest"])
        .args([
            "--profile",
            "plugin",
            "--target",
            "wasm32-wasip2",
            "--target-dir",
        ])
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .unwrap();
    if built.success() {
        return target.join("wasm32-wasip2/plugin/shipway_hostile_guest.wasm");
    }
    let made = target.join("guests/hostile.wasm");
    assert!(
        made.exists(),
        "build the guests with `cargo xtask plugins` first"
    );
    made
}

/// The guest with another act written over the one of its `describe`.
pub fn describing(act: &str) -> Vec<u8> {
    let mut component = HOSTILE.clone();
    let honest = b"describe-act:honest             ";
    let place = component
        .windows(honest.len())
        .position(|window| window == honest)
        .unwrap();
    let text = format!("{:<32}", format!("describe-act:{act}"));
    component[place..place + honest.len()].copy_from_slice(text.as_bytes());
    component
}

pub fn host(limits: Limits) -> PluginHost {
    host_over(limits, Shelf::default())
}

pub fn host_over(limits: Limits, shelf: Shelf) -> PluginHost {
    let mut config = HostConfig::new(CACHE.path().join("compiled"));
    config.limits = limits;
    PluginHost::new(config, Arc::new(shelf)).unwrap()
}

/// A call to the hostile guest in the making.
pub struct Bench {
    pub host: PluginHost,
    pub log: Arc<Kept>,
    pub grants: Grants,
    call: Call,
}

impl Bench {
    pub async fn new(act: &str) -> Self {
        Self::with(act, Limits::default()).await
    }

    pub async fn with(act: &str, limits: Limits) -> Self {
        Self::on(act, host(limits)).await
    }

    pub async fn on(act: &str, host: PluginHost) -> Self {
        let description = host.inspect(&HOSTILE).await.unwrap();
        let log = Arc::new(Kept::default());
        let call = call(description, Arc::clone(&log));
        let grants = Grants::default();
        Self {
            host,
            log,
            grants,
            call,
        }
        .set("act", act)
    }

    pub fn set(mut self, name: &str, value: &str) -> Self {
        let value = Variable::Plain(value.to_owned());
        self.call.settings.insert(name.to_owned(), value);
        self
    }

    pub fn secret(mut self, name: &str, value: &str) -> Self {
        let value = Variable::Secret(Secret::new(value));
        self.call.settings.insert(name.to_owned(), value);
        self
    }

    pub fn files(mut self, granted: &[&str], files: &[(&str, &str)]) -> Self {
        self.grants.files = granted.iter().map(|glob| (*glob).to_owned()).collect();
        let own = |(path, text): &(&str, &str)| ((*path).to_owned(), text.as_bytes().to_vec());
        let tree = Tree(files.iter().map(own).collect());
        self.call.files = Some(Arc::new(tree));
        self
    }

    pub fn grant_image(mut self) -> Self {
        self.grants.image = Permission::Granted;
        self
    }

    pub fn grant_http(mut self, origin: &str, addresses: Addresses, secrets: &[&str]) -> Self {
        self.grants.http.push(HttpGrant {
            origin: origin.to_owned(),
            methods: Vec::new(),
            addresses,
            secrets: secrets.iter().map(|name| (*name).to_owned()).collect(),
        });
        self
    }

    pub fn change(mut self, act: impl FnOnce(&mut Call)) -> Self {
        act(&mut self.call);
        self
    }

    pub fn call(&self) -> Call {
        let mut plugin = Installed::clone(&self.call.plugin);
        plugin.grants = self.grants.clone();
        Call {
            plugin: Arc::new(plugin),
            ..self.call.clone()
        }
    }

    pub async fn collect(&self) -> Result<Collected, PluginError> {
        self.host.collect(&self.call()).await
    }

    /// What the guest saw, or how it failed.
    pub async fn see(&self) -> Result<Vec<String>, PluginError> {
        self.collect().await.map(|collected| collected.warnings)
    }

    pub async fn self_test(&self) -> Result<Vec<Check>, PluginError> {
        self.host.self_test(&self.call()).await
    }

    pub async fn fail(&self) -> PluginError {
        self.collect().await.unwrap_err()
    }
}

fn call(description: Description, log: Arc<Kept>) -> Call {
    let plugin = Installed {
        description,
        grants: Grants::default(),
        settings: BTreeMap::new(),
        enabled: Enabled::Yes,
        limits: Default::default(),
        origin: Default::default(),
        installed_at: Timestamp::from_millis(0),
    };
    Call {
        plugin: Arc::new(plugin),
        settings: BTreeMap::new(),
        variables: BTreeMap::new(),
        deployment: DeploymentId(uuid::Uuid::nil()),
        environment: EnvironmentKey {
            app: "guestbook".parse().unwrap(),
            environment: "live".parse().unwrap(),
        },
        commit: Some("c".repeat(40).parse().unwrap()),
        reference: "main".to_owned(),
        files: None,
        image: None,
        candidate: Vec::new(),
        exec: None,
        log,
    }
}

/// Of this kind, of one line, and naming the plugin.
pub fn assert_fault(error: &PluginError, kind: PluginErrorKind, says: &str) {
    assert_eq!(error.kind, kind, "{error}");
    assert!(error.message.contains(says), "{error}");
    assert!(!error.message.contains('\n'), "{error}");
    let subject = ["plugin hostile 1.0.0 (", "the component "];
    assert!(
        subject.iter().any(|who| error.message.starts_with(who)),
        "{error}"
    );
}

/// The log of a call.
#[derive(Debug, Default)]
pub struct Kept(Mutex<Vec<(Level, String)>>);

impl Kept {
    pub fn lines(&self) -> Vec<(Level, String)> {
        self.0.lock().unwrap().clone()
    }

    pub fn text(&self) -> String {
        let lines: Vec<String> = self.lines().into_iter().map(|(_, line)| line).collect();
        lines.join("\n")
    }
}

impl PluginLog for Kept {
    fn line(&self, plugin: &PluginName, level: Level, message: &str) {
        assert_eq!(plugin.as_str(), "hostile");
        self.0.lock().unwrap().push((level, message.to_owned()));
    }
}

/// A commit of files in memory.
#[derive(Debug)]
pub struct Tree(BTreeMap<String, Vec<u8>>);

impl Files for Tree {
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, FilesError> {
        let bytes = self
            .0
            .get(path)
            .ok_or_else(|| FilesError::NotFound(path.to_owned()))?;
        if bytes.len() as u64 > limit {
            let path = path.to_owned();
            return Err(FilesError::TooLarge { path, limit });
        }
        Ok(bytes.clone())
    }

    fn find(&self, glob: &str, limit: usize) -> Result<Vec<String>, FilesError> {
        let matcher = globset::GlobBuilder::new(glob)
            .literal_separator(true)
            .build()
            .map_err(|error| FilesError::BadGlob {
                glob: glob.to_owned(),
                message: error.to_string(),
            })?
            .compile_matcher();
        let found: Vec<String> = self
            .0
            .keys()
            .filter(|path| matcher.is_match(path))
            .cloned()
            .collect();
        match found.len() > limit {
            true => Err(FilesError::TooMany {
                glob: glob.to_owned(),
                limit,
            }),
            false => Ok(found),
        }
    }
}

/// The components of a store, and nothing else of it.
#[derive(Debug, Default)]
pub struct Shelf(pub Vec<(Digest, Vec<u8>)>);

#[async_trait]
impl Registry for Shelf {
    async fn plugins(&self) -> Result<Vec<Installed>, StoreError> {
        Ok(Vec::new())
    }

    async fn plugin(&self, _: &PluginName) -> Result<Option<Installed>, StoreError> {
        Ok(None)
    }

    async fn put_plugin(&self, _: &Installed, _: Option<&[u8]>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn component(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let found = self.0.iter().find(|(known, _)| known == digest);
        Ok(found.map(|(_, bytes)| bytes.clone()))
    }

    async fn delete_plugin(&self, _: &PluginName) -> Result<(), StoreError> {
        Ok(())
    }
}
