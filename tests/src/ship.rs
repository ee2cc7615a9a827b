//! An engine of a test's own: `shipway serve` on free ports, with its proxy, in
//! a state directory that goes with it.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::api::{Answer, Api, client};
use crate::app::App;
use crate::cli::Cli;
use crate::repo::Repo;
use crate::wait::{block, until, until_true};
use crate::{docker, machine, parts};

/// Starting and stopping take well under a second on a quiet machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much of the engine's own log a failed test shows, in bytes.
const SHOWN: usize = 6_000;

#[derive(Debug)]
pub struct Ship {
    serve: Mutex<Option<Child>>,
    state: TempDir,
    pub api: Api,
    pub token: String,
    pub proxy: SocketAddr,
    listen: SocketAddr,
    variables: Vec<(String, String)>,
    arguments: Vec<String>,
    apps: Mutex<Vec<String>>,
}

impl Ship {
    /// Starts an engine. None when the machine lacks a part.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// Starts an engine whose own environment has these variables too.
    pub fn start_with(variables: &[(&str, &str)]) -> Option<Self> {
        Some(Self::start_in(new_state(), variables))
    }

    /// Starts an engine with more arguments of `shipway serve`.
    pub fn start_with_arguments(arguments: &[&str]) -> Option<Self> {
        let state = new_state();
        let arguments = arguments.iter().map(|&text| text.to_owned()).collect();
        Some(Self::started(state, &[], arguments))
    }

    /// Starts an engine whose arguments say where it is itself.
    pub fn start_knowing_itself(arguments: impl FnOnce(&str) -> Vec<String>) -> Self {
        let listen = free_address();
        let arguments = arguments(&format!("http://{listen}"));
        Self::started_at(listen, new_state(), &[], arguments)
    }

    /// Starts an engine with the plugins that ship, granted what they ask for.
    pub fn start_with_plugins(plugins: &[&str]) -> Option<Self> {
        let components: Option<Vec<_>> = plugins.iter().map(|name| parts::plugin(name)).collect();
        let components = components?;
        let ship = Self::start()?;
        for component in components {
            ship.install(component);
        }
        Some(ship)
    }

    pub fn start_in(state: TempDir, variables: &[(&str, &str)]) -> Self {
        Self::started(state, variables, Vec::new())
    }

    fn started(state: TempDir, variables: &[(&str, &str)], arguments: Vec<String>) -> Self {
        Self::started_at(free_address(), state, variables, arguments)
    }

    fn started_at(
        listen: SocketAddr,
        state: TempDir,
        variables: &[(&str, &str)],
        arguments: Vec<String>,
    ) -> Self {
        let proxy = free_address();
        let mut ship = Self {
            serve: Mutex::default(),
            state,
            api: Api::new(&format!("http://{listen}"), None),
            token: String::new(),
            proxy,
            listen,
            variables: variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            arguments,
            apps: Mutex::default(),
        };
        ship.serve();
        ship.token = ship.read_token();
        ship.api = ship.api.with_token(Some(&ship.token));
        ship
    }

    /// Starts `shipway serve`, and waits until it is ready.
    pub fn serve(&self) {
        self.serve_until(|answer| answer.status == 200);
    }

    /// Starts `shipway serve`, and waits until it says whether it is ready.
    pub fn serve_unready(&self) {
        self.serve_until(|_| true);
    }

    fn serve_until(&self, is_enough: impl Fn(&Answer) -> bool) {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_file())
            .expect("the engine's log");
        let mut command = Command::new(parts::shipway());
        command
            .arg("serve")
            .arg("--state-dir")
            .arg(self.state_dir())
            .args(["--listen", &self.listen.to_string()])
            .args(["--proxy-listen", &self.proxy.to_string()])
            .arg("--credentials")
            .arg(self.credentials())
            .args(&self.arguments)
            .env_remove("SHIPWAY_TOKEN")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the log twice"))
            .stderr(log);
        let child = command.spawn().expect("shipway starts");
        *self.engine() = Some(child);
        until_true("the engine is ready", PATIENCE, || {
            let mut serve = self.engine();
            let ended = serve
                .as_mut()
                .and_then(|child| child.try_wait().ok().flatten());
            assert!(
                ended.is_none(),
                "serve ended: {ended:?}\n{}\n{}",
                self.engine_log(),
                fs::read_to_string(self.state_dir().join("proxy.log")).unwrap_or_default()
            );
            self.api
                .try_get("/readyz")
                .is_some_and(|answer| is_enough(&answer))
        });
    }

    /// Of a test that failed while it held the engine, too.
    fn engine(&self) -> MutexGuard<'_, Option<Child>> {
        self.serve.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// SIGKILL, as by a crash.
    pub fn kill_serve(&self) {
        if let Some(mut child) = self.engine().take() {
            child.kill().expect("the engine is killed");
            child.wait().expect("the engine ended");
        }
    }

    /// SIGTERM, as by a service manager. Gives the exit code.
    pub fn stop_serve(&self) -> Option<i32> {
        let mut child = self.engine().take()?;
        machine::signal(child.id(), Signal::SIGTERM);
        let ended = until("the engine stops", PATIENCE, || {
            child.try_wait().expect("its status")
        });
        ended.code()
    }

    /// An app with a name that no other test has.
    pub fn app(&self, name: &str, repo: &Repo) -> App<'_> {
        self.app_with(name, json!({"repository": repo.path()}))
    }

    pub fn app_with(&self, name: &str, settings: Value) -> App<'_> {
        let name = self.unique(name);
        let mut body = settings;
        body["name"] = json!(name);
        self.api.post("/v1/apps", &body).ok();
        App::new(self, name)
    }

    /// A name that no other test has; what carries it goes when the ship goes.
    pub fn unique(&self, name: &str) -> String {
        let random = self
            .state
            .path()
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or("");
        let suffix: String = random.chars().rev().take(5).collect();
        let name = format!("{name}-{}", suffix.to_ascii_lowercase());
        self.apps.lock().expect("the apps").push(name.clone());
        name
    }

    /// Installs a component and grants all that it asks for.
    pub fn install(&self, component: Vec<u8>) -> String {
        let plugin = self
            .api
            .post_bytes("/v1/plugins", "application/wasm", component)
            .ok();
        let name = plugin["name"].as_str().expect("a name").to_owned();
        self.api
            .put(&format!("/v1/plugins/{name}/grants"), &plugin["requested"])
            .ok();
        name
    }

    /// A page of a site, through the proxy.
    pub fn get(&self, host: &str, path: &str) -> Answer {
        let request = client()
            .get(format!("http://{}{path}", self.proxy))
            .header("host", host);
        block(async {
            let response = request
                .timeout(PATIENCE)
                .send()
                .await
                .expect("an answer of the proxy");
            Answer::read(response).await.expect("a whole answer")
        })
    }

    pub fn cli(&self) -> Cli {
        Cli::new(&self.credentials(), self.state_dir())
    }

    pub fn state_dir(&self) -> &Path {
        self.state.path()
    }

    pub fn credentials(&self) -> PathBuf {
        self.state_dir().join("credentials")
    }

    /// Where the API answers.
    pub fn api_address(&self) -> SocketAddr {
        self.listen
    }

    /// What the engine itself wrote.
    pub fn engine_log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// The proxy's process, while there is one.
    pub fn proxy_pid(&self) -> Option<u32> {
        fs::read_to_string(self.state_dir().join("proxy.pid"))
            .ok()?
            .trim()
            .parse()
            .ok()
    }

    fn log_file(&self) -> PathBuf {
        self.state_dir().join("serve.log")
    }

    /// The token that the first start wrote for the other verbs.
    fn read_token(&self) -> String {
        let text = fs::read_to_string(self.credentials()).expect("the credentials");
        let token = text.split(|c: char| c.is_whitespace() || "\"'=,".contains(c));
        token
            .into_iter()
            .find(|word| word.starts_with("shipway_"))
            .unwrap_or_else(|| panic!("no token in {text:?}"))
            .to_owned()
    }

    /// Deletes every app through the API, as a user would.
    fn delete_apps(&self) {
        let Some(apps) = self.api.try_get("/v1/apps") else {
            return;
        };
        for app in items(&apps) {
            let path = format!("/v1/apps/{}", app["name"].as_str().unwrap_or_default());
            if let Some(environments) = self.api.try_get(&format!("{path}/environments")) {
                for environment in items(&environments) {
                    self.delete_environment(&format!(
                        "{path}/environments/{}",
                        environment["name"].as_str().unwrap_or_default()
                    ));
                }
            }
        }
    }

    fn delete_environment(&self, path: &str) {
        let deployments = self.api.get(&format!("{path}/deployments"));
        for deployment in items(&deployments)
            .iter()
            .filter(|one| one["ending"].is_null())
        {
            let id = deployment["id"].as_str().unwrap_or_default();
            self.api
                .post(&format!("/v1/deployments/{id}/cancel"), &json!({}));
        }
        let deadline = std::time::Instant::now() + PATIENCE;
        while self.api.delete(path).status == 409 && std::time::Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn stop_proxy(&self) {
        let Some(pid) = self
            .proxy_pid()
            .filter(|pid| self.processes().contains(pid))
        else {
            return;
        };
        machine::signal(pid, Signal::SIGTERM);
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while self.processes().contains(&pid) {
            if std::time::Instant::now() > deadline {
                machine::signal(pid, Signal::SIGKILL);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whatever is left of processes that this ship started, by id.
    fn reap(&self) {
        for pid in self.processes() {
            machine::signal(pid, Signal::SIGKILL);
        }
    }

    /// The processes that know of this state directory, which no other has.
    fn processes(&self) -> Vec<u32> {
        machine::processes_with(&self.state_dir().display().to_string())
    }
}

impl Drop for Ship {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.engine_log();
            let start = log.len().saturating_sub(SHOWN);
            eprintln!(
                "--- the engine's log ---\n{}",
                log.get(start..).unwrap_or(&log)
            );
        }
        // A panic in here would hide the test's own.
        let clean = std::panic::AssertUnwindSafe(|| {
            if self.serve.lock().is_ok_and(|serve| serve.is_some()) {
                self.delete_apps();
            }
            self.stop_serve();
        });
        let _ = std::panic::catch_unwind(clean);
        self.kill_serve();
        self.stop_proxy();
        self.reap();
        if let Ok(apps) = self.apps.lock() {
            docker::remove_all_of(&apps);
        }
    }
}

fn new_state() -> TempDir {
    tempfile::Builder::new()
        .prefix("ship-")
        .tempdir()
        .expect("a state directory")
}

fn items(answer: &Answer) -> Vec<Value> {
    let page: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    page["items"].as_array().cloned().unwrap_or_default()
}

/// Below the ports that Linux and macOS give to connections, so that none of
/// these takes a port between our choice and its use; and beside those of the
/// instances.
const PORTS: std::ops::Range<u16> = 10_000..20_000;

/// An address on loopback where nobody listens now; another one each time.
pub fn free_address() -> SocketAddr {
    static CHOSEN: AtomicU32 = AtomicU32::new(0);
    let seed = std::process::id().wrapping_mul(131);
    let found = PORTS.clone().find_map(|_| {
        let next = seed.wrapping_add(CHOSEN.fetch_add(1, Ordering::Relaxed));
        let port = PORTS.start + u16::try_from(next % 10_000).ok()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        TcpListener::bind(address).ok().map(|_| address)
    });
    found.expect("a free port")
}
