//! Where things are, and how cargo is run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::run;

/// From nothing, on a slow machine.
pub const BUILD_LIMIT: Duration = Duration::from_secs(3600);

/// The workspace, as cargo describes it.
#[derive(Debug)]
pub struct House {
    pub root: PathBuf,
    pub target: PathBuf,
    metadata: Value,
}

/// A crate of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub name: String,
    /// Its folder, from the root: `engine/core`.
    pub folder: String,
    /// The crates of ours that it needs to be built, its tests left out.
    pub needs: Vec<String>,
}

impl House {
    pub fn open() -> Result<Self> {
        let mut command = cargo();
        command.args(["metadata", "--format-version=1", "--no-deps"]);
        let text = run::output(&mut command, Duration::from_secs(120))
            .context("asking cargo about the workspace")?;
        Self::from_metadata(serde_json::from_str(&text).context("reading cargo metadata")?)
    }

    fn from_metadata(metadata: Value) -> Result<Self> {
        let path = |name: &str| {
            let text = metadata[name].as_str();
            text.map(PathBuf::from)
                .with_context(|| format!("cargo metadata has no {name}"))
        };
        Ok(Self {
            root: path("workspace_root")?,
            target: path("target_directory")?,
            metadata,
        })
    }

    /// Every crate of the workspace.
    pub fn members(&self) -> Vec<Member> {
        let packages = self.metadata["packages"].as_array();
        let members: Vec<&Value> = packages.into_iter().flatten().collect();
        let ours: Vec<&str> = members
            .iter()
            .filter_map(|one| one["name"].as_str())
            .collect();
        members
            .iter()
            .filter_map(|package| member(package, &ours, &self.root))
            .collect()
    }

    /// The crates that have a test program, by its name and source file: two
    /// may have one of the same.
    pub fn test_targets(&self) -> BTreeMap<String, Vec<String>> {
        let packages = self.metadata["packages"].as_array();
        let mut crates = BTreeMap::<String, Vec<String>>::new();
        for (target, package) in packages.into_iter().flatten().flat_map(test_targets) {
            crates.entry(target).or_default().push(package);
        }
        crates
    }

    /// Where a program of the dev profile lies.
    pub fn program(&self, profile: Profile, name: &str) -> PathBuf {
        self.target.join(profile.folder()).join(name)
    }

    /// Builds `shipway` and the `shipway-proxy` beside it; returns where it is.
    pub fn build_shipway(&self, profile: Profile) -> Result<PathBuf> {
        let mut command = self.cargo();
        command
            .args(["build", "--workspace"])
            .args(["--bin", "shipway", "--bin", "shipway-proxy"])
            .args(["--profile", profile.name()]);
        run::run(&mut command, BUILD_LIMIT).context("building shipway")?;
        Ok(self.program(profile, "shipway"))
    }

    /// Cargo at the root of the workspace.
    pub fn cargo(&self) -> Command {
        let mut command = cargo();
        command.current_dir(&self.root);
        command
    }

    /// Where programs are installed that only our commands need, below `bin`.
    pub fn tools(&self) -> PathBuf {
        self.target.join("tools")
    }

    pub fn images_cache(&self) -> PathBuf {
        self.root.join(".cache/images")
    }

    pub fn path(&self, below_root: impl AsRef<Path>) -> PathBuf {
        self.root.join(below_root)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    Dev,
    Release,
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "release",
        }
    }

    fn folder(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release => "release",
        }
    }
}

/// Whether a missing part is an error rather than a line in the report.
pub fn parts_are_required() -> bool {
    std::env::var_os("SHIPWAY_REQUIRE_PARTS").is_some_and(|value| value == "1")
}

/// The cargo that runs us, without what it told us about our own crate.
fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    command
}

fn member(package: &Value, ours: &[&str], root: &Path) -> Option<Member> {
    let manifest = Path::new(package["manifest_path"].as_str()?);
    let folder = manifest.parent()?.strip_prefix(root).ok()?;
    let needs = package["dependencies"].as_array()?.iter();
    let needs = needs
        .filter(|one| one["kind"].as_str() != Some("dev"))
        .filter_map(|one| one["name"].as_str())
        .filter(|name| ours.contains(name));
    Some(Member {
        name: package["name"].as_str()?.to_owned(),
        folder: folder.to_string_lossy().into_owned(),
        needs: needs.map(str::to_owned).collect(),
    })
}

fn test_targets(package: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let named = |target: &Value| {
        let folder = Path::new(package["manifest_path"].as_str()?).parent()?;
        let file = Path::new(target["src_path"].as_str()?)
            .strip_prefix(folder)
            .ok()?;
        let name = text(&target["name"])?.replace('-', "_");
        Some((
            format!("{name} {}", file.display()),
            text(&package["name"])?,
        ))
    };
    let targets = package["targets"].as_array();
    targets.into_iter().flatten().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn members_have_their_folder_and_the_crates_of_ours_that_they_need() {
        let metadata = json!({
            "workspace_root": "/house", "target_directory": "/house/target",
            "packages": [
                {"name": "ship-core", "manifest_path": "/house/engine/core/Cargo.toml", "dependencies": []},
                {"name": "ship-store", "manifest_path": "/house/engine/store/Cargo.toml", "dependencies": [
                    {"name": "ship-core", "kind": null},
                    {"name": "serde", "kind": null},
                    {"name": "ship-tests", "kind": "dev"},
                ]},
                {"name": "ship-tests", "manifest_path": "/house/tests/Cargo.toml", "dependencies": []},
            ],
        });
        let members = House::from_metadata(metadata).unwrap().members();
        assert_eq!(members[1].folder, "engine/store");
        assert_eq!(members[1].needs, ["ship-core"]);
    }
}
