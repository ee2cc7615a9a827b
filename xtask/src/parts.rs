//! What a machine may lack, and how it is brought: with apt, as root, and
//! never otherwise.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::house::House;
use crate::{run, say};

const APT_LIMIT: Duration = Duration::from_secs(900);
/// A pull, then a whole system from packages, then pip.
const IMAGE_LIMIT: Duration = Duration::from_secs(1800);
const ASK_LIMIT: Duration = Duration::from_secs(20);

/// A program and the Debian package that brings it.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    pub name: &'static str,
    pub package: &'static str,
    /// What cannot be done without it.
    pub used_for: &'static str,
}

pub const GIT: Program = Program {
    name: "git",
    package: "git",
    used_for: "making the repositories that are deployed",
};
pub const PYTHON: Program = Program {
    name: "python3",
    package: "python3",
    used_for: "running the example apps on the process runtime",
};
pub const SSHD: Program = Program {
    name: "sshd",
    package: "openssh-server",
    used_for: "deploying from a repository over ssh",
};

pub const REGISTRY: Program = Program {
    name: "docker-registry",
    package: "docker-registry",
    used_for: "pulling and pushing plugins",
};
pub const MINISIGN: Program = Program {
    name: "minisign",
    package: "minisign",
    used_for: "signing plugins",
};
pub const PROMETHEUS: Program = Program {
    name: "prometheus",
    package: "prometheus",
    used_for: "checking the metrics, the dashboard and the alerts",
};
pub const OPENSSL: Program = Program {
    name: "openssl",
    package: "openssl",
    used_for: "signing plugins as cosign does",
};
pub const CURL: Program = Program {
    name: "curl",
    package: "curl",
    used_for: "the README's CI job",
};

pub const CHROMIUM: Program = Program {
    name: "chromium",
    package: "chromium",
    used_for: "looking at the console's pages",
};
pub const CHROMEDRIVER: Program = Program {
    name: "chromedriver",
    package: "chromium-driver",
    used_for: "looking at the console's pages",
};

pub const WRK: Program = Program {
    name: "wrk",
    package: "wrk",
    used_for: "the load of `bench proxy`",
};
pub const NGINX: Program = Program {
    name: "nginx",
    package: "nginx",
    used_for: "measuring beside it",
};
pub const HAPROXY: Program = Program {
    name: "haproxy",
    package: "haproxy",
    used_for: "measuring beside it",
};
pub const CADDY: Program = Program {
    name: "caddy",
    package: "caddy",
    used_for: "measuring beside it",
};

impl Program {
    /// Makes sure that it is there.
    pub fn bring(self) -> Result<()> {
        if self.is_there() {
            return Ok(());
        }
        apt_install(&[self.package]).with_context(|| self.lack())?;
        if !self.is_there() {
            bail!(
                "{} was installed, and yet `{}` is not there",
                self.package,
                self.name
            );
        }
        Ok(())
    }

    pub fn is_there(self) -> bool {
        self.path().is_some()
    }

    /// Makes sure that it is there; returns where.
    pub fn find(self) -> Result<PathBuf> {
        self.bring()?;
        self.path().with_context(|| self.lack())
    }

    fn lack(self) -> String {
        format!(
            "`{}` is missing, needed for {}; install it and try again",
            self.name, self.used_for
        )
    }

    /// Servers lie in `sbin`, which is not on everybody's path.
    fn path(self) -> Option<PathBuf> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path)
            .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")])
            .map(|folder| folder.join(self.name))
            .find(|file| file.is_file())
    }
}

/// Installs the packages that are missing.
pub fn apt_install(packages: &[&str]) -> Result<()> {
    let missing: Vec<&str> = packages
        .iter()
        .copied()
        .filter(|package| !is_installed(package))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !nix::unistd::Uid::effective().is_root() || !has_apt() {
        bail!(
            "only root on Debian may install it with apt: apt-get install {}",
            missing.join(" ")
        );
    }
    say::note(format_args!("installing with apt: {}", missing.join(" ")));
    let mut update = apt();
    run::output(update.arg("update"), APT_LIMIT)?;
    let mut install = apt();
    install
        .args(["install", "-y", "--no-install-recommends"])
        .args(&missing);
    run::output(&mut install, APT_LIMIT).map(drop)
}

/// The scripts below `tests/images/`, which bring Docker and base images.
#[derive(Debug)]
pub struct Images<'a> {
    house: &'a House,
}

impl<'a> Images<'a> {
    pub fn of(house: &'a House) -> Self {
        Self { house }
    }

    /// A Docker engine that answers.
    pub fn engine(&self) -> Result<()> {
        let cache = self.house.images_cache();
        self.script("engine.sh")
            .arg(cache)
            .bring("a Docker engine is missing")
    }

    /// A base image under a tag.
    pub fn image(&self, script: &str, tag: &str) -> Result<()> {
        let cache = self.house.images_cache();
        self.script(script)
            .arg(tag)
            .arg(cache)
            .bring(&format!("the image {tag} is missing"))
    }

    fn script(&self, name: &str) -> Script {
        let mut command = Command::new(self.house.path("tests/images").join(name));
        command.current_dir(&self.house.root);
        Script(command)
    }
}

struct Script(Command);

impl Script {
    fn arg(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.0.arg(argument);
        self
    }

    fn bring(mut self, lack: &str) -> Result<()> {
        let ended = run::capture(&mut self.0, IMAGE_LIMIT).with_context(|| lack.to_owned())?;
        for line in ended.out.lines() {
            say::note(line);
        }
        if !ended.status.success() {
            bail!("{lack}: {}", run::last_lines(ended.err.trim(), 8));
        }
        Ok(())
    }
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn has_apt() -> bool {
    run::succeeds(Command::new("apt-get").arg("--version"), ASK_LIMIT)
}

fn is_installed(package: &str) -> bool {
    let mut command = Command::new("dpkg-query");
    command.args(["-W", "-f", "${Status}", package]);
    run::output(&mut command, ASK_LIMIT).is_ok_and(|status| status.contains("ok installed"))
}
