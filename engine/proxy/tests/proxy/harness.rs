//! A proxy of its own for each test, in a folder of its own.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use shipway_core::environment::EnvironmentKey;
use shipway_core::name::DeploymentId;
use shipway_core::ports::router::{Route, Router, Switched};
use shipway_proxy::{Proxy, ProxyConfig, ProxyError, ProxyRouter};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::client::Client;
use crate::instance::Instance;

/// No test waits longer for anything.
pub const BOUND: Duration = Duration::from_secs(30);

pub struct Harness {
    pub router: ProxyRouter,
    pub address: SocketAddr,
    /// The first one with TLS, if there is one.
    pub tls_address: Option<SocketAddr>,
    pub folder: TempDir,
    stop: CancellationToken,
    running: JoinHandle<Result<(), ProxyError>>,
}

impl Harness {
    pub async fn start() -> Result<Self> {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut ProxyConfig)) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        Self::start_in(folder, change).await
    }

    pub async fn start_in(folder: TempDir, change: impl FnOnce(&mut ProxyConfig)) -> Result<Self> {
        let mut config = config(folder.path());
        change(&mut config);
        let router = ProxyRouter::new(config.admin_socket.clone());
        let proxy = Proxy::bind(config)?;
        let address = *proxy.addresses().first().context("no address")?;
        let tls_address = proxy.tls_addresses().first().copied();
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let running = tokio::spawn(proxy.serve(stopped));
        Ok(Self {
            router,
            address,
            tls_address,
            folder,
            stop,
            running,
        })
    }

    /// Tells the proxy to stop, and does not wait for it.
    pub fn begin_stop(&self) {
        self.stop.cancel();
    }

    /// Waits until the proxy has stopped; its folder stays.
    pub async fn stopped(self) -> Result<TempDir> {
        self.stop.cancel();
        tokio::time::timeout(BOUND, self.running).await???;
        Ok(self.folder)
    }

    pub async fn client(&self) -> Result<Client> {
        Client::connect(self.address).await
    }

    /// Routes `app.test` to these instances.
    pub async fn route(&self, app: &str, instances: &[&Instance]) -> Result<Switched> {
        let targets: Vec<_> = instances.iter().map(|i| i.address).collect();
        self.route_to(app, &targets).await
    }

    pub async fn route_to(&self, app: &str, targets: &[SocketAddr]) -> Result<Switched> {
        let route = route(app, &[&format!("{app}.test")], targets)?;
        Ok(self.router.switch(&route).await?)
    }
}

pub fn config(folder: &Path) -> ProxyConfig {
    let mut config = ProxyConfig::new(
        vec![([127, 0, 0, 1], 0).into()],
        folder.join("proxy.sock"),
        folder.join("proxy.json"),
    );
    config.workers = NonZeroUsize::MIN.saturating_add(1);
    config
}

pub fn key(app: &str) -> Result<EnvironmentKey> {
    Ok(EnvironmentKey {
        app: app.parse()?,
        environment: "live".parse()?,
    })
}

pub fn route(app: &str, domains: &[&str], targets: &[SocketAddr]) -> Result<Route> {
    Ok(Route {
        key: key(app)?,
        domains: domains
            .iter()
            .map(|d| d.parse())
            .collect::<Result<_, _>>()?,
        targets: targets.to_vec(),
        deployment: DeploymentId(uuid::Uuid::now_v7()),
        generation: 1,
    })
}

/// An address at which nobody listens: taken, and given back.
pub async fn dead_address() -> Result<SocketAddr> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    Ok(listener.local_addr()?)
}

/// Waits for a condition that no event tells of, with a bound.
pub async fn eventually(what: &str, mut holds: impl AsyncFnMut() -> Result<bool>) -> Result<()> {
    let waiting = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(5));
        loop {
            if holds().await? {
                return Ok(());
            }
            ticks.tick().await;
        }
    };
    tokio::time::timeout(BOUND, waiting)
        .await
        .with_context(|| format!("in vain: {what}"))?
}
