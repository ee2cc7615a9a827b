//! The connection: made when first needed, with the newest version of the API
//! that both sides speak.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use shipway_core::environment::RuntimeKind;
use shipway_core::ports::runtime::RuntimeError;
use tokio::sync::OnceCell;

use super::failure::{explain, not_ready, within};
use super::{DockerConfig, Reach};

/// Most requests answer in milliseconds; a busy disk may need a while.
pub const CALL: Duration = Duration::from_secs(60);
/// The port promises an answer in this time.
const READY: Duration = Duration::from_secs(5);
const DEFAULT_HOST: &str = "unix:///var/run/docker.sock";
const SCHEMES: [&str; 4] = ["unix://", "tcp://", "http://", "https://"];

#[derive(Debug)]
pub struct Engine {
    pub config: DockerConfig,
    host: String,
    connection: OnceCell<Connection>,
    known: Mutex<Known>,
}

/// What this process remembers of instances; all of it may be lost.
#[derive(Debug, Default)]
struct Known {
    addresses: HashMap<String, SocketAddr>,
    supervised: HashSet<String>,
}

#[derive(Debug)]
struct Connection {
    docker: Docker,
    reach: Reach,
}

impl Engine {
    pub fn new(config: DockerConfig) -> Result<Self, RuntimeError> {
        let host = config
            .host
            .clone()
            .or_else(|| std::env::var("DOCKER_HOST").ok())
            .filter(|host| !host.trim().is_empty())
            .unwrap_or_else(|| DEFAULT_HOST.to_owned());
        if !SCHEMES.iter().any(|scheme| host.starts_with(scheme)) {
            return Err(RuntimeError::NotReady {
                kind: RuntimeKind::Docker,
                message: format!(
                    "the Docker host {host:?} does not begin with unix://, tcp://, http:// or https://"
                ),
            });
        }
        Ok(Self {
            config,
            host,
            connection: OnceCell::new(),
            known: Mutex::default(),
        })
    }

    pub async fn ready(&self) -> Result<(), RuntimeError> {
        let docker = self.docker().await?;
        let info = within(READY, docker.info())
            .await
            .map_err(|error| not_ready(&error, &self.host, READY))?;
        if info.os_type.as_deref() == Some("windows") {
            return Err(RuntimeError::NotReady {
                kind: RuntimeKind::Docker,
                message: format!(
                    "the engine at {} runs Windows containers; switch it to Linux containers",
                    self.host
                ),
            });
        }
        Ok(())
    }

    /// The client, for requests whose headers come within [`CALL`].
    pub async fn docker(&self) -> Result<&Docker, RuntimeError> {
        Ok(&self.connection().await?.docker)
    }

    /// A client for requests that take up to `limit`, such as a build.
    pub async fn patient(&self, limit: Duration) -> Result<Docker, RuntimeError> {
        let docker = self.docker().await?.clone();
        Ok(docker.with_timeout(limit + Duration::from_secs(30)))
    }

    /// How instances are reached; never [`Reach::Auto`].
    pub async fn reach(&self) -> Result<Reach, RuntimeError> {
        Ok(self.connection().await?.reach)
    }

    /// One request with the usual limit, and what it was for in words.
    pub async fn call<T>(
        &self,
        what: &str,
        request: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, RuntimeError> {
        within(CALL, request)
            .await
            .map_err(|error| explain(what, CALL, error))
    }

    pub fn remember(&self, id: &str, address: SocketAddr) {
        self.known(|known| known.addresses.insert(id.to_owned(), address));
    }

    pub fn remembered(&self, id: &str) -> Option<SocketAddr> {
        self.known(|known| known.addresses.get(id).copied())
    }

    /// Whether this process asks for the first time.
    pub fn first_time(&self, id: &str) -> bool {
        self.known(|known| known.supervised.insert(id.to_owned()))
    }

    pub fn forget(&self, id: &str) {
        self.known(|known| {
            known.addresses.remove(id);
            known.supervised.remove(id);
        });
    }

    fn known<T>(&self, with: impl FnOnce(&mut Known) -> T) -> T {
        // Each change is whole, so a panic elsewhere leaves nothing half done.
        with(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn connection(&self) -> Result<&Connection, RuntimeError> {
        self.connection
            .get_or_try_init(|| within(READY, self.connect()))
            .await
            .map_err(|error| not_ready(&error, &self.host, READY))
    }

    async fn connect(&self) -> Result<Connection, Error> {
        // Whoever installed another provider first has chosen for all.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        let docker = Docker::connect_with_host(&self.host)?
            .with_timeout(CALL)
            .negotiate_version()
            .await?;
        let reach = match self.config.reach {
            Reach::Auto => detect_reach(&docker).await?,
            chosen => chosen,
        };
        Ok(Connection { docker, reach })
    }
}

/// Docker Desktop keeps its containers in a virtual machine, on Linux too.
async fn detect_reach(docker: &Docker) -> Result<Reach, Error> {
    let system = docker.info().await?.operating_system.unwrap_or_default();
    if cfg!(target_os = "linux") && !system.contains("Docker Desktop") {
        return Ok(Reach::Container);
    }
    Ok(Reach::Published)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_engine_that_is_not_there_is_named() {
        let config = DockerConfig {
            host: Some("unix:///nowhere/docker.sock".into()),
            ..DockerConfig::default()
        };
        let error = Engine::new(config).unwrap().ready().await.unwrap_err();
        assert!(
            error.to_string().contains("/nowhere/docker.sock"),
            "{error}"
        );
        assert!(error.hint().is_some());
    }

    #[tokio::test]
    async fn an_engine_that_refuses_is_named() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let config = DockerConfig {
            host: Some(format!("tcp://{address}")),
            ..DockerConfig::default()
        };
        let error = Engine::new(config).unwrap().ready().await.unwrap_err();
        assert!(error.to_string().contains("nothing answers"), "{error}");
    }

    #[tokio::test]
    async fn an_engine_that_says_nothing_is_given_up() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let config = DockerConfig {
            host: Some(format!("tcp://{}", silent.local_addr().unwrap())),
            ..DockerConfig::default()
        };
        let engine = Engine::new(config).unwrap();
        let error = engine.ready().await.unwrap_err();
        assert!(error.to_string().contains("within 5 s"), "{error}");
    }

    #[test]
    fn a_host_of_no_known_kind_is_refused() {
        let config = DockerConfig {
            host: Some("ssh://somewhere".into()),
            ..DockerConfig::default()
        };
        let error = Engine::new(config).unwrap_err();
        assert!(error.to_string().contains("ssh://somewhere"), "{error}");
    }
}
