//! The ways to deploy that are measured.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, bail};

use crate::parts::Program;
use crate::run;

const ASK_LIMIT: Duration = Duration::from_secs(20);
const COMPOSE: Program = Program {
    name: "docker-compose",
    package: "docker-compose",
    used_for: "measuring beside it",
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Way {
    /// `shipway deploy`.
    Shipway,
    /// By the docker command line, one thing after the other.
    Script,
    /// The same, as much at once as a script can.
    Tuned,
    /// By docker compose, in place.
    Compose,
}

impl Way {
    pub const ALL: [Self; 4] = [Self::Shipway, Self::Script, Self::Tuned, Self::Compose];
    pub const OTHERS: [Self; 3] = [Self::Script, Self::Tuned, Self::Compose];

    pub fn name(self) -> &'static str {
        match self {
            Self::Shipway => "shipway",
            Self::Script => "script",
            Self::Tuned => "tuned",
            Self::Compose => "compose",
        }
    }

    /// The script of those that have one.
    pub fn script(self) -> Option<&'static str> {
        match self {
            Self::Shipway => None,
            Self::Script => Some(include_str!("script.sh")),
            Self::Tuned => Some(include_str!("tuned.sh")),
            Self::Compose => Some(include_str!("compose.sh")),
        }
    }
}

/// How docker compose is called here: its plugin, or the program before it.
pub fn compose() -> Result<String> {
    let mut plugin = Command::new("docker");
    if run::succeeds(plugin.args(["compose", "version"]), ASK_LIMIT) {
        return Ok("docker compose".to_owned());
    }
    let program = COMPOSE.find()?;
    if !run::succeeds(Command::new(&program).arg("version"), ASK_LIMIT) {
        bail!("`{} version` fails", program.display());
    }
    Ok(program.display().to_string())
}

/// A folder of one of the scripts: its clone and itself.
pub fn lay(folder: &Path, way: Way) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    if let Some(script) = way.script() {
        std::fs::write(folder.join("deploy.sh"), script)?;
    }
    Ok(())
}
