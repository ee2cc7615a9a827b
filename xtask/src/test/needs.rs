//! What the tests need of the machine. What cannot be brought is told, and the
//! tests that need it say that they did not run.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fmt, fs};

use anyhow::{Context, Result, bail};

use crate::conformance::{Language, search_path};
use crate::house::{BUILD_LIMIT, House};
use crate::parts::{
    CHROMEDRIVER, CHROMIUM, CURL, GIT, Images, MINISIGN, OPENSSL, PROMETHEUS, PYTHON, REGISTRY,
    SSHD,
};
use crate::run;

/// The images that the tests stand on: the script that makes one, and its tag.
const IMAGES: [(&str, &str); 4] = [
    ("static-image.sh", "shipway-test/static:1"),
    ("python-image.sh", "shipway-test/python:1"),
    ("aldryn-image.sh", "shipway-test/aldryn:1"),
    ("postgres-image.sh", "shipway-test/postgres:15"),
];

/// The test server of ACME, which Debian does not have.
const PEBBLE: &str = "github.com/letsencrypt/pebble/v2/cmd/pebble@v2.10.1";

/// What looks at pages for people who see them otherwise, and an OpenID
/// provider.
const NPM: [&str; 2] = ["axe-core@4.14.1", "oidc-provider@9.13.3"];

/// Something that is missing, and why it could not be brought.
#[derive(Debug)]
pub struct Lack {
    what: String,
    why: String,
}

impl Lack {
    pub fn new(what: impl Into<String>, error: &anyhow::Error) -> Self {
        Self {
            what: what.into(),
            why: format!("{error:#}"),
        }
    }
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "what needs {}: {}", self.what, self.why)
    }
}

/// Brings all of it; returns what could not be.
pub fn bring(house: &House) -> Vec<Lack> {
    let mut lacks = Vec::new();
    let programs = [
        GIT,
        PYTHON,
        SSHD,
        REGISTRY,
        MINISIGN,
        OPENSSL,
        PROMETHEUS,
        CHROMIUM,
        CHROMEDRIVER,
        CURL,
    ];
    for program in programs {
        if let Err(error) = program.bring() {
            lacks.push(Lack::new(program.name, &error));
        }
    }
    if let Err(error) = pebble(house) {
        lacks.push(Lack::new("pebble", &error));
    }
    if let Err(error) = npm_packages(house) {
        lacks.push(Lack::new("packages of npm's", &error));
    }
    let images = Images::of(house);
    // Without an engine there is no use in trying to make images.
    if let Err(error) = images.engine() {
        lacks.push(Lack::new("Docker", &error));
        return lacks;
    }
    for (script, tag) in IMAGES {
        if let Err(error) = images.image(script, tag) {
            lacks.push(Lack::new(format!("the image {tag}"), &error));
        }
    }
    lacks
}

/// Folders with programs that the tests look for, before the machine's own.
pub fn programs(house: &House) -> Vec<PathBuf> {
    let node = Language::named("js").and_then(|js| js.bring(house).ok());
    let tools = house.tools().join("bin");
    std::iter::once(tools)
        .chain(node.into_iter().flatten())
        .collect()
}

/// Below the target folder: nothing of them is part of the repository.
fn npm_packages(house: &House) -> Result<()> {
    let folder = house.tools().join("npm");
    if NPM.iter().all(|package| is_installed(&folder, package)) {
        return Ok(());
    }
    let Some(js) = Language::named("js") else {
        bail!("there is no npm to install them with");
    };
    let tools = js.bring(house)?;
    let mut install = Command::new("npm");
    install
        .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
        .args(["--no-package-lock", "--no-save", "--prefix"])
        .arg(&folder)
        .args(NPM)
        .env("PATH", search_path(&tools));
    run::output(&mut install, BUILD_LIMIT).context("installing them with npm")?;
    Ok(())
}

/// `NAME@VERSION`, as its own description says.
fn is_installed(folder: &Path, package: &str) -> bool {
    let (name, version) = package.split_once('@').unwrap_or((package, ""));
    let file = folder.join("node_modules").join(name).join("package.json");
    let text = fs::read_to_string(file).unwrap_or_default();
    text.contains(&format!("\"version\": \"{version}\""))
}

/// Builds it with Go; the tests look for it on their path.
fn pebble(house: &House) -> Result<()> {
    let folder = house.tools().join("bin");
    if folder.join("pebble").is_file() {
        return Ok(());
    }
    let Some(go) = Language::named("go") else {
        bail!("there is no Go to build it with");
    };
    let tools = go.bring(house)?;
    let mut install = Command::new("go");
    install
        .args(["install", PEBBLE])
        .env("GOBIN", &folder)
        .env("PATH", search_path(&tools));
    run::output(&mut install, BUILD_LIMIT).context("building pebble from its source")?;
    Ok(())
}
