//! A proxy in a process of its own, which may change.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use shipway_core::ports::router::{Router, Switched};
use shipway_proxy::ProxyRouter;
use tempfile::TempDir;

use crate::client::Client;
use crate::harness::{eventually, route};
use crate::instance::Instance;
use crate::program::Settings;

pub struct Fixture {
    pub router: ProxyRouter,
    pub address: SocketAddr,
    pub settings: Settings,
    pub folder: TempDir,
    first: Child,
}

impl Fixture {
    pub async fn start() -> Result<Self> {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Settings)) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut settings = Settings {
            folder: folder.path().to_owned(),
            listen: vec![([127, 0, 0, 1], 0).into()],
            workers: 2,
            take_over: Duration::from_secs(20),
        };
        change(&mut settings);
        let first = spawn(&settings)?;
        let router = ProxyRouter::new(folder.path().join("proxy.sock"));
        let mut fixture = Self {
            router,
            address: ([0, 0, 0, 0], 0).into(),
            settings,
            folder,
            first,
        };
        fixture.is_ready().await?;
        Ok(fixture)
    }

    /// Kills the one that leads and starts another on the same port.
    pub async fn kill_and_start_again(&mut self) -> Result<()> {
        let pid = self.pid_file()?;
        signal(pid, Signal::SIGKILL)?;
        self.start_again(pid).await
    }

    /// After `killed`: until that is gone, it holds the lock.
    pub async fn start_again(&mut self, killed: u32) -> Result<()> {
        self.is_gone(killed).await?;
        self.settings.listen = vec![self.address];
        self.first = spawn(&self.settings)?;
        self.is_ready().await
    }

    async fn is_ready(&mut self) -> Result<()> {
        eventually("the proxy is ready", async || {
            let ready = self.router.ready().await;
            Ok(ready.is_ok_and(|health| health.pid == self.first.id()))
        })
        .await?;
        let health = self.router.ready().await?;
        self.address = *health.listen.first().context("no address")?;
        Ok(())
    }

    /// Of the proxy that leads.
    pub async fn pid(&self) -> Result<u32> {
        Ok(self.router.ready().await?.pid)
    }

    pub fn pid_file(&self) -> Result<u32> {
        let text = std::fs::read_to_string(self.folder.path().join("proxy.pid"))?;
        Ok(text.parse()?)
    }

    /// By a signal, and waits until another process leads.
    pub async fn hang_up(&self) -> Result<u32> {
        let old = self.pid().await?;
        signal(old, Signal::SIGHUP)?;
        eventually("another process leads", async || {
            Ok(self.pid().await? != old)
        })
        .await?;
        ensure!(self.pid().await? == self.pid_file()?);
        Ok(old)
    }

    pub async fn client(&self) -> Result<Client> {
        Client::connect(self.address).await
    }

    pub async fn route(&self, app: &str, instance: &Instance) -> Result<Switched> {
        let route = route(app, &[&format!("{app}.test")], &[instance.address])?;
        Ok(self.router.switch(&route).await?)
    }

    /// Waits until a process is gone, or a zombie of which nobody asked yet.
    pub async fn is_gone(&mut self, pid: u32) -> Result<()> {
        eventually("the process is gone", async || {
            if pid == self.first.id() {
                return Ok(self.first.try_wait()?.is_some());
            }
            let status = std::fs::read_to_string(PathBuf::from(format!("/proc/{pid}/stat")));
            Ok(status.map_or(true, |status| status.contains(") Z ")))
        })
        .await
    }
}

fn spawn(settings: &Settings) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(settings.arguments()).stdin(Stdio::null());
    Ok(command.spawn()?)
}

pub fn signal(pid: u32, signal: Signal) -> Result<()> {
    Ok(kill(Pid::from_raw(pid.try_into()?), signal)?)
}

/// The proxies before it end when they see it gone.
impl Drop for Fixture {
    fn drop(&mut self) {
        if let Ok(pid) = self.pid_file() {
            let _ = signal(pid, Signal::SIGKILL);
        }
        let _ = self.first.kill();
        let _ = self.first.wait();
    }
}
