//! `shipway plugin dev`: builds and tests again whenever a source changes.
//!
//! Sources are looked at twice a second rather than watched: that works on
//! network and container mounts too, where nobody tells of changes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::Args;
use shipway_plugin_tools::project::Project;

use super::test::{self, Taping};
use super::{Detail, build, interrupted};
use crate::failure::Failure;
use crate::output::{note, say};

const LOOK: Duration = Duration::from_millis(500);
/// A project with more files is not looked at further.
const MOST_FILES: usize = 10_000;
/// What a build or an editor writes, and is no source.
const NO_SOURCES: [&str; 6] = [
    "build",
    "target",
    "node_modules",
    "__pycache__",
    ".git",
    "shipway-sdk",
];

#[derive(Debug, Args)]
pub struct Arguments {
    /// The project's folder
    #[arg(default_value = ".")]
    directory: PathBuf,
}

/// The sources and when each was written last.
type Sources = BTreeMap<PathBuf, SystemTime>;

pub async fn run(arguments: Arguments, detail: Detail) -> Result<(), Failure> {
    let project = Project::read(&arguments.directory).map_err(anyhow::Error::new)?;
    loop {
        // Looked at before the build: what changes meanwhile is not missed.
        let seen = sources(&project.folder);
        tokio::select! {
            round = round(&project.folder, detail) => {
                if let Err(failure) = round {
                    note(failure.to_string())?;
                }
            }
            () = interrupted() => return Ok(()),
        }
        note("waiting for a change; Ctrl-C ends it")?;
        tokio::select! {
            () = changed(&project.folder, &seen) => {}
            () = interrupted() => return Ok(()),
        }
    }
}

async fn round(folder: &Path, detail: Detail) -> Result<(), Failure> {
    let component = build::build(folder, detail).await?.component;
    let cases = test::cases_in(&folder.join("tests"))?;
    let report = test::report(&component, &cases, &Taping::Off).await?;
    say(report.text(detail))?;
    Ok(())
}

async fn changed(folder: &Path, seen: &Sources) {
    while sources(folder) == *seen {
        tokio::time::sleep(LOOK).await;
    }
}

fn sources(folder: &Path) -> Sources {
    let mut found = Sources::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        for entry in entries.filter(|entry| is_source(&entry.file_name().to_string_lossy())) {
            let Ok(about) = entry.metadata() else {
                continue;
            };
            match about.is_dir() {
                true => folders.push(entry.path()),
                false => drop(about.modified().map(|at| found.insert(entry.path(), at))),
            }
        }
        if found.len() > MOST_FILES {
            break;
        }
    }
    found
}

fn is_source(name: &str) -> bool {
    !NO_SOURCES.contains(&name) && !name.ends_with('~') && !name.ends_with(".lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_that_is_written_is_a_change_and_what_a_build_writes_is_not() {
        let folder = std::env::temp_dir().join(format!("shipway-dev-{}", std::process::id()));
        for inner in ["src", "build"] {
            fs::create_dir_all(folder.join(inner)).unwrap();
        }
        fs::write(folder.join("src/plugin.py"), "one").unwrap();
        let seen = sources(&folder);
        assert_eq!(seen.len(), 1);
        fs::write(folder.join("build/plugin.wasm"), "x").unwrap();
        fs::write(folder.join("Cargo.lock"), "x").unwrap();
        assert_eq!(sources(&folder), seen);
        fs::write(folder.join("src/other.py"), "two").unwrap();
        assert_ne!(sources(&folder), seen);
        fs::remove_dir_all(folder).unwrap();
    }
}
