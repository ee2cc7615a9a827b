//! What `shipway plugin new` writes: it builds, and it passes its own tests.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::case::{Case, ROLES};
use super::language::Language;
use super::shipway::Shipway;
use crate::house::House;
use crate::run;

const UNIT_TESTS_LIMIT: Duration = Duration::from_secs(900);

/// A template of one role, tried.
#[derive(Debug)]
pub struct Template {
    pub role: &'static str,
    /// The component; or why there is none, or which of its tests failed.
    pub outcome: Result<PathBuf, String>,
}

/// A new project of each role, in a folder that lies beside others of its kind.
pub fn every_role(house: &House, shipway: &Shipway, language: Language) -> Vec<Template> {
    let folder = house.target.join("conformance").join(language.name);
    let tried = ROLES.map(|role| {
        let outcome = one(house, shipway, language, role, &folder.join(role));
        Template {
            role,
            outcome: outcome.map_err(|error| format!("{error:#}")),
        }
    });
    tried.into()
}

/// The plugin of a language is called so in every role.
pub fn name(language: Language) -> String {
    format!("team-{}", language.name)
}

fn one(
    house: &House,
    shipway: &Shipway,
    language: Language,
    role: &str,
    folder: &Path,
) -> Result<PathBuf> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("clearing {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    let name = name(language);
    let project = folder.join(&name);
    shipway.new_project(language.name, role, &name, &project)?;
    if language.name == "rust" {
        reuse(house, &project)?;
    }
    shipway.build(&project)?;
    let component = project.join(format!("build/{name}.wasm"));
    let cases = shipway.test(&component, &project.join("tests"))?;
    if let Some(failed) = cases.iter().find(|case| !case.passed()) {
        bail!("its own test {}", told(failed));
    }
    if language.name == "rust" {
        unit_tests(&project)?;
    }
    Ok(component)
}

fn told(case: &Case) -> String {
    format!("{} fails: {}", case.name, case.mismatches.join("; "))
}

/// The versions that are on this machine already, and what was compiled before.
fn reuse(house: &House, project: &Path) -> Result<()> {
    let lock = project.join("Cargo.lock");
    fs::copy(house.path("Cargo.lock"), &lock)
        .with_context(|| format!("writing {}", lock.display()))?;
    let kept = house.target.join("conformance/rust-target");
    fs::create_dir_all(&kept).with_context(|| format!("making {}", kept.display()))?;
    let work = project.join("build");
    fs::create_dir(&work).with_context(|| format!("making {}", work.display()))?;
    symlink(&kept, work.join("target")).with_context(|| format!("linking to {}", kept.display()))
}

fn unit_tests(project: &Path) -> Result<()> {
    let mut command = Command::new("cargo");
    command
        .args(["test", "--quiet", "--target-dir", "build/target"])
        .current_dir(project);
    run::output(&mut command, UNIT_TESTS_LIMIT)
        .map(drop)
        .context("its unit tests")
}
