//! What an engine needs of this machine.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::sys::statvfs::{Statvfs, statvfs};
use nix::unistd::{AccessFlags, access, geteuid};
use shipway_core::ports::plugins::{PluginErrorKind, Plugins};
use shipway_core::ports::store::Registry;
use shipway_plugin_host::PluginHost;
use shipway_proxy::ProxyRouter;
use shipway_runtime::docker::{DockerConfig, DockerRuntime};
use shipway_runtime::process::limits_lacking;
use shipway_store::MemoryStore;
use tokio::process::Command;

use super::{Patient, Seen};
use crate::whereabouts::is_loopback;
use crate::wire;

const GIB: u64 = 1 << 30;
/// A build or two, and the logs of a day.
const LITTLE_SPACE: u64 = 5 * GIB;
/// SQLite and the logs stop here before long.
const NO_SPACE: u64 = GIB;
/// A component with nothing in it: compiling it needs all that others need.
const EMPTY_COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

pub struct Machine<'a> {
    pub patient: &'a Patient,
    /// Whether an engine answers where it is to listen.
    pub here: bool,
}

impl Machine<'_> {
    /// Whether an engine runs here, has run, or is meant to.
    pub fn concerns(&self) -> bool {
        self.here || self.patient.state.exists() || is_loopback(&self.patient.server.server)
    }

    pub fn state(&self) -> Seen {
        let path = &self.patient.state;
        let shown = path.display();
        let metadata = match path.metadata() {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Seen::ok(format!("{shown} is made by `shipway serve`"));
            }
            Err(error) => {
                return Seen::problem(format!("{shown}: {error}"), "let this user into it");
            }
        };
        if !metadata.is_dir() {
            let to_do = "move it away, or choose another with --state-dir";
            return Seen::problem(format!("{shown} is no directory"), to_do);
        }
        if metadata.uid() != geteuid().as_raw() {
            let to_do = "run `shipway` as the user who runs the engine";
            return Seen::warning(format!("{shown} belongs to another user"), to_do);
        }
        if access(path, AccessFlags::W_OK | AccessFlags::X_OK).is_err() {
            let to_do = format!("chmod u+wx {shown}, or mount it writable");
            return Seen::problem(format!("{shown} cannot be written to"), to_do);
        }
        if metadata.permissions().mode() & 0o077 != 0 {
            let said = format!("{shown} is open to other users, and has secrets in it");
            return Seen::warning(said, format!("chmod 700 {shown}"));
        }
        Seen::ok(format!("{shown} is there, for this user alone"))
    }

    pub fn disk(&self) -> Seen {
        let place = existing(&self.patient.state);
        let free = match statvfs(&place) {
            Ok(stat) => available(&stat),
            Err(error) => {
                let said = format!("the space at {} is not known: {error}", place.display());
                return Seen::warning(said, "look at it with df");
            }
        };
        let said = format!("{} GiB free at {}", free / GIB, place.display());
        let to_do = "make room: old images (`docker image prune`), logs, or a larger disk";
        if free < NO_SPACE {
            return Seen::problem(said, to_do);
        }
        if free < LITTLE_SPACE {
            return Seen::warning(said, to_do);
        }
        Seen::ok(said)
    }

    pub async fn git(&self) -> Seen {
        let asked = Command::new("git").arg("--version").output().await;
        match asked {
            Ok(output) if output.status.success() => {
                Seen::ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
            }
            _ => Seen::warning(
                "there is no program `git`",
                "install git; the engine fetches without it, pushing to the engine needs it",
            ),
        }
    }

    pub async fn docker(&self) -> Seen {
        let runtime = DockerRuntime::connect(DockerConfig::default());
        let asked = match &runtime {
            Ok(runtime) => runtime.version().await,
            Err(error) => return Seen::warning(error.to_string(), "correct DOCKER_HOST"),
        };
        match asked {
            Ok(version) => Seen::ok(format!("Docker {version}")),
            Err(error) => {
                let hint = error.hint().unwrap_or("look at the engine's own log");
                Seen::warning(
                    error.to_string(),
                    format!("{hint}; only environments with --runtime docker need it"),
                )
            }
        }
    }

    pub fn limits(&self) -> Seen {
        let lacking = limits_lacking();
        if lacking.is_empty() {
            return Seen::ok("memory and CPU of processes can be limited");
        }
        Seen::warning(
            format!(
                "no {} limit for processes can be kept",
                lacking.join(" and no ")
            ),
            "run the engine as root, or delegate a cgroup to its user (systemd: Delegate=yes); \
             containers have Docker's own limits",
        )
    }

    /// Compiles in a child, as the engine does.
    pub async fn sandbox(&self) -> Seen {
        let to_do = "look whether this user's memory or address space is limited (ulimit -a)";
        let folder = std::env::temp_dir().join(format!("shipway-doctor-{}", uuid::Uuid::now_v7()));
        let seen = match try_sandbox(&folder).await {
            Ok(()) => Seen::ok("plugins can be compiled and run here"),
            Err(said) => Seen::problem(format!("plugins cannot run here: {said}"), to_do),
        };
        // It was made for this, and is nobody else's.
        let _ = std::fs::remove_dir_all(&folder);
        seen
    }

    pub fn api_port(&self) -> Seen {
        port(self.patient.listen, self.here, "the engine", "--listen")
    }

    pub async fn proxy_port(&self) -> Seen {
        let address = self.patient.proxy_listen;
        let proxy = self.router().ready().await;
        let ours = proxy.is_ok_and(|health| {
            let listens = health.listen.iter().chain(&health.tls_listen);
            listens
                .into_iter()
                .any(|known| known.port() == address.port())
        });
        port(address, ours, "the proxy", "--proxy-listen")
    }

    pub async fn proxy(&self) -> Seen {
        match self.router().ready().await {
            Ok(health) => {
                let listen: Vec<String> = health.listen.iter().map(ToString::to_string).collect();
                let (routes, pid) = (health.routes, health.pid);
                let listen = listen.join(", ");
                Seen::ok(format!(
                    "runs on {listen} with {routes} routes (process {pid})"
                ))
            }
            Err(_) if self.here => Seen::problem(
                "does not run, and so no app is reached",
                "start it with `shipway proxy`, or start `shipway serve` again; its log is proxy.log in the state directory",
            ),
            Err(_) => Seen::ok("does not run; `shipway serve` starts it"),
        }
    }

    fn router(&self) -> ProxyRouter {
        ProxyRouter::new(self.patient.state.join("proxy.sock"))
    }
}

/// In bytes, to who is not root.
#[cfg_attr(
    target_os = "linux",
    expect(clippy::useless_conversion, reason = "macOS counts blocks in 32 bits")
)]
fn available(stat: &Statvfs) -> u64 {
    u64::from(stat.blocks_available()).saturating_mul(stat.fragment_size())
}

/// The nearest folder above that is there.
fn existing(path: &Path) -> PathBuf {
    let there = path.ancestors().find(|folder| folder.exists());
    match there {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

async fn try_sandbox(folder: &Path) -> Result<(), String> {
    let config = wire::plugin_host(folder.to_owned()).map_err(|error| format!("{error:#}"))?;
    let registry: Arc<dyn Registry> = Arc::new(MemoryStore::default());
    let host = PluginHost::new(config, registry).map_err(|error| error.to_string())?;
    match host.inspect(EMPTY_COMPONENT).await {
        // Compiled, linked and looked at: it is no plugin, which is as it should be.
        Err(error) if error.kind == PluginErrorKind::NoRole => Ok(()),
        Err(error) => Err(error.message),
        Ok(_) => Ok(()),
    }
}

fn port(address: SocketAddr, ours: bool, who: &str, option: &str) -> Seen {
    if ours {
        return Seen::ok(format!("{who} listens on {address}"));
    }
    match TcpListener::bind(address) {
        Ok(_) => Seen::ok(format!("{address} is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Seen::problem(
            format!("{address} is taken by another program"),
            format!("stop that program (`ss -ltnp` names it), or `shipway serve {option} ADDRESS`"),
        ),
        Err(error) => Seen::problem(
            format!("{address}: {error}"),
            format!("choose another address: `shipway serve {option} ADDRESS`"),
        ),
    }
}
