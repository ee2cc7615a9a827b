//! What the tests need of the machine. What cannot be brought is told, and the
//! tests that need it say that they did not run.

use std::fmt;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::conformance::{Language, search_path};
use crate::house::{BUILD_LIMIT, House};
use crate::parts::{CURL, GIT, Images, MINISIGN, OPENSSL, PYTHON, REGISTRY, SSHD};
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
    for program in [GIT, PYTHON, SSHD, REGISTRY, MINISIGN, OPENSSL, CURL] {
        if let Err(error) = program.bring() {
            lacks.push(Lack::new(program.name, &error));
        }
    }
    if let Err(error) = pebble(house) {
        lacks.push(Lack::new("pebble", &error));
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
