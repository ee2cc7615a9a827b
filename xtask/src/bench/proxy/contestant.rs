//! A proxy that runs, and what it takes.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::config;
use crate::bench::measure;
use crate::http::{Client, Request};
use crate::parts::{CADDY, HAPROXY, NGINX};
use crate::run;

const READY_LIMIT: Duration = Duration::from_secs(20);
const VERSION_LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Ours,
    Nginx,
    Haproxy,
    Caddy,
    /// No proxy at all: what backend and load can do.
    Backend,
}

impl Kind {
    pub const PROXIES: [Self; 4] = [Self::Ours, Self::Nginx, Self::Haproxy, Self::Caddy];
    pub const PEERS: [Self; 3] = [Self::Nginx, Self::Haproxy, Self::Caddy];

    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "shipway",
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Caddy => "caddy",
            Self::Backend => "no proxy",
        }
    }

    fn find(self, shipway_proxy: &Path) -> Result<PathBuf> {
        match self {
            Self::Ours | Self::Backend => Ok(shipway_proxy.to_owned()),
            Self::Nginx => NGINX.find(),
            Self::Haproxy => HAPROXY.find(),
            Self::Caddy => CADDY.find(),
        }
    }
}

/// A process group of its own; ended when it is dropped.
#[derive(Debug)]
pub struct Contestant {
    pub kind: Kind,
    pub version: String,
    pub address: SocketAddr,
    child: Child,
}

impl Contestant {
    pub fn start(
        kind: Kind,
        shipway_proxy: &Path,
        folder: &Path,
        [address, backend]: [SocketAddr; 2],
    ) -> Result<Self> {
        let program = kind.find(shipway_proxy)?;
        let folder = folder.join(kind.name());
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        let mut command = Command::new(&program);
        tell(kind, &mut command, &folder, [address, backend])?;
        Self::spawn(
            kind,
            version(kind, &program),
            &mut command,
            &folder,
            address,
        )
    }

    /// The backend itself.
    pub fn backend(program: &Path, folder: &Path, address: SocketAddr) -> Result<Self> {
        let mut command = Command::new(program);
        command.env("PORT", address.port().to_string());
        let version = String::new();
        Self::spawn(Kind::Backend, version, &mut command, folder, address)
    }

    fn spawn(
        kind: Kind,
        version: String,
        command: &mut Command,
        folder: &Path,
        address: SocketAddr,
    ) -> Result<Self> {
        let log = folder.join(format!("{}.log", kind.name().replace(' ', "-")));
        command.current_dir(folder);
        let child = run::spawn_logged(command, &log)?;
        let mut contestant = Self {
            kind,
            version,
            address,
            child,
        };
        let ready = run::until(READY_LIMIT, || contestant.is_ready());
        let said = fs::read_to_string(&log).unwrap_or_default();
        ensure!(
            ready == Some(true),
            "{} does not answer as it should:\n{}",
            kind.name(),
            run::last_lines(&said, 10)
        );
        Ok(contestant)
    }

    /// Nothing while it may still come up.
    fn is_ready(&mut self) -> Option<bool> {
        if !matches!(self.child.try_wait(), Ok(None)) {
            return Some(false);
        }
        let mut client = Client::new(self.address);
        let answer = client.send(&Request::get(config::HOST, "/12")).ok()?;
        (answer.text() == "hello world\n").then_some(true)
    }

    /// Megabytes of all its processes.
    pub fn memory(&self) -> f64 {
        measure::memory_of_group(self.child.id())
    }

    /// Seconds of processor time that all its processes have used.
    pub fn processor(&self) -> f64 {
        measure::processor_of_group(self.child.id())
    }
}

impl Drop for Contestant {
    fn drop(&mut self) {
        run::stop(&mut self.child);
    }
}

fn tell(
    kind: Kind,
    command: &mut Command,
    folder: &Path,
    [listen, backend]: [SocketAddr; 2],
) -> Result<()> {
    let write = |name: &str, text: String| {
        let file = folder.join(name);
        fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
        Ok::<_, anyhow::Error>(file)
    };
    match kind {
        Kind::Ours => command
            .args(["--listen", &listen.to_string()])
            .arg("--admin-socket")
            .arg(folder.join("admin.sock"))
            .arg("--pid-file")
            .arg(folder.join("pid"))
            .arg("--routes")
            .arg(write("routes.json", config::ours(backend))?),
        Kind::Nginx => command
            .arg("-c")
            .arg(write("nginx.conf", config::nginx(folder, listen, backend))?),
        Kind::Haproxy => command
            .args(["-db", "-f"])
            .arg(write("haproxy.cfg", config::haproxy(listen, backend))?),
        Kind::Caddy => command
            .env("HOME", folder)
            .env("XDG_DATA_HOME", folder)
            .env("XDG_CONFIG_HOME", folder)
            .args(["run", "--adapter", "caddyfile", "--config"])
            .arg(write("Caddyfile", config::caddy(listen, backend))?),
        Kind::Backend => command,
    };
    Ok(())
}

/// The first number with a point in what it says of itself.
fn version(kind: Kind, program: &Path) -> String {
    let argument = match kind {
        Kind::Nginx | Kind::Haproxy => "-v",
        Kind::Caddy => "version",
        Kind::Ours | Kind::Backend => "--version",
    };
    let said = run::capture(Command::new(program).arg(argument), VERSION_LIMIT);
    let said = said.map(|said| said.out + &said.err).unwrap_or_default();
    number(&said)
}

fn number(said: &str) -> String {
    let words = said.split([' ', '/', '-', '+', '\n']);
    let mut words = words.map(|word| word.trim_start_matches('v'));
    let is_number =
        |word: &&str| word.contains('.') && word.starts_with(|c: char| c.is_ascii_digit());
    words.find(is_number).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions() {
        assert_eq!(number("nginx version: nginx/1.22.1\n"), "1.22.1");
        assert_eq!(number("HAProxy version 2.6.12-1 2023/12/16"), "2.6.12");
        assert_eq!(number("v2.6.2 h1:abc="), "2.6.2");
        assert_eq!(number("no words"), "");
    }
}
